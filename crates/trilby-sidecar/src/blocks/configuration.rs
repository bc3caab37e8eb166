//! Configuration over gRPC.

use std::collections::BTreeMap;

use async_trait::async_trait;
use trilby_dapr::configuration::{Configuration, ConfigurationItem, GetConfiguration};
use trilby_dapr::proto::common::v1 as common;
use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::{CallContext, Result};

use crate::Sidecar;
use crate::metrics::Block;

#[async_trait]
impl Configuration for Sidecar {
    async fn get_configuration(
        &self,
        cx: &CallContext,
        request: GetConfiguration,
    ) -> Result<BTreeMap<String, ConfigurationItem>> {
        let message = runtime::GetConfigurationRequest {
            store_name: request.store,
            keys: request.keys,
            metadata: request.metadata.into_iter().collect(),
        };
        let request = self.link.request(cx, message)?;
        let mut client = self.link.client();
        let call = async move { client.get_configuration(request).await };
        let reply = self.link.wait(cx, Block::Configuration, "reading configuration", call).await?;
        Ok(reply.items.into_iter().map(|(key, value)| (key, item(value))).collect())
    }
}

pub(crate) fn item(item: common::ConfigurationItem) -> ConfigurationItem {
    ConfigurationItem {
        value: item.value,
        version: item.version,
        metadata: item.metadata.into_iter().collect(),
    }
}
