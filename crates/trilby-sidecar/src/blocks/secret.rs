//! Secrets over gRPC.

use std::collections::BTreeMap;

use async_trait::async_trait;
use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::secret::{GetSecret, GetSecrets, Secret, Secrets};
use trilby_dapr::{CallContext, Result};

use crate::Sidecar;
use crate::metrics::Block;

#[async_trait]
impl Secrets for Sidecar {
    async fn get_secret(&self, cx: &CallContext, request: GetSecret) -> Result<Secret> {
        let message = runtime::GetSecretRequest {
            store_name: request.store,
            key: request.key,
            metadata: request.metadata.into_iter().collect(),
        };
        let request = self.link.request(cx, message)?;
        let mut client = self.link.client();
        let call = async move { client.get_secret(request).await };
        let reply = self.link.wait(cx, Block::Secrets, "reading a secret", call).await?;
        Ok(Secret { values: reply.data.into_iter().collect() })
    }

    async fn get_secrets(
        &self,
        cx: &CallContext,
        request: GetSecrets,
    ) -> Result<BTreeMap<String, Secret>> {
        let message = runtime::GetBulkSecretRequest {
            store_name: request.store,
            metadata: request.metadata.into_iter().collect(),
        };
        let request = self.link.request(cx, message)?;
        let mut client = self.link.client();
        let call = async move { client.get_bulk_secret(request).await };
        let reply = self.link.wait(cx, Block::Secrets, "reading secrets", call).await?;
        let secret = |secret: runtime::SecretResponse| Secret {
            values: secret.secrets.into_iter().collect(),
        };
        Ok(reply.data.into_iter().map(|(name, values)| (name, secret(values))).collect())
    }
}
