//! State over gRPC.

use tonic::{Request, Status};
use trilby_dapr::Error;
use trilby_dapr::proto::common::v1 as common;
use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::state::{
    BulkStateItem, Concurrency, Consistency, DeleteState, DeleteStates, GetState, GetStates,
    QueryState, SaveState, StateItem, StateKey, StateOperation, TransactState,
};

use super::opened;
use crate::api::Shared;
use crate::fault::{About, Block};

use common::state_options::{StateConcurrency, StateConsistency};

pub(super) async fn get(
    shared: &Shared,
    request: Request<runtime::GetStateRequest>,
) -> Result<runtime::GetStateResponse, Status> {
    let (cx, message) = opened(request);
    let about = About::new(Block::State, &message.store_name).named(&message.key);
    let request = GetState {
        consistency: consistency(message.consistency()),
        store: message.store_name,
        key: message.key,
        metadata: message.metadata.into_iter().collect(),
    };
    let found = shared.backend.blocks.get_state(&cx, request).await;
    let found = found.map_err(|error| shared.teller().status(&error, &about))?;
    Ok(runtime::GetStateResponse {
        data: found.data,
        etag: found.etag.unwrap_or_default(),
        metadata: found.metadata.into_iter().collect(),
    })
}

pub(super) async fn get_many(
    shared: &Shared,
    request: Request<runtime::GetBulkStateRequest>,
) -> Result<runtime::GetBulkStateResponse, Status> {
    let (cx, message) = opened(request);
    let about = About::new(Block::State, &message.store_name)
        .named(suspicious(message.keys.iter().map(String::as_str)));
    let request = GetStates {
        store: message.store_name,
        keys: message.keys,
        parallelism: u16::try_from(message.parallelism.max(0)).unwrap_or(u16::MAX),
        metadata: message.metadata.into_iter().collect(),
    };
    let found = shared.backend.blocks.get_states(&cx, request).await;
    let found = found.map_err(|error| shared.teller().status(&error, &about))?;
    Ok(runtime::GetBulkStateResponse { items: found.into_iter().map(bulk_item).collect() })
}

pub(super) async fn save(
    shared: &Shared,
    request: Request<runtime::SaveStateRequest>,
) -> Result<(), Status> {
    let (cx, message) = opened(request);
    let about = About::new(Block::State, &message.store_name)
        .named(suspicious(message.states.iter().map(|item| item.key.as_str())));
    let items = message.states.into_iter().map(item).collect();
    let request = SaveState { store: message.store_name, items };
    let saved = shared.backend.blocks.save_state(&cx, request).await;
    saved.map_err(|error| shared.teller().status(&error, &about))
}

pub(super) async fn delete(
    shared: &Shared,
    request: Request<runtime::DeleteStateRequest>,
) -> Result<(), Status> {
    let (cx, message) = opened(request);
    let about = About::new(Block::State, &message.store_name).named(&message.key);
    let options = message.options.unwrap_or_default();
    let request = DeleteState {
        store: message.store_name,
        key: message.key,
        etag: message.etag.map(|etag| etag.value),
        concurrency: concurrency(options.concurrency()),
        consistency: consistency(options.consistency()),
        metadata: message.metadata.into_iter().collect(),
    };
    let deleted = shared.backend.blocks.delete_state(&cx, request).await;
    deleted.map_err(|error| shared.teller().status(&error, &about))
}

pub(super) async fn delete_many(
    shared: &Shared,
    request: Request<runtime::DeleteBulkStateRequest>,
) -> Result<(), Status> {
    let (cx, message) = opened(request);
    let about = About::new(Block::State, &message.store_name)
        .named(suspicious(message.states.iter().map(|item| item.key.as_str())));
    let keys = message.states.into_iter().map(key).collect();
    let request = DeleteStates { store: message.store_name, keys };
    let deleted = shared.backend.blocks.delete_states(&cx, request).await;
    deleted.map_err(|error| shared.teller().status(&error, &about))
}

