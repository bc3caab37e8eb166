//! The runtime itself over gRPC: its metadata and its end.

use std::collections::HashMap;

use serde::Deserialize;
use tonic::{Request, Status};
use trilby_dapr::proto::runtime::v1 as runtime;

use super::opened;
use crate::api::Shared;
use crate::caller::Peer;
use crate::fault::{About, Block};

use runtime::actor_runtime::ActorRuntimeStatus;

/// The JSON of Dapr's HTTP API, whose names are other ones than the message's.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Json {
    id: String,
    runtime_version: String,
    enabled_features: Vec<String>,
    components: Vec<Component>,
    extended: HashMap<String, String>,
    subscriptions: Vec<Subscription>,
    http_endpoints: Vec<Named>,
    resiliencies: Vec<Named>,
    app_connection_properties: App,
    actor_runtime: ActorRuntime,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Named {
    name: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Component {
    name: String,
    r#type: String,
    version: String,
    capabilities: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Subscription {
    pubsubname: String,
    topic: String,
    metadata: HashMap<String, String>,
    rules: Vec<Rule>,
    dead_letter_topic: String,
    r#type: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Rule {
    r#match: String,
    path: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct App {
    port: i32,
    protocol: String,
    channel_address: String,
    max_concurrency: i32,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ActorRuntime {
    runtime_status: String,
    host_ready: bool,
    placement: String,
}

pub(super) async fn get(
    shared: &Shared,
    request: Request<runtime::GetMetadataRequest>,
) -> Result<runtime::GetMetadataResponse, Status> {
    let (cx, _) = opened(request);
    let json = shared.backend.blocks.get_metadata(&cx).await;
    let json =
        json.map_err(|error| shared.teller().status(&error, &About::new(Block::Runtime, "")))?;
    let json: Json = serde_json::from_slice(&json)
        .map_err(|error| Status::internal(format!("the metadata cannot be read: {error}")))?;
    Ok(message(json))
}

fn message(json: Json) -> runtime::GetMetadataResponse {
    let app = json.app_connection_properties;
    let actors = json.actor_runtime;
    let status = ActorRuntimeStatus::from_str_name(&actors.runtime_status)
        .unwrap_or(ActorRuntimeStatus::Initializing);
    runtime::GetMetadataResponse {
        id: json.id,
        registered_components: json.components.into_iter().map(component).collect(),
        extended_metadata: json.extended,
        subscriptions: json.subscriptions.into_iter().map(subscription).collect(),
        http_endpoints: json
            .http_endpoints
            .into_iter()
            .map(|Named { name }| runtime::MetadataHttpEndpoint { name })
            .collect(),
        resiliencies: json
            .resiliencies
            .into_iter()
            .map(|Named { name }| runtime::MetadataResiliency { name })
            .collect(),
        app_connection_properties: Some(runtime::AppConnectionProperties {
            port: app.port,
            protocol: app.protocol,
            channel_address: app.channel_address,
            max_concurrency: app.max_concurrency,
            health: None,
        }),
        runtime_version: json.runtime_version,
        enabled_features: json.enabled_features,
        actor_runtime: Some(runtime::ActorRuntime {
            runtime_status: status.into(),
            active_actors: Vec::new(),
            host_ready: actors.host_ready,
            placement: actors.placement,
        }),
        ..runtime::GetMetadataResponse::default()
    }
}

fn component(component: Component) -> runtime::RegisteredComponents {
    runtime::RegisteredComponents {
        name: component.name,
        r#type: component.r#type,
        version: component.version,
        capabilities: component.capabilities,
    }
}

fn subscription(subscription: Subscription) -> runtime::PubsubSubscription {
    let rule =
        |rule: Rule| runtime::PubsubSubscriptionRule { r#match: rule.r#match, path: rule.path };
    let rules = subscription.rules.into_iter().map(rule).collect();
    let kind = runtime::PubsubSubscriptionType::from_str_name(&subscription.r#type);
    runtime::PubsubSubscription {
        pubsub_name: subscription.pubsubname,
        topic: subscription.topic,
        metadata: subscription.metadata,
        rules: Some(runtime::PubsubSubscriptionRules { rules }),
        dead_letter_topic: subscription.dead_letter_topic,
        r#type: kind.unwrap_or(runtime::PubsubSubscriptionType::Unknown).into(),
    }
}

pub(super) async fn set(
    shared: &Shared,
    request: Request<runtime::SetMetadataRequest>,
) -> Result<(), Status> {
    let (cx, message) = opened(request);
    let set = shared.backend.blocks.set_metadata(&cx, message.key, message.value).await;
    set.map_err(|error| shared.teller().status(&error, &About::new(Block::Runtime, "")))
}

pub(super) async fn shutdown(
    shared: &Shared,
    request: Request<runtime::ShutdownRequest>,
) -> Result<(), Status> {
    let peer = request.extensions().get::<Peer>().copied();
    let is_local = peer.is_some_and(|peer| peer.is_local);
    shared
        .shut_down(is_local)
        .map_err(|error| shared.teller().status(&error, &About::new(Block::Runtime, "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_says_what_the_json_says() {
        let json = r#"{"id":"a1","runtimeVersion":"1.18.3","components":[{"name":"s","type":"state.x",
            "version":"v1","capabilities":["ETAG"]}],"extended":{"k":"v"},"subscriptions":[{
            "pubsubname":"p","topic":"t","rules":[{"path":"/t"}],"deadLetterTopic":"d",
            "type":"DECLARATIVE"}],"appConnectionProperties":{"protocol":"http"},
            "actorRuntime":{"runtimeStatus":"DISABLED","hostReady":false,"placement":"none"}}"#;
        let found = message(serde_json::from_str(json).expect("JSON"));
        assert_eq!((&*found.id, &*found.runtime_version), ("a1", "1.18.3"));
        assert_eq!(found.registered_components[0].capabilities, ["ETAG"]);
        assert_eq!(found.extended_metadata["k"], "v");
        let subscription = &found.subscriptions[0];
        assert_eq!(subscription.r#type(), runtime::PubsubSubscriptionType::Declarative);
        assert_eq!(subscription.rules.as_ref().expect("rules").rules[0].path, "/t");
        let actors = found.actor_runtime.expect("actors");
        assert_eq!(actors.runtime_status(), ActorRuntimeStatus::Disabled);
        assert_eq!(found.app_connection_properties.expect("an app").protocol, "http");
    }
}
