//! `dapr_actor_v1`: actors, as their clients see them.

use bytes::Bytes;
use serde::Deserialize;
use trilby_dapr::actor::{Actor, ActorStateOperation, InvokeActor, Reminder, Timer};
use trilby_dapr::{Error, Metadata};
use trilby_sandbox::State;
use wasmtime::Linker;

use super::headers;
use crate::answer::Answer;
use crate::operation::{Ask, BodyCall, Call, Imports};
use crate::options::{METADATA, Options};
use crate::{Access, Host, records};

pub(super) fn link(linker: &mut Linker<State<Host>>) -> wasmtime::Result<()> {
    let mut imports = Imports::of(linker, "dapr_actor_v1");
    imports.add("invoke", &[METADATA], invoke)?;
    imports.add("get_state", &[], get_state)?;
    imports.add("transact_state", &[], transact_state)?;
    imports.add("register_reminder", &["due-time", "period", "ttl", "overwrite"], remind)?;
    imports.add("get_reminder", &[], get_reminder)?;
    imports.add("unregister_reminder", &[], unregister_reminder)?;
    imports.add("register_timer", &["due-time", "period", "ttl", "callback"], register_timer)?;
    imports.add("unregister_timer", &[], unregister_timer)
}

/// The actor, if it is granted, and if `name` is a name within it.
fn actor(ask: &Ask, [actor_type, id]: [String; 2], named: (&str, &str)) -> Result<Actor, Error> {
    ask.access.actor(&actor_type, &id)?;
    Access::within_actor(named.0, named.1)?;
    Ok(Actor { actor_type, id })
}

async fn invoke(ask: Ask, call: BodyCall<3>) -> Result<Answer, Error> {
    let BodyCall { names: [actor_type, id, method], options, body: data } = call;
    let actor = actor(&ask, [actor_type, id], ("method", &method))?;
    let request = InvokeActor { actor, method, data, metadata: options.metadata };
    let answer = ask.blocks.invoke_actor(&ask.cx, request).await?;
    Ok(Answer::new(Vec::new(), answer))
}

async fn get_state(ask: Ask, call: Call<3>) -> Result<Answer, Error> {
    let Call { names: [actor_type, id, key], .. } = call;
    let actor = actor(&ask, [actor_type, id], ("key", &key))?;
    let value = ask.blocks.get_actor_state(&ask.cx, actor, key).await?;
    Ok(Answer::new(Vec::new(), value))
}

/// A step of a change of state: which fields it has is a matter of `operation`.
#[derive(Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case")]
enum Step {
    Upsert(Written),
    Delete(Deleted),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Written {
    key: String,
    value: Option<String>,
    value_base64: Option<String>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deleted {
    key: String,
}

async fn transact_state(ask: Ask, call: BodyCall<2>) -> Result<(), Error> {
    let BodyCall { names: [actor_type, id], body, .. } = call;
    let operations = operations(&body)?;
    ask.access.actor(&actor_type, &id)?;
    if operations.is_empty() {
        return Ok(());
    }
    let actor = Actor { actor_type, id };
    ask.blocks.transact_actor_state(&ask.cx, actor, operations).await
}

fn operations(body: &[u8]) -> Result<Vec<ActorStateOperation>, Error> {
    records::read(body, |_, step: Step| {
        let (Step::Upsert(Written { key, .. }) | Step::Delete(Deleted { key })) = &step;
        Access::within_actor("key", key).map_err(|error| error.message)?;
        Ok(match step {
            Step::Upsert(Written { key, value, value_base64, metadata }) => {
                let value = records::bytes("value", value, value_base64)?;
                ActorStateOperation::Upsert { key, value, metadata }
            }
            Step::Delete(Deleted { key }) => ActorStateOperation::Delete { key },
        })
    })
}

fn text(options: &mut Options, name: &str) -> String {
    options.take(name).unwrap_or_default()
}

async fn remind(ask: Ask, call: BodyCall<3>) -> Result<(), Error> {
    let BodyCall { names: [actor_type, id, name], mut options, body: data } = call;
    let overwrite = options.flag("overwrite")?;
    let actor = actor(&ask, [actor_type, id], ("reminder", &name))?;
    let request = Reminder {
        actor,
        name,
        due_time: text(&mut options, "due-time"),
        period: text(&mut options, "period"),
        ttl: text(&mut options, "ttl"),
        data,
        overwrite,
    };
    ask.blocks.register_reminder(&ask.cx, request).await
}

async fn get_reminder(ask: Ask, call: Call<3>) -> Result<Answer, Error> {
    let Call { names: [actor_type, id, name], .. } = call;
    let actor = actor(&ask, [actor_type, id], ("reminder", &name))?;
    let reminder = ask.blocks.get_reminder(&ask.cx, actor, name).await?;
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    let headers = headers([
        ("due-time", given(reminder.due_time)),
        ("period", given(reminder.period)),
        ("ttl", given(reminder.ttl)),
    ]);
    let data: Bytes = reminder.data;
    Ok(Answer::new(headers, data))
}

async fn unregister_reminder(ask: Ask, call: Call<3>) -> Result<(), Error> {
    let Call { names: [actor_type, id, name], .. } = call;
    let actor = actor(&ask, [actor_type, id], ("reminder", &name))?;
    ask.blocks.unregister_reminder(&ask.cx, actor, name).await
}

async fn register_timer(ask: Ask, call: BodyCall<3>) -> Result<(), Error> {
    let BodyCall { names: [actor_type, id, name], mut options, body: data } = call;
    let actor = actor(&ask, [actor_type, id], ("timer", &name))?;
    let request = Timer {
        actor,
        name,
        due_time: text(&mut options, "due-time"),
        period: text(&mut options, "period"),
        ttl: text(&mut options, "ttl"),
        callback: callback(&mut options)?,
        data,
    };
    ask.blocks.register_timer(&ask.cx, request).await
}

/// A callback is a method, and may lead no further than one.
fn callback(options: &mut Options) -> Result<String, Error> {
    let callback = text(options, "callback");
    if !callback.is_empty() {
        Access::within_actor("callback", &callback)?;
    }
    Ok(callback)
}

async fn unregister_timer(ask: Ask, call: Call<3>) -> Result<(), Error> {
    let Call { names: [actor_type, id, name], .. } = call;
    let actor = actor(&ask, [actor_type, id], ("timer", &name))?;
    ask.blocks.unregister_timer(&ask.cx, actor, name).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read() {
        let body = br#"{"operation":"upsert","key":"a","value":"1"}
            {"operation":"delete","key":"b"}"#;
        let upsert = ActorStateOperation::Upsert {
            key: "a".into(),
            value: "1".into(),
            metadata: Metadata::new(),
        };
        let delete = ActorStateOperation::Delete { key: "b".into() };
        assert_eq!(operations(body), Ok(vec![upsert, delete]));
    }

    #[test]
    fn wrong_steps_are_told() {
        for (step, what) in [
            (r#"{"operation":"delete","key":"a||b"}"#, "`a||b` contains `||`"),
            (r#"{"operation":"upsert","key":"","value":""}"#, "the key is empty"),
            (r#"{"operation":"upsert","key":"a"}"#, "neither `value`"),
            (r#"{"operation":"delete","key":"a","etag":"1"}"#, "unknown field `etag`"),
        ] {
            let error = operations(step.as_bytes()).expect_err(step);
            assert!(error.message.starts_with("record 1: "), "{error}");
            assert!(error.message.contains(what), "{error}");
        }
    }
}
