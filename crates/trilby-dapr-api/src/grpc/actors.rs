//! Calls to actors over gRPC.

use bytes::Bytes;
use tonic::{Request, Status};
use trilby_dapr::actor::{Actor, ActorStateOperation, InvokeActor, Reminder, Timer};
use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::runtime::Call;
use trilby_dapr::{CallContext, Error};

use super::opened;
use crate::api::Shared;
use crate::fault::{About, Block};

pub(super) async fn invoke(
    shared: &Shared,
    request: Request<runtime::InvokeActorRequest>,
) -> Result<runtime::InvokeActorResponse, Status> {
    let (cx, message) = opened(request);
    let request = InvokeActor {
        actor: actor(message.actor_type, message.actor_id),
        method: message.method,
        data: message.data,
        metadata: message.metadata.into_iter().collect(),
    };
    let data = shared.backend.blocks.invoke_actor(&cx, request).await;
    Ok(runtime::InvokeActorResponse { data: data.map_err(|error| told(shared, &error))? })
}

pub(super) async fn get_state(
    shared: &Shared,
    request: Request<runtime::GetActorStateRequest>,
) -> Result<runtime::GetActorStateResponse, Status> {
    let (cx, message) = opened(request);
    let actor = actor(message.actor_type, message.actor_id);
    let data = shared.backend.blocks.get_actor_state(&cx, actor, message.key).await;
    let data = data.map_err(|error| told(shared, &error))?;
    Ok(runtime::GetActorStateResponse { data, ..runtime::GetActorStateResponse::default() })
}

pub(super) async fn transact(
    shared: &Shared,
    request: Request<runtime::ExecuteActorStateTransactionRequest>,
) -> Result<(), Status> {
    let (cx, message) = opened(request);
    let actor = actor(message.actor_type, message.actor_id);
    let operations = message.operations.into_iter().map(operation).collect::<Result<_, Error>>();
    let operations = operations.map_err(|error| told(shared, &error))?;
    let done = shared.backend.blocks.transact_actor_state(&cx, actor, operations).await;
    done.map_err(|error| told(shared, &error))
}

pub(super) async fn register_reminder(
    shared: &Shared,
    request: Request<runtime::RegisterActorReminderRequest>,
) -> Result<(), Status> {
    let (cx, message) = opened(request);
    let request = Reminder {
        actor: actor(message.actor_type, message.actor_id),
        name: message.name,
        due_time: message.due_time,
        period: message.period,
        ttl: message.ttl,
        data: message.data,
        overwrite: message.overwrite,
    };
    let done = shared.backend.blocks.register_reminder(&cx, request).await;
    done.map_err(|error| told(shared, &error))
}

pub(super) async fn get_reminder(
    shared: &Shared,
    request: Request<runtime::GetActorReminderRequest>,
) -> Result<runtime::GetActorReminderResponse, Status> {
    let (cx, message) = opened(request);
    let wanted = actor(message.actor_type.clone(), message.actor_id.clone());
    let found = shared.backend.blocks.get_reminder(&cx, wanted, message.name).await;
    let found = found.map_err(|error| told(shared, &error))?;
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    Ok(runtime::GetActorReminderResponse {
        actor_type: message.actor_type,
        actor_id: message.actor_id,
        due_time: given(found.due_time),
        period: given(found.period),
        data: prost_types::Any::from_msg(&found.data.to_vec()).ok(),
        ttl: given(found.ttl),
    })
}

pub(super) async fn unregister_reminder(
    shared: &Shared,
    request: Request<runtime::UnregisterActorReminderRequest>,
) -> Result<(), Status> {
    let (cx, message) = opened(request);
    let actor = actor(message.actor_type, message.actor_id);
    let done = shared.backend.blocks.unregister_reminder(&cx, actor, message.name).await;
    done.map_err(|error| told(shared, &error))
}

pub(super) async fn register_timer(
    shared: &Shared,
    request: Request<runtime::RegisterActorTimerRequest>,
) -> Result<(), Status> {
    let (cx, message) = opened(request);
    let request = Timer {
        actor: actor(message.actor_type, message.actor_id),
        name: message.name,
        due_time: message.due_time,
        period: message.period,
        ttl: message.ttl,
        callback: message.callback,
        data: message.data,
    };
    let done = shared.backend.blocks.register_timer(&cx, request).await;
    done.map_err(|error| told(shared, &error))
}

pub(super) async fn unregister_timer(
    shared: &Shared,
    request: Request<runtime::UnregisterActorTimerRequest>,
) -> Result<(), Status> {
    let (cx, message) = opened(request);
    let actor = actor(message.actor_type, message.actor_id);
    let done = shared.backend.blocks.unregister_timer(&cx, actor, message.name).await;
    done.map_err(|error| told(shared, &error))
}

pub(super) async fn list_reminders(
    shared: &Shared,
    request: Request<runtime::ListActorRemindersRequest>,
) -> Result<runtime::ListActorRemindersResponse, Status> {
    let (cx, message) = opened(request);
    passed_on(shared, &cx, "ListActorReminders", &message).await
}

pub(super) async fn unregister_reminders(
    shared: &Shared,
    request: Request<runtime::UnregisterActorRemindersByTypeRequest>,
) -> Result<runtime::UnregisterActorRemindersByTypeResponse, Status> {
    let (cx, message) = opened(request);
    passed_on(shared, &cx, "UnregisterActorRemindersByType", &message).await
}

/// What the building blocks have no function for. A runtime that hosts no actors says so of any call
/// to them.
async fn passed_on<T: prost::Message, U: prost::Message + Default>(
    shared: &Shared,
    cx: &CallContext,
    rpc: &str,
    message: &T,
) -> Result<U, Status> {
    let blocks = &shared.backend.blocks;
    let nobody = blocks.get_actor_state(cx, Actor::default(), String::new()).await;
    if let Err(error) = nobody {
        return Err(told(shared, &error));
    }
    let call = Call {
        rpc: rpc.to_owned(),
        request: Bytes::from(message.encode_to_vec()),
        ..Call::default()
    };
    let answer = blocks.call(cx, call).await.map_err(|error| told(shared, &error))?;
    U::decode(answer).map_err(|error| Status::internal(error.to_string()))
}

fn actor(actor_type: String, id: String) -> Actor {
    Actor { actor_type, id }
}

fn operation(
    operation: runtime::TransactionalActorStateOperation,
) -> Result<ActorStateOperation, Error> {
    match operation.operation_type.as_str() {
        "upsert" => Ok(ActorStateOperation::Upsert {
            key: operation.key,
            value: operation.value.unwrap_or_default().value.into(),
            metadata: operation.metadata.into_iter().collect(),
        }),
        "delete" => Ok(ActorStateOperation::Delete { key: operation.key }),
        other => Err(Error::unimplemented(format!("operation type {other} not supported"))
            .with_reason("ERR_NOT_SUPPORTED_STATE_OPERATION")),
    }
}

fn told(shared: &Shared, error: &Error) -> Status {
    shared.teller().status(error, &About::new(Block::Actors, ""))
}
