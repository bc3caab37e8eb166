//! What proxies say of the client: taken from those that are trusted, and from nobody else.

use anyhow::Result;
use http::Method;
use insta::assert_snapshot;
use trilby_testkit::{Client, Launch, Trilby};

use crate::folder::Folder;
use crate::heads;
use crate::shown::{Shown, shown};

const ROUTES: &str = r#"
[[route]]
path = "/..."
module = "show.wat"
[[route]]
path = "/..."
host = "shop.test"
module = "show.wat"
env = { AT = "shop" }
"#;

async fn served(trusted: &str, how: impl Fn(Launch) -> Launch) -> Result<heads::App> {
    let manifest = format!("version = 1\n{trusted}{ROUTES}");
    heads::serve_with("trilby.toml", &manifest, &[], how).await
}

async fn trusting(networks: &str) -> Result<heads::App> {
    served(&format!("[server]\ntrusted-proxies = {networks}\n"), |launch| launch).await
}

async fn with(trilby: &Trilby, lines: &[&str]) -> Result<Shown> {
    shown(trilby, "GET /a?b HTTP/1.1", &[&["Host: inner.test:81"], lines].concat()).await
}

const TOLD: [&str; 4] = [
    "X-Forwarded-For: 203.0.113.9",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: shop.test",
    "X-Forwarded-Port: 8443",
];
const TOLD_BY_STANDARD: &str =
    "Forwarded: for=\"203.0.113.9:4711\";proto=https;host=\"shop.test:8443\"";

/// Nothing of what the headers claim.
fn is_direct(seen: &Shown, trilby: &Trilby) {
    seen.has(&[
        ("REMOTE_ADDR", Some("127.0.0.1")),
        ("REMOTE_HOST", Some("127.0.0.1")),
        ("HTTPS", None),
        ("SERVER_NAME", Some("inner.test")),
        ("SERVER_PORT", Some(&trilby.port().to_string())),
        ("X_FULL_URL", Some("http://inner.test:81/a?b")),
        ("AT", None),
    ]);
    assert!(seen.env.get("REMOTE_PORT").is_some_and(|port| port != "4711"), "{:?}", seen.env);
}

/// All that [`TOLD`] says.
fn is_told(seen: &Shown) {
    seen.has(&[
        ("REMOTE_ADDR", Some("203.0.113.9")),
        ("REMOTE_HOST", Some("203.0.113.9")),
        ("HTTPS", Some("on")),
        ("SERVER_NAME", Some("shop.test")),
        ("SERVER_PORT", Some("8443")),
        ("X_FULL_URL", Some("https://shop.test:8443/a?b")),
        // The port of the proxy's own connection would be no part of the client's address.
        ("REMOTE_PORT", None),
        // The header itself stays what it is.
        ("HTTP_HOST", Some("inner.test:81")),
        // Routes see the client's host, too.
        ("AT", Some("shop")),
    ]);
}

#[tokio::test]
async fn strangers_are_not_believed() -> Result<()> {
    for trusted in ["", "[server]\ntrusted-proxies = ['10.0.0.0/8', '::1', '127.0.0.2']\n"] {
        let app = served(trusted, |launch| launch).await?;
        is_direct(&with(&app.trilby, &TOLD).await?, &app.trilby);
        let seen = with(&app.trilby, &[TOLD_BY_STANDARD]).await?;
        is_direct(&seen, &app.trilby);
        // A guest may still read them, as claims.
        seen.has(&[("HTTP_FORWARDED", Some(&TOLD_BY_STANDARD["Forwarded: ".len()..]))]);
    }
    Ok(())
}

#[tokio::test]
async fn trusted_proxies_are_believed() -> Result<()> {
    for networks in ["['127.0.0.0/8']", "['10.0.0.0/8', '127.0.0.1']"] {
        let app = trusting(networks).await?;
        is_told(&with(&app.trilby, &TOLD).await?);
        // Without their word it is the client's own.
        is_direct(&with(&app.trilby, &[]).await?, &app.trilby);
    }
    Ok(())
}

#[tokio::test]
async fn the_flag_replaces_the_manifests_networks() -> Result<()> {
    let manifest = "[server]\ntrusted-proxies = ['127.0.0.0/8']\n";
    let flag =
        |value: &'static str| move |launch: Launch| launch.args(&["--trusted-proxies", value]);
    let app = served("", flag("10.0.0.0/8,127.0.0.1")).await?;
    is_told(&with(&app.trilby, &TOLD).await?);
    let app = served(manifest, flag("10.0.0.0/8")).await?;
    is_direct(&with(&app.trilby, &TOLD).await?, &app.trilby);
    let app = served("", |launch| launch.env("TRILBY_TRUSTED_PROXIES", "127.0.0.0/8")).await?;
    is_told(&with(&app.trilby, &TOLD).await?);

    // WAGI's manifest has no key for it.
    let modules = "[[module]]\nroute = '/...'\nmodule = 'show.wat'\n";
    let app = heads::serve("modules.toml", modules, &[]).await?;
    is_direct(&with(&app.trilby, &TOLD).await?, &app.trilby);
    let app = heads::serve_with("modules.toml", modules, &[], flag("127.0.0.1")).await?;
    let seen = with(&app.trilby, &TOLD).await?;
    seen.has(&[("REMOTE_ADDR", Some("203.0.113.9")), ("SERVER_PORT", Some("8443"))]);
    Ok(())
}

