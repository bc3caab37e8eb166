//! The messages of the gRPC app channel as requests in the form of the HTTP one.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use prost::Message as _;
use prost_types::Any;
use trilby_dapr::delivery::{self, BulkEntry, BulkEvents, CLOUD_EVENT};
use trilby_dapr::jobs::JobData;
use trilby_dapr::proto::common::v1::InvokeRequest;
use trilby_dapr::proto::common::v1::http_extension::Verb;
use trilby_dapr::proto::runtime::v1::topic_event_bulk_request_entry::Event;
use trilby_dapr::proto::runtime::v1::{
    BindingEventRequest, BulkSubscribeConfig, JobEventRequest, TopicEventBulkRequest,
    TopicEventBulkRequestEntry, TopicEventRequest, TopicRoutes, TopicRule, TopicSubscription,
};
use trilby_dapr::subscription::Subscription;
use trilby_dapr::wire::invoke::method;

use super::{headers, paths};

/// A topic event. Its path is the one that the subscription has; `None` if it is none.
pub(super) fn topic_event(event: &TopicEventRequest, headers: HeaderMap) -> Option<Request<Bytes>> {
    let path = event_path(&event.path, (&event.pubsub_name, &event.topic))?;
    Some(post(&path, CLOUD_EVENT, headers, delivery::envelope(event)))
}

/// Several events of a topic.
pub(super) fn bulk(events: TopicEventBulkRequest, headers: HeaderMap) -> Option<Request<Bytes>> {
    let path = event_path(&events.path, (&events.pubsub_name, &events.topic))?;
    let names = (events.pubsub_name.as_str(), events.topic.as_str());
    let entries = events.entries.into_iter().map(|entry| bulk_entry(entry, names)).collect();
    let metadata = events.metadata.into_iter().collect();
    let (pubsub, topic) = names;
    let (pubsub, topic) = (pubsub.to_owned(), topic.to_owned());
    let events = BulkEvents { id: events.id, pubsub, topic, metadata, entries };
    Some(post(&path, "application/json", headers, events.to_json()))
}

/// gRPC leaves out of an entry what is the same for all of them.
fn bulk_entry(entry: TopicEventBulkRequestEntry, (pubsub, topic): (&str, &str)) -> BulkEntry {
    let (event, content_type) = match entry.event {
        Some(Event::CloudEvent(event)) => {
            let event = TopicEventRequest {
                id: event.id,
                source: event.source,
                r#type: event.r#type,
                spec_version: event.spec_version,
                data_content_type: event.data_content_type,
                data: event.data,
                extensions: event.extensions,
                topic: topic.to_owned(),
                pubsub_name: pubsub.to_owned(),
                path: String::new(),
            };
            // Whatever the broker calls it, this is an envelope.
            (delivery::envelope(&event), CLOUD_EVENT.to_owned())
        }
        Some(Event::Bytes(bytes)) => (bytes, entry.content_type),
        None => (Bytes::new(), entry.content_type),
    };
    let metadata = entry.metadata.into_iter().collect();
    BulkEntry { id: entry.entry_id, event, content_type, metadata }
}

/// Where an event goes: a subscription made by whoever needs no path has none.
fn event_path(path: &str, (pubsub, topic): (&str, &str)) -> Option<String> {
    match path {
        "" => paths::path(&paths::topic_path(pubsub, topic, None)),
        path => paths::path(path),
    }
}

/// A binding's trigger, whose metadata are headers.
pub(super) fn binding(event: BindingEventRequest, headers: HeaderMap) -> Option<Request<Bytes>> {
    let path = paths::path(&paths::binding_path(&event.name))?;
    let mut headers = headers;
    headers::add(&mut headers, event.metadata);
    Some(post(&path, "application/json", headers, event.data))
}

