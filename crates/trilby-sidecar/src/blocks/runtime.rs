//! The sidecar itself, and rpcs that have no function of their own.

use async_trait::async_trait;
use bytes::Bytes;
use http::Method;
use http::uri::PathAndQuery;
use tonic::metadata::{Ascii, MetadataKey, MetadataMap, MetadataValue};
use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::runtime::{Call, RuntimeApi};
use trilby_dapr::{CallContext, Error, Metadata, Result};

use crate::metrics::Block;
use crate::{Sidecar, http_api};

#[async_trait]
impl RuntimeApi for Sidecar {
    async fn get_metadata(&self, cx: &CallContext) -> Result<Bytes> {
        let request = self.http.request(cx, Method::GET, "/v1.0/metadata", http_api::empty())?;
        self.http.json(cx, Block::Runtime, "reading metadata", request).await
    }

    async fn set_metadata(&self, cx: &CallContext, key: String, value: String) -> Result<()> {
        let request = self.link.request(cx, runtime::SetMetadataRequest { key, value })?;
        let mut client = self.link.client();
        let call = async move { client.set_metadata(request).await };
        self.link.wait(cx, Block::Runtime, "writing metadata", call).await
    }

    async fn call(&self, cx: &CallContext, call: Call) -> Result<Bytes> {
        let path = path(&call.rpc)?;
        let mut request = self.link.stream(cx.traceparent.as_deref(), call.request);
        add(request.metadata_mut(), call.metadata)?;
        self.link.raw(cx, path, request).await
    }
}

fn path(rpc: &str) -> Result<PathAndQuery> {
    let invalid = || Error::invalid(format!("`{rpc}` is no name of an rpc"));
    if rpc.is_empty() || !rpc.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(invalid());
    }
    format!("/dapr.proto.runtime.v1.Dapr/{rpc}").parse().map_err(|_| invalid())
}

/// Adds the caller's metadata, but none by which gRPC or daprd is led elsewhere: daprd proxies an rpc
/// that it does not know to the app that `dapr-app-id` names.
fn add(to: &mut MetadataMap, metadata: Metadata) -> Result<()> {
    for (name, value) in metadata {
        let lower = name.to_ascii_lowercase();
        let is_ours = ["dapr-", "grpc-", ":"].iter().any(|prefix| lower.starts_with(prefix))
            || ["traceparent", "te", "content-type", "user-agent", "host"].contains(&&*lower);
        let key = MetadataKey::<Ascii>::from_bytes(lower.as_bytes()).ok().filter(|_| !is_ours);
        let key =
            key.ok_or_else(|| Error::invalid(format!("the metadata `{name}` cannot be given")))?;
        let value: MetadataValue<Ascii> = value.parse().map_err(|_| {
            Error::invalid(format!("the metadata `{name}` has a value that gRPC cannot carry"))
        })?;
        to.insert(key, value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_rpcs_make_a_path() {
        let path_of = |rpc| path(rpc).map(|path| path.to_string());
        assert_eq!(path_of("GetJob").unwrap(), "/dapr.proto.runtime.v1.Dapr/GetJob");
        for rpc in ["", "../Other/Rpc", "Get Job", "Get%4Aob", "Gét"] {
            assert!(path(rpc).is_err(), "{rpc}");
        }
    }

    #[test]
    fn metadata_does_not_lead_elsewhere() {
        let given = |name: &str, value: &str| {
            let mut map = MetadataMap::new();
            add(&mut map, Metadata::from([(name.to_owned(), value.to_owned())])).map(|()| map.len())
        };
        assert_eq!(given("X-Tenant", "a"), Ok(1));
        for name in ["dapr-app-id", "Dapr-Callee-App-Id", "grpc-timeout", "x-bin", "te", "a b", ""]
        {
            assert!(given(name, "a").is_err(), "{name}");
        }
        assert!(given("x", "a\nb").is_err());
    }
}
