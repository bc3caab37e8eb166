//! Outbound requests over TLS.

use anyhow::Result;

use crate::outbound::{App, FETCH, RAW, route, serve_with};
use crate::outbound_server::Server;

/// Allows everything of this machine, and trusts these certificates only.
async fn app(trusted: &str) -> Result<(App, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    let (roots, none) = (folder.path().join("roots.pem"), folder.path().join("none"));
    std::fs::write(&roots, trusted)?;
    std::fs::create_dir(&none)?;
    let keys = "allowed-hosts = ['https://localhost:*', 'https://127.0.0.1:*', \
                'http://127.0.0.1:*']";
    let https = "allowed-hosts = ['https://localhost:*']";
    let http = "allowed-hosts = ['http://localhost:*']";
    let routes = [
        route("/fetch", FETCH, keys),
        route("/raw/...", RAW, keys),
        route("/https/...", RAW, https),
        route("/http/...", RAW, http),
    ];
    let (roots, none) = (roots.display().to_string(), none.display().to_string());
    let app = serve_with(&routes, |launch| {
        launch.env("SSL_CERT_FILE", &roots).env("SSL_CERT_DIR", &none)
    })
    .await?;
    Ok((app, folder))
}

fn url(server: &Server, host: &str, path: &str) -> String {
    format!("https://{host}:{}{path}", server.port)
}

#[tokio::test]
async fn a_trusted_server_answers() -> Result<()> {
    let server = Server::with_tls().await?;
    let (app, _roots) = app(&server.certificate).await?;
    let local = url(&server, "localhost", "/sized/4");
    assert_eq!(app.says("/fetch", &local).await?, "status: 200\ncontent-length: 4\n\nxxxx");
    let cases = [
        ("/https/req", local.clone(), "status: 200"),
        ("/http/req", local.clone(), "req: 7"),
        ("/https/req", local.replace("https:", "http:"), "req: 7"),
        // Plain HTTP to a server of TLS.
        ("/http/req", local.replace("https:", "http:"), "req: 11"),
        // The certificate is for the name only.
        ("/raw/req", url(&server, "127.0.0.1", "/sized/4"), "req: 11"),
        ("/raw/req", url(&server, "localhost", "/to/302//sized/4"), "status: 200"),
    ];
    for (path, url, expected) in cases {
        assert_eq!(app.gets(path, &url).await?, expected, "{path} {url}");
    }
    Ok(())
}

/// A redirect from HTTPS to HTTP would give away what was meant to be secret.
#[tokio::test]
async fn a_redirect_does_not_leave_tls() -> Result<()> {
    let (server, plain) = (Server::with_tls().await?, Server::start().await?);
    let (app, _roots) = app(&server.certificate).await?;
    let away = url(&server, "localhost", &format!("/to/302/{}", plain.url("/sized/4")));
    assert_eq!(app.gets("/raw/req", &away).await?, "req: 11");
    assert_eq!(plain.connections(), 0);
    let back = plain.url(&format!("/to/302/{}", url(&server, "localhost", "/sized/4")));
    assert_eq!(app.gets("/raw/req", &back).await?, "status: 200");
    Ok(())
}

#[tokio::test]
async fn a_stranger_is_not_trusted() -> Result<()> {
    let (server, stranger) = (Server::with_tls().await?, Server::with_tls().await?);
    let (mut app, _roots) = app(&server.certificate).await?;
    let strange = url(&stranger, "localhost", "/sized/4");
    assert_eq!(app.says("/fetch", &strange).await?, "error: Wasi error 11\n");
    assert_eq!(stranger.requests(), Vec::<String>::new());
    let line = app.trilby.logged("invalid peer certificate").await?;
    assert!(line.contains(&url(&stranger, "localhost", "")), "{line}");
    Ok(())
}

/// A machine without root certificates can still serve, and call plain HTTP.
#[tokio::test]
async fn without_roots_there_is_no_https() -> Result<()> {
    let (server, plain) = (Server::with_tls().await?, Server::start().await?);
    let (mut app, _roots) = app("").await?;
    let line = app.trilby.logged("no root certificates: guests cannot call https URLs").await?;
    assert!(line.contains("WARN"), "{line}");
    assert_eq!(app.gets("/raw/req", &url(&server, "localhost", "/sized/4")).await?, "req: 11");
    assert_eq!(server.connections(), 0);
    assert_eq!(app.gets("/raw/req", &plain.url("/sized/4")).await?, "status: 200");
    Ok(())
}
