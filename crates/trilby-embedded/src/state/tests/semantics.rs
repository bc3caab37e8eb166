//! What a store keeps: one table of cases, run on both stores, and a race.

use std::sync::Arc;

use bytes::Bytes;
use trilby_dapr::Metadata;

use super::*;

/// Which etag a step sends.
#[derive(Clone, Copy, Debug)]
enum Etag {
    No,
    Empty,
    Current,
    Wrong,
}

/// What a step expects.
#[derive(Clone, Copy, Debug)]
enum Expect {
    Done,
    Conflict,
    /// A conflict in the in-memory store only, where daprd's two stores differ.
    ConflictInMemory,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Set(&'static str, Etag, Concurrency, Expect),
    /// With the metadata `ttlInSeconds`.
    SetFor(&'static str, &'static str),
    Delete(Etag, Concurrency, Expect),
    Holds(Option<&'static str>),
    ExpiresAt(Option<&'static str>),
    Pass(i64),
}

use Concurrency::{FirstWrite, LastWrite, Unspecified};
use Etag::{Current, Empty, No, Wrong};
use Expect::{Conflict, ConflictInMemory, Done};
use Step::{Delete as Del, ExpiresAt, Holds, Pass, Set as Put, SetFor};

const CASES: &[(&str, &[Step])] = &[
    ("a missing key is empty", &[Holds(None)]),
    (
        "a value is read as it was written",
        &[Put("é\0x", No, Unspecified, Done), Holds(Some("é\0x"))],
    ),
    ("an empty value is a value", &[Put("", No, Unspecified, Done), Holds(Some(""))]),
    (
        "a write without an etag overwrites",
        &[
            Put("a", No, Unspecified, Done),
            Put("b", No, LastWrite, Done),
            Put("c", Empty, Unspecified, Done),
            Holds(Some("c")),
        ],
    ),
    (
        "an etag is checked, whatever the concurrency",
        &[
            Put("a", No, Unspecified, Done),
            Put("b", Current, Unspecified, Done),
            Put("c", Current, LastWrite, Done),
            Put("d", Current, FirstWrite, Done),
            Put("e", Wrong, Unspecified, Conflict),
            Put("e", Wrong, LastWrite, Conflict),
            Put("e", Wrong, FirstWrite, Conflict),
            Holds(Some("d")),
        ],
    ),
    (
        "an etag for a missing key is a conflict",
        &[Put("a", Wrong, Unspecified, Conflict), Del(Wrong, Unspecified, Conflict), Holds(None)],
    ),
    (
        "first-write without an etag wants a missing key",
        &[
            Put("a", No, FirstWrite, Done),
            Put("b", No, FirstWrite, Conflict),
            Put("b", Empty, FirstWrite, Conflict),
            Holds(Some("a")),
        ],
    ),
    (
        "deleting is idempotent",
        &[
            Del(No, Unspecified, Done),
            Put("a", No, Unspecified, Done),
            Del(Empty, LastWrite, Done),
            Del(No, Unspecified, Done),
            Holds(None),
        ],
    ),
    (
        "deleting checks an etag",
        &[
            Put("a", No, Unspecified, Done),
            Del(Wrong, Unspecified, Conflict),
            Holds(Some("a")),
            Del(Current, Unspecified, Done),
            Holds(None),
        ],
    ),
    (
        "first-write deletion without an etag",
        &[Put("a", No, Unspecified, Done), Del(No, FirstWrite, ConflictInMemory)],
    ),
    (
        "a key expires",
        &[
            SetFor("a", "10"),
            Holds(Some("a")),
            ExpiresAt(Some("2026-01-01T00:00:10Z")),
            Pass(9),
            Holds(Some("a")),
            Pass(2),
            Holds(None),
        ],
    ),
    (
        "an expired key counts as missing",
        &[
            SetFor("a", "10"),
            Pass(11),
            Put("b", Wrong, Unspecified, Conflict),
            Del(Wrong, Unspecified, Conflict),
            Del(No, Unspecified, Done),
            Put("b", No, FirstWrite, Done),
            ExpiresAt(None),
            Holds(Some("b")),
        ],
    ),
    (
        "first-write replaces an expired key and keeps a live one",
        &[
            SetFor("a", "10"),
            Put("b", No, FirstWrite, Conflict),
            Pass(11),
            Put("b", No, FirstWrite, Done),
            Pass(100),
            Holds(Some("b")),
        ],
    ),
    (
        "a later write takes the expiry away",
        &[
            SetFor("a", "10"),
            Put("b", No, Unspecified, Done),
            ExpiresAt(None),
            SetFor("c", "10"),
            Put("d", Current, Unspecified, Done),
            ExpiresAt(None),
            SetFor("e", "10"),
            SetFor("f", "-1"),
            ExpiresAt(None),
            SetFor("g", "0"),
            ExpiresAt(None),
            SetFor("h", ""),
            Pass(11),
            Holds(Some("h")),
        ],
    ),
];

#[tokio::test]
async fn both_stores_keep_state_as_daprd_does() {
    for type_name in STORES {
        for (case, steps) in CASES {
            let fixture = open(type_name);
            play(&fixture, &format!("{type_name}: {case}"), steps).await;
        }
    }
}

async fn play(fixture: &Fixture, case: &str, steps: &[Step]) {
    for (index, step) in steps.iter().enumerate() {
        run(fixture, *step, &format!("{case}: step {index}: {step:?}")).await;
    }
}

/// Plays the cases that do not need to move a clock, each on a store of its own.
pub(super) async fn play_timeless(mut open: impl AsyncFnMut() -> Fixture) {
    let moves = |step: &Step| matches!(step, SetFor(..) | ExpiresAt(_) | Pass(_));
    for (case, steps) in CASES.iter().filter(|(_, steps)| !steps.iter().any(moves)) {
        play(&open().await, case, steps).await;
    }
}

async fn run(fixture: &Fixture, step: Step, place: &str) {
    let Fixture { store, clock, .. } = fixture;
    let now = store.get(&cx(), get("key")).await.expect(place);
    let etag = |which| match which {
        No => None,
        Empty => Some(String::new()),
        Current => Some(now.etag.clone().expect(place)),
        // A number, since a Redis takes nothing else for an etag.
        Wrong => Some("999".to_owned()),
    };
    match step {
        Put(value, which, concurrency, expect) => {
            let item = StateItem { etag: etag(which), concurrency, ..item("key", value) };
            expected(fixture, store.save(&cx(), save(vec![item])).await, expect, place);
            let after = store.get(&cx(), get("key")).await.expect(place).etag;
            assert_eq!(after == now.etag, matches!(expect, Conflict), "{place}");
        }
        SetFor(value, seconds) => {
            let metadata = Metadata::from([("ttlInSeconds".to_owned(), seconds.to_owned())]);
            let item = StateItem { metadata, ..item("key", value) };
            store.save(&cx(), save(vec![item])).await.expect(place);
        }
        Del(which, concurrency, expect) => {
            let request = DeleteState {
                key: "key".to_owned(),
                etag: etag(which),
                concurrency,
                ..DeleteState::default()
            };
            expected(fixture, store.delete(&cx(), request).await, expect, place);
        }
        Holds(value) => {
            let data = now.etag.as_ref().map(|_| now.data.clone());
            assert_eq!(data, value.map(Bytes::from), "{place}");
            assert!(now.etag.is_some() || now.data.is_empty(), "{place}");
        }
        ExpiresAt(time) => {
            assert_eq!(now.metadata.get("ttlExpireTime").map(String::as_str), time, "{place}");
        }
        Pass(seconds) => clock.advance(seconds),
    }
}

fn expected(fixture: &Fixture, result: Result<()>, expect: Expect, place: &str) {
    let conflict = match expect {
        Done => false,
        Conflict => true,
        ConflictInMemory => matches!(fixture.store.table, Table::Memory(_)),
    };
    match result {
        Ok(()) => assert!(!conflict, "{place}: no conflict"),
        Err(error) => {
            assert!(conflict, "{place}: {error}");
            assert_eq!(error.code, Code::Aborted, "{place}");
            assert!(error.message.contains(MISMATCH), "{place}: {error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_increments_lose_nothing() {
    for type_name in STORES {
        race(open(type_name).store, type_name).await;
    }
}

/// Eight tasks that each add to the same number.
pub(super) async fn race(store: StateStore, place: &str) {
    const TASKS: usize = 8;
    const EACH: usize = 20;
    let store = Arc::new(store);
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for _ in 0..EACH {
                    increment(&store).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let value = store.get(&cx(), get("count")).await.unwrap();
    assert_eq!(value.data, (TASKS * EACH).to_string(), "{place}");
}

async fn increment(store: &StateStore) {
    loop {
        let now = store.get(&cx(), get("count")).await.unwrap();
        let count: usize = std::str::from_utf8(&now.data).unwrap().parse().unwrap_or(0);
        let item = StateItem {
            etag: now.etag,
            concurrency: FirstWrite,
            ..item("count", &(count + 1).to_string())
        };
        match store.save(&cx(), save(vec![item])).await {
            Ok(()) => return,
            Err(error) => assert!(error.is_conflict(), "{error}"),
        }
    }
}
