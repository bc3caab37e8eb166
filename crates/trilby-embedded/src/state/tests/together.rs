//! Several keys in one call: transactions, which are all or nothing, and bulk calls, which are not.

use trilby_dapr::Metadata;
use trilby_dapr::state::{
    BulkStateItem, DeleteStates, GetStates, StateKey, StateOperation, TransactState,
};

use super::*;

pub(super) fn transaction(operations: Vec<StateOperation>) -> TransactState {
    TransactState { store: "store".to_owned(), operations, metadata: Metadata::new() }
}

pub(super) fn upsert(key: &str, value: &str) -> StateOperation {
    StateOperation::Upsert(item(key, value))
}

pub(super) fn with_etag(key: &str, value: &str, etag: &str) -> StateOperation {
    StateOperation::Upsert(StateItem { etag: Some(etag.to_owned()), ..item(key, value) })
}

pub(super) fn first_write(key: &str, value: &str) -> StateOperation {
    let concurrency = Concurrency::FirstWrite;
    StateOperation::Upsert(StateItem { concurrency, ..item(key, value) })
}

pub(super) fn delete(key: &str) -> StateOperation {
    StateOperation::Delete(key_of(key))
}

pub(super) fn key_of(key: &str) -> StateKey {
    StateKey { key: key.to_owned(), ..StateKey::default() }
}

pub(super) async fn read(store: &StateStore, keys: &[&str]) -> Vec<BulkStateItem> {
    let keys = keys.iter().map(|key| (*key).to_owned()).collect();
    let request = GetStates { store: "store".to_owned(), keys, ..GetStates::default() };
    store.get_many(&cx(), request).await.unwrap()
}

pub(super) async fn values(store: &StateStore, keys: &[&str]) -> Vec<String> {
    let items = read(store, keys).await;
    items.iter().map(|item| String::from_utf8(item.data.to_vec()).unwrap()).collect()
}

#[tokio::test]
async fn a_transaction_is_made_in_order() {
    for type_name in STORES {
        let Fixture { store, .. } = open(type_name);
        store.transact(&cx(), transaction(Vec::new())).await.unwrap();
        let operations = vec![
            upsert("a", "1"),
            delete("a"),
            upsert("a", "2"),
            upsert("b", "1"),
            delete("b"),
            delete("never"),
            upsert("c", "1"),
            upsert("c", "2"),
        ];
        store.transact(&cx(), transaction(operations)).await.unwrap();
        assert_eq!(values(&store, &["a", "b", "c"]).await, ["2", "", "2"], "{type_name}");
    }
}

#[tokio::test]
async fn a_transaction_that_fails_leaves_no_trace() {
    const TTL: &str = "error parsing TTL: incorrect value for metadata 'ttlInSeconds': ";
    for type_name in STORES {
        let Fixture { store, .. } = open(type_name);
        store.save(&cx(), save(vec![item("a", "old"), item("b", "old")])).await.unwrap();
        store.save(&cx(), save(vec![item("c", "old")])).await.unwrap();
        let before = read(&store, &["a", "b", "c", "new"]).await;
        let with_ttl = |seconds: &str| {
            let metadata = Metadata::from([("ttlInSeconds".to_owned(), seconds.to_owned())]);
            StateOperation::Upsert(StateItem { metadata, ..item("b", "x") })
        };
        let in_memory = matches!(store.table, Table::Memory(_));
        let (ttl, exists, other) = if in_memory {
            (
                "strconv.Atoi: parsing \"soon\": invalid syntax".to_owned(),
                format!("{MISMATCH}: item already exists and no etag was passed"),
                format!("{MISMATCH}: state not exist or expired for key=app||new"),
            )
        } else {
            let ttl = format!("{TTL}strconv.ParseInt: parsing \"soon\": invalid syntax");
            (ttl, MISMATCH.to_owned(), MISMATCH.to_owned())
        };
        let cases = [
            (first_write("b", "x"), Code::Aborted, exists),
            (with_etag("new", "x", "none"), Code::Aborted, other),
            (with_ttl("soon"), Code::Internal, ttl),
        ];
        for (bad, code, why) in cases {
            let operations = vec![upsert("a", "x"), delete("c"), bad, upsert("c", "x")];
            let error = store.transact(&cx(), transaction(operations)).await.unwrap_err();
            let message = format!("error while executing state transaction: {why}");
            let expected = Error::new(code, message).with_reason("ERR_STATE_TRANSACTION");
            assert_eq!(error, expected, "{type_name}");
            assert_eq!(error.is_conflict(), code == Code::Aborted);
            assert_eq!(read(&store, &["a", "b", "c", "new"]).await, before, "{type_name}");
        }
    }
}

#[tokio::test]
async fn a_transaction_with_a_bad_key_is_not_begun() {
    for type_name in STORES {
        let Fixture { store, .. } = open(type_name);
        let operations = vec![upsert("a", "x"), delete("b||c")];
        let error = store.transact(&cx(), transaction(operations)).await.unwrap_err();
        assert_eq!((error.code, &*error.reason), (Code::InvalidArgument, "DAPR_STATE_ILLEGAL_KEY"));
        assert_eq!(values(&store, &["a"]).await, [""]);
    }
}

