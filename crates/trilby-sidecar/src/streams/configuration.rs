//! Changes of configuration over a stream (`SubscribeConfiguration`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use tonic::Streaming;
use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::subscription::ConfigurationWatch;
use trilby_dapr::{Code, Error, Result, delivery};

use super::Shared;
use super::keeper::{End, Keeper};
use crate::blocks::configuration_item;

/// How long the sidecar may take to open a stream: its store may be slow.
const OPEN_TIMEOUT: Duration = Duration::from_secs(30);

type Changes = Streaming<runtime::SubscribeConfigurationResponse>;

pub(super) async fn run(shared: Arc<Shared>, watch: ConfigurationWatch) {
    let key = watch.key.as_deref().unwrap_or("*");
    let mut keeper = Keeper::new(format!("the watch of configuration {}/{key}", watch.store));
    loop {
        let opening = timeout(OPEN_TIMEOUT, open(&shared, &watch));
        let end = match shared.closing.run_until_cancelled(opening).await {
            None => End::Drained,
            Some(Err(_)) => End::Broken(Error::deadline("opening a watch of configuration")),
            Some(Ok(Err(error))) => End::of_opening(error),
            Some(Ok(Ok((changes, first)))) => {
                keeper.opened();
                session(&shared, &watch, &mut keeper, (changes, first)).await
            }
        };
        if !keeper.wait(end, &shared.closing).await {
            return;
        }
    }
}

type Items = runtime::SubscribeConfigurationResponse;

/// Opens the stream, of which daprd's first message names the subscription and has no items.
async fn open(shared: &Shared, watch: &ConfigurationWatch) -> Result<(Changes, Items)> {
    let message = runtime::SubscribeConfigurationRequest {
        store_name: watch.store.clone(),
        keys: watch.key.clone().into_iter().collect(),
        metadata: std::collections::HashMap::new(),
    };
    let request = shared.link.stream(None, message);
    let mut client = shared.link.client();
    let answer = client.subscribe_configuration(request).await;
    let mut changes = answer.map_err(|status| shared.link.error(&status))?.into_inner();
    let first = next(shared, &mut changes).await?;
    Ok((changes, first))
}

async fn next(shared: &Shared, changes: &mut Changes) -> Result<Items> {
    let message = changes.message().await.map_err(|status| shared.link.error(&status))?;
    message.ok_or_else(|| Error::new(Code::Unavailable, "the Dapr sidecar ended the stream"))
}

/// Delivers the changes one after the other: the last one that the app hears of is the newest.
async fn session(
    shared: &Shared,
    watch: &ConfigurationWatch,
    keeper: &mut Keeper,
    (mut changes, first): (Changes, Items),
) -> End {
    let mut message = first;
    loop {
        let items: BTreeMap<_, _> = message.items.into_iter().collect();
        for (key, item) in items {
            if shared.closing.is_cancelled() {
                return End::Drained;
            }
            let request = delivery::configuration(&watch.store, &key, &configuration_item(item));
            // A change is told once, whatever the answer is.
            if shared.deliver(request, watch.deadline).await.is_none() {
                tracing::warn!(store = watch.store, key, "a change of configuration took too long");
            }
            keeper.settled();
        }
        match shared.closing.run_until_cancelled(next(shared, &mut changes)).await {
            None => return End::Drained,
            Some(Ok(next)) => message = next,
            Some(Err(error)) => return End::Broken(error),
        }
    }
}
