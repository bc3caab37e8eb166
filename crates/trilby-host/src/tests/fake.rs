//! Building blocks that note what they are asked for, and answer as they are told.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, StatusCode};
use trilby_dapr::actor::{Actor, ActorStateOperation, Actors, InvokeActor, Reminder, Timer};
use trilby_dapr::configuration::{Configuration, ConfigurationItem, GetConfiguration};
use trilby_dapr::conversation::{Conversation, Converse};
use trilby_dapr::crypto::{Crypto, Decrypt, Encrypt};
use trilby_dapr::invoke::{Invocation, InvokeService, ServiceReply};
use trilby_dapr::jobs::{Job, JobData, Jobs, ScheduleJob};
use trilby_dapr::lock::{Locks, TryLock, Unlock, Unlocked};
use trilby_dapr::messaging::{
    BindingReply, Bindings, FailedEvent, InvokeBinding, Publish, PublishBulk, Pubsub,
};
use trilby_dapr::runtime::{Call, RuntimeApi};
use trilby_dapr::secret::{GetSecret, GetSecrets, Secret, Secrets};
use trilby_dapr::state::{
    BulkStateItem, DeleteState, DeleteStates, GetState, GetStates, QueryReply, QueryState,
    SaveState, State, StateValue, TransactState,
};
use trilby_dapr::stream::ByteStream;
use trilby_dapr::{CallContext, Code, Error, Metadata, Result};

/// What calls of other apps do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum App {
    /// Answers with the body as it comes.
    #[default]
    Echoes,
    /// Answers at once, and reads nothing of the body.
    AnswersEarly,
    /// Never answers, and reads nothing.
    Hangs,
    /// Begins an answer that breaks.
    Breaks,
    /// Is not there.
    IsAway,
    /// Answers more than a guest may have open.
    IsVerbose,
}

#[derive(Default)]
pub(super) struct Fake {
    asked: Mutex<Vec<String>>,
    app: App,
    /// Told of by the calls that are broken off.
    pub(super) dropped: std::sync::Arc<tokio::sync::Notify>,
}

impl Fake {
    fn note(&self, what: impl std::fmt::Debug) {
        self.asked.lock().unwrap().push(format!("{what:?}"));
    }

