//! The outcome table over HTTP: each way in which a request can end, its status, and its one line
//! in the log.

use anyhow::Result;
use http::Method;
use trilby_testkit::{Answer, Backend, Client, Trilby};

use crate::probe;
use crate::raw::{self, Connection};
use crate::wat;

/// A request whose line in the log can be found.
async fn send(http: &Client, id: &str, path: &str, body: &str) -> Result<Answer> {
    http.send(Method::POST, path, &[("x-request-id", id)], body.to_owned()).await
}

/// Asserts that the request has one line in the log, with this outcome and these parts.
async fn has_line(trilby: &mut Trilby, id: &str, outcome: &str, parts: &[&str]) -> Result<()> {
    let start = format!("trilby::request: request_id=\"{id}\"");
    let line = trilby.logged(&start).await?;
    assert!(line.contains(&format!("outcome=\"{outcome}\"")), "{line}");
    for part in parts {
        assert!(line.contains(part), "no {part} in {line}");
    }
    // A second line would stand before that of a later request.
    let later = format!("after-{id}");
    send(&trilby.http, &later, "/nowhere", "").await?;
    trilby.logged(&later).await?;
    let output = trilby.output();
    let lines: Vec<&str> = output.lines().filter(|line| line.contains(&start)).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    Ok(())
}

#[tokio::test]
async fn each_ending_of_a_guest_has_its_status_and_its_line() -> Result<()> {
    let mut world = probe::world(Backend::EmbeddedMemory).await?;
    let failed = "the module failed\n";
    let invalid = "the module's answer is not valid\n";
    let late = "the module did not answer in time\n";
    let cases = [
        ("ok", "/echo", 200, "", ["DEBUG", "status=200"]),
        ("trap", "/trap", 500, failed, ["WARN", "unreachable"]),
        ("exit", "/exit?a=3", 500, failed, ["WARN", "exit code 3"]),
        ("memory", "/memory", 500, failed, ["WARN", "bytes of memory"]),
        ("deadline", "/spin", 504, late, ["WARN", "status=504"]),
        ("bad_output", "/garbage", 502, invalid, ["WARN", "no empty line"]),
        // Exit code 0 is success, but an answer is still owed.
        ("bad_output", "/exit?a=0", 502, invalid, ["WARN", "wrote nothing"]),
    ];
    for (number, (outcome, path, status, text, parts)) in cases.into_iter().enumerate() {
        let id = format!("case-{number}");
        let answer = send(&world.trilby.http, &id, path, "").await?;
        assert_eq!((answer.status.as_u16(), &*answer.text()), (status, text), "{path}");
        assert_eq!(answer.headers.get("retry-after"), None);
        has_line(&mut world.trilby, &id, outcome, &parts).await?;
    }
    Ok(())
}

const ROUTES: &str = r#"
version = 1
[limits]
body-out = "1 MiB"
body-in = "16 B"
concurrency = 1
queue = 1
[[route]]
path = "/show/..."
module = "show.wat"
[[route]]
path = "/gate"
module = "gate.wat"
[[route]]
path = "/talk"
module = "talk.wat"
"#;

/// A folder that is there at the start, and then no more.
const VOLUME: &str = r#"
[[route]]
path = "/volume"
module = "show.wat"
volumes = { "/data" = "data" }
"#;

#[tokio::test]
async fn what_the_server_refuses_has_its_status_and_its_line() -> Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::create_dir(folder.path().join("data"))?;
    let routes = format!("{ROUTES}{VOLUME}");
    let mut trilby = wat::write(&folder, "trilby.toml", &routes, |launch| launch)?.start().await?;
    std::fs::remove_dir(folder.path().join("data"))?;
    let cases = [
        ("no_route", "/elsewhere", "", 404, "no route matches this path\n"),
        (
            "bad_request",
            "/show/%00",
            "",
            400,
            "the path has a NUL byte, which CGI cannot pass on\n",
        ),
        ("body_too_large", "/show", "seventeen bytes..", 413, "the request body is too large\n"),
        ("host", "/volume", "", 500, "the module failed\n"),
    ];
    for (outcome, path, body, status, text) in cases {
        let answer = send(&trilby.http, outcome, path, body).await?;
        assert_eq!((answer.status.as_u16(), &*answer.text()), (status, text), "{path}");
        has_line(&mut trilby, outcome, outcome, &[&format!("status={status}")]).await?;
    }
    Ok(())
}

/// The head is out when the limit is reached, so the connection must break: a client must not take
/// what it has for the whole.
#[tokio::test]
async fn an_answer_that_is_too_large_is_cut_off() -> Result<()> {
    let mut app = wat::serve(ROUTES).await?;
    let mut connection = Connection::open(&app.trilby).await?;
    connection.send("GET /talk HTTP/1.1\r\nHost: a\r\nX-Request-Id: much\r\n\r\n").await?;
    let answer = connection.rest().await?;
    assert!(answer.starts_with(b"HTTP/1.1 200 "));
    assert!(!answer.ends_with(b"0\r\n\r\n"));
    has_line(&mut app.trilby, "much", "output_too_large", &["status=200"]).await?;

    // Where nothing is out yet, the status tells.
    let answer = app.trilby.http.send(Method::HEAD, "/talk", &[], "").await?;
    assert_eq!(answer.status, 502);
    Ok(())
}

