//! Every function that goes over gRPC: what daprd is asked, and what is made of its answer.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bytes::Bytes;
use tonic::Status;
use trilby_dapr::actor::{Actor, ActorStateOperation, Actors, InvokeActor, Reminder, Timer};
use trilby_dapr::configuration::{Configuration, ConfigurationItem, GetConfiguration};
use trilby_dapr::jobs::{Job, JobData, Jobs, ScheduleJob};
use trilby_dapr::lock::{Locks, TryLock, Unlock, Unlocked};
use trilby_dapr::messaging::{
    Bindings, BulkEvent, FailedEvent, InvokeBinding, Publish, PublishBulk, Pubsub,
};
use trilby_dapr::proto::common::v1 as common;
use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::runtime::RuntimeApi;
use trilby_dapr::secret::{GetSecret, GetSecrets, Secrets};
use trilby_dapr::state::{
    BulkStateItem, Concurrency, Consistency, DeleteState, DeleteStates, GetStates, QueryState,
    SaveState, State, StateItem, StateKey, StateOperation, TransactState,
};
use trilby_dapr::{Code, Metadata};

use super::fake::pair;
use super::{read, within};

fn metadata() -> Metadata {
    Metadata::from([("m".to_owned(), "1".to_owned())])
}

fn on_wire() -> HashMap<String, String> {
    HashMap::from([("m".to_owned(), "1".to_owned())])
}

fn item(key: &str) -> StateItem {
    StateItem {
        key: key.into(),
        value: "v".into(),
        etag: Some("7".into()),
        metadata: metadata(),
        concurrency: Concurrency::FirstWrite,
        consistency: Consistency::Strong,
    }
}

fn key(key: &str) -> StateKey {
    StateKey { key: key.into(), etag: Some(String::new()), ..StateKey::default() }
}

fn item_on_wire(key: &str) -> common::StateItem {
    common::StateItem {
        key: key.into(),
        value: "v".into(),
        etag: Some(common::Etag { value: "7".into() }),
        metadata: on_wire(),
        options: Some(common::StateOptions { concurrency: 1, consistency: 2 }),
    }
}

fn key_on_wire(key: &str) -> common::StateItem {
    let options = Some(common::StateOptions::default());
    common::StateItem { key: key.into(), options, ..common::StateItem::default() }
}

#[tokio::test]
async fn state_is_read() {
    let (fake, sidecar, _daemon) = pair(&[]).await;
    let cx = &within(10);
    fake.will(runtime::GetStateResponse {
        data: "v".into(),
        etag: "7".into(),
        metadata: on_wire(),
    });
    let value = sidecar.get_state(cx, read("k")).await.expect("read");
    assert_eq!((value.data, value.etag), ("v".into(), Some("7".into())));
    assert_eq!(value.metadata, metadata());
    assert_eq!(sidecar.get_state(cx, read("k")).await.expect("missing").etag, None);

    let (one, other) = (
        runtime::BulkStateItem {
            key: "a".into(),
            data: "v".into(),
            etag: "7".into(),
            ..<_>::default()
        },
        runtime::BulkStateItem { key: "b".into(), error: "bad".into(), ..<_>::default() },
    );
    fake.asked::<runtime::GetStateRequest>();
    fake.asked::<runtime::GetStateRequest>();
    fake.will(runtime::GetBulkStateResponse { items: vec![one, other] });
    let keys = vec!["a".into(), "b".into()];
    let request =
        GetStates { store: "s".into(), keys: keys.clone(), parallelism: 3, metadata: metadata() };
    let expected = [
        BulkStateItem {
            key: "a".into(),
            data: "v".into(),
            etag: Some("7".into()),
            ..<_>::default()
        },
        BulkStateItem { key: "b".into(), error: Some("bad".into()), ..<_>::default() },
    ];
    assert_eq!(sidecar.get_states(cx, request).await.expect("read"), expected);
    let (asked, _) = fake.asked::<runtime::GetBulkStateRequest>();
    let expected = runtime::GetBulkStateRequest {
        store_name: "s".into(),
        keys,
        parallelism: 3,
        metadata: on_wire(),
    };
    assert_eq!(asked, expected);

    let found = runtime::QueryStateItem { key: "a".into(), data: "v".into(), ..<_>::default() };
    let reply = runtime::QueryStateResponse {
        results: vec![found],
        token: "t".into(),
        metadata: on_wire(),
    };
    fake.will(reply);
    let request = QueryState { store: "s".into(), query: "{}".into(), metadata: metadata() };
    let reply = sidecar.query_state(cx, request).await.expect("found");
    assert_eq!((reply.items[0].key.as_str(), reply.token.as_deref()), ("a", Some("t")));
}