/// A job that is due. `None` if its name is empty, or too long for a path.
pub(super) fn job(event: JobEventRequest, headers: HeaderMap) -> Option<Request<Bytes>> {
    let mut request = delivery::job(&event.name, job_data(event.data).as_ref());
    if delivery::job_of(request.uri().path()) != Some(event.name) {
        return None;
    }
    put(request.headers_mut(), headers);
    Some(request)
}

/// JSON comes as a `google.protobuf.Value`, anything else as it was given.
fn job_data(data: Option<Any>) -> Option<JobData> {
    let data = data?;
    if data.type_url.ends_with("/google.protobuf.Value")
        && let Ok(value) = prost_types::Value::decode(data.value.as_slice())
    {
        let json = || delivery::json_of(&value).to_string();
        return value.kind.is_some().then(|| JobData::Json(json().into()));
    }
    (!data.value.is_empty()).then(|| JobData::Bytes(data.value.into()))
}

/// A request of another app. `None` if its method is too long for a path.
pub(super) fn invocation(message: InvokeRequest, headers: HeaderMap) -> Option<Request<Bytes>> {
    let extension = message.http_extension.unwrap_or_default();
    let (path, query) = match message.method.split_once('?') {
        Some((path, query)) => (path, query.to_owned()),
        None => (message.method.as_str(), extension.querystring),
    };
    let path = paths::path(path)?;
    let uri = if query.is_empty() { path } else { format!("{path}?{query}") };
    let body = message.data.map(|data| Bytes::from(data.value)).unwrap_or_default();
    let mut request = Request::new(body);
    *request.method_mut() = method(Verb::try_from(extension.verb).unwrap_or(Verb::None));
    *request.uri_mut() = uri.parse().ok()?;
    *request.headers_mut() = headers;
    if let Ok(content_type) = HeaderValue::try_from(message.content_type)
        && !content_type.is_empty()
    {
        request.headers_mut().insert(header::CONTENT_TYPE, content_type);
    }
    Some(request)
}

fn post(path: &str, content_type: &'static str, headers: HeaderMap, body: Bytes) -> Request<Bytes> {
    delivery::post(delivery::path(path), headers, content_type, body)
}

/// Adds headers that do not have their place yet.
fn put(own: &mut HeaderMap, headers: HeaderMap) {
    for (name, value) in &headers {
        if name != header::CONTENT_TYPE {
            own.append(name, value.clone());
        }
    }
}

/// A subscription in gRPC. Without any route daprd would make one up, so there is always one.
pub(super) fn subscription(subscription: &Subscription) -> TopicSubscription {
    let rules = subscription.rules.iter().map(|rule| TopicRule {
        r#match: rule.condition.text().to_owned(),
        path: rule.target.path.clone(),
    });
    let default = subscription.default.as_ref().map(|target| target.path.clone());
    let bulk = subscription.bulk.as_ref().map(|bulk| BulkSubscribeConfig {
        enabled: true,
        max_messages_count: i32::try_from(bulk.max_messages).unwrap_or(i32::MAX),
        max_await_duration_ms: i32::try_from(bulk.max_await.as_millis()).unwrap_or(i32::MAX),
    });
    TopicSubscription {
        pubsub_name: subscription.pubsub.clone(),
        topic: subscription.topic.clone(),
        metadata: subscription.metadata.clone().into_iter().collect(),
        routes: Some(TopicRoutes { rules: rules.collect(), default: default.unwrap_or_default() }),
        dead_letter_topic: subscription.dead_letter_topic.clone().unwrap_or_default(),
        bulk_subscribe: bulk,
    }
}

pub(super) fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

/// The text of a failure: what the answer says, if that is short enough to be one.
pub(super) fn text(status: StatusCode, body: &[u8]) -> String {
    const TEXT_BYTES_MAX: usize = 1024;
    let said = std::str::from_utf8(body).ok().map(str::trim);
    match said.filter(|text| !text.is_empty() && text.len() <= TEXT_BYTES_MAX) {
        Some(text) => text.to_owned(),
        None => status.canonical_reason().unwrap_or("the app failed").to_owned(),
    }
}
