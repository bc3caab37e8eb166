//! Certificates that change while the server runs.

use anyhow::{Context, Result};
use rustls::pki_types::CertificateDer;

use crate::tls_client::{ROUTES, Server, text};

/// Asserts that a new connection is shown this certificate, and no other.
async fn presents(server: &Server, certificate: &CertificateDer<'static>) -> Result<()> {
    let stream = server.connect(certificate, &["h2"]).await?;
    let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    assert_eq!(shown.context("no certificate")?, certificate);
    Ok(())
}

/// Waits until so many lines of the log have this in them.
async fn counted(server: &Server, text: &str, wanted: usize) -> Result<()> {
    let count = || server.process.output().lines().filter(|line| line.contains(text)).count();
    let waited = trilby_testkit::until(text, || async { (count() >= wanted).then_some(()) }).await;
    waited.map_err(|error| error.context(server.process.output()))
}

/// New connections are shown the new one, again and again; what is under way goes on, and so does
/// a connection that is there.
#[tokio::test]
async fn a_new_certificate_is_taken_up() -> Result<()> {
    let (mut server, first) = Server::start(ROUTES).await?;
    presents(&server, &first).await?;
    let mut clients = Vec::new();
    for protocol in ["http/1.1", "h2"] {
        let mut client = server.client(&first, protocol).await?;
        let (pieces, sent) = client.post("/gate")?;
        clients.push((client, pieces, tokio::spawn(sent)));
    }
    counted(&server, ": begun", 2).await?;

    let mut last = first.clone();
    for number in 1..=2 {
        let new = server.files.renew()?;
        counted(&server, "new TLS certificate", number).await?;
        // Between the two files there may have been a look at a pair that does not fit. Then the
        // line comes only with the second, as in the other case.
        presents(&server, &new).await?;
        assert!(server.connect(&last, &["h2"]).await.is_err(), "the old one is still shown");
        last = new;
    }
    for (mut client, pieces, answer) in clients {
        pieces.send("a piece".into()).await?;
        drop(pieces);
        assert_eq!(text(answer.await??).await?, "begun\n");
        assert!(client.text("/show/").await?.contains("HTTPS=on\0"));
    }
    let line = server.process.line("new TLS certificate").await?;
    let file = server.files.certificate().display().to_string();
    assert!(line.contains("INFO") && line.contains(&file), "{line}");
    Ok(())
}

/// Files that are no good are told in the log once, and the old certificate serves on, until there
/// are good ones.
#[tokio::test]
async fn bad_files_are_told_and_not_used() -> Result<()> {
    let (server, first) = Server::start(ROUTES).await?;
    let stays = "the TLS certificate stays the old one";
    server.files.replace(&server.files.key(), "no key at all")?;
    counted(&server, stays, 1).await?;
    presents(&server, &first).await?;
    let text = server.process.output();
    let line = text.lines().find(|line| line.contains(stays)).context("no line")?;
    assert!(line.contains("WARN") && line.contains("cannot read a private key from "), "{line}");

    server.files.replace(&server.files.certificate(), "no certificate")?;
    counted(&server, stays, 2).await?;
    presents(&server, &first).await?;
    // Gone for a moment, as when a secret of Kubernetes is changed.
    std::fs::remove_file(server.files.certificate())?;
    let new = server.files.renew()?;
    counted(&server, "new TLS certificate", 1).await?;
    presents(&server, &new).await?;
    Ok(())
}
