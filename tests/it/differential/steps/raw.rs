//! Requests that no client library would send.

use anyhow::Result;
use async_trait::async_trait;
use bytes::Bytes;
use http::Method;
use http::uri::PathAndQuery;
use tonic_prost::ProstCodec;
use trilby_dapr::proto::common::v1::StreamPayload;

use crate::differential::case::Step;
use crate::differential::session::{Body, Session, answered, told};

/// An HTTP request as it stands.
pub(in crate::differential) struct Send {
    method: &'static str,
    path: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    body: Bytes,
    compared: Body,
}

pub(in crate::differential) fn send(
    method: &'static str,
    path: &'static str,
    body: impl Into<Bytes>,
) -> Send {
    let headers = vec![("content-type", "application/json")];
    Send { method, path, headers, body: body.into(), compared: Body::Json }
}

impl Send {
    /// These headers in place of a JSON content type.
    pub(in crate::differential) fn headers<const N: usize>(
        mut self,
        headers: [(&'static str, &'static str); N],
    ) -> Self {
        self.headers = headers.to_vec();
        self
    }

    /// The order of lists in the answer means nothing.
    pub(in crate::differential) fn any_order(mut self) -> Self {
        self.compared = Body::AnyOrder;
        self
    }
}

#[async_trait]
impl Step for Send {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let method = Method::from_bytes(self.method.as_bytes())?;
        let path = session.fill(self.path);
        let headers: Vec<_> =
            self.headers.iter().map(|(name, value)| (*name, session.fill(value))).collect();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let body = session.fill_bytes(&self.body);
        let answer = session.send(method, &path, &headers, body).await?;
        Ok(format!("{} {}: {}", self.method, self.path, told(&answer, self.compared)))
    }

    /// A case may need a way that only HTTP has between steps of either protocol.
    async fn grpc(&self, session: &mut Session) -> Result<String> {
        self.http(session).await
    }
}

/// An rpc whose message has the bytes as its first field, whatever the rpc takes there.
pub(in crate::differential) struct Rpc {
    path: &'static str,
    first: &'static [u8],
}

pub(in crate::differential) fn rpc(path: &'static str, first: &'static [u8]) -> Rpc {
    Rpc { path, first }
}

#[async_trait]
impl Step for Rpc {
    async fn http(&self, _: &mut Session) -> Result<String> {
        anyhow::bail!("an rpc is not for HTTP")
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        let mut client = tonic::client::Grpc::new(session.channel());
        client.ready().await?;
        let payload = StreamPayload { data: Bytes::from_static(self.first), seq: 0 };
        let request = session.request(payload)?;
        let path = PathAndQuery::from_static(self.path);
        let codec = ProstCodec::<StreamPayload, ()>::default();
        let answer = client.unary(request, path, codec).await;
        Ok(format!("{}: {}", self.path, answered(answer, |()| String::new())))
    }
}
