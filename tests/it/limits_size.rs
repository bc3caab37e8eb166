//! How large requests and answers may be, each limit for each route.

use anyhow::Result;
use http::Method;
use trilby_testkit::{Client, Trilby};

use crate::folder::Folder;
use crate::raw::Connection;
use crate::script::{HEAD, Step, ends, ends_over, line_of, module};

/// Routes `/small` and `/large` to the same module, the first with a limit of its own.
fn app(steps: &[Step<'_>], small: &str, large: &str) -> Result<Folder> {
    let manifest = format!(
        "version = 1\n\
         [[route]]\npath = '/small'\nmodule = 'a.wat'\nlimits = {{ {small} }}\n\
         [[route]]\npath = '/large'\nmodule = 'a.wat'\nlimits = {{ {large} }}\n"
    );
    Folder::new()?.with("trilby.toml", manifest)?.with("a.wat", module(steps))
}

const READS: [Step<'_>; 3] = [Step::Read, HEAD, Step::Out("read\n", 1)];

#[tokio::test]
async fn a_body_of_known_length() -> Result<()> {
    let folder = app(&READS, "body-in = '16 B'", "body-in = '1 MiB'")?;
    let mut trilby = folder.launch().start().await?;
    let http2 = Client::http2(&format!("http://{}", trilby.address));
    for http in [trilby.http.clone(), http2] {
        for (path, bytes, wanted) in [
            ("/small", 16, (200, "ok")),
            ("/small", 17, (413, "body_too_large")),
            ("/large", 17, (200, "ok")),
            ("/large", 1 << 20, (200, "ok")),
            ("/large", (1 << 20) + 1, (413, "body_too_large")),
        ] {
            ends_over(&http, &mut trilby, (path, &[]), "x".repeat(bytes), wanted).await?;
        }
    }
    Ok(())
}

/// Sends a body in pieces, without saying how long it will be.
async fn chunked(trilby: &mut Trilby, path: &str, pieces: &[&str]) -> Result<(u16, String)> {
    let id = crate::script::id();
    let mut connection = Connection::open(trilby).await?;
    let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nX-Request-Id: {id}\r\n");
    connection.send(format!("{head}Transfer-Encoding: chunked\r\n\r\n")).await?;
    for piece in pieces {
        connection.send_chunk(piece).await?;
    }
    let status = connection.head().await?.status;
    Ok((status, line_of(trilby, &id).await?))
}

/// The bound holds for the sum of the pieces, as soon as it is passed: nothing ends the body here
/// that is too large.
#[tokio::test]
async fn a_body_in_chunks() -> Result<()> {
    let folder = app(&READS, "body-in = '16 B'", "body-in = '1 MiB'")?;
    let mut trilby = folder.launch().start().await?;
    let (status, line) = chunked(&mut trilby, "/small", &["eight by", "eight by", ""]).await?;
    assert_eq!(status, 200, "{line}");
    let (status, line) = chunked(&mut trilby, "/small", &["eight by", "nine byte"]).await?;
    assert_eq!(status, 413);
    assert!(line.contains("route=\"/small\" status=413 outcome=\"body_too_large\""), "{line}");
    let (status, line) = chunked(&mut trilby, "/large", &["eight by", "nine byte", ""]).await?;
    assert_eq!(status, 200, "{line}");
    Ok(())
}

/// A head that fits the server may still be too large for a route; one that fits no route gets the
/// same answer from the server itself. HTTP/2 may end the
/// connection instead, when a head goes on and on.
#[tokio::test]
async fn the_head_of_a_request() -> Result<()> {
    let folder = app(&READS, "head-in = '1 KiB'", "head-in = '128 KiB'")?;
    let mut trilby = folder.launch().start().await?;
    let http2 = Client::http2(&format!("http://{}", trilby.address));
    for (version, http) in [("1.1", trilby.http.clone()), ("2", http2)] {
        for (path, bytes, wanted) in [
            ("/small", 500, (200, "ok")),
            ("/small", 1500, (431, "head_too_large")),
            ("/large", 1500, (200, "ok")),
            ("/large", 120_000, (200, "ok")),
        ] {
            let long = "x".repeat(bytes);
            ends_over(&http, &mut trilby, (path, &[("x-long", &long)]), "", wanted).await?;
        }
        for bytes in [140_000, 300_000, 600_000] {
            let long = "x".repeat(bytes);
            let headers = [("x-long", &*long)];
            match http.send(Method::POST, "/large", &headers, "").await {
                Ok(answer) => assert_eq!(answer.status, 431, "{bytes}"),
                Err(error) => assert!(version == "2" && bytes > 140_000, "{bytes}: {error:#}"),
            }
            assert_eq!(http.get("/large").await?.text(), "read\n");
        }
    }
    Ok(())
}

/// The path counts, too: it is part of the head.
#[tokio::test]
async fn a_long_path_is_a_large_head() -> Result<()> {
    let folder = app(&READS, "head-in = '1 KiB'", "head-in = '16 KiB'")?;
    let mut trilby = folder.launch().start().await?;
    let query = "x".repeat(1500);
    for (path, status, outcome) in [("/small", 431, "head_too_large"), ("/large", 200, "ok")] {
        let id = crate::script::id();
        let target = format!("{path}?{query}");
        let headers = [("x-request-id", &*id)];
        let answer = trilby.http.send(Method::GET, &target, &headers, "").await?;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        let line = line_of(&mut trilby, &id).await?;
        assert!(line.contains(&format!("outcome=\"{outcome}\"")), "{line}");
    }
    Ok(())
}

#[tokio::test]
async fn the_head_of_an_answer() -> Result<()> {
    let header = format!("x-long: {}\n", "x".repeat(300));
    let steps = [Step::Out(&header, 1), HEAD, Step::Out("said\n", 1)];
    let folder = app(&steps, "head-out = '256 B'", "head-out = '1 KiB'")?;
    let mut trilby = folder.launch().start().await?;
    let answer = ends(&mut trilby, "/small", "", (502, "bad_output")).await?;
    assert_eq!(answer.text(), "the module's answer is not valid\n");
    assert_eq!(answer.header("x-long"), None);
    let answer = ends(&mut trilby, "/large", "", (200, "ok")).await?;
    assert_eq!(answer.header("x-long").map(str::len), Some(300));
    Ok(())
}

/// All in one write: what is out already can only be cut off.
#[tokio::test]
async fn the_body_of_an_answer() -> Result<()> {
    let whole = format!("content-type: text/plain\n\n{}", "x".repeat(3000));
    let steps = [Step::Out(&whole, 1)];
    let folder = app(&steps, "body-out = '2 KiB'", "body-out = '4 KiB'")?;
    let mut trilby = folder.launch().start().await?;
    let answer = ends(&mut trilby, "/small", "", (502, "output_too_large")).await?;
    assert_eq!(answer.text(), "the module's answer is not valid\n");
    let answer = ends(&mut trilby, "/large", "", (200, "ok")).await?;
    assert_eq!(answer.body.len(), 3000);
    Ok(())
}
