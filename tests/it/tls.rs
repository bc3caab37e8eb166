//! TLS: what a guest sees of it, clients that know nothing of it, and files that are no good.

use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::folder::Folder;
use crate::tls_client::{Files, ROUTES, Server, text};

#[tokio::test]
async fn a_guest_sees_https() -> Result<()> {
    let (server, certificate) = Server::start(ROUTES).await?;
    let port = server.port;
    for (offer, protocol) in [("http/1.1", "HTTP/1.1"), ("h2", "HTTP/2.0")] {
        let mut client = server.client(&certificate, offer).await?;
        // The connection stays for a second request.
        for _ in 0..2 {
            let shown = client.text("/show/x?y").await?;
            let lines: Vec<&str> = shown.split(['\0', '\n']).collect();
            for wanted in [
                "HTTPS=on",
                "SERVER_NAME=localhost",
                &format!("SERVER_PORT={port}"),
                &format!("SERVER_PROTOCOL={protocol}"),
                &format!("X_FULL_URL=https://localhost:{port}/show/x?y"),
                &format!("HTTP_HOST=localhost:{port}"),
                "REMOTE_ADDR=127.0.0.1",
            ] {
                assert!(lines.contains(&wanted), "no {wanted} in {lines:?}");
            }
        }
    }
    Ok(())
}

/// HTTP/2 is chosen where both sides can, and HTTP/1.1 where the client says nothing.
#[tokio::test]
async fn the_protocol_is_agreed_on_in_the_handshake() -> Result<()> {
    let (server, certificate) = Server::start(ROUTES).await?;
    for (offers, agreed) in [
        (&["h2", "http/1.1"][..], Some("h2")),
        (&["http/1.1", "h2"], Some("h2")),
        (&["http/1.1"], Some("http/1.1")),
        (&[], None),
    ] {
        let stream = server.connect(&certificate, offers).await?;
        let chosen = stream.get_ref().1.alpn_protocol().map(String::from_utf8_lossy);
        assert_eq!(chosen.as_deref(), agreed, "{offers:?}");
    }
    let mut silent = server.connect(&certificate, &[]).await?;
    silent.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    // The end must be told as TLS has it, or an answer could be cut off unseen.
    silent.read_to_string(&mut answer).await?;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("OK"), "{answer}");
    assert!(server.connect(&certificate, &["smtp"]).await.is_err());
    Ok(())
}

/// There are two places for connections, of which a client takes one that stalls in its handshake.
/// All others must give theirs back, whatever they say.
#[tokio::test]
async fn a_client_without_a_handshake_hurts_nobody() -> Result<()> {
    let manifest = format!("{ROUTES}\n").replace(
        "limits.deadline = \"1h\"",
        "[limits]\ndeadline = \"1h\"\nconnections = 2\nhead-timeout = \"1h\"",
    );
    let (mut server, certificate) = Server::start(&manifest).await?;
    let mut stalled = server.tcp().await?;
    stalled.write_all(b"\x16\x03\x01\x02\x00\x01\x00").await?;
    for said in [&b""[..], b"GET /show/ HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03\x01", &[0; 999]] {
        let mut client = server.tcp().await?;
        client.write_all(said).await?;
        if !said.starts_with(b"\x16") && !said.is_empty() {
            let mut answer = Vec::new();
            // It ends, perhaps with an alert, or with a reset.
            let _ = client.read_to_end(&mut answer).await;
            assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
        }
        drop(client);
        let shown = server.client(&certificate, "http/1.1").await?.text("/show/").await?;
        assert!(shown.contains("HTTPS=on\0"), "{shown}");
    }
    server.process.line("no TLS handshake").await?;
    Ok(())
}

/// Far below the default of `head-timeout`, and far above what is set here.
const BOUND: Duration = Duration::from_secs(20);

/// A handshake is a part of what `head-timeout` bounds.
#[tokio::test]
async fn a_stalled_handshake_ends() -> Result<()> {
    let manifest = format!("{ROUTES}\n").replace(
        "limits.deadline = \"1h\"",
        "[limits]\ndeadline = \"1h\"\nconnections = 1\nhead-timeout = \"200ms\"",
    );
    let (mut server, certificate) = Server::start(&manifest).await?;
    let mut stalled = server.tcp().await?;
    stalled.write_all(b"\x16\x03\x01").await?;
    let told = server.process.line("the TLS handshake took too long");
    timeout(BOUND, told).await.context("it does not end")??;
    let _ = stalled.read_to_end(&mut Vec::new()).await;
    server.client(&certificate, "http/1.1").await?.text("/show/").await?;
    Ok(())
}

