//! Service invocation.

use anyhow::{Context, Result};
use async_trait::async_trait;
use bytes::Bytes;
use http::Method;
use trilby_dapr::proto::common::v1::{HttpExtension, InvokeRequest};
use trilby_dapr::proto::runtime::v1::InvokeServiceRequest;

use crate::differential::case::Step;
use crate::differential::normal::shown;
use crate::differential::session::{Body, Session, answered, told};

/// Calls a method of an app. `@app` is the app's own id.
pub(in crate::differential) struct Invoke {
    app: &'static str,
    verb: &'static str,
    /// With the query, if there is one.
    method: &'static str,
    data: Bytes,
    content_type: &'static str,
}

pub(in crate::differential) fn invoke(
    app: &'static str,
    verb: &'static str,
    method: &'static str,
    data: impl Into<Bytes>,
) -> Invoke {
    Invoke { app, verb, method, data: data.into(), content_type: "text/plain" }
}

impl Invoke {
    pub(in crate::differential) fn typed(mut self, content_type: &'static str) -> Self {
        self.content_type = content_type;
        self
    }
}

#[async_trait]
impl Step for Invoke {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let method = Method::from_bytes(self.verb.as_bytes())?;
        let path = format!("/v1.0/invoke/{}/method/{}", session.fill(self.app), self.method);
        let headers = [("content-type", self.content_type)];
        let answer = session.send(method, &path, &headers, self.data.clone()).await?;
        Ok(format!("invoke: {}", told(&answer, Body::Exact)))
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        let (method, querystring) = self.method.split_once('?').unwrap_or((self.method, ""));
        let verbs =
            ["", "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
        let verb = verbs.iter().position(|verb| *verb == self.verb).context("no such verb")?;
        let extension =
            HttpExtension { verb: i32::try_from(verb)?, querystring: querystring.to_owned() };
        let message = InvokeRequest {
            method: method.to_owned(),
            data: Some(prost_types::Any { type_url: String::new(), value: self.data.to_vec() }),
            content_type: self.content_type.to_owned(),
            http_extension: Some(extension),
        };
        let request = InvokeServiceRequest { id: session.fill(self.app), message: Some(message) };
        let answer = session.dapr().invoke_service(session.request(request)?).await;
        let text = answered(answer, |answer| {
            let data = answer.data.map(|data| data.value).unwrap_or_default();
            format!("content-type={:?} {}", answer.content_type, shown(&data))
        });
        Ok(format!("invoke: {text}"))
    }
}
