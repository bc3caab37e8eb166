//! What requests share: turns, of each route and of the process, and connections with their time.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::timeout;
use trilby_testkit::Trilby;

use crate::folder::Folder;
use crate::raw::Connection;
use crate::script::{HEAD, Step, count, counted, ends, id, line_of, module};

/// Says `begun`, and answers at the end of the body.
const GATE: [Step<'_>; 4] = [Step::Err("begun\n", 1), Step::Read, HEAD, Step::Out("done\n", 1)];

fn app(limits: &str, routes: &str) -> Result<Folder> {
    let manifest = format!("version = 1\n[limits]\ndeadline = '1h'\n{limits}\n{routes}");
    Folder::new()?.with("trilby.toml", manifest)?.with("gate.wat", module(&GATE))
}

/// A request to a gate that stays under way.
async fn begin(trilby: &Trilby, path: &str, id: &str) -> Result<Connection> {
    let mut connection = Connection::open(trilby).await?;
    let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nX-Request-Id: {id}\r\n");
    connection.send(format!("{head}Transfer-Encoding: chunked\r\n\r\n")).await?;
    Ok(connection)
}

async fn finish(mut connection: Connection) -> Result<()> {
    connection.send_chunk("").await?;
    let (head, body) = connection.answer().await?;
    assert_eq!((head.status, &*body), (200, "done\n"));
    Ok(())
}

/// A full queue of one route is that route's own: others answer, and so it does itself later.
#[tokio::test]
async fn a_routes_turns_are_its_own() -> Result<()> {
    let folder = app(
        "",
        "[[route]]\npath = '/one'\nmodule = 'gate.wat'\nlimits = { concurrency = 1, queue = 1 }\n\
         [[route]]\npath = '/other'\nmodule = 'gate.wat'\n",
    )?;
    let mut trilby = folder.launch().start().await?;
    let running = begin(&trilby, "/one", "running").await?;
    trilby.logged(": begun").await?;
    // Of two more one waits. The other, whichever it is, is told at once.
    let mut next =
        [begin(&trilby, "/one", "next-0").await?, begin(&trilby, "/one", "next-1").await?];
    let refused = trilby.logged("outcome=\"busy\"").await?;
    assert!(refused.contains("route=\"/one\" status=503"), "{refused}");
    let refused = usize::from(refused.contains("next-1"));
    let head = next[refused].head().await?;
    assert_eq!((head.status, head.header("retry-after")), (503, Some("1")));
    let answer = ends(&mut trilby, "/one", "", (503, "busy")).await?;
    assert_eq!(answer.header("retry-after"), Some("1"));
    ends(&mut trilby, "/other", "", (200, "ok")).await?;
    assert_eq!(count(&trilby, "begun route=\"/one\""), 1, "{}", trilby.output());

    finish(running).await?;
    let [first, second] = next;
    finish(if refused == 0 { second } else { first }).await?;
    ends(&mut trilby, "/one", "", (200, "ok")).await?;
    Ok(())
}

/// The process's turns are for all routes. What waits for its own route's turn takes none of them.
#[tokio::test]
async fn the_processs_turns_are_for_all() -> Result<()> {
    let folder = app(
        "concurrency = 2\nqueue = 1",
        "[[route]]\npath = '/one'\nmodule = 'gate.wat'\nlimits.concurrency = 1\n\
         [[route]]\npath = '/other'\nmodule = 'gate.wat'\n",
    )?;
    let mut trilby = folder.launch().start().await?;
    let running = begin(&trilby, "/one", "running").await?;
    counted(&trilby, ": begun", 1).await?;
    let waiting = begin(&trilby, "/one", "waiting").await?;
    let other = begin(&trilby, "/other", "other").await?;
    counted(&trilby, ": begun", 2).await?;
    let mut next =
        [begin(&trilby, "/other", "next-0").await?, begin(&trilby, "/other", "next-1").await?];
    let refused = trilby.logged("outcome=\"busy\"").await?;
    assert!(refused.contains("route=\"/other\" status=503"), "{refused}");
    let refused = usize::from(refused.contains("next-1"));
    assert_eq!(next[refused].head().await?.status, 503);
    assert_eq!(count(&trilby, ": begun"), 2);
    // What the server answers itself needs no turn.
    assert_eq!(trilby.http.get("/healthz").await?.status, 200);

    // Each makes room for the next.
    let [first, second] = next;
    let queued = if refused == 0 { second } else { first };
    for connection in [other, queued, running, waiting] {
        finish(connection).await?;
    }
    Ok(())
}

/// With one connection there is one client, until it goes.
#[tokio::test]
async fn connections_beyond_the_limit_wait() -> Result<()> {
    let folder = app("connections = 1", "[[route]]\npath = '/'\nmodule = 'gate.wat'\n")?;
    let mut trilby = folder.launch().start().await?;
    let request = |id: &str| {
        format!("POST / HTTP/1.1\r\nHost: a\r\nX-Request-Id: {id}\r\nContent-Length: 1\r\n\r\nx")
    };
    let mut first = Connection::open(&trilby).await?;
    first.send(request(&id())).await?;
    first.answer().await?;
    let mut second = Connection::open(&trilby).await?;
    let of_second = id();
    second.send(request(&of_second)).await?;
    for _ in 0..50 {
        let id = id();
        first.send(request(&id)).await?;
        assert_eq!(first.answer().await?.1, "done\n");
        line_of(&mut trilby, &id).await?;
    }
    assert_eq!(count(&trilby, &of_second), 0, "{}", trilby.output());
    drop(first);
    assert_eq!(second.answer().await?.1, "done\n");
    line_of(&mut trilby, &of_second).await?;
    Ok(())
}

/// Far below the default of the limits in the tests that follow, and far above what they set.
const BOUND: Duration = Duration::from_secs(20);

/// A client that does not get to the end of a head is not waited for, whether it has sent nothing,
/// half a request, half of HTTP/2's preface, or half of a second request.
#[tokio::test]
async fn half_a_head_is_not_waited_for() -> Result<()> {
    let folder = app("head-timeout = '200ms'", "[[route]]\npath = '/'\nmodule = 'gate.wat'\n")?;
    let mut trilby = folder.launch().start().await?;
    let whole = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx";
    let slow = begin(&trilby, "/", "slow").await?;
    trilby.logged(": begun").await?;
    let halves = ["", "G", "GET / HTTP/1.1\r\nHost: a\r\n", "PRI * HTTP/2.0\r\n\r\nSM"];
    let seconds = [whole.to_owned(), format!("{whole}GET /"), format!("{whole}{whole}GET")];
    for sent in halves.iter().map(|half| (*half).to_owned()).chain(seconds) {
        let mut connection = Connection::open(&trilby).await?;
        connection.send(&sent).await?;
        let rest =
            timeout(BOUND, connection.rest()).await.with_context(|| format!("{sent:?}"))??;
        let answers = String::from_utf8_lossy(&rest).matches("HTTP/1.1 200 OK").count();
        assert_eq!(answers, sent.matches("\r\n\r\nx").count(), "{sent:?}");
    }
    // It is a bound for heads only.
    finish(slow).await?;
    Ok(())
}

/// The answer is 64 MiB, its deadline an hour: only `write-timeout` can end it, for a client that
/// takes nothing. One that takes it gets all of it.
#[tokio::test]
async fn a_client_that_takes_nothing_is_cut_off() -> Result<()> {
    let routes = "[[route]]\npath = '/'\nmodule = 'talk.wat'\n";
    let folder = app("write-timeout = '300ms'\nbody-out = '100 MiB'", routes)?;
    let block = "x".repeat(4096);
    let talk = [Step::Err("begun\n", 1), HEAD, Step::Out(&block, 16 << 10)];
    let folder = folder.with("talk.wat", module(&talk))?;
    let mut trilby = folder.launch().start().await?;
    let mut idle = begin(&trilby, "/", "idle").await?;
    idle.send_chunk("").await?;
    trilby.logged(": begun").await?;
    let line = timeout(BOUND, line_of(&mut trilby, "idle")).await.context("not cut off")??;
    assert!(line.contains("outcome=\"client_gone\""), "{line}");
    // The client can see that it has not got all.
    let part = idle.rest().await.unwrap_or_default();
    assert!(part.len() < 64 << 20 && !part.ends_with(b"0\r\n\r\n"), "{}", part.len());

    let answer = ends(&mut trilby, "/", "", (200, "ok")).await?;
    assert_eq!(answer.body.len(), 64 << 20);
    Ok(())
}
