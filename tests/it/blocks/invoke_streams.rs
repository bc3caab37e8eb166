//! `dapr_invoke_v1`: bodies that are larger than a message, and answers that come early.

use anyhow::Result;
use trilby_testkit::Backend;

use super::neighbour::{LARGE_BYTES, Neighbour, digest};

matrix!(a_body_of_any_size_goes_both_ways);

async fn a_body_of_any_size_goes_both_ways(backend: Backend) -> Result<()> {
    let neighbour = Neighbour::start(backend).await?;
    let app = neighbour.probe("").serve_plain(backend).await?;
    let body: Vec<u8> = (0..LARGE_BYTES).map(|n| u8::try_from(n % 251).unwrap_or(0)).collect();
    // Chunks that the host takes as they are, and some that it must cut.
    for chunk in ["65536", "1000003"] {
        let target = [("app", &*neighbour.id), ("method", "digest"), ("chunk", chunk)];
        let told = app.ask("/invoke/open", &target, body.clone()).await?.done();
        assert_eq!(told.header("status"), Some("200"));
        assert_eq!(told.body, digest(&body));
    }
    let target = [("app", &*neighbour.id), ("method", "large"), ("verb", "GET")];
    let told = app.ask("/invoke/call", &target, "").await?.done();
    assert_eq!(told.body.len(), LARGE_BYTES);
    Ok(())
}

matrix!(a_whole_body_is_as_large_as_a_message);

async fn a_whole_body_is_as_large_as_a_message(backend: Backend) -> Result<()> {
    let neighbour = Neighbour::start(backend).await?;
    let app = neighbour.probe("").serve_plain(backend).await?;
    let target = |length| [("a", &*neighbour.id), ("b", "digest"), ("len", length)];
    let told = app.ask("/invoke/raw/call", &target("4194304"), "").await?.done();
    assert_eq!(told.body, digest(&[b'x'; 4_194_304]));
    let told = app.ask("/invoke/raw/call", &target("4194305"), "").await?;
    told.refused("RESOURCE_EXHAUSTED", "TRILBY_TOO_LARGE", "4194304 bytes");
    Ok(())
}

matrix!(an_answer_may_be_left_unread);

async fn an_answer_may_be_left_unread(backend: Backend) -> Result<()> {
    let neighbour = Neighbour::start(backend).await?;
    let app = neighbour.probe("").serve_plain(backend).await?;
    for (function, steps) in [
        ("call", "header 3 status;size;read 0;close;again;read 0;close;times 3"),
        ("open", "end;header 3 status;size;read 0;close;times 3"),
    ] {
        let target = [("a", &*neighbour.id), ("b", "large"), ("steps", steps)];
        let told = app.ask(&format!("/invoke/steps/{function}"), &target, "").await?.done();
        let text = told.text();
        assert!(text.contains("header 3 status = 3 200\n"), "{text}");
        assert!(text.contains("size = -9\n"), "a stream has no size: {text}");
        assert!(text.contains("close = 0\n"), "{text}");
        assert!(text.ends_with("times 3 = 1 got 3\n"), "{text}");
    }
    // Nothing of it is left behind: another request works as ever.
    let target = [("app", &*neighbour.id), ("method", "echo")];
    assert_eq!(app.ask("/invoke/call", &target, "x").await?.done().text(), "x");
    Ok(())
}

matrix!(an_answer_may_come_before_the_bodys_end);

/// `/deaf` never reads. daprd's HTTP server, Go's, reads a request to its end before it answers, so
/// that with a sidecar the answer is there when the body has ended.
async fn an_answer_may_come_before_the_bodys_end(backend: Backend) -> Result<()> {
    let neighbour = Neighbour::start(backend).await?;
    let app = neighbour.probe("").serve_plain(backend).await?;
    let end = if backend.is_sidecar() { "end;" } else { "" };
    let steps = format!("write first;{end}header 3 status;read 10;close");
    let target = [("a", &*neighbour.id), ("b", "deaf"), ("steps", &steps)];
    let told = app.ask("/invoke/steps/open", &target, "").await?.done();
    let text = told.text().replace("end = 0\n", "");
    assert_eq!(text, "write first = 5\nheader 3 status = 3 200\nread 10 = 0 \nclose = 0\n");
    // Whole bodies that nobody reads do no harm either.
    for (method, status) in [("deaf", "200"), ("status/404", "404")] {
        let target = [("app", &*neighbour.id), ("method", method)];
        let told = app.ask("/invoke/call", &target, vec![b'x'; 1 << 20]).await?.done();
        assert_eq!(told.header("status"), Some(status));
    }
    Ok(())
}

/// A body comes back while it is sent, with and without waiting for each piece: embedded only, as
/// above. (Behind a daprd such an app may hang.)
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_ways_go_on_at_once() -> Result<()> {
    let backend = Backend::EmbeddedMemory;
    let neighbour = Neighbour::start(backend).await?;
    let app = neighbour.probe("").serve_plain(backend).await?;
    let body: Vec<u8> = (0..1 << 20).map(|n: u32| n.to_le_bytes()[0]).collect();
    for interleave in ["true", "false"] {
        let target = [
            ("app", &*neighbour.id),
            ("method", "echo"),
            ("chunk", "50000"),
            ("interleave", interleave),
        ];
        let told = app.ask("/invoke/open", &target, body.clone()).await?.done();
        assert_eq!(told.header("status"), Some("200"));
        assert!(told.body == body, "{} bytes came back", told.body.len());
    }
    Ok(())
}

matrix!(a_stream_is_written_once);

async fn a_stream_is_written_once(backend: Backend) -> Result<()> {
    let neighbour = Neighbour::start(backend).await?;
    let app = neighbour.probe("").serve_plain(backend).await?;
    let steps = "write hello ;write world;fill 0;size;end;end;write x;header 3 status;read 100;\
                 read 1;close;write x;end";
    let target = [("a", &*neighbour.id), ("b", "echo"), ("steps", steps)];
    let told = app.ask("/invoke/steps/open", &target, "").await?.done();
    let text = told.text();
    for line in [
        "write hello  = 6",
        "write world = 5",
        "fill 0 = 0",
        "size = -9",
        "end = 0",
        "write x = -9",
        "header 3 status = 3 200",
        "close = 0",
        "write x = -3",
        "end = -3",
    ] {
        assert!(text.lines().any(|seen| seen == line), "no `{line}`: {text}");
    }
    // More than one write may have is refused, and takes nothing.
    let steps = "fill 4194305;write x;end;read 100;read 1";
    let target = [("a", &*neighbour.id), ("b", "echo"), ("steps", steps)];
    let told = app.ask("/invoke/steps/open", &target, "").await?.done();
    assert!(told.text().starts_with("fill 4194305 = -8\nwrite x = 1\n"), "{}", told.text());
    assert!(told.text().contains("read 100 = 1 x\n"), "{}", told.text());
    Ok(())
}
