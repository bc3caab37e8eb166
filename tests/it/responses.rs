//! The header block of a guest's output, and the response that it becomes (RFC 3875 section 6).

use anyhow::Result;
use http::Method;
use trilby_testkit::Answer;

use crate::heads::{self, App};
use crate::raw::{self, Connection};

const ROUTES: &str = r#"
version = 1
[[route]]
path = "/copy"
module = "copy.wat"
[[route]]
path = "/exit-0"
module = "copy.wat"
entrypoint = "exit_0"
[[route]]
path = "/exit-1"
module = "copy.wat"
entrypoint = "exit_1"
[[route]]
path = "/trap"
module = "copy.wat"
entrypoint = "trap"
[[route]]
path = "/small"
module = "copy.wat"
limits.head-out = "256 B"
[[route]]
path = "/headers"
module = "copy.wat"
response-headers = { "Cache-Control" = "no-store", "Set-Cookie" = "server=1", "X-Frame" = "deny" }
"#;

async fn app() -> Result<App> {
    heads::serve("trilby.toml", ROUTES, &[]).await
}

/// The answer of a guest whose output is these bytes.
async fn answer(app: &App, path: &str, output: impl AsRef<[u8]>) -> Result<Answer> {
    app.trilby.http.post(path, output.as_ref().to_vec()).await
}

fn values<'a>(answer: &'a Answer, name: &str) -> Vec<&'a [u8]> {
    answer.headers.get_all(name).iter().map(http::HeaderValue::as_bytes).collect()
}

#[tokio::test]
async fn each_cgi_header_makes_a_response() -> Result<()> {
    let app = app().await?;
    let away = "https://example.org/x?y#z";
    let cases = [
        ("Content-Type: a/b\n\nhi", 200, Some("a/b"), None, "hi"),
        ("content-TYPE:a/b; c=d  \n\nhi", 200, Some("a/b; c=d"), None, "hi"),
        // Lines may end in either way, and the body is not looked at.
        ("Content-Type: a/b\r\nX-A: 1\r\n\r\nhi\r\n\n", 200, Some("a/b"), None, "hi\r\n\n"),
        ("Content-Type: a/b\r\n\nhi", 200, Some("a/b"), None, "hi"),
        ("Content-Type: a/b\n\n", 200, Some("a/b"), None, ""),
        // `Status` alone is enough, and its text goes nowhere.
        ("Status: 404 Not Found\n\n", 404, None, None, ""),
        ("Status: 404\n\ngone", 404, None, None, "gone"),
        ("Status: 599 Own\nContent-Type: a/b\n\nhi", 599, Some("a/b"), None, "hi"),
        (&format!("Location: {away}\n\n"), 302, None, Some(away), ""),
        // A client follows these, too; they are no paths.
        ("Location: hello\n\n", 302, None, Some("hello"), ""),
        ("Location: //example.org/x\n\n", 302, None, Some("//example.org/x"), ""),
        // In either order the guest's own status counts.
        (&format!("Status: 301\nLocation: {away}\n\n"), 301, None, Some(away), ""),
        (&format!("Location: {away}\nStatus: 308\n\n"), 308, None, Some(away), ""),
        (
            &format!("Location: {away}\nContent-Type: a/b\n\nmoved"),
            302,
            Some("a/b"),
            Some(away),
            "moved",
        ),
        // A header without a value is as good as none (section 6.3).
        ("Location:\nContent-Type: a/b\n\nhi", 200, Some("a/b"), None, "hi"),
    ];
    for (output, status, content_type, location, body) in cases {
        let answer = answer(&app, "/copy", output).await?;
        assert_eq!(answer.status, status, "{output:?}: {}", answer.text());
        assert_eq!(answer.header("content-type"), content_type, "{output:?}");
        assert_eq!(answer.header("location"), location, "{output:?}");
        assert_eq!(answer.header("status"), None, "{output:?}");
        assert_eq!(answer.text(), body, "{output:?}");
    }
    Ok(())
}

#[tokio::test]
async fn other_headers_are_passed_on() -> Result<()> {
    let app = app().await?;
    let output = b"Set-Cookie: a=1\nContent-Type: a/b\nLink: <x>\nset-cookie: b=2; Secure\n\
        Link: <y>\nX-Any: \xff: \t1\nVary:\n\nhi";
    let answer = answer(&app, "/copy", output).await?;
    assert_eq!((answer.status.as_u16(), &*answer.text()), (200, "hi"));
    assert_eq!(values(&answer, "set-cookie"), [&b"a=1"[..], b"b=2; Secure"]);
    assert_eq!(values(&answer, "link"), [b"<x>", b"<y>"]);
    assert_eq!(values(&answer, "x-any"), [b"\xff: \t1"]);
    assert_eq!(values(&answer, "vary"), [b""; 0]);
    Ok(())
}