#[tokio::test]
async fn chains_are_walked_from_their_end() -> Result<()> {
    let app = trusting("['127.0.0.0/8', '10.0.0.0/8']").await?;
    let cases: [(&[&str], &str, Option<&str>); 13] = [
        (&["X-Forwarded-For: 198.51.100.1, 203.0.113.9"], "203.0.113.9", None),
        (&["X-Forwarded-For: 198.51.100.1, 203.0.113.9, 10.1.2.3"], "203.0.113.9", None),
        (&["X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 10.1.2.3"], "198.51.100.1", None),
        // If all are trusted, the first is the client.
        (&["X-Forwarded-For: 10.1.2.3, 10.4.5.6"], "10.1.2.3", None),
        (&["X-Forwarded-For: 203.0.113.9:4711"], "203.0.113.9", Some("4711")),
        (&["X-Forwarded-For: 2001:db8::7"], "2001:db8::7", None),
        (&["X-Forwarded-For: [2001:db8::7]:4711"], "2001:db8::7", Some("4711")),
        (&["X-Forwarded-For: ::ffff:203.0.113.9"], "203.0.113.9", None),
        // The walk ends where there is no address.
        (&["X-Forwarded-For: 203.0.113.9, nonsense, 10.1.2.3"], "10.1.2.3", None),
        (
            &["Forwarded: for=198.51.100.1, for=203.0.113.9;by=10.9.9.9, for=10.1.2.3"],
            "203.0.113.9",
            None,
        ),
        (&["Forwarded: for=198.51.100.1", "Forwarded: for=10.1.2.3"], "198.51.100.1", None),
        (&["Forwarded: For=\"[2001:db8::7]:4711\""], "2001:db8::7", Some("4711")),
        (&["Forwarded: for=203.0.113.9, for=_hidden, for=10.1.2.3"], "10.1.2.3", None),
    ];
    for (lines, address, port) in cases {
        let seen = with(&app.trilby, lines).await?;
        seen.has(&[
            ("REMOTE_ADDR", Some(address)),
            ("REMOTE_HOST", Some(address)),
            ("REMOTE_PORT", port),
        ]);
    }
    for line in ["X-Forwarded-For: nonsense", "Forwarded: for=unknown", "Forwarded: for=\"broken"] {
        is_direct(&with(&app.trilby, &[line]).await?, &app.trilby);
    }
    Ok(())
}

#[tokio::test]
async fn the_two_ways_must_not_disagree() -> Result<()> {
    let app = trusting("['127.0.0.1']").await?;
    let lines = [TOLD_BY_STANDARD, "X-Forwarded-For: 198.51.100.1", "X-Forwarded-Proto: http"];
    is_direct(&with(&app.trilby, &lines).await?, &app.trilby);
    let lines = [TOLD_BY_STANDARD, "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: http"];
    let seen = with(&app.trilby, &lines).await?;
    seen.has(&[
        ("REMOTE_ADDR", Some("203.0.113.9")),
        ("REMOTE_PORT", Some("4711")),
        ("HTTPS", Some("on")),
        ("SERVER_PORT", Some("8443")),
    ]);
    Ok(())
}

#[tokio::test]
async fn ports_follow_the_scheme_and_the_host() -> Result<()> {
    let app = trusting("['127.0.0.1']").await?;
    let cases: [(&[&str], &str, &str, &str); 6] = [
        (&["X-Forwarded-Proto: https"], "inner.test", "81", "https://inner.test:81/a?b"),
        (&["X-Forwarded-Host: x.test"], "x.test", "80", "http://x.test/a?b"),
        (&["X-Forwarded-Host: x.test:82"], "x.test", "82", "http://x.test:82/a?b"),
        (
            &["X-Forwarded-Host: x.test", "X-Forwarded-Proto: https"],
            "x.test",
            "443",
            "https://x.test/a?b",
        ),
        (
            &["Forwarded: for=203.0.113.9;host=\"[2001:db8::7]:82\""],
            "[2001:db8::7]",
            "82",
            "http://[2001:db8::7]:82/a?b",
        ),
        // A host that is none is not passed on.
        (
            &["X-Forwarded-Host: <script>", "X-Forwarded-Proto: http"],
            "inner.test",
            "81",
            "http://inner.test:81/a?b",
        ),
    ];
    for (lines, name, port, url) in cases {
        let seen = with(&app.trilby, lines).await?;
        seen.has(&[
            ("SERVER_NAME", Some(name)),
            ("SERVER_PORT", Some(port)),
            ("X_FULL_URL", Some(url)),
        ]);
    }
    Ok(())
}

/// HTTP/2 has the host in its URL, and no `Host`.
#[tokio::test]
async fn http2_is_told_alike() -> Result<()> {
    let app = trusting("['127.0.0.1']").await?;
    let base = format!("http://{}", app.trilby.address);
    let port = app.trilby.port().to_string();
    for http in [Client::new(&base), Client::http2(&base)] {
        let headers = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https")];
        let answer = http.send(Method::GET, "/a?b", &headers, "").await?;
        Shown::parse(&answer.text())?.has(&[
            ("REMOTE_ADDR", Some("203.0.113.9")),
            ("SERVER_NAME", Some("127.0.0.1")),
            ("SERVER_PORT", Some(&port)),
            ("X_FULL_URL", Some(&format!("https://{}/a?b", app.trilby.address))),
            ("HTTP_HOST", Some(&app.trilby.address)),
        ]);
    }
    Ok(())
}

#[tokio::test]
async fn what_is_no_network_is_refused() -> Result<()> {
    let folder = Folder::with_app()?;
    let launch = folder.launch().args(&["--trusted-proxies", "10.0.0.0/8,proxy.test"]);
    assert_snapshot!(folder.refuses(launch).await?, @"error: `--trusted-proxies` has `proxy.test`: write an address and the bits that count: `10.0.0.0/8`");
    Ok(())
}
