//! Names that nobody should use, in every block: none reaches beyond a grant, none ends a guest,
//! and each is the same on every back end.

use anyhow::{Context, Result};
use trilby_testkit::Backend;

use super::grants;
use super::probe::{App, Told};
use super::state;

/// An import, and the positions of its targets with names that are granted.
type Function = (&'static str, &'static [(&'static str, &'static str)]);

const FUNCTIONS: &[Function] = &[
    ("state/raw/get", &[("a", "statestore"), ("b", "mine/k")]),
    ("state/raw/set", &[("a", "statestore"), ("b", "mine/k")]),
    ("state/raw/delete", &[("a", "statestore"), ("b", "mine/k")]),
    ("state/raw/get_bulk", &[("a", "statestore")]),
    ("state/raw/set_bulk", &[("a", "statestore")]),
    ("state/raw/delete_bulk", &[("a", "statestore")]),
    ("state/raw/transact", &[("a", "statestore")]),
    ("state/raw/query", &[("a", "statestore")]),
    ("pubsub/raw/publish", &[("a", "pubsub"), ("b", "mine")]),
    ("pubsub/raw/publish_bulk", &[("a", "pubsub"), ("b", "mine")]),
    ("binding/raw/invoke", &[("a", "files"), ("b", "get")]),
    ("invoke/raw/call", &[("a", "other"), ("b", "mine/x")]),
    ("invoke/raw/open", &[("a", "other"), ("b", "mine/x")]),
    ("secret/raw/get", &[("a", "secrets"), ("b", "mine")]),
    ("secret/raw/get_bulk", &[("a", "secrets")]),
    ("configuration/raw/get", &[("a", "configuration")]),
    ("lock/raw/try_lock", &[("a", "lock"), ("b", "mine"), ("c", "owner")]),
    ("lock/raw/unlock", &[("a", "lock"), ("b", "mine"), ("c", "owner")]),
    ("jobs/raw/schedule", &[("a", "mine")]),
    ("jobs/raw/get", &[("a", "mine")]),
    ("jobs/raw/delete", &[("a", "mine")]),
    ("crypto/raw/encrypt", &[("a", "crypto"), ("b", "aes")]),
    ("crypto/raw/encrypt_open", &[("a", "crypto"), ("b", "aes")]),
    ("conversation/raw/converse", &[("a", "conversation")]),
    ("actor/raw/invoke", &[("a", "Probe"), ("b", "mine"), ("c", "m")]),
    ("actor/raw/get_state", &[("a", "Probe"), ("b", "mine"), ("c", "k")]),
    ("actor/raw/transact_state", &[("a", "Probe"), ("b", "mine")]),
    ("actor/raw/register_reminder", &[("a", "Probe"), ("b", "mine"), ("c", "r")]),
    ("actor/raw/get_reminder", &[("a", "Probe"), ("b", "mine"), ("c", "r")]),
    ("actor/raw/unregister_reminder", &[("a", "Probe"), ("b", "mine"), ("c", "r")]),
    ("actor/raw/register_timer", &[("a", "Probe"), ("b", "mine"), ("c", "t")]),
    ("actor/raw/unregister_timer", &[("a", "Probe"), ("b", "mine"), ("c", "t")]),
    ("metadata/raw/set", &[("a", "key")]),
    ("call/raw/call", &[("a", "ListActorReminders")]),
];

/// A list has to have something that is to be done.
fn body(path: &str) -> &'static str {
    match path {
        "state/raw/set_bulk" => r#"{"key":"mine/k","value":"x"}"#,
        "state/raw/get_bulk" | "state/raw/delete_bulk" => r#"{"key":"mine/k"}"#,
        "state/raw/transact" => r#"{"operation":"delete","key":"mine/k"}"#,
        _ => "",
    }
}

/// Calls a function with `odd` as the target `position`.
async fn with(
    app: &App,
    (path, targets): &Function,
    position: &str,
    odd: &[u8],
    more: &[(&str, &[u8])],
) -> Result<Told> {
    let mut parameters: Vec<(&str, &[u8])> = targets
        .iter()
        .map(|&(name, value)| (name, if name == position { odd } else { value.as_bytes() }))
        .collect();
    parameters.extend(more);
    app.ask(&format!("/{path}"), &parameters, body(path)).await
}

matrix!(an_empty_name_is_none);

async fn an_empty_name_is_none(backend: Backend) -> Result<()> {
    let app = grants::serve(backend).await?;
    for function in FUNCTIONS {
        for (position, _) in function.1 {
            let told = with(&app, function, position, b"", &[]).await?;
            assert_eq!(told.code, "INVALID_ARGUMENT", "{function:?} {position}: {told:?}");
        }
    }
    Ok(())
}

matrix!(a_name_is_utf8_and_not_endless);

