//! Configuration over gRPC, and streams of its changes.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::StreamExt as _;
use tokio::sync::OwnedSemaphorePermit;
use tonic::codegen::BoxStream;
use tonic::{Request, Status};
use trilby_dapr::configuration::{ConfigurationItem, GetConfiguration};
use trilby_dapr::proto::common::v1 as common;
use trilby_dapr::proto::runtime::v1 as runtime;

use super::opened;
use crate::api::Shared;
use crate::fault::{About, Block};
use crate::watches::Change;

pub(super) async fn get(
    shared: &Shared,
    request: Request<runtime::GetConfigurationRequest>,
) -> Result<runtime::GetConfigurationResponse, Status> {
    let (cx, message) = opened(request);
    let about = About::new(Block::Configuration, &message.store_name);
    let request = GetConfiguration {
        store: message.store_name,
        keys: message.keys,
        metadata: message.metadata.into_iter().collect(),
    };
    let items = shared.backend.blocks.get_configuration(&cx, request).await;
    let items = items.map_err(|error| shared.teller().status(&error, &about))?;
    let items = items.into_iter().map(|(key, found)| (key, item(found))).collect();
    Ok(runtime::GetConfigurationResponse { items })
}

/// The first message names the subscription, and each later one a key that has changed.
pub(super) async fn subscribe(
    shared: &Arc<Shared>,
    request: Request<runtime::SubscribeConfigurationRequest>,
) -> Result<BoxStream<runtime::SubscribeConfigurationResponse>, Status> {
    let place = request.extensions().get::<Arc<OwnedSemaphorePermit>>().cloned();
    let (cx, message) = opened(request);
    let about = About::new(Block::Configuration, &message.store_name);
    let keys = message.keys;
    let opened = shared.watches.open(shared, &cx, &message.store_name, &keys).await;
    let watch = opened.map_err(|error| shared.teller().status(&error, &about))?;
    let first = runtime::SubscribeConfigurationResponse {
        id: watch.id().to_owned(),
        items: HashMap::new(),
    };
    let draining = shared.draining.clone();
    let changes = futures_util::stream::unfold(Some(watch), move |watch| {
        let draining = draining.clone();
        let place = place.clone();
        async move {
            let _held = place;
            let mut watch = watch?;
            let change = tokio::select! {
                change = watch.next() => change,
                () = draining.cancelled() => return Some((Err(closed()), None)),
            };
            match change {
                Change::Item(key, found) => {
                    let items = HashMap::from([(key, item(found))]);
                    let id = watch.id().to_owned();
                    let told = runtime::SubscribeConfigurationResponse { id, items };
                    Some((Ok(told), Some(watch)))
                }
                // So daprd ends a stream whose subscription ended.
                Change::Unsubscribed => Some((Err(Status::unknown("EOF")), None)),
            }
        }
    });
    Ok(Box::pin(futures_util::stream::iter([Ok(first)]).chain(changes)))
}

pub(super) fn unsubscribe(
    shared: &Shared,
    request: Request<runtime::UnsubscribeConfigurationRequest>,
) -> Result<runtime::UnsubscribeConfigurationResponse, Status> {
    // daprd does not look at the store.
    let (_, runtime::UnsubscribeConfigurationRequest { id, .. }) = opened(request);
    if shared.watches.end(&id) {
        return Ok(runtime::UnsubscribeConfigurationResponse { ok: true, message: String::new() });
    }
    let message =
        format!("failed to unsubscribe to configuration request {id}: subscription does not exist");
    Ok(runtime::UnsubscribeConfigurationResponse { ok: false, message })
}

fn item(item: ConfigurationItem) -> common::ConfigurationItem {
    common::ConfigurationItem {
        value: item.value,
        version: item.version,
        metadata: item.metadata.into_iter().collect(),
    }
}

/// How a stream ends when the process does.
pub(super) fn closed() -> Status {
    Status::unavailable("api server closed")
}