/// One runs, one waits, and the others are told to come again.
#[tokio::test]
async fn a_full_queue_is_busy() -> Result<()> {
    let mut app = wat::serve(ROUTES).await?;
    let mut first = Connection::open(&app.trilby).await?;
    first.send("POST /gate HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
    app.trilby.logged(": begun").await?;
    let mut others = tokio::task::JoinSet::new();
    for number in 0..3 {
        let http = app.trilby.http.clone();
        others.spawn(async move { send(&http, &format!("other-{number}"), "/show", "").await });
    }
    for _ in 0..2 {
        let answer = others.join_next().await.expect("three were sent")??;
        assert_eq!(answer.status, 503);
        assert_eq!(answer.text(), "too many requests at the moment\n");
        assert_eq!(answer.headers["retry-after"], "1");
    }
    first.send_chunk("").await?;
    assert_eq!(first.answer().await?.1, "begun\n");
    let answer = others.join_next().await.expect("three were sent")??;
    assert_eq!(answer.status, 200);

    let mut outcomes = Vec::new();
    for number in 0..3 {
        let start = format!("trilby::request: request_id=\"other-{number}\"");
        let line = app.trilby.logged(&start).await?;
        outcomes.push(if line.contains("outcome=\"busy\"") { "busy" } else { "other" });
        if line.contains("outcome=\"busy\"") {
            has_line(&mut app.trilby, &format!("other-{number}"), "busy", &["status=503"]).await?;
        }
    }
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["busy", "busy", "other"]);
    Ok(())
}

/// Deliveries that need a token say so, and a request that waits for its turn ends at its
/// deadline.
#[tokio::test]
async fn the_app_channel_asks_for_its_token() -> Result<()> {
    let manifest = "version = 1\n[[route]]\ntopic = 'bus/t'\nmodule = 'show.wat'\n\
                    [[route]]\npath = '/'\nmodule = 'show.wat'\n";
    let port = trilby_testkit::free_port()?.to_string();
    let mut app = wat::serve_with(manifest, |launch| {
        launch.env("DAPR_GRPC_PORT", &*port).env("APP_API_TOKEN", "t0ken")
    })
    .await?;
    let event = "/dapr/events/bus/t";
    let answer = send(&app.trilby.http, "tokenless", event, "").await?;
    assert_eq!(answer.status, 401);
    has_line(&mut app.trilby, "tokenless", "unauthenticated", &["status=401"]).await?;
    let wrong = [("dapr-api-token", "t0kem")];
    assert_eq!(app.trilby.http.send(Method::POST, event, &wrong, "x").await?.status, 401);
    let right = [("dapr-api-token", "t0ken")];
    assert_eq!(app.trilby.http.send(Method::POST, event, &right, "x").await?.status, 200);
    // The rest is open to all, sidecar or none.
    assert_eq!(app.trilby.http.get("/").await?.status, 200);
    assert!(!app.trilby.output().contains("t0ke"), "a token is in the log");
    Ok(())
}

#[tokio::test]
async fn waiting_for_a_turn_ends_at_the_deadline() -> Result<()> {
    let manifest = "version = 1\nlimits.concurrency = 1\n\
                    [[route]]\npath = '/gate'\nmodule = 'gate.wat'\n\
                    [[route]]\npath = '/'\nmodule = 'show.wat'\nlimits.deadline = '50ms'\n";
    let mut app = wat::serve(manifest).await?;
    let mut first = Connection::open(&app.trilby).await?;
    first.send("POST /gate HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
    app.trilby.logged(": begun").await?;
    let (head, _) = raw::request(&app.trilby, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").await?;
    assert_eq!((head.status, head.header("retry-after")), (503, Some("1")));
    first.send_chunk("").await?;
    assert_eq!(first.answer().await?.1, "begun\n");
    Ok(())
}

/// What a guest says on standard error is in the log under its request's id, and cannot pass for
/// anything else there.
#[tokio::test]
async fn standard_error_goes_to_the_log() -> Result<()> {
    let mut world = probe::world(Backend::EmbeddedMemory).await?;
    let said = "/stderr?a=%1b%5b2Jone%0atwo%0d";
    let answer = send(&world.trilby.http, "speaker", said, "").await?;
    assert_eq!(answer.text(), "told");
    has_line(&mut world.trilby, "speaker", "ok", &["route=\"/...\""]).await?;
    let output = world.trilby.output();
    let lines = output.lines().filter(|line| line.contains("trilby::guest"));
    let lines: Vec<&str> = lines.filter(|line| line.contains("request_id=\"speaker\"")).collect();
    assert_eq!(lines.len(), 2, "{output}");
    assert!(lines[0].contains("[2Jone") && lines[1].contains("two"), "{lines:?}");
    assert!(!output.contains('\u{1b}'), "a guest wrote a control sequence to the log");

    // An id that could pass for something else is replaced.
    let (_, shown) =
        raw::request(&world.trilby, "GET /env HTTP/1.1\r\nHost: a\r\nX-Request-Id: \r\n\r\n")
            .await?;
    assert!(!shown.contains("\nREQUEST_ID=\n"), "{shown}");
    Ok(())
}
