//! Options and bodies that nobody should send, and what is the same of every answer.

use anyhow::Result;
use trilby_testkit::Backend;

use super::probe::App;
use super::state::{get, probe, set};

async fn with_options(app: &App, function: &str, options: &str) -> Result<(String, String)> {
    let target = [("a", "statestore"), ("b", "key"), ("options", options)];
    let told = app.ask(&format!("/state/raw/{function}"), &target, "x").await?;
    Ok((told.code, told.reason))
}

matrix!(an_option_is_never_ignored);

async fn an_option_is_never_ignored(backend: Backend) -> Result<()> {
    let app = probe().serve_plain(backend).await?;
    let cases = [
        ("set", "etags: 1"),
        ("set", "Etag : 1"),
        ("set", "etag: 1\netag: 1"),
        ("set", "metadata.a: 1\nmetadata.a: 1"),
        ("set", "no colon"),
        ("set", "consistency: maybe"),
        ("set", "concurrency: FIRST"),
        ("set", "parallelism: 2"),
        ("set", "metadata.: x"),
        ("get", "etag: 1"),
        ("get", "concurrency: first-write"),
        ("get", "content-type: text/plain"),
        ("delete", "content-type: text/plain"),
    ];
    for (function, options) in cases {
        let invalid = ("INVALID_ARGUMENT".to_owned(), "TRILBY_INVALID_ARGUMENT".to_owned());
        assert_eq!(with_options(&app, function, options).await?, invalid, "{function} {options:?}");
    }
    for (function, options) in [("get_bulk", "parallelism: many"), ("get_bulk", "etag: 1")] {
        let target = [("a", "statestore"), ("options", options)];
        app.ask(&format!("/state/raw/{function}"), &target, "").await?.invalid("");
    }
    assert_eq!(get(&app, "key").await?.done().text(), "");
    // Blanks, either line end and empty lines are as in a header block.
    for options in ["", "\n", "consistency:strong", "consistency:  strong \r\n\r\netag:\n"] {
        assert_eq!(with_options(&app, "set", options).await?.0, "OK", "{options:?}");
    }
    Ok(())
}

matrix!(a_body_is_as_large_as_a_message);

async fn a_body_is_as_large_as_a_message(backend: Backend) -> Result<()> {
    let app = probe().lines("[limits]\nmemory = \"128 MiB\"\n").serve_plain(backend).await?;
    fn target(length: &str) -> [(&str, &str); 3] {
        [("a", "statestore"), ("b", "key"), ("len", length)]
    }
    let told = app.ask("/state/raw/set", &target("4194305"), "").await?;
    told.refused("RESOURCE_EXHAUSTED", "TRILBY_TOO_LARGE", "4194304 bytes");
    // daprd takes messages of 4 MiB, with all that they hold.
    let largest = if backend.is_sidecar() { 4_100_000 } else { 4_194_304 };
    let length = largest.to_string();
    app.ask("/state/raw/set", &target(&length), "").await?.done();
    assert_eq!(get(&app, "key").await?.done().body.len(), largest);
    if backend.is_sidecar() {
        let told = app.ask("/state/raw/set", &target("4194304"), "").await?;
        assert_eq!(told.code, "RESOURCE_EXHAUSTED", "{}", told.reason);
    }
    Ok(())
}

matrix!(an_answer_is_read_as_the_guest_likes);

async fn an_answer_is_read_as_the_guest_likes(backend: Backend) -> Result<()> {
    let app = probe().serve_plain(backend).await?;
    set(&app, "key", &[], "hello world").await?.done();
    let steps = [
        ("size", "11"),
        ("read 5", "5 hello"),
        ("size", "11"),
        ("read 100", "6  world"),
        ("read 100", "0 "),
        ("header 0 ETag", "*"),
        ("header 10 none", "-5 "),
        ("write x", "-9"),
        ("end", "-9"),
        ("close", "0"),
        ("close", "-3"),
        ("read 10", "-3 "),
        ("size", "-3"),
        ("use 0", "0"),
        ("size", "-3"),
        ("use -1", "-1"),
        ("read 1", "-3 "),
    ];
    let names: Vec<&str> = steps.iter().map(|(step, _)| *step).collect();
    let target = [("a", "statestore"), ("b", "key"), ("steps", &names.join(";"))];
    let told = app.ask("/state/steps/get", &target, "").await?.done();
    let lines: Vec<String> = told.text().lines().map(str::to_owned).collect();
    for ((step, expected), line) in steps.into_iter().zip(&lines) {
        let seen = line.strip_prefix(&format!("{step} = ")).unwrap_or(line);
        assert!(expected == "*" || seen == expected, "{step}: {lines:#?}");
    }
    assert_eq!(lines.len(), steps.len(), "{lines:#?}");
    Ok(())
}

matrix!(answers_that_are_open_have_a_bound);

async fn answers_that_are_open_have_a_bound(backend: Backend) -> Result<()> {
    let app = probe().lines("[limits]\nmemory = \"128 MiB\"\n").serve_plain(backend).await?;
    // 64 at once; one that is closed makes room.
    let target = [("a", "statestore"), ("b", "none"), ("steps", "close;times 70;again")];
    let told = app.ask("/state/steps/get", &target, "").await?.done();
    let expected = "close = 0\ntimes 70 = -8 got 64\nagain = -8\n";
    assert_eq!(told.text(), expected);
    // 16 MiB together, of which a single one may have all and more.
    let write = [("a", "statestore"), ("b", "large"), ("len", "4000000")];
    app.ask("/state/raw/set", &write, "").await?.done();
    let target = [("a", "statestore"), ("b", "large"), ("steps", "close;times 10")];
    let told = app.ask("/state/steps/get", &target, "").await?.done();
    assert_eq!(told.text(), "close = 0\ntimes 10 = -8 got 4\n");
    Ok(())
}
