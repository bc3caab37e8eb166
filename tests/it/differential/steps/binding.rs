//! Output bindings.

use anyhow::Result;
use async_trait::async_trait;
use bytes::Bytes;
use http::Method;
use trilby_dapr::proto::runtime::v1::InvokeBindingRequest;

use super::{Pairs, filled, object};
use crate::differential::case::Step;
use crate::differential::normal::{map, shown};
use crate::differential::session::{Body, Session, answered, told};

/// Invokes an output binding.
pub(in crate::differential) struct Bind {
    name: &'static str,
    operation: &'static str,
    /// JSON over HTTP, any bytes over gRPC.
    data: Bytes,
    metadata: Pairs,
}

pub(in crate::differential) fn bind(
    name: &'static str,
    operation: &'static str,
    data: impl Into<Bytes>,
) -> Bind {
    Bind { name, operation, data: data.into(), metadata: Pairs::new() }
}

impl Bind {
    pub(in crate::differential) fn with(mut self, name: &str, value: &str) -> Self {
        self.metadata.push((name.to_owned(), value.to_owned()));
        self
    }
}

#[async_trait]
impl Step for Bind {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let mut body = format!("{{\"operation\":{:?}", self.operation);
        let data = session.fill_bytes(&self.data);
        if !data.is_empty() {
            body.push_str(&format!(",\"data\":{}", String::from_utf8_lossy(&data)));
        }
        if !self.metadata.is_empty() {
            body.push_str(&format!(",\"metadata\":{}", object(session, &self.metadata)));
        }
        body.push('}');
        let path = format!("/v1.0/bindings/{}", self.name);
        let headers = [("content-type", "application/json")];
        let answer = session.send(Method::POST, &path, &headers, body).await?;
        Ok(format!("bind: {}", told(&answer, Body::Exact)))
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        let request = InvokeBindingRequest {
            name: self.name.to_owned(),
            data: session.fill_bytes(&self.data),
            metadata: filled(session, &self.metadata),
            operation: self.operation.to_owned(),
        };
        let answer = session.dapr().invoke_binding(session.request(request)?).await;
        let text = answered(answer, |answer| {
            format!("metadata={} {}", map(&answer.metadata), shown(&answer.data))
        });
        Ok(format!("bind: {text}"))
    }
}
