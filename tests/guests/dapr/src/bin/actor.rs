//! The block `dapr_actor_v1`. See the crate's documentation for the operations.

use std::time::Duration;

use dapr_probe::{Answer, Arguments, Failure, Outcome, Query, record, run};
use serde::Deserialize;
use trilby_guest::actor::Actor;
use trilby_guest::raw;

fn main() -> std::io::Result<()> {
    run("actor", operations, imports)
}

fn operations(name: &str, query: &Query) -> Option<Outcome> {
    Some(match name {
        "invoke" => invoke(query),
        "get_state" => get_state(query),
        "transact_state" => transact_state(query),
        "register_reminder" => register_reminder(query),
        "get_reminder" => get_reminder(query),
        "unregister_reminder" => unregister_reminder(query),
        "register_timer" => register_timer(query),
        "unregister_timer" => unregister_timer(query),
        _ => return None,
    })
}

fn imports(name: &str, with: &Arguments) -> Option<i32> {
    let Arguments { a, b, c, options, body } = with;
    Some(match name {
        "invoke" => raw::actor_invoke(a, b, c, options, body),
        "get_state" => raw::actor_get_state(a, b, c, options),
        "transact_state" => raw::actor_transact_state(a, b, options, body),
        "register_reminder" => raw::actor_register_reminder(a, b, c, options, body),
        "get_reminder" => raw::actor_get_reminder(a, b, c, options),
        "unregister_reminder" => raw::actor_unregister_reminder(a, b, c, options),
        "register_timer" => raw::actor_register_timer(a, b, c, options, body),
        "unregister_timer" => raw::actor_unregister_timer(a, b, c, options),
        _ => return None,
    })
}

fn actor(query: &Query) -> Result<Actor<'_>, Failure> {
    Ok(Actor::new(query.need("type")?, query.need("id")?))
}

fn invoke(query: &Query) -> Outcome {
    let mut call = actor(query)?.call(query.need("method")?);
    for (name, value) in query.metadata() {
        call = call.metadata(name, value);
    }
    Ok(call.send(query.body())?.into())
}

fn get_state(query: &Query) -> Outcome {
    Ok(actor(query)?.get_state(query.need("key")?)?.into())
}

/// A record that the test sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    operation: String,
    key: String,
    #[serde(default)]
    value: String,
    ttl: Option<u64>,
}

fn transact_state(query: &Query) -> Outcome {
    let mut transaction = actor(query)?.transaction();
    for Change { operation, key, value, ttl } in record(query.text()?)? {
        transaction = match (operation.as_str(), ttl.map(Duration::from_secs)) {
            ("upsert", None) => transaction.upsert(&key, value),
            ("upsert", Some(ttl)) => transaction.upsert_for(ttl, &key, value),
            ("delete", None) => transaction.delete(&key),
            _ => return Err(Failure::asked("operation is `upsert` or `delete`")),
        };
    }
    Ok(transaction.commit()?.into())
}

macro_rules! times {
    ($call:expr, $query:expr) => {{
        let mut call = $call;
        if let Some(time) = $query.get("due-time") {
            call = call.due_time(time);
        }
        if let Some(period) = $query.get("period") {
            call = call.period(period);
        }
        if let Some(time) = $query.get("ttl") {
            call = call.ttl(time);
        }
        call
    }};
}

fn register_reminder(query: &Query) -> Outcome {
    let mut reminder = times!(actor(query)?.reminder(query.need("name")?), query);
    if let Some(overwrite) = query.parse("overwrite")? {
        reminder = reminder.overwrite(overwrite);
    }
    Ok(reminder.register(query.body())?.into())
}

fn get_reminder(query: &Query) -> Outcome {
    let info = actor(query)?.reminder(query.need("name")?).get()?;
    Ok(Answer::from(info.data)
        .maybe("due-time", info.due_time)
        .maybe("period", info.period)
        .maybe("ttl", info.ttl))
}

fn unregister_reminder(query: &Query) -> Outcome {
    Ok(actor(query)?.reminder(query.need("name")?).unregister()?.into())
}

fn register_timer(query: &Query) -> Outcome {
    let mut timer = times!(actor(query)?.timer(query.need("name")?), query);
    if let Some(method) = query.get("callback") {
        timer = timer.callback(method);
    }
    Ok(timer.register(query.body())?.into())
}

fn unregister_timer(query: &Query) -> Outcome {
    Ok(actor(query)?.timer(query.need("name")?).unregister()?.into())
}