pub(super) async fn transact(
    shared: &Shared,
    request: Request<runtime::ExecuteStateTransactionRequest>,
) -> Result<(), Status> {
    let (cx, message) = opened(request);
    let keys = message.operations.iter().filter_map(|operation| operation.request.as_ref());
    let about = About::new(Block::State, &message.store_name)
        .named(suspicious(keys.map(|item| item.key.as_str())));
    let operations = message.operations.into_iter().map(operation);
    let request = operations.collect::<Result<_, Error>>().map(|operations| TransactState {
        store: message.store_name,
        operations,
        metadata: message.metadata.into_iter().collect(),
    });
    let done = match request {
        Ok(request) => shared.backend.blocks.transact_state(&cx, request).await,
        Err(error) => Err(error),
    };
    done.map_err(|error| shared.teller().status(&error, &about))
}

pub(super) async fn query(
    shared: &Shared,
    request: Request<runtime::QueryStateRequest>,
) -> Result<runtime::QueryStateResponse, Status> {
    let (cx, message) = opened(request);
    let about = About::new(Block::State, &message.store_name);
    let request = QueryState {
        store: message.store_name,
        query: message.query,
        metadata: message.metadata.into_iter().collect(),
    };
    let found = shared.backend.blocks.query_state(&cx, request).await;
    let found = found.map_err(|error| shared.teller().status(&error, &about))?;
    let item = |item: BulkStateItem| runtime::QueryStateItem {
        key: item.key,
        data: item.data,
        etag: item.etag.unwrap_or_default(),
        error: item.error.unwrap_or_default(),
    };
    Ok(runtime::QueryStateResponse {
        results: found.items.into_iter().map(item).collect(),
        token: found.token.unwrap_or_default(),
        metadata: found.metadata.into_iter().collect(),
    })
}

/// The key that an error about a key means: the first that daprd refuses.
pub(crate) fn suspicious<'a>(mut keys: impl Iterator<Item = &'a str>) -> &'a str {
    keys.find(|key| key.contains("||")).unwrap_or_default()
}

fn operation(operation: runtime::TransactionalStateOperation) -> Result<StateOperation, Error> {
    let wanted = operation.request.unwrap_or_default();
    match operation.operation_type.as_str() {
        "upsert" => Ok(StateOperation::Upsert(item(wanted))),
        "delete" => Ok(StateOperation::Delete(key(wanted))),
        other => Err(Error::unimplemented(format!("operation type {other} not supported"))
            .with_reason("ERR_NOT_SUPPORTED_STATE_OPERATION")),
    }
}

fn item(item: common::StateItem) -> StateItem {
    let options = item.options.unwrap_or_default();
    StateItem {
        key: item.key,
        value: item.value,
        etag: item.etag.map(|etag| etag.value),
        metadata: item.metadata.into_iter().collect(),
        concurrency: concurrency(options.concurrency()),
        consistency: consistency(options.consistency()),
    }
}

fn key(item: common::StateItem) -> StateKey {
    let options = item.options.unwrap_or_default();
    StateKey {
        key: item.key,
        etag: item.etag.map(|etag| etag.value),
        metadata: item.metadata.into_iter().collect(),
        concurrency: concurrency(options.concurrency()),
        consistency: consistency(options.consistency()),
    }
}

fn bulk_item(item: BulkStateItem) -> runtime::BulkStateItem {
    runtime::BulkStateItem {
        key: item.key,
        data: item.data,
        etag: item.etag.unwrap_or_default(),
        error: item.error.unwrap_or_default(),
        metadata: item.metadata.into_iter().collect(),
    }
}

fn concurrency(concurrency: StateConcurrency) -> Concurrency {
    match concurrency {
        StateConcurrency::ConcurrencyUnspecified => Concurrency::Unspecified,
        StateConcurrency::ConcurrencyFirstWrite => Concurrency::FirstWrite,
        StateConcurrency::ConcurrencyLastWrite => Concurrency::LastWrite,
    }
}

fn consistency(consistency: StateConsistency) -> Consistency {
    match consistency {
        StateConsistency::ConsistencyUnspecified => Consistency::Unspecified,
        StateConsistency::ConsistencyEventual => Consistency::Eventual,
        StateConsistency::ConsistencyStrong => Consistency::Strong,
    }
}