#[tokio::test]
async fn state_is_written() {
    let (fake, sidecar, _daemon) = pair(&[]).await;
    let cx = &within(10);
    let request = SaveState { store: "s".into(), items: vec![item("a"), item("b")] };
    assert_eq!(sidecar.save_state(cx, request).await, Ok(()));
    let (asked, _) = fake.asked::<runtime::SaveStateRequest>();
    assert_eq!(asked.states, [item_on_wire("a"), item_on_wire("b")]);

    let request = DeleteState {
        store: "s".into(),
        key: "k".into(),
        etag: Some("7".into()),
        concurrency: Concurrency::LastWrite,
        ..DeleteState::default()
    };
    assert_eq!(sidecar.delete_state(cx, request).await, Ok(()));
    let (asked, _) = fake.asked::<runtime::DeleteStateRequest>();
    assert_eq!(asked.etag, Some(common::Etag { value: "7".into() }));
    // To `state.redis` the last write would win whatever the etag.
    assert_eq!(asked.options, Some(common::StateOptions { concurrency: 0, consistency: 0 }));

    let concurrency = Concurrency::LastWrite;
    let request = DeleteState { store: "s".into(), key: "k".into(), concurrency, ..<_>::default() };
    assert_eq!(sidecar.delete_state(cx, request).await, Ok(()));
    let (asked, _) = fake.asked::<runtime::DeleteStateRequest>();
    assert_eq!(asked.options, Some(common::StateOptions { concurrency: 2, consistency: 0 }));

    let request = DeleteStates { store: "s".into(), keys: vec![key("a"), key("b")] };
    assert_eq!(sidecar.delete_states(cx, request).await, Ok(()));
    let (asked, _) = fake.asked::<runtime::DeleteBulkStateRequest>();
    assert_eq!(asked.states, [key_on_wire("a"), key_on_wire("b")]);

    let operations = vec![StateOperation::Upsert(item("a")), StateOperation::Delete(key("b"))];
    let request = TransactState { store: "s".into(), operations, metadata: metadata() };
    assert_eq!(sidecar.transact_state(cx, request).await, Ok(()));
    let (asked, _) = fake.asked::<runtime::ExecuteStateTransactionRequest>();
    let operation = |name: &str, item| runtime::TransactionalStateOperation {
        operation_type: name.into(),
        request: Some(item),
    };
    let expected = [operation("upsert", item_on_wire("a")), operation("delete", key_on_wire("b"))];
    assert_eq!((asked.operations, asked.metadata), (expected.into(), on_wire()));
}

#[tokio::test]
async fn lost_races_are_conflicts_on_every_path() {
    let (fake, sidecar, _daemon) = pair(&[]).await;
    let cx = &within(10);
    fake.will_fail(Status::aborted("possible etag mismatch"));
    let request = SaveState { store: "s".into(), items: vec![item("a")] };
    assert_eq!(sidecar.save_state(cx, request).await.expect_err("lost").code, Code::Aborted);
    let first = StateItem { etag: None, ..item("a") };
    fake.will_fail(Status::internal(
        "failed to set key a: ERR user_script:14: failed to set key a",
    ));
    let request = SaveState { store: "s".into(), items: vec![first] };
    assert_eq!(sidecar.save_state(cx, request).await.expect_err("lost").code, Code::Aborted);
    for text in ["tx: possible etag mismatch. error", "ERR user_script:6: failed to delete a||t"] {
        fake.will_fail(Status::internal(text));
        let error = sidecar.transact_state(cx, TransactState::default()).await.expect_err("lost");
        assert_eq!(error.code, Code::Aborted, "{text}");
    }
    fake.will_fail(Status::internal("disk full"));
    let error = sidecar.transact_state(cx, TransactState::default()).await.expect_err("failed");
    assert_eq!(error.code, Code::Internal);
}

