//! `state.redis`: keys in a Redis that other processes share, daprd's among them.
//!
//! The format is daprd's: a hash for each key, with the fields `data`, `version` (the etag, a whole
//! number that grows with each write) and, once there was a first write, `first-write`. A time to
//! live is Redis's own; as in daprd, a write without one leaves the one that the key has.
//!
//! Guards are stricter than daprd's, as they are in the other stores: an etag is always checked, and
//! a first write finds every key that is there. A transaction is one script, which makes no change
//! before every guard has been found to hold.

use bytes::Bytes;
use redis::{RedisResult, Script, ScriptInvocation};
use tokio::time::Instant;
use trilby_dapr::state::StateValue;
use trilby_dapr::{CallContext, Error};

use super::write::{Delete, Failure, Guard, Set, Value, Write};
use super::{CallFailure, ttl};
use crate::component::Component;
use crate::redis::{Failure as RedisFailure, Redis};

/// Longer times to live are as good as none: Redis refuses those beyond its calendar.
const TTL_SECONDS_MAX: i64 = 1_000_000_000_000;

/// A store in a Redis.
pub(super) struct RedisStore {
    name: String,
    redis: Redis,
    /// The time to live of what is written without one.
    ttl: Option<String>,
    change: Script,
}

impl RedisStore {
    pub(super) fn open(component: &Component) -> Result<Self, crate::Error> {
        let redis = Redis::open(component)?;
        let ttl = component.get("ttlInSeconds").map(str::to_owned);
        ttl::of_redis(ttl.as_deref()).map_err(|_| {
            component.mistake_in("ttlInSeconds", "`ttlInSeconds` must be a whole number")
        })?;
        if component.get("queryIndexes").is_some() {
            tracing::warn!(
                component = component.name,
                "the embedded runtime has no queries: `queryIndexes` has no effect"
            );
        }
        let change = Script::new(include_str!("redis/change.lua"));
        Ok(Self { name: component.name.clone(), redis, ttl, change })
    }

    pub(super) async fn get(
        &self,
        cx: &CallContext,
        key: String,
    ) -> Result<StateValue, CallFailure> {
        let values = self.get_many(cx, &[key]).await?;
        let value = values.into_iter().next().unwrap_or_else(|| Ok(StateValue::default()));
        value.map_err(CallFailure::Store)
    }

    /// Reads several keys in one step: a value or an error for each.
    pub(super) async fn get_many(
        &self,
        cx: &CallContext,
        keys: &[String],
    ) -> Result<Vec<Result<StateValue, String>>, CallFailure> {
        type Fields = RedisResult<(Option<Bytes>, Option<String>)>;
        let mut commands = redis::pipe();
        for key in keys {
            commands.cmd("HMGET").arg(key).arg("data").arg("version");
        }
        let commands = commands.ignore_errors();
        let fields: Vec<Fields> =
            self.done(cx, self.redis.pipeline(cx.deadline, commands).await)?;
        let mut values = Vec::with_capacity(keys.len());
        for (key, fields) in keys.iter().zip(fields) {
            values.push(match fields {
                Ok((None, None)) => Ok(StateValue::default()),
                Ok((Some(data), Some(version))) => {
                    Ok(StateValue { data, etag: Some(version), ..StateValue::default() })
                }
                Ok(_) => Err("required hash field 'data' or 'version' was not found".to_owned()),
                // As in daprd, a plain text is a value without an etag.
                Err(_) => self.get_plain(cx, key).await?,
            });
        }
        Ok(values)
    }

    async fn get_plain(
        &self,
        cx: &CallContext,
        key: &str,
    ) -> Result<Result<StateValue, String>, CallFailure> {
        let command = redis::Cmd::get(key);
        match self.redis.query::<Option<Bytes>>(cx.deadline, &command).await {
            Err(RedisFailure::Refused(text)) => Ok(Err(text)),
            read => {
                let data = self.done(cx, read)?.unwrap_or_default();
                Ok(Ok(StateValue { data, ..StateValue::default() }))
            }
        }
    }

    /// Makes the changes, each by itself.
    pub(super) async fn write(
        &self,
        cx: &CallContext,
        writes: &[Write],
    ) -> Result<Vec<Failure>, CallFailure> {
        let mut failures = Vec::new();
        let mut good = Vec::with_capacity(writes.len());
        for write in writes {
            match Change::of(write, self.ttl.as_deref()) {
                Ok(change) => good.push(change),
                Err(failure) => failures.push(failure),
            }
        }
        if !good.is_empty() {
            failures.extend(self.make(cx, &good, false).await?);
        }
        Ok(failures)
    }