async fn drains(protocol: &str) -> Result<()> {
    let (mut server, certificate) = Server::start(ROUTES).await?;
    let mut client = server.client(&certificate, protocol).await?;
    let (pieces, sent) = client.post("/gate")?;
    let answer = tokio::spawn(sent);
    pieces.send("a piece".into()).await?;
    server.process.line(": begun").await?;
    server.process.signal(Signal::TERM)?;
    server.process.line("shutting down").await?;
    trilby_testkit::until("the end of accepting", || async {
        server.tcp().await.is_err().then_some(())
    })
    .await?;
    pieces.send("another".into()).await?;
    drop(pieces);
    assert_eq!(text(answer.await??).await?, "begun\n");
    assert_eq!(server.process.ended().await?.code(), Some(0), "{}", server.process.output());
    assert!(!server.process.output().contains("cut off"), "{}", server.process.output());
    Ok(())
}

#[tokio::test]
async fn what_is_under_way_is_finished_before_the_end() -> Result<()> {
    drains("http/1.1").await?;
    drains("h2").await
}

#[tokio::test]
async fn many_clients_at_once() -> Result<()> {
    let (server, certificate) = Server::start(ROUTES).await?;
    let server = std::sync::Arc::new(server);
    let mut clients = JoinSet::new();
    for number in 0..40 {
        let (server, certificate) = (std::sync::Arc::clone(&server), certificate.clone());
        clients.spawn(async move { one_of_many(&server, &certificate, number).await });
    }
    while let Some(client) = clients.join_next().await {
        client??;
    }
    Ok(())
}

async fn one_of_many(
    server: &Server,
    certificate: &CertificateDer<'static>,
    number: usize,
) -> Result<()> {
    let protocol = if number.is_multiple_of(2) { "h2" } else { "http/1.1" };
    let mut client = server.client(certificate, protocol).await?;
    let query = format!("/show/?number={number}");
    let shown = client.text(&query).await?;
    assert!(shown.contains(&format!("QUERY_STRING=number={number}\0")), "{shown}");
    Ok(())
}

/// The files are looked at before anything else is done.
#[tokio::test]
async fn bad_files_are_refused_at_the_start() -> Result<()> {
    let (files, others) = (Files::new()?, Files::new()?);
    files.renew()?;
    others.renew()?;
    let key = std::fs::read(files.key())?;
    let folder = Folder::with_app()?
        .with("tls.crt", std::fs::read(files.certificate())?)?
        .with("tls.key", &key)?
        .with("other.key", std::fs::read(others.key())?)?
        .with("half.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n")?
        .with("line.key", "-----BEGIN PRIVATE KEY-----c2VjcmV0-----END PRIVATE KEY-----\n")?
        .with("empty", "")?;
    let mut told = String::new();
    for (certificate, key) in [
        ("none.crt", "tls.key"),
        ("tls.crt", "none.key"),
        ("tls.key", "tls.crt"),
        ("tls.crt", "tls.crt"),
        ("tls.crt", "other.key"),
        ("half.crt", "tls.key"),
        ("empty", "tls.key"),
        ("tls.crt", "empty"),
        ("tls.crt", "line.key"),
    ] {
        let launch = folder.launch().args(&["--tls-cert", certificate, "--tls-key", key]);
        told += &folder.refuses(launch).await?;
    }
    insta::assert_snapshot!(told, @r"
    error: cannot read a certificate from none.crt: No such file or directory (os error 2)
    error: cannot read a private key from none.key: No such file or directory (os error 2)
    error: cannot read a certificate from tls.key: there is none in it; the file is PEM, with `BEGIN CERTIFICATE`
    error: cannot read a private key from tls.crt: there is none in it; the file is PEM, with `BEGIN PRIVATE KEY`
    error: the key of other.key is not that of the certificate of tls.crt; both files must be of one certificate
    error: cannot read a certificate from half.crt: a section has no line with its `END`
    error: cannot read a certificate from empty: there is none in it; the file is PEM, with `BEGIN CERTIFICATE`
    error: cannot read a private key from empty: there is none in it; the file is PEM, with `BEGIN PRIVATE KEY`
    error: cannot read a private key from line.key: a section has no line with its `END`
    ");
    Ok(())
}

/// One file without the other is a mistake in the command.
#[tokio::test]
async fn a_certificate_needs_its_key() -> Result<()> {
    let folder = Folder::with_app()?;
    for (flag, other) in [("--tls-cert", "--tls-key"), ("--tls-key", "--tls-cert")] {
        let command = folder.launch().args(&[flag, "file.pem"]).command()?;
        let ended = folder.ends(command).await?;
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(other), "{ended:?}");
    }
    Ok(())
}