/// On one connection, where a byte too many would be taken for the next answer.
#[tokio::test]
async fn some_answers_have_no_body() -> Result<()> {
    let app = app().await?;
    let mut connection = Connection::open(&app.trilby).await?;
    let cases = [
        ("GET", "Status: 204\n\nno body", 204, None),
        ("GET", "Status: 204\nContent-Length: 7\n\nno body", 204, None),
        ("POST", "Status: 304\nETag: x\n\nno body", 304, None),
        ("GET", "Status: 304\nContent-Length: 99\n\n", 304, None),
        ("HEAD", "Status: 204\n\nno body", 204, None),
        // As GET has them (RFC 9110 section 9.3.2).
        ("HEAD", "Content-Type: a/b\n\nno body", 200, Some("7")),
        ("HEAD", "Content-Type: a/b\nContent-Length: 99\n\n", 200, Some("99")),
        ("HEAD", "Status: 404\n\ngone", 404, Some("4")),
        ("HEAD", "Location: http://a.test/\n\n", 302, None),
    ];
    for (method, output, status, length) in cases {
        let bytes = output.len();
        let request = format!(
            "{method} /copy HTTP/1.1\r\nHost: a\r\nContent-Length: {bytes}\r\n\r\n{output}"
        );
        connection.send(request).await?;
        let head = connection.head().await?;
        assert_eq!(head.status, status, "{method} {output:?}");
        // Without a body it may be said that there are 0 bytes. With 304 the length would be that
        // of another answer, which may be said or not (RFC 9110 section 8.6).
        let told = head.header("content-length").filter(|length| *length != "0");
        assert!(told == length || status == 304, "{method} {output:?}: {head:?}");
        assert_eq!(head.header("transfer-encoding"), None, "{method} {output:?}");
    }
    // With 205 a length of 0 is said (RFC 9110 section 15.3.6).
    let answer = answer(&app, "/copy", "Status: 205\n\nno body").await?;
    assert_eq!((answer.status.as_u16(), answer.header("content-length")), (205, Some("0")));
    assert_eq!(answer.text(), "");
    Ok(())
}

/// A whole answer with a length is kept back until its guest has ended, so how it ended counts.
#[tokio::test]
async fn how_the_guest_ended_counts() -> Result<()> {
    let app = app().await?;
    let output = "Content-Type: a/b\nContent-Length: 2\n\nhi";
    for (path, status, body) in [
        ("/copy", 200, "hi"),
        ("/exit-0", 200, "hi"),
        ("/exit-1", 500, "the module failed\n"),
        ("/trap", 500, "the module failed\n"),
    ] {
        for method in [Method::POST, Method::GET, Method::HEAD] {
            let body = if method == Method::HEAD { "" } else { body };
            let answer = app.trilby.http.send(method.clone(), path, &[], output).await?;
            assert_eq!(
                (answer.status.as_u16(), &*answer.text()),
                (status, body),
                "{method} {path}"
            );
        }
    }
    // Also when the body, or the answer, is not the whole one.
    for output in ["", "Content-Type: a/b\n", "Status: 204\n\n", "Location: /copy\n\n"] {
        assert_eq!(answer(&app, "/exit-1", output).await?.status, 500, "{output:?}");
        assert_eq!(answer(&app, "/trap", output).await?.status, 500, "{output:?}");
    }
    Ok(())
}

#[tokio::test]
async fn the_header_block_is_bounded() -> Result<()> {
    let app = app().await?;
    let start = "Content-Type: a/b\nX-A: ";
    for (filling, path, status) in [(231, "/small", 200), (232, "/small", 502), (232, "/copy", 200)]
    {
        let output = format!("{start}{}\n\nhi", "x".repeat(filling));
        let answer = answer(&app, path, output).await?;
        assert_eq!(answer.status, status, "{filling} in {path}: {}", answer.text());
    }
    // A body of any length may follow.
    let output = format!("{start}\n\n{}", "x".repeat(10_000));
    assert_eq!(answer(&app, "/small", output).await?.body.len(), 10_000);

    // As many lines as clients take, and one more. The client of these tests counts those of the
    // server, too.
    for (count, status) in [(99, 200), (100, 502)] {
        let output = format!("Status: 200\n{}\n", "X-A: b\n".repeat(count));
        let bytes = output.len();
        let sent =
            format!("POST /copy HTTP/1.1\r\nHost: a\r\nContent-Length: {bytes}\r\n\r\n{output}");
        assert_eq!(raw::request(&app.trilby, &sent).await?.0.status, status, "{count}");
    }
    Ok(())
}

#[tokio::test]
async fn the_routes_headers_are_added_unless_the_guest_has_them() -> Result<()> {
    let app = app().await?;
    for (output, status, frame, cache, cookies) in [
        ("Content-Type: a/b\n\n", 200, "deny", "no-store", &["server=1"][..]),
        ("Status: 404\n\n", 404, "deny", "no-store", &["server=1"]),
        ("Location: http://a.test/\n\n", 302, "deny", "no-store", &["server=1"]),
        (
            "Status: 200\ncache-control: no-cache\nSet-Cookie: a=1\nSet-Cookie: b=2\n\n",
            200,
            "deny",
            "no-cache",
            &["a=1", "b=2"],
        ),
        ("Status: 200\nx-frame: allow\n\n", 200, "allow", "no-store", &["server=1"]),
    ] {
        let answer = answer(&app, "/headers", output).await?;
        assert_eq!(answer.status, status, "{output:?}");
        assert_eq!(values(&answer, "x-frame"), [frame.as_bytes()], "{output:?}");
        assert_eq!(values(&answer, "cache-control"), [cache.as_bytes()], "{output:?}");
        let sent: Vec<&[u8]> = cookies.iter().map(|cookie| cookie.as_bytes()).collect();
        assert_eq!(values(&answer, "set-cookie"), sent, "{output:?}");
    }
    // Other routes do not have them.
    let answer = answer(&app, "/copy", "Status: 200\n\n").await?;
    assert_eq!(answer.header("x-frame"), None);
    Ok(())
}
