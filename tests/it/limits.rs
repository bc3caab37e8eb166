//! What a guest may use, each limit for each route: time, computing time, memory, and words on
//! standard error.

use anyhow::Result;

use crate::folder::Folder;
use crate::raw::Connection;
use crate::script::{HEAD, Step, count, counted, ends, line_of, module};

const TIMES: &str = r#"
version = 1
[limits]
deadline = "1h"
[[route]]
path = "/computes"
module = "spin.wat"
limits.cpu = "50ms"
[[route]]
path = "/computes-longer"
module = "spin.wat"
limits.cpu = "400ms"
[[route]]
path = "/late"
module = "gate.wat"
limits.deadline = "50ms"
[[route]]
path = "/waits"
module = "gate.wat"
limits.cpu = "50ms"
[[route]]
path = "/patient"
module = "gate.wat"
[[route]]
path = "/endless"
module = "spin.wat"
"#;

/// Says `begun`, and answers at the end of the body.
const GATE: [Step<'_>; 4] = [Step::Err("begun\n", 1), Step::Read, HEAD, Step::Out("done\n", 1)];
const SPIN: [Step<'_>; 2] = [Step::Err("spinning\n", 1), Step::Spin];

fn times() -> Result<Folder> {
    let folder = Folder::new()?.with("trilby.toml", TIMES)?;
    folder.with("gate.wat", module(&GATE))?.with("spin.wat", module(&SPIN))
}

fn post(path: &str, id: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nX-Request-Id: {id}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
}

/// The deadlines here are an hour, so only `cpu` can end what computes. What waits for its body in
/// the meantime takes longer than its own `cpu`, and does not compute.
#[tokio::test]
async fn computing_has_a_limit_and_waiting_is_not_computing() -> Result<()> {
    let folder = times()?;
    let mut trilby = folder.launch().start().await?;
    let mut waits = Connection::open(&trilby).await?;
    waits.send(post("/waits", "waits")).await?;
    trilby.logged(": begun").await?;
    let answer = ends(&mut trilby, "/computes", "", (504, "cpu")).await?;
    assert_eq!(answer.text(), "the module did not answer in time\n");
    ends(&mut trilby, "/computes-longer", "", (504, "cpu")).await?;
    waits.send_chunk("").await?;
    let (head, body) = waits.answer().await?;
    assert_eq!((head.status, &*body), (200, "done\n"));
    Ok(())
}

/// A guest that waits for its client is ended at its deadline; one beside it has another.
#[tokio::test]
async fn the_deadline_is_the_routes() -> Result<()> {
    let folder = times()?;
    let mut trilby = folder.launch().start().await?;
    let (mut patient, mut late) =
        (Connection::open(&trilby).await?, Connection::open(&trilby).await?);
    patient.send(post("/patient", "patient")).await?;
    trilby.logged(": begun").await?;
    late.send(post("/late", "late")).await?;
    assert_eq!(late.head().await?.status, 504);
    let line = line_of(&mut trilby, "late").await?;
    assert!(line.contains("route=\"/late\" status=504 outcome=\"deadline\""), "{line}");
    patient.send_chunk("").await?;
    assert_eq!(patient.answer().await?.1, "done\n");
    Ok(())
}

/// More guests that compute for ever than there are cores hold up neither the server nor others,
/// and are ended when nobody waits for them any more.
#[tokio::test]
async fn endless_guests_hold_up_nobody() -> Result<()> {
    let folder = times()?;
    let trilby = folder.launch().start().await?;
    let endless = std::thread::available_parallelism()?.get() + 2;
    let mut connections = Vec::new();
    for number in 0..endless {
        let mut connection = Connection::open(&trilby).await?;
        let head =
            format!("GET /endless HTTP/1.1\r\nHost: a\r\nX-Request-Id: endless-{number}\r\n");
        connection.send(format!("{head}\r\n")).await?;
        connections.push(connection);
    }
    counted(&trilby, ": spinning", endless).await?;
    assert_eq!(trilby.http.get("/healthz").await?.status, 200);
    assert_eq!(trilby.http.post("/patient", "body").await?.text(), "done\n");
    assert_eq!(count(&trilby, "request_id=\"endless"), endless, "{}", trilby.output());
    drop(connections);
    counted(&trilby, "outcome=\"client_gone\"", endless).await?;
    Ok(())
}

#[tokio::test]
async fn memory_has_a_limit_for_each_route() -> Result<()> {
    // Two pages at the start, and 16 more: 1152 KiB.
    let grows = module(&[Step::Grow(16), HEAD, Step::Out("grown\n", 1)]);
    let routes = [("/exact", "1152 KiB"), ("/little", "1151 KiB"), ("/much", "32 MiB")];
    let mut manifest = "version = 1\n".to_owned();
    for (path, memory) in routes {
        manifest += &format!(
            "[[route]]\npath = '{path}'\nmodule = 'grows.wat'\nlimits.memory = '{memory}'\n"
        );
    }
    let folder = Folder::new()?.with("trilby.toml", manifest)?.with("grows.wat", grows)?;
    let mut trilby = folder.launch().start().await?;
    for path in ["/exact", "/much"] {
        assert_eq!(ends(&mut trilby, path, "", (200, "ok")).await?.text(), "grown\n");
    }
    let answer = ends(&mut trilby, "/little", "", (500, "memory")).await?;
    assert_eq!(answer.text(), "the module failed\n");
    let asked = format!("asked for {} bytes of memory", 18 << 16);
    assert_eq!(count(&trilby, &asked), 1, "{}", trilby.output());
    Ok(())
}

/// Too many words are no reason to fail: the first are in the log, with a note about the others.
#[tokio::test]
async fn standard_error_has_a_limit_for_each_route() -> Result<()> {
    let manifest = "version = 1\n\
                    [[route]]\npath = '/brief'\nmodule = 'noisy.wat'\nlimits.stderr = '1 KiB'\n\
                    [[route]]\npath = '/noisy'\nmodule = 'noisy.wat'\n";
    let noisy = module(&[Step::Err("a line\n", 100), HEAD, Step::Out("said\n", 1)]);
    let folder = Folder::new()?.with("trilby.toml", manifest)?.with("noisy.wat", noisy)?;
    let mut trilby = folder.launch().start().await?;
    for path in ["/noisy", "/brief"] {
        assert_eq!(ends(&mut trilby, path, "", (200, "ok")).await?.text(), "said\n");
    }
    // Each line costs 64 bytes besides its own.
    let kept = 1024 / (64 + "a line\n".len());
    let dropped = (100 - kept) * "a line\n".len();
    trilby.logged(&format!("({dropped} more bytes dropped: the limit is reached)")).await?;
    let of = |path| format!("trilby::guest: a line route=\"{path}\"");
    assert_eq!(count(&trilby, &of("/brief")), kept);
    assert_eq!(count(&trilby, &of("/noisy")), 100);
    assert_eq!(count(&trilby, "more bytes dropped"), 1);
    Ok(())
}
