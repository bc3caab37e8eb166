//! Calls to actors over gRPC.

use async_trait::async_trait;
use bytes::Bytes;
use trilby_dapr::actor::{Actor, ActorStateOperation, Actors, InvokeActor, Reminder, Timer};
use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::wire::any;
use trilby_dapr::{CallContext, Result};

use crate::Sidecar;
use crate::metrics::Block::Actors as ACTORS;

#[async_trait]
impl Actors for Sidecar {
    async fn invoke_actor(&self, cx: &CallContext, request: InvokeActor) -> Result<Bytes> {
        let message = runtime::InvokeActorRequest {
            actor_type: request.actor.actor_type,
            actor_id: request.actor.id,
            method: request.method,
            data: request.data,
            metadata: request.metadata.into_iter().collect(),
        };
        let request = self.link.request(cx, message)?;
        let mut client = self.link.client();
        let call = client.invoke_actor(request);
        let reply = self.link.wait(cx, ACTORS, "invoking an actor", call).await?;
        Ok(reply.data)
    }

    async fn get_actor_state(&self, cx: &CallContext, actor: Actor, key: String) -> Result<Bytes> {
        let message =
            runtime::GetActorStateRequest { actor_type: actor.actor_type, actor_id: actor.id, key };
        let request = self.link.request(cx, message)?;
        let mut client = self.link.client();
        let call = client.get_actor_state(request);
        let reply = self.link.wait(cx, ACTORS, "reading an actor's state", call).await?;
        Ok(reply.data)
    }

    async fn transact_actor_state(
        &self,
        cx: &CallContext,
        actor: Actor,
        operations: Vec<ActorStateOperation>,
    ) -> Result<()> {
        let message = runtime::ExecuteActorStateTransactionRequest {
            actor_type: actor.actor_type,
            actor_id: actor.id,
            operations: operations.into_iter().map(operation).collect(),
        };
        let request = self.link.request(cx, message)?;
        let mut client = self.link.client();
        let call = client.execute_actor_state_transaction(request);
        self.link.wait(cx, ACTORS, "writing an actor's state", call).await
    }

    async fn register_reminder(&self, cx: &CallContext, request: Reminder) -> Result<()> {
        let message = runtime::RegisterActorReminderRequest {
            actor_type: request.actor.actor_type,
            actor_id: request.actor.id,
            name: request.name,
            due_time: request.due_time,
            period: request.period,
            data: request.data,
            ttl: request.ttl,
            overwrite: request.overwrite,
            failure_policy: None,
        };
        let request = self.link.request(cx, message)?;
        let mut client = self.link.client();
        let call = client.register_actor_reminder(request);
        self.link.wait(cx, ACTORS, "adding a reminder", call).await
    }

    async fn get_reminder(&self, cx: &CallContext, actor: Actor, name: String) -> Result<Reminder> {
        let message = runtime::GetActorReminderRequest {
            actor_type: actor.actor_type.clone(),
            actor_id: actor.id.clone(),
            name: name.clone(),
        };
        let request = self.link.request(cx, message)?;
        let mut client = self.link.client();
        let call = client.get_actor_reminder(request);
        let reply = self.link.wait(cx, ACTORS, "reading a reminder", call).await?;
        Ok(Reminder {
            actor,
            name,
            due_time: reply.due_time.unwrap_or_default(),
            period: reply.period.unwrap_or_default(),
            ttl: reply.ttl.unwrap_or_default(),
            data: reply.data.map(any::reminder).unwrap_or_default(),
            overwrite: None,
        })
    }

    async fn unregister_reminder(
        &self,
        cx: &CallContext,
        actor: Actor,
        name: String,
    ) -> Result<()> {
        let message = runtime::UnregisterActorReminderRequest {
            actor_type: actor.actor_type,
            actor_id: actor.id,
            name,
        };
        let request = self.link.request(cx, message)?;
        let mut client = self.link.client();
        let call = client.unregister_actor_reminder(request);
        self.link.wait(cx, ACTORS, "deleting a reminder", call).await
    }

    async fn register_timer(&self, cx: &CallContext, request: Timer) -> Result<()> {
        let message = runtime::RegisterActorTimerRequest {
            actor_type: request.actor.actor_type,
            actor_id: request.actor.id,
            name: request.name,
            due_time: request.due_time,
            period: request.period,
            callback: request.callback,
            data: request.data,
            ttl: request.ttl,
        };
        let request = self.link.request(cx, message)?;
        let mut client = self.link.client();
        let call = client.register_actor_timer(request);
        self.link.wait(cx, ACTORS, "adding a timer", call).await
    }

    async fn unregister_timer(&self, cx: &CallContext, actor: Actor, name: String) -> Result<()> {
        let message = runtime::UnregisterActorTimerRequest {
            actor_type: actor.actor_type,
            actor_id: actor.id,
            name,
        };
        let request = self.link.request(cx, message)?;
        let mut client = self.link.client();
        let call = client.unregister_actor_timer(request);
        self.link.wait(cx, ACTORS, "deleting a timer", call).await
    }
}

fn operation(operation: ActorStateOperation) -> runtime::TransactionalActorStateOperation {
    match operation {
        ActorStateOperation::Upsert { key, value, metadata } => {
            runtime::TransactionalActorStateOperation {
                operation_type: "upsert".to_owned(),
                key,
                // daprd stores the value's bytes, whatever their type.
                value: Some(prost_types::Any { type_url: String::new(), value: value.to_vec() }),
                metadata: metadata.into_iter().collect(),
            }
        }
        ActorStateOperation::Delete { key } => runtime::TransactionalActorStateOperation {
            operation_type: "delete".to_owned(),
            key,
            ..runtime::TransactionalActorStateOperation::default()
        },
    }
}