    pub(super) fn of(app: App) -> Self {
        Self { app, ..Self::default() }
    }

    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

/// Tells when it is dropped.
struct Guard(std::sync::Arc<tokio::sync::Notify>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

pub(super) fn lost() -> Error {
    Error::new(Code::Unavailable, "the connection is lost").with_reason("ERR_DIRECT_INVOKE")
}

fn metadata() -> Metadata {
    Metadata::from([("m".to_owned(), "1".to_owned())])
}

fn secret(value: &str) -> Secret {
    Secret { values: BTreeMap::from([("v".to_owned(), value.to_owned())]) }
}

#[async_trait]
impl State for Fake {
    async fn get_state(&self, _: &CallContext, request: GetState) -> Result<StateValue> {
        self.note(request);
        Ok(StateValue { data: "value".into(), etag: Some("7".into()), metadata: metadata() })
    }

    async fn get_states(&self, _: &CallContext, request: GetStates) -> Result<Vec<BulkStateItem>> {
        let item = |key: &String| BulkStateItem { key: key.clone(), ..BulkStateItem::default() };
        let items = request.keys.iter().map(item).collect();
        self.note(request);
        Ok(items)
    }

    async fn save_state(&self, _: &CallContext, request: SaveState) -> Result<()> {
        self.note(request);
        Ok(())
    }

    async fn delete_state(&self, _: &CallContext, request: DeleteState) -> Result<()> {
        self.note(request);
        Err(Error::new(Code::Aborted, "possible etag mismatch").with_reason("ERR_STATE_DELETE"))
    }

    async fn delete_states(&self, _: &CallContext, request: DeleteStates) -> Result<()> {
        self.note(request);
        Ok(())
    }

    async fn transact_state(&self, _: &CallContext, request: TransactState) -> Result<()> {
        self.note(request);
        Ok(())
    }

    async fn query_state(&self, _: &CallContext, request: QueryState) -> Result<QueryReply> {
        self.note(request);
        Ok(QueryReply { token: Some("t".into()), ..QueryReply::default() })
    }
}

#[async_trait]
impl Pubsub for Fake {
    async fn publish(&self, _: &CallContext, request: Publish) -> Result<()> {
        self.note(request);
        Ok(())
    }

    async fn publish_bulk(&self, _: &CallContext, r: PublishBulk) -> Result<Vec<FailedEvent>> {
        self.note(r);
        Ok(vec![FailedEvent { id: "0".into(), error: "full".into() }])
    }
}

#[async_trait]
impl Bindings for Fake {
    async fn invoke_binding(&self, _: &CallContext, r: InvokeBinding) -> Result<BindingReply> {
        self.note(r);
        Ok(BindingReply { data: "bound".into(), metadata: metadata() })
    }
}

#[async_trait]
impl Invocation for Fake {
    async fn invoke_service(
        &self,
        _: &CallContext,
        request: InvokeService,
        body: ByteStream,
    ) -> Result<ServiceReply> {
        self.note(request);
        let guard = Guard(std::sync::Arc::clone(&self.dropped));
        let body = match self.app {
            App::Echoes => body,
            App::AnswersEarly => stream::iter([Ok("early".into())]).boxed(),
            App::Hangs => {
                let _held = (guard, body);
                std::future::pending().await
            }
            App::Breaks => stream::iter([Ok("half".into()), Err(lost())]).boxed(),
            App::IsAway => return Err(lost()),
            App::IsVerbose => {
                stream::repeat_with(|| Ok(Bytes::from(vec![b'x'; 1 << 20]))).take(20).boxed()
            }
        };
        Ok(ServiceReply { status: StatusCode::CREATED, headers: HeaderMap::new(), body })
    }
}

#[async_trait]
impl Secrets for Fake {
    async fn get_secret(&self, _: &CallContext, request: GetSecret) -> Result<Secret> {
        self.note(request);
        Ok(secret("s3cret"))
    }

    async fn get_secrets(
        &self,
        _: &CallContext,
        request: GetSecrets,
    ) -> Result<BTreeMap<String, Secret>> {
        self.note(request);
        Ok(["a1", "b", "b2", "other"].map(|key| (key.to_owned(), secret(key))).into())
    }
}

#[async_trait]
impl Configuration for Fake {
    async fn get_configuration(
        &self,
        _: &CallContext,
        request: GetConfiguration,
    ) -> Result<BTreeMap<String, ConfigurationItem>> {
        self.note(request);
        let item = ConfigurationItem { value: "1".into(), ..ConfigurationItem::default() };
        Ok(["x", "x2", "y"].map(|key| (key.to_owned(), item.clone())).into())
    }
}

#[async_trait]
impl Locks for Fake {
    async fn try_lock(&self, _: &CallContext, request: TryLock) -> Result<bool> {
        let is_free = request.resource != "held";
        self.note(request);
        Ok(is_free)
    }

    async fn unlock(&self, _: &CallContext, request: Unlock) -> Result<Unlocked> {
        let unlocked = match request.resource.as_str() {
            "missing" => Unlocked::Missing,
            "held" => Unlocked::OfOthers,
            _ => Unlocked::Done,
        };
        self.note(request);
        Ok(unlocked)
    }
}

#[async_trait]
impl Jobs for Fake {
    async fn schedule_job(&self, _: &CallContext, request: ScheduleJob) -> Result<()> {
        self.note(request);
        Ok(())
    }

    async fn get_job(&self, _: &CallContext, name: &str) -> Result<Job> {
        self.note(("get_job", name));
        let data = Some(JobData::Json("{}".into()));
        Ok(Job { name: name.into(), due_time: Some("1s".into()), data, ..Job::default() })
    }

    async fn delete_job(&self, _: &CallContext, name: &str) -> Result<()> {
        self.note(("delete_job", name));
        Ok(())
    }

    async fn list_jobs(&self, _: &CallContext) -> Result<Vec<Job>> {
        Ok(["j1", "other"].map(|name| Job { name: name.into(), ..Job::default() }).into())
    }
}

#[async_trait]
impl Crypto for Fake {
    async fn encrypt(&self, _: &CallContext, r: Encrypt, plain: ByteStream) -> Result<ByteStream> {
        self.note(r);
        Ok(plain)
    }

    async fn decrypt(&self, _: &CallContext, r: Decrypt, body: ByteStream) -> Result<ByteStream> {
        self.note(r);
        Ok(body)
    }
}

#[async_trait]
impl Conversation for Fake {
    async fn converse(&self, _: &CallContext, request: Converse) -> Result<Bytes> {
        self.note(request);
        Ok("{}".into())
    }
}

#[async_trait]
impl Actors for Fake {
    async fn invoke_actor(&self, _: &CallContext, request: InvokeActor) -> Result<Bytes> {
        self.note(request);
        Ok("acted".into())
    }

    async fn get_actor_state(&self, _: &CallContext, actor: Actor, key: String) -> Result<Bytes> {
        self.note((actor, key));
        Ok("1".into())
    }

    async fn transact_actor_state(
        &self,
        _: &CallContext,
        actor: Actor,
        operations: Vec<ActorStateOperation>,
    ) -> Result<()> {
        self.note((actor, operations));
        Ok(())
    }

    async fn register_reminder(&self, _: &CallContext, request: Reminder) -> Result<()> {
        self.note(request);
        Ok(())
    }

    async fn get_reminder(&self, _: &CallContext, actor: Actor, name: String) -> Result<Reminder> {
        self.note(("get_reminder", &actor, &name));
        Ok(Reminder { actor, name, period: "1m".into(), data: "1".into(), ..Reminder::default() })
    }

    async fn unregister_reminder(&self, _: &CallContext, a: Actor, name: String) -> Result<()> {
        self.note(("unregister_reminder", a, name));
        Ok(())
    }

    async fn register_timer(&self, _: &CallContext, request: Timer) -> Result<()> {
        self.note(request);
        Ok(())
    }

    async fn unregister_timer(&self, _: &CallContext, actor: Actor, name: String) -> Result<()> {
        self.note(("unregister_timer", actor, name));
        Ok(())
    }
}

#[async_trait]
impl RuntimeApi for Fake {
    async fn get_metadata(&self, _: &CallContext) -> Result<Bytes> {
        Ok("{\"id\":\"me\"}".into())
    }

    async fn set_metadata(&self, _: &CallContext, key: String, value: String) -> Result<()> {
        self.note(("set_metadata", key, value));
        Ok(())
    }

    async fn call(&self, _: &CallContext, request: Call) -> Result<Bytes> {
        self.note(request);
        Ok("called".into())
    }
}
