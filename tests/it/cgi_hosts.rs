//! Whom a request is for, as the guest is told (RFC 3875 sections 4.1.14 and 4.1.15).

use anyhow::Result;

use crate::heads;
use crate::raw;
use crate::shown::shown;

type Lines<'a> = &'a [&'a str];

async fn app() -> Result<heads::App> {
    let manifest = "version = 1\n[[route]]\npath = '/...'\nmodule = 'show.wat'\n";
    heads::serve("trilby.toml", manifest, &[]).await
}

#[tokio::test]
async fn the_host_is_the_clients_word_and_the_port_the_servers() -> Result<()> {
    let app = app().await?;
    let port = app.trilby.port().to_string();
    let here = format!("http://{}/x", app.trilby.address);
    let cases: [(&str, Lines<'_>, Option<&str>, &str, &str); 6] = [
        (
            "HTTP/1.1",
            &["Host: example.com"],
            Some("example.com"),
            "example.com",
            "http://example.com/x",
        ),
        ("HTTP/1.1", &["Host: [::1]:8080"], Some("[::1]:8080"), "[::1]", "http://[::1]:8080/x"),
        // Without a host the URL must lead here.
        ("HTTP/1.0", &[], None, "127.0.0.1", &here),
        ("HTTP/1.0", &["Host: old.test"], Some("old.test"), "old.test", "http://old.test/x"),
        ("HTTP/1.1", &["Host: no host"], Some("no host"), "127.0.0.1", &here),
        ("HTTP/1.1", &["Host: [::1"], Some("[::1"), "127.0.0.1", &here),
    ];
    for (version, lines, header, name, url) in cases {
        let seen = shown(&app.trilby, &format!("GET /x {version}"), lines).await?;
        seen.has(&[
            ("HTTP_HOST", header),
            ("SERVER_NAME", Some(name)),
            ("SERVER_PORT", Some(&port)),
            ("X_FULL_URL", Some(url)),
            ("SERVER_PROTOCOL", Some(version)),
        ]);
    }
    Ok(())
}

/// Whom a request is for must be beyond doubt: a proxy in front may take the other host (RFC 9112
/// section 3.2).
#[tokio::test]
async fn a_request_names_one_host() -> Result<()> {
    let app = app().await?;
    for (version, lines, status) in [
        ("HTTP/1.1", "", 400),
        ("HTTP/1.1", "Host: a.test\r\nHost: b.test\r\n", 400),
        ("HTTP/1.1", "Host: a.test\r\nhost: a.test\r\n", 400),
        ("HTTP/1.0", "Host: a.test\r\nHost: b.test\r\n", 400),
        ("HTTP/1.0", "", 200),
        ("HTTP/1.1", "Host:\r\n", 200),
    ] {
        let sent = format!("GET /x {version}\r\n{lines}\r\n");
        assert_eq!(raw::request(&app.trilby, &sent).await?.0.status, status, "{sent:?}");
    }
    Ok(())
}

/// A whole URL in the request line comes before `Host` (RFC 9112 section 3.2.2).
#[tokio::test]
async fn a_url_in_the_request_line_names_the_host() -> Result<()> {
    let app = app().await?;
    for lines in [&["Host: wrong.test"][..], &["Host: right.test:99"], &[]] {
        let version = if lines.is_empty() { "HTTP/1.0" } else { "HTTP/1.1" };
        let first = format!("GET http://right.test:99/x?y {version}");
        shown(&app.trilby, &first, lines).await?.has(&[
            ("SERVER_NAME", Some("right.test")),
            ("HTTP_HOST", Some("right.test:99")),
            ("X_FULL_URL", Some("http://right.test:99/x?y")),
            ("REQUEST_URI", Some("/x?y")),
            ("PATH_INFO", Some("/x")),
            ("QUERY_STRING", Some("y")),
        ]);
    }
    Ok(())
}
