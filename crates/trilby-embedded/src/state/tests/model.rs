//! Random calls of both stores against a map that does what Dapr says.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use trilby_dapr::Metadata;
use trilby_dapr::state::{DeleteStates, GetStates, StateKey, StateOperation, TransactState};

use super::*;

const KEYS: [&str; 3] = ["a", "b", "c"];

#[derive(Clone, Copy, Debug)]
enum Etag {
    No,
    /// The one that the key had before the call, if it was there.
    Current,
    /// One that the key had once, if it ever was there.
    Old,
}

/// One change.
#[derive(Clone, Debug)]
struct Change {
    key: usize,
    /// What to write; nothing to delete.
    value: Option<u8>,
    etag: Etag,
    is_first_write: bool,
}

#[derive(Clone, Debug)]
enum Call {
    /// Each by itself.
    Save(Vec<Change>),
    Delete(Vec<Change>),
    Transact(Vec<Change>),
}

/// What a key holds. The etag is not known before it is read.
type Entry = (u8, Option<String>);

#[derive(Clone, Default)]
struct Model {
    entries: BTreeMap<usize, Entry>,
    in_memory: bool,
}

impl Model {
    /// Whether a guard holds.
    fn allows(&self, change: &Change, etag: Option<&str>) -> bool {
        let entry = self.entries.get(&change.key);
        match etag {
            Some(etag) => entry.is_some_and(|(_, known)| known.as_deref() == Some(etag)),
            // daprd's SQLite store deletes whatever the concurrency is.
            None if change.value.is_none() && !self.in_memory => true,
            None => !change.is_first_write || entry.is_none(),
        }
    }

    fn make(&mut self, change: &Change) {
        match change.value {
            Some(value) => self.entries.insert(change.key, (value, None)),
            None => self.entries.remove(&change.key),
        };
    }

    /// Whether all were made.
    fn singly(&mut self, changes: &[(Change, Option<String>)]) -> bool {
        let mut all = true;
        for (change, etag) in changes {
            if self.allows(change, etag.as_deref()) {
                self.make(change);
            } else {
                all = false;
            }
        }
        all
    }

    fn together(&mut self, changes: &[(Change, Option<String>)]) -> bool {
        let before = self.clone();
        for (change, etag) in changes {
            // daprd's in-memory store looks at all guards before the first change.
            let seen = if self.in_memory { &before } else { &*self };
            if !seen.allows(change, etag.as_deref()) {
                *self = before;
                return false;
            }
            self.make(change);
        }
        true
    }
}

fn change(deletes: impl Strategy<Value = bool>) -> impl Strategy<Value = Change> {
    let etag = prop_oneof![3 => Just(Etag::No), 2 => Just(Etag::Current), 1 => Just(Etag::Old)];
    (0..KEYS.len(), deletes, any::<u8>(), etag, any::<bool>()).prop_map(
        |(key, deletes, value, etag, is_first_write)| Change {
            key,
            value: (!deletes).then_some(value),
            etag,
            is_first_write,
        },
    )
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        vec(change(Just(false)), 1..4).prop_map(Call::Save),
        vec(change(Just(true)), 1..4).prop_map(Call::Delete),
        vec(change(any::<bool>()), 0..5).prop_map(Call::Transact),
    ]
}

fn upsert(change: &Change, etag: Option<String>) -> StateItem {
    let value = change.value.unwrap_or_default().to_string();
    StateItem { etag, concurrency: concurrency(change), ..item(KEYS[change.key], &value) }
}

fn deletion(change: &Change, etag: Option<String>) -> StateKey {
    let key = KEYS[change.key].to_owned();
    StateKey { key, etag, concurrency: concurrency(change), ..StateKey::default() }
}

fn concurrency(change: &Change) -> Concurrency {
    if change.is_first_write { Concurrency::FirstWrite } else { Concurrency::Unspecified }
}

async fn check(type_name: &str, calls: Vec<Call>) {
    let component = component(type_name, &[("connectionString", ":memory:")]);
    let store = StateStore::open(&component, "app", &BTreeMap::new()).unwrap();
    let mut model = Model { in_memory: type_name == "state.in-memory", ..Model::default() };
    let mut old: BTreeMap<usize, String> = BTreeMap::new();
    for call in calls {
        let with_etags = |changes: &[Change], model: &Model| -> Vec<(Change, Option<String>)> {
            let etag = |change: &Change| match change.etag {
                Etag::No => None,
                Etag::Current => model.entries.get(&change.key)?.1.clone(),
                Etag::Old => old.get(&change.key).cloned(),
            };
            changes.iter().map(|change| (change.clone(), etag(change))).collect()
        };
        let (done, expected) = match &call {
            Call::Save(changes) => {
                let changes = with_etags(changes, &model);
                let items = changes.iter().map(|(change, etag)| upsert(change, etag.clone()));
                (store.save(&cx(), save(items.collect())).await, model.singly(&changes))
            }
            Call::Delete(changes) => {
                let changes = with_etags(changes, &model);
                let keys = changes.iter().map(|(change, etag)| deletion(change, etag.clone()));
                let request = DeleteStates { store: String::new(), keys: keys.collect() };
                (store.delete_many(&cx(), request).await, model.singly(&changes))
            }
            Call::Transact(changes) => {
                let changes = with_etags(changes, &model);
                let operations = changes.iter().map(|(change, etag)| match change.value {
                    Some(_) => StateOperation::Upsert(upsert(change, etag.clone())),
                    None => StateOperation::Delete(deletion(change, etag.clone())),
                });
                let request = TransactState {
                    store: String::new(),
                    operations: operations.collect(),
                    metadata: Metadata::new(),
                };
                (store.transact(&cx(), request).await, model.together(&changes))
            }
        };
        assert_eq!(done.is_ok(), expected, "{type_name}: {call:?}: {done:?}");
        assert!(done.is_ok() || done.is_err_and(|error| error.is_conflict()), "{call:?}");
        follow(&store, &mut model, &mut old, &format!("{type_name}: {call:?}")).await;
    }
}

/// Compares the store with the model, and learns the new etags.
async fn follow(
    store: &StateStore,
    model: &mut Model,
    old: &mut BTreeMap<usize, String>,
    place: &str,
) {
    let keys = KEYS.iter().map(|key| (*key).to_owned()).collect();
    let request = GetStates { keys, ..GetStates::default() };
    let items = store.get_many(&cx(), request).await.unwrap();
    for (key, item) in items.into_iter().enumerate() {
        let Some((value, etag)) = model.entries.get_mut(&key) else {
            assert_eq!((item.data.as_ref(), &item.etag), (&b""[..], &None), "{place}");
            continue;
        };
        assert_eq!(item.data, value.to_string(), "{place}");
        let read = item.etag.expect(place);
        match etag {
            Some(known) => assert_eq!(*known, read, "{place}: nothing was written"),
            None => {
                // A value that was written has an etag that it never had.
                assert_ne!(old.insert(key, read.clone()), Some(read.clone()), "{place}");
                *etag = Some(read);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn stores_do_what_a_map_does(calls in vec(call(), 1..20)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            for type_name in STORES {
                check(type_name, calls.clone()).await;
            }
        });
    }
}