#[tokio::test]
async fn messages_go_out() {
    let (fake, sidecar, _daemon) = pair(&[]).await;
    let cx = &within(10);
    let publish = Publish {
        pubsub: "bus".into(),
        topic: "t".into(),
        data: "d".into(),
        content_type: Some("text/plain".into()),
        metadata: metadata(),
    };
    assert_eq!(sidecar.publish(cx, publish).await, Ok(()));
    let (asked, _) = fake.asked::<runtime::PublishEventRequest>();
    assert_eq!((asked.data_content_type.as_str(), asked.metadata), ("text/plain", on_wire()));

    let failed =
        runtime::BulkPublishResponseFailedEntry { entry_id: "2".into(), error: "full".into() };
    fake.will(runtime::BulkPublishResponse { failed_entries: vec![failed] });
    let event = |id: &str| BulkEvent { id: id.into(), data: "d".into(), ..BulkEvent::default() };
    let request = PublishBulk { events: vec![event("1"), event("2")], ..PublishBulk::default() };
    let expected = [FailedEvent { id: "2".into(), error: "full".into() }];
    assert_eq!(sidecar.publish_bulk(cx, request).await.expect("published"), expected);
    let (asked, _) = fake.asked::<runtime::BulkPublishRequest>();
    assert_eq!(asked.entries.iter().map(|e| e.entry_id.as_str()).collect::<Vec<_>>(), ["1", "2"]);

    fake.will(runtime::InvokeBindingResponse { data: "r".into(), metadata: on_wire() });
    let request = InvokeBinding { binding: "b".into(), operation: "get".into(), ..<_>::default() };
    let reply = sidecar.invoke_binding(cx, request).await.expect("invoked");
    assert_eq!((reply.data, reply.metadata), ("r".into(), metadata()));
    let (asked, _) = fake.asked::<runtime::InvokeBindingRequest>();
    assert_eq!((asked.name.as_str(), asked.operation.as_str()), ("b", "get"));
}

#[tokio::test]
async fn secrets_and_configuration_are_read() {
    let (fake, sidecar, _daemon) = pair(&[]).await;
    let cx = &within(10);
    fake.will(runtime::GetSecretResponse { data: on_wire() });
    let request = GetSecret { store: "s".into(), key: "k".into(), metadata: metadata() };
    assert_eq!(sidecar.get_secret(cx, request).await.expect("read").values, metadata());
    fake.will(runtime::GetBulkSecretResponse {
        data: [("k".to_owned(), runtime::SecretResponse { secrets: on_wire() })].into(),
    });
    let secrets = sidecar.get_secrets(cx, GetSecrets::default()).await.expect("read");
    assert_eq!(secrets["k"].values, metadata());

    let item =
        common::ConfigurationItem { value: "v".into(), version: "2".into(), metadata: on_wire() };
    fake.will(runtime::GetConfigurationResponse { items: [("k".to_owned(), item)].into() });
    let request = GetConfiguration { store: "c".into(), keys: vec!["k".into()], ..<_>::default() };
    let items = sidecar.get_configuration(cx, request).await.expect("read");
    let item = ConfigurationItem { value: "v".into(), version: "2".into(), metadata: metadata() };
    assert_eq!(items, BTreeMap::from([("k".to_owned(), item)]));
}

#[tokio::test]
async fn locks_are_taken_and_given_back() {
    let (fake, sidecar, _daemon) = pair(&[]).await;
    let cx = &within(10);
    fake.will(runtime::TryLockResponse { success: true });
    let lock = TryLock { expiry: Duration::from_secs(5), ..TryLock::default() };
    assert_eq!(sidecar.try_lock(cx, lock.clone()).await, Ok(true));
    assert_eq!(fake.asked::<runtime::TryLockRequest>().0.expiry_in_seconds, 5);
    assert_eq!(sidecar.try_lock(cx, lock).await, Ok(false));
    let statuses =
        [Ok(Unlocked::Done), Ok(Unlocked::Missing), Ok(Unlocked::OfOthers), Err(()), Err(())];
    for (status, expected) in (0..).zip(statuses) {
        fake.will(runtime::UnlockResponse { status });
        let unlocked = sidecar.unlock(cx, Unlock::default()).await;
        let unlocked = unlocked.map_err(|error| assert_eq!(error.code, Code::Internal));
        assert_eq!(unlocked, expected, "{status}");
    }
}

#[tokio::test]
async fn jobs_are_kept() {
    let (fake, sidecar, _daemon) = pair(&[]).await;
    let cx = &within(10);
    let data = Some(JobData::Bytes(Bytes::from_static(b"\xff")));
    let job = Job { name: "j".into(), due_time: Some("1s".into()), data, ..Job::default() };
    let request = ScheduleJob { job: job.clone(), overwrite: true };
    assert_eq!(sidecar.schedule_job(cx, request).await, Ok(()));
    let (asked, _) = fake.asked::<runtime::ScheduleJobRequest>();
    assert!(asked.overwrite);
    fake.will(runtime::GetJobResponse { job: asked.job.clone() });
    assert_eq!(sidecar.get_job(cx, "j").await, Ok(job.clone()));
    fake.will(runtime::ListJobsResponse { jobs: vec![asked.job.expect("a job")] });
    assert_eq!(sidecar.list_jobs(cx).await, Ok(vec![job]));
    let missing = || Status::internal("failed: rpc error: code = NotFound desc = job not found: j");
    fake.will_fail(missing());
    assert_eq!(sidecar.get_job(cx, "j").await.expect_err("missing").code, Code::NotFound);
    fake.will_fail(missing());
    assert_eq!(sidecar.delete_job(cx, "j").await, Ok(()));
    fake.will_fail(Status::internal("scheduler clients are disabled"));
    assert_eq!(sidecar.delete_job(cx, "j").await.expect_err("failed").code, Code::Internal);
    fake.will_fail(Status::already_exists("job already exists"));
    let error = sidecar.schedule_job(cx, ScheduleJob::default()).await.expect_err("exists");
    assert_eq!(error.code, Code::AlreadyExists);
}

