//! Publishing and output bindings over gRPC.

use tonic::{Request, Status};
use trilby_dapr::messaging::{BulkEvent, InvokeBinding, Publish, PublishBulk};
use trilby_dapr::proto::runtime::v1 as runtime;

use super::opened;
use crate::api::Shared;
use crate::fault::{About, Block};

pub(super) async fn publish(
    shared: &Shared,
    request: Request<runtime::PublishEventRequest>,
) -> Result<(), Status> {
    let (cx, message) = opened(request);
    let metadata = message.metadata.into_iter().collect();
    let about = About::new(Block::Pubsub, &message.pubsub_name)
        .named(&message.topic)
        .with_metadata(&metadata);
    let request = Publish {
        pubsub: message.pubsub_name,
        topic: message.topic,
        data: message.data,
        content_type: given(message.data_content_type),
        metadata,
    };
    let published = shared.backend.blocks.publish(&cx, request).await;
    published.map_err(|error| shared.teller().status(&error, &about))
}

pub(super) async fn publish_many(
    shared: &Shared,
    request: Request<runtime::BulkPublishRequest>,
) -> Result<runtime::BulkPublishResponse, Status> {
    let (cx, message) = opened(request);
    // Attributes of events are those of each entry; daprd takes them from the whole over HTTP only.
    let is_attribute = |name: &str| name.to_ascii_lowercase().starts_with("cloudevent.");
    let metadata = message.metadata.into_iter().filter(|(name, _)| !is_attribute(name)).collect();
    let about = About::new(Block::Pubsub, &message.pubsub_name)
        .named(&message.topic)
        .with_metadata(&metadata);
    let event = |entry: runtime::BulkPublishRequestEntry| BulkEvent {
        id: entry.entry_id,
        data: entry.event,
        content_type: given(entry.content_type),
        metadata: entry.metadata.into_iter().collect(),
    };
    let request = PublishBulk {
        pubsub: message.pubsub_name,
        topic: message.topic,
        events: message.entries.into_iter().map(event).collect(),
        metadata,
    };
    let failed = shared.backend.blocks.publish_bulk(&cx, request).await;
    let failed = failed.map_err(|error| shared.teller().status(&error, &about))?;
    let failed = failed.into_iter().map(|failed| runtime::BulkPublishResponseFailedEntry {
        entry_id: failed.id,
        error: failed.error,
    });
    Ok(runtime::BulkPublishResponse { failed_entries: failed.collect() })
}

pub(super) async fn invoke_binding(
    shared: &Shared,
    request: Request<runtime::InvokeBindingRequest>,
) -> Result<runtime::InvokeBindingResponse, Status> {
    let (cx, message) = opened(request);
    let about = About::new(Block::Bindings, &message.name);
    let request = InvokeBinding {
        binding: message.name,
        operation: message.operation,
        data: message.data,
        metadata: message.metadata.into_iter().collect(),
    };
    let reply = shared.backend.blocks.invoke_binding(&cx, request).await;
    let reply = reply.map_err(|error| shared.teller().status(&error, &about))?;
    Ok(runtime::InvokeBindingResponse {
        data: reply.data,
        metadata: reply.metadata.into_iter().collect(),
    })
}

/// An empty text on the wire is none.
fn given(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