    /// Makes all of the changes, in order, or none of them. Guards see the changes before them.
    pub(super) async fn transact(
        &self,
        cx: &CallContext,
        writes: &[Write],
    ) -> Result<Result<(), Failure>, CallFailure> {
        let changes = writes.iter().map(|write| Change::of(write, self.ttl.as_deref()));
        let changes = match changes.collect::<Result<Vec<Change<'_>>, Failure>>() {
            Ok(changes) => changes,
            Err(failure) => return Ok(Err(failure)),
        };
        let mut failures = self.make(cx, &changes, true).await?;
        Ok(failures.pop().map_or(Ok(()), Err))
    }

    async fn make(
        &self,
        cx: &CallContext,
        changes: &[Change<'_>],
        all_or_none: bool,
    ) -> Result<Vec<Failure>, CallFailure> {
        let mut invocation = self.change.prepare_invoke();
        invocation.arg(if all_or_none { "1" } else { "" });
        changes.iter().for_each(|change| change.describe(&mut invocation));
        let invoke = async |mut shared| invocation.invoke_async::<Vec<String>>(&mut shared).await;
        let verdicts = self.done(cx, self.redis.run(cx.deadline, invoke).await);
        let verdicts = verdicts.map_err(|failure| match (failure, changes) {
            (CallFailure::Store(text), [change]) => {
                CallFailure::Store(format!("{}: {text}", change.failed()))
            }
            (failure, _) => failure,
        })?;
        let failures =
            changes.iter().zip(verdicts).filter_map(|(change, verdict)| match verdict.as_str() {
                "" => None,
                "m" => Some(Failure::Mismatch(Some(change.failed()))),
                _ => Some(Failure::Failed(format!(
                    "{}: its field `version` is no whole number",
                    change.failed()
                ))),
            });
        Ok(failures.collect())
    }

    fn done<T>(&self, cx: &CallContext, done: Result<T, RedisFailure>) -> Result<T, CallFailure> {
        done.map_err(|failure| match failure {
            RedisFailure::Lost(_) if cx.deadline <= Instant::now() => {
                CallFailure::Own(Error::deadline(&format!("the state store `{}`", self.name)))
            }
            failure => CallFailure::Store(failure.to_string()),
        })
    }
}

/// A change that nothing is wrong with.
struct Change<'a> {
    write: &'a Write,
    etag: Option<String>,
    /// As the script takes it.
    ttl: String,
}

impl<'a> Change<'a> {
    fn of(write: &'a Write, default_ttl: Option<&str>) -> Result<Self, Failure> {
        let (etag, ttl) = match write {
            // As in daprd, an etag that is none fits no key, but is no mistake in a deletion.
            Write::Delete(Delete { guard: Guard::Etag(etag), .. }) => (Some(etag.clone()), None),
            Write::Delete(_) => (None, None),
            Write::Set(set) => {
                let etag = match &set.guard {
                    Guard::Etag(etag) => {
                        Some(ttl::integer(etag, "Atoi").map_err(Failure::Invalid)?)
                    }
                    Guard::None | Guard::Missing => None,
                };
                let asked = set.ttl.as_deref().filter(|text| !text.is_empty());
                let ttl = ttl::of_redis(asked.or(default_ttl)).map_err(|error| {
                    Failure::Failed(format!("failed to parse ttl from metadata: {error}"))
                })?;
                (etag.map(|etag| etag.to_string()), ttl)
            }
        };
        let ttl = match ttl {
            None => String::new(),
            Some(seconds) if !(1..=TTL_SECONDS_MAX).contains(&seconds) => "p".to_owned(),
            Some(seconds) => seconds.to_string(),
        };
        Ok(Self { write, etag, ttl })
    }

    fn describe(&self, invocation: &mut ScriptInvocation<'_>) {
        let (what, key, guard, data, first) = match self.write {
            Write::Delete(Delete { key, guard }) => ("delete", key, guard, [].as_slice(), false),
            Write::Set(Set { key, value, guard, is_first, .. }) => {
                let data = match value {
                    Value::Bytes(bytes) => bytes.as_ref(),
                    Value::Json(text) => text.as_bytes(),
                };
                ("set", key, guard, data, *is_first)
            }
        };
        let guard = match guard {
            Guard::Etag(_) => "e",
            // As in daprd, first-write means nothing to this store's deletions.
            Guard::Missing if what == "set" => "m",
            Guard::None | Guard::Missing => "",
        };
        let etag = self.etag.as_deref().unwrap_or_default();
        invocation.key(key).arg(what).arg(guard).arg(etag).arg(data).arg(&self.ttl);
        invocation.arg(if first { "1" } else { "" });
    }

    /// daprd's words for a change that was not made.
    fn failed(&self) -> String {
        match self.write {
            Write::Set(set) => format!("failed to set key {}", set.key),
            Write::Delete(delete) => format!("failed to delete {}", delete.key),
        }
    }
}