async fn a_name_is_utf8_and_not_endless(backend: Backend) -> Result<()> {
    let app = grants::serve(backend).await?;
    for function in FUNCTIONS {
        let positions = function.1.iter().map(|(position, _)| *position).chain(["options"]);
        for position in positions {
            let odd: &[(&str, &[u8])] = &[("options", b"\xff\xfe")];
            let more = if position == "options" { odd } else { &[] };
            let told = with(&app, function, position, b"mine\xff\xfe", more).await?;
            let seen = (&*told.code, &*told.reason);
            let invalid = ("INVALID_ARGUMENT", "TRILBY_INVALID_ARGUMENT");
            assert_eq!(seen, invalid, "{function:?} {position}: {told:?}");

            let length = format!("{position}-len");
            let more = [(&*length, &b"65537"[..])];
            let told = with(&app, function, position, b"mine/", &more).await?;
            let seen = (&*told.code, &*told.reason);
            let large = ("RESOURCE_EXHAUSTED", "TRILBY_TOO_LARGE");
            assert_eq!(seen, large, "{function:?} {position}: {}", told.code);
        }
    }
    Ok(())
}

matrix!(a_name_that_is_nearly_granted_is_not);

async fn a_name_that_is_nearly_granted_is_not(backend: Backend) -> Result<()> {
    let app = grants::serve(backend).await?;
    for function in FUNCTIONS {
        // The first target is a component, an app or a type, granted as a whole name.
        let (position, granted) = function.1[0];
        if matches!(function.0.split('/').next(), Some("metadata" | "jobs")) {
            continue;
        }
        for odd in [
            granted.to_uppercase(),
            format!("{granted}\0"),
            format!("{granted} "),
            format!(" {granted}"),
            format!("{granted}/"),
            format!("{granted}||x"),
            format!("../{granted}"),
            format!("{granted}\n"),
            format!("{granted}\u{200b}"),
            "..".to_owned(),
            "*".to_owned(),
            "||".to_owned(),
        ] {
            let told = with(&app, function, position, odd.as_bytes(), &[]).await?;
            let is_refused = matches!(&*told.code, "PERMISSION_DENIED" | "INVALID_ARGUMENT");
            assert!(
                is_refused && told.reason.starts_with("TRILBY_"),
                "{function:?} {odd:?}: {told:?}"
            );
        }
    }
    Ok(())
}

matrix!(the_separator_of_daprs_keys_is_in_no_name);

async fn the_separator_of_daprs_keys_is_in_no_name(backend: Backend) -> Result<()> {
    let app = grants::serve(backend).await?;
    let cases = [
        ("state/raw/get", "b"),
        ("state/raw/set", "b"),
        ("state/raw/delete", "b"),
        ("lock/raw/try_lock", "b"),
        ("lock/raw/unlock", "b"),
        ("jobs/raw/schedule", "a"),
        ("jobs/raw/get", "a"),
        ("jobs/raw/delete", "a"),
        ("actor/raw/invoke", "b"),
        ("actor/raw/get_state", "c"),
    ];
    for (path, position) in cases {
        let function = FUNCTIONS.iter().find(|(known, _)| *known == path);
        let function = function.context("no such function")?;
        for odd in ["mine||x", "||mine", "mine/||", "mine|||x"] {
            let told = with(&app, function, position, odd.as_bytes(), &[]).await?;
            assert_eq!(told.code, "INVALID_ARGUMENT", "{path} {odd}: {told:?}");
            assert_eq!(told.reason, "TRILBY_INVALID_ARGUMENT", "{path} {odd}: {told:?}");
        }
    }
    for (function, record) in [
        ("get_bulk", r#"{"key":"mine/||x"}"#),
        ("set_bulk", r#"{"key":"mine/||x","value":"x"}"#),
        ("delete_bulk", r#"{"key":"mine/||x"}"#),
        ("transact", r#"{"operation":"delete","key":"mine/||x"}"#),
        ("transact", r#"{"operation":"delete","key":""}"#),
        ("get_bulk", r#"{"key":""}"#),
    ] {
        let path = format!("/state/raw/{function}");
        let told = app.ask(&path, &[("a", "statestore")], record).await?;
        assert_eq!(told.code, "INVALID_ARGUMENT", "{function} {record}: {told:?}");
    }
    Ok(())
}

matrix!(an_odd_key_is_a_key_of_its_own);

/// What has no meaning to Dapr is just a name: it comes back under that name and no other.
async fn an_odd_key_is_a_key_of_its_own(backend: Backend) -> Result<()> {
    let app = state::probe().serve_plain(backend).await?;
    let keys = [
        "..",
        "../k",
        "a/../k",
        "k",
        "K",
        "k ",
        " k",
        "k\0",
        "k\n",
        "k|",
        "|k",
        "k*",
        "%6b",
        "k%00",
        "ü",
        "u\u{308}",
        "'; DROP TABLE state; --",
        "k\u{200b}",
        "*",
        "?",
        "[k]",
    ];
    for key in keys {
        state::set(&app, key, &[("concurrency", "first-write")], key).await?.done();
    }
    for key in keys {
        assert_eq!(state::get(&app, key).await?.done().text(), key, "{key:?}");
    }
    // Nearly as long as a name may be.
    let long = "x".repeat(60_000);
    let target = [("a", "statestore"), ("b-len", "60000")];
    app.ask("/state/raw/set", &target, "long").await?.done();
    assert_eq!(app.ask("/state/raw/get", &target, "").await?.done().text(), "long");
    let record = format!("{{\"key\":{long:?}}}");
    let told = app.ask("/state/get_bulk", &[("store", "statestore")], record).await?.done();
    assert_eq!(told.records()?[0]["value"], "long");
    Ok(())
}