#[tokio::test]
async fn actors_are_called() {
    let (fake, sidecar, _daemon) = pair(&[]).await;
    let cx = &within(10);
    let actor = || Actor { actor_type: "T".into(), id: "1".into() };
    fake.will(runtime::InvokeActorResponse { data: "r".into() });
    let request =
        InvokeActor { actor: actor(), method: "m".into(), data: "d".into(), metadata: metadata() };
    assert_eq!(sidecar.invoke_actor(cx, request).await, Ok("r".into()));
    let (asked, _) = fake.asked::<runtime::InvokeActorRequest>();
    assert_eq!(
        (asked.actor_type.as_str(), asked.actor_id.as_str(), asked.method.as_str()),
        ("T", "1", "m")
    );

    fake.will(runtime::GetActorStateResponse { data: "v".into(), ..<_>::default() });
    assert_eq!(sidecar.get_actor_state(cx, actor(), "k".into()).await, Ok("v".into()));
    fake.asked::<runtime::GetActorStateRequest>();
    let operations = vec![
        ActorStateOperation::Upsert { key: "k".into(), value: "1".into(), metadata: metadata() },
        ActorStateOperation::Delete { key: "l".into() },
    ];
    assert_eq!(sidecar.transact_actor_state(cx, actor(), operations).await, Ok(()));
    let (asked, _) = fake.asked::<runtime::ExecuteActorStateTransactionRequest>();
    let kinds: Vec<_> =
        asked.operations.iter().map(|o| (o.operation_type.as_str(), o.key.as_str())).collect();
    assert_eq!(kinds, [("upsert", "k"), ("delete", "l")]);
    assert_eq!(asked.operations[0].value.as_ref().map(|any| &*any.value), Some(&b"1"[..]));

    let reminder = Reminder {
        actor: actor(),
        name: "r".into(),
        due_time: "1s".into(),
        data: r#"{"x":1}"#.into(),
        overwrite: Some(false),
        ..Reminder::default()
    };
    assert_eq!(sidecar.register_reminder(cx, reminder.clone()).await, Ok(()));
    let (asked, _) = fake.asked::<runtime::RegisterActorReminderRequest>();
    assert_eq!((asked.due_time.as_str(), asked.overwrite), ("1s", Some(false)));
    // daprd gives what came over gRPC as a JSON string of its base64.
    let data = prost_types::Any::from_msg(&br#""eyJ4IjoxfQ==""#.to_vec()).expect("has a name");
    let due_time = Some("1s".into());
    fake.will(runtime::GetActorReminderResponse { due_time, data: Some(data), ..<_>::default() });
    let read = sidecar.get_reminder(cx, actor(), "r".into()).await.expect("is there");
    assert_eq!(read, Reminder { overwrite: None, ..reminder });
    assert_eq!(sidecar.unregister_reminder(cx, actor(), "r".into()).await, Ok(()));
    fake.asked::<runtime::GetActorReminderRequest>();
    assert_eq!(fake.asked::<runtime::UnregisterActorReminderRequest>().0.name, "r");

    let timer =
        Timer { actor: actor(), name: "t".into(), callback: "cb".into(), ..Timer::default() };
    assert_eq!(sidecar.register_timer(cx, timer).await, Ok(()));
    assert_eq!(fake.asked::<runtime::RegisterActorTimerRequest>().0.callback, "cb");
    assert_eq!(sidecar.unregister_timer(cx, actor(), "t".into()).await, Ok(()));
    assert_eq!(fake.asked::<runtime::UnregisterActorTimerRequest>().0.name, "t");
    fake.will_fail(Status::unavailable("placement service is not configured"));
    let error = sidecar.get_actor_state(cx, actor(), "k".into()).await.expect_err("no placement");
    assert_eq!(
        (error.code, &*error.message),
        (Code::Unavailable, "placement service is not configured")
    );
}

#[tokio::test]
async fn metadata_is_set() {
    let (fake, sidecar, _daemon) = pair(&[]).await;
    assert_eq!(sidecar.set_metadata(&within(10), "k".into(), "v".into()).await, Ok(()));
    let (asked, _) = fake.asked::<runtime::SetMetadataRequest>();
    assert_eq!((asked.key.as_str(), asked.value.as_str()), ("k", "v"));
}