/// As in daprd: what one store checks before the first change, the other checks as it goes.
#[tokio::test]
async fn guards_see_the_changes_before_them_in_sqlite_only() {
    for type_name in STORES {
        let Fixture { store, .. } = open(type_name);
        let operations = vec![upsert("a", "1"), first_write("a", "2")];
        let done = store.transact(&cx(), transaction(operations)).await;
        match store.table {
            Table::Memory(_) => {
                done.unwrap();
                assert_eq!(values(&store, &["a"]).await, ["2"]);
            }
            Table::Sqlite(_) | Table::Redis(_) => {
                assert_eq!(done.unwrap_err().code, Code::Aborted);
                assert_eq!(values(&store, &["a"]).await, [""]);
            }
        }
    }
}

#[tokio::test]
async fn values_in_a_transaction_are_bytes_and_may_expire() {
    for type_name in STORES {
        let Fixture { store, clock, .. } = open(type_name);
        let metadata = Metadata::from([
            ("ttlInSeconds".to_owned(), "10".to_owned()),
            ("contentType".to_owned(), "application/json".to_owned()),
        ]);
        let set = StateOperation::Upsert(StateItem { metadata, ..item("a", "{ not json") });
        store.transact(&cx(), transaction(vec![set])).await.unwrap();
        let items = read(&store, &["a"]).await;
        assert_eq!(items[0].data, "{ not json", "{type_name}");
        assert_eq!(items[0].metadata["ttlExpireTime"], "2026-01-01T00:00:10Z", "{type_name}");
        clock.advance(11);
        assert_eq!(values(&store, &["a"]).await, [""], "{type_name}");
    }
}

#[tokio::test]
async fn several_keys_are_read_in_their_order() {
    for type_name in STORES {
        let Fixture { store, .. } = open(type_name);
        store.save(&cx(), save(vec![item("a", "1"), item("b", "2")])).await.unwrap();
        let items = read(&store, &["b", "no", "a", "b"]).await;
        let keys: Vec<&str> = items.iter().map(|item| item.key.as_str()).collect();
        assert_eq!(keys, ["b", "no", "a"], "{type_name}");
        assert_eq!(items[1], BulkStateItem { key: "no".to_owned(), ..BulkStateItem::default() });
        let single = store.get(&cx(), get("b")).await.unwrap();
        assert_eq!((&items[0].data, &items[0].etag), (&single.data, &single.etag));
        assert_eq!(read(&store, &[]).await, []);
        let request = GetStates { keys: vec!["a||b".to_owned()], ..GetStates::default() };
        let error = store.get_many(&cx(), request).await.unwrap_err();
        assert_eq!(error.reason, "DAPR_STATE_ILLEGAL_KEY");
    }
}

#[tokio::test]
async fn what_is_read_together_has_a_bound() {
    for type_name in STORES {
        let Fixture { store, .. } = open(type_name);
        let mut item = item("0", "");
        item.value = Bytes::from(vec![b'x'; 16 << 20]);
        let items = (0..4).map(|n| StateItem { key: n.to_string(), ..item.clone() }).collect();
        store.save(&cx(), save(items)).await.unwrap();
        let items = read(&store, &["0", "1", "2"].repeat(100)).await;
        assert_eq!(items.len(), 3, "{type_name}: each is there once");
        let keys = ["0", "1", "2", "3"].map(str::to_owned).into();
        let request = GetStates { keys, ..GetStates::default() };
        let error = store.get_many(&cx(), request).await.unwrap_err();
        assert_eq!((error.code, &*error.reason), (Code::ResourceExhausted, "TRILBY_TOO_LARGE"));
        assert!(error.message.contains("64 MiB"), "{error}");
    }
}

#[tokio::test]
async fn several_keys_are_deleted_each_by_itself() {
    for type_name in STORES {
        let Fixture { store, .. } = open(type_name);
        let delete = |keys: Vec<StateKey>| {
            let request = DeleteStates { store: "store".to_owned(), keys };
            let store = &store;
            async move { store.delete_many(&cx(), request).await }
        };
        delete(Vec::new()).await.unwrap();
        store.save(&cx(), save(vec![item("a", "1"), item("b", "2")])).await.unwrap();
        let stale = |key: &str| StateKey { etag: Some("stale".to_owned()), ..key_of(key) };
        let error = delete(vec![stale("b"), key_of("a"), key_of("no")]).await.unwrap_err();
        assert_eq!((error.code, &*error.reason), (Code::Aborted, "ERR_STATE_BULK_DELETE"));
        let message = format!("failed deleting state in state store store: {MISMATCH}");
        assert!(error.message.starts_with(&message), "{error}");
        assert_eq!(values(&store, &["a", "b"]).await, ["", "2"], "{type_name}");
        delete(vec![key_of("b||c"), key_of("b")]).await.unwrap_err();
        delete(vec![key_of("b")]).await.unwrap();
        assert_eq!(values(&store, &["b"]).await, [""], "{type_name}");
    }
}
