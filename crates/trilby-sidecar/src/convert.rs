//! Requests as messages of Dapr's protobuf API.

use trilby_dapr::messaging::{InvokeBinding, Publish};
use trilby_dapr::proto::common::v1 as common;
use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::secret::GetSecret;
use trilby_dapr::state::{Concurrency, Consistency, DeleteState, GetState, SaveState, StateItem};

use common::state_options::{StateConcurrency, StateConsistency};

pub(crate) fn get_state(request: GetState) -> runtime::GetStateRequest {
    runtime::GetStateRequest {
        store_name: request.store,
        key: request.key,
        consistency: consistency(request.consistency).into(),
        metadata: request.metadata.into_iter().collect(),
    }
}

pub(crate) fn save_state(request: SaveState) -> runtime::SaveStateRequest {
    runtime::SaveStateRequest {
        store_name: request.store,
        states: request.items.into_iter().map(state_item).collect(),
    }
}

fn state_item(item: StateItem) -> common::StateItem {
    common::StateItem {
        key: item.key,
        value: item.value,
        etag: etag(item.etag),
        metadata: item.metadata.into_iter().collect(),
        options: Some(options(item.concurrency, item.consistency)),
    }
}

pub(crate) fn delete_state(request: DeleteState) -> runtime::DeleteStateRequest {
    runtime::DeleteStateRequest {
        store_name: request.store,
        key: request.key,
        etag: etag(request.etag),
        options: Some(options(request.concurrency, request.consistency)),
        metadata: request.metadata.into_iter().collect(),
    }
}

pub(crate) fn publish(request: Publish) -> runtime::PublishEventRequest {
    runtime::PublishEventRequest {
        pubsub_name: request.pubsub,
        topic: request.topic,
        data: request.data,
        data_content_type: request.content_type.unwrap_or_default(),
        metadata: request.metadata.into_iter().collect(),
    }
}

pub(crate) fn invoke_binding(request: InvokeBinding) -> runtime::InvokeBindingRequest {
    runtime::InvokeBindingRequest {
        name: request.binding,
        data: request.data,
        metadata: request.metadata.into_iter().collect(),
        operation: request.operation,
    }
}

pub(crate) fn get_secret(request: GetSecret) -> runtime::GetSecretRequest {
    runtime::GetSecretRequest {
        store_name: request.store,
        key: request.key,
        metadata: request.metadata.into_iter().collect(),
    }
}

/// Dapr takes an empty etag for none, so none is sent.
fn etag(etag: Option<String>) -> Option<common::Etag> {
    etag.filter(|value| !value.is_empty()).map(|value| common::Etag { value })
}

fn options(concurrency: Concurrency, consistency_wanted: Consistency) -> common::StateOptions {
    let concurrency = match concurrency {
        Concurrency::Unspecified => StateConcurrency::ConcurrencyUnspecified,
        Concurrency::FirstWrite => StateConcurrency::ConcurrencyFirstWrite,
        Concurrency::LastWrite => StateConcurrency::ConcurrencyLastWrite,
    };
    common::StateOptions {
        concurrency: concurrency.into(),
        consistency: consistency(consistency_wanted).into(),
    }
}

fn consistency(consistency: Consistency) -> StateConsistency {
    match consistency {
        Consistency::Unspecified => StateConsistency::ConsistencyUnspecified,
        Consistency::Eventual => StateConsistency::ConsistencyEventual,
        Consistency::Strong => StateConsistency::ConsistencyStrong,
    }
}
