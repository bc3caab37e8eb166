//! Answers that come before the request's body is read, and before the guest has ended.

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use crate::raw;
use crate::script::{HEAD, Step, module};
use crate::wat;

/// Requests that curl makes over HTTP/2: it takes a stream that is reset after its answer for a
/// failure.
const TRIES: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_gets_an_early_answer_over_http2() -> Result<()> {
    let app = wat::serve(
        "version = 1\nname = 'early'\n[[route]]\npath = '/deaf'\nmodule = 'deaf.wat'\n\
         [[route]]\npath = '/small'\nmodule = 'deaf.wat'\nlimits = { body-in = '1 KiB' }\n",
    )
    .await?;
    let folder = tempfile::tempdir()?;
    let body = folder.path().join("body");
    for (size, path, expected) in [
        (10, "/deaf", "200"),
        (60_000, "/deaf", "200"),
        (10, "/none", "404"),
        (10, "/healthz", "200"),
        (60_000, "/small", "413"),
    ] {
        std::fs::write(&body, "x".repeat(size))?;
        for _ in 0..TRIES {
            let output = Command::new("curl")
                .args(["-sS", "--max-time", "60", "--http2-prior-knowledge", "-o", "/dev/null"])
                .args(["-w", "%{http_code}", "--data-binary"])
                .arg(format!("@{}", body.display()))
                .arg(format!("http://{}{path}", app.trilby.address))
                .output()
                .await
                .context("no curl")?;
            let error = String::from_utf8_lossy(&output.stderr);
            ensure!(output.status.success(), "{size} to {path}: {error}");
            assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{size} to {path}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn head_does_not_wait_for_the_end_of_a_stream() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let manifest = "version = 1\nname = 'stream'\n[[route]]\npath = '/'\nmodule = 'stream.wat'\n\
                    limits = { deadline = '1h' }\n";
    // It waits for a body that never ends.
    let stream = module(&[HEAD, Step::Out("first\n", 1), Step::Read, Step::Out("last\n", 1)]);
    std::fs::write(folder.path().join("stream.wat"), stream)?;
    let trilby = wat::write(&folder, "trilby.toml", manifest, |launch| launch)?.start().await?;
    let mut connection = raw::Connection::open(&trilby).await?;
    connection
        .send("HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n")
        .await?;
    let head = connection.head().await?;
    assert_eq!((head.status, head.header("content-type")), (200, Some("text/plain")));
    assert_eq!(head.header("content-length"), None);
    Ok(())
}
