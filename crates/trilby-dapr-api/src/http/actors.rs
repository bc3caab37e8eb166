//! Calls to actors over HTTP.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use trilby_dapr::actor::{Actor, ActorStateOperation, InvokeActor, Reminder, Timer};
use trilby_dapr::{Code, Error, Metadata};

use super::asked::{Answered, Asked, OrTell as _, body_json};
use super::reply;
use crate::api::Shared;
use crate::fault::{About, Block};

/// A reminder or a timer.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Due {
    data: Option<Box<RawValue>>,
    due_time: String,
    period: String,
    ttl: String,
    callback: String,
    overwrite: Option<bool>,
}

#[derive(Deserialize)]
struct Operation {
    operation: String,
    request: Change,
}

#[derive(Deserialize)]
struct Change {
    key: String,
    value: Option<Box<RawValue>>,
    metadata: Option<Metadata>,
}

pub(super) async fn invoke(shared: Arc<Shared>, asked: Asked) -> Answered {
    let (cx, actor, method) = (asked.cx.clone(), actor(&asked), asked.param(2).to_owned());
    let data = asked.bytes(&shared).await.or_tell(&shared, &about())?;
    let request = InvokeActor { actor, method, data, metadata: Metadata::new() };
    let answer = shared.backend.blocks.invoke_actor(&cx, request).await;
    Ok(reply::json(StatusCode::OK, answer.or_tell(&shared, &about())?))
}

pub(super) async fn get_state(shared: Arc<Shared>, asked: Asked) -> Answered {
    let key = asked.param(2).to_owned();
    let data = shared.backend.blocks.get_actor_state(&asked.cx, actor(&asked), key).await;
    let data = data.or_tell(&shared, &about())?;
    Ok(if data.is_empty() { reply::empty() } else { reply::json(StatusCode::OK, data) })
}

pub(super) async fn transact(shared: Arc<Shared>, asked: Asked) -> Answered {
    let (cx, actor) = (asked.cx.clone(), actor(&asked));
    let body = asked.bytes(&shared).await.or_tell(&shared, &about())?;
    let operations: Vec<Operation> = body_json(&body).or_tell(&shared, &about())?;
    let operations = operations.into_iter().map(Operation::step);
    let operations = operations.collect::<Result<_, Error>>().or_tell(&shared, &about())?;
    let done = shared.backend.blocks.transact_actor_state(&cx, actor, operations).await;
    done.or_tell(&shared, &about())?;
    Ok(reply::empty())
}

pub(super) async fn register_reminder(shared: Arc<Shared>, asked: Asked) -> Answered {
    let (cx, actor, name) = (asked.cx.clone(), actor(&asked), asked.param(2).to_owned());
    let due = due(&shared, asked).await.or_tell(&shared, &about())?;
    let request = Reminder {
        actor,
        name,
        data: due.bytes(),
        due_time: due.due_time,
        period: due.period,
        ttl: due.ttl,
        overwrite: due.overwrite,
    };
    let done = shared.backend.blocks.register_reminder(&cx, request).await;
    done.or_tell(&shared, &about())?;
    Ok(reply::empty())
}

pub(super) async fn get_reminder(shared: Arc<Shared>, asked: Asked) -> Answered {
    let name = asked.param(2).to_owned();
    let found = shared.backend.blocks.get_reminder(&asked.cx, actor(&asked), name).await;
    let found = found.or_tell(&shared, &about())?;
    let body = json!({
        "actorID": found.actor.id,
        "actorType": found.actor.actor_type,
        "data": serde_json::from_slice::<serde_json::Value>(&found.data).unwrap_or_default(),
        "dueTime": found.due_time,
        "period": found.period,
    });
    Ok(reply::json(StatusCode::OK, body.to_string()))
}

pub(super) async fn unregister_reminder(shared: Arc<Shared>, asked: Asked) -> Answered {
    let name = asked.param(2).to_owned();
    let done = shared.backend.blocks.unregister_reminder(&asked.cx, actor(&asked), name).await;
    done.or_tell(&shared, &about())?;
    Ok(reply::empty())
}

pub(super) async fn register_timer(shared: Arc<Shared>, asked: Asked) -> Answered {
    let (cx, actor, name) = (asked.cx.clone(), actor(&asked), asked.param(2).to_owned());
    let due = due(&shared, asked).await.or_tell(&shared, &about())?;
    let request = Timer {
        actor,
        name,
        data: due.bytes(),
        due_time: due.due_time,
        period: due.period,
        ttl: due.ttl,
        callback: due.callback,
    };
    let done = shared.backend.blocks.register_timer(&cx, request).await;
    done.or_tell(&shared, &about())?;
    Ok(reply::empty())
}

pub(super) async fn unregister_timer(shared: Arc<Shared>, asked: Asked) -> Answered {
    let name = asked.param(2).to_owned();
    let done = shared.backend.blocks.unregister_timer(&asked.cx, actor(&asked), name).await;
    done.or_tell(&shared, &about())?;
    Ok(reply::empty())
}

impl Due {
    fn bytes(&self) -> Bytes {
        self.data.as_deref().map_or_else(Bytes::new, |data| Bytes::from(data.get().to_owned()))
    }
}

impl Operation {
    fn step(self) -> Result<ActorStateOperation, Error> {
        let Change { key, value, metadata } = self.request;
        match self.operation.as_str() {
            "upsert" => {
                let value = value.map_or_else(|| "null".to_owned(), |value| value.get().to_owned());
                let metadata = metadata.unwrap_or_default();
                Ok(ActorStateOperation::Upsert { key, value: value.into(), metadata })
            }
            "delete" => Ok(ActorStateOperation::Delete { key }),
            other => {
                let text = format!("operation type {other} not supported");
                Err(Error::new(Code::InvalidArgument, text)
                    .with_reason("ERR_NOT_SUPPORTED_STATE_OPERATION"))
            }
        }
    }
}

async fn due(shared: &Shared, asked: Asked) -> Result<Due, Error> {
    let body = asked.bytes(shared).await?;
    if body.is_empty() { Ok(Due::default()) } else { body_json(&body) }
}

fn actor(asked: &Asked) -> Actor {
    Actor { actor_type: asked.param(0).to_owned(), id: asked.param(1).to_owned() }
}

fn about() -> About {
    About::new(Block::Actors, "")
}
