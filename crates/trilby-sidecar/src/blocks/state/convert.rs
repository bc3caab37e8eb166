//! State's types as messages of Dapr's protobuf API, and back.

use trilby_dapr::proto::common::v1 as common;
use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::state::{
    BulkStateItem, Concurrency, Consistency, DeleteState, GetState, SaveState, StateItem, StateKey,
    StateOperation, TransactState,
};

use common::state_options::{StateConcurrency, StateConsistency};

pub(super) fn get(request: GetState) -> runtime::GetStateRequest {
    runtime::GetStateRequest {
        store_name: request.store,
        key: request.key,
        consistency: consistency(request.consistency).into(),
        metadata: request.metadata.into_iter().collect(),
    }
}

pub(super) fn save(request: SaveState) -> runtime::SaveStateRequest {
    runtime::SaveStateRequest {
        store_name: request.store,
        states: request.items.into_iter().map(item).collect(),
    }
}

pub(super) fn delete(request: DeleteState) -> runtime::DeleteStateRequest {
    runtime::DeleteStateRequest {
        store_name: request.store,
        key: request.key,
        options: Some(options(request.concurrency, request.etag.as_deref(), request.consistency)),
        etag: etag(request.etag),
        metadata: request.metadata.into_iter().collect(),
    }
}

pub(super) fn transact(request: TransactState) -> runtime::ExecuteStateTransactionRequest {
    let operation = |operation| {
        let (name, item) = match operation {
            StateOperation::Upsert(written) => ("upsert", item(written)),
            StateOperation::Delete(deleted) => ("delete", key(deleted)),
        };
        runtime::TransactionalStateOperation {
            operation_type: name.to_owned(),
            request: Some(item),
        }
    };
    runtime::ExecuteStateTransactionRequest {
        store_name: request.store,
        operations: request.operations.into_iter().map(operation).collect(),
        metadata: request.metadata.into_iter().collect(),
    }
}

fn item(item: StateItem) -> common::StateItem {
    common::StateItem {
        key: item.key,
        value: item.value,
        metadata: item.metadata.into_iter().collect(),
        options: Some(options(item.concurrency, item.etag.as_deref(), item.consistency)),
        etag: etag(item.etag),
    }
}

pub(super) fn key(key: StateKey) -> common::StateItem {
    common::StateItem {
        key: key.key,
        value: bytes::Bytes::new(),
        metadata: key.metadata.into_iter().collect(),
        options: Some(options(key.concurrency, key.etag.as_deref(), key.consistency)),
        etag: etag(key.etag),
    }
}

pub(super) fn read(item: runtime::BulkStateItem) -> BulkStateItem {
    BulkStateItem {
        key: item.key,
        data: item.data,
        etag: given(item.etag),
        metadata: item.metadata.into_iter().collect(),
        error: given(item.error),
    }
}

pub(super) fn found(item: runtime::QueryStateItem) -> BulkStateItem {
    BulkStateItem {
        key: item.key,
        data: item.data,
        etag: given(item.etag),
        error: given(item.error),
        ..BulkStateItem::default()
    }
}

/// An empty text on the wire is none.
pub(super) fn given(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// Dapr takes an empty etag for none, so none is sent.
fn etag(etag: Option<String>) -> Option<common::Etag> {
    etag.filter(|value| !value.is_empty()).map(|value| common::Etag { value })
}

/// `state.redis` does not look at an etag when the last write is to win, as other stores do: there
/// the word adds nothing to an etag, so it is left out.
fn options(
    concurrency: Concurrency,
    etag: Option<&str>,
    consistency_wanted: Consistency,
) -> common::StateOptions {
    let has_etag = etag.is_some_and(|etag| !etag.is_empty());
    let concurrency = match concurrency {
        Concurrency::LastWrite if has_etag => StateConcurrency::ConcurrencyUnspecified,
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
