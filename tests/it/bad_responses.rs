//! Output that is no CGI response: the client gets a 502, and the log says why.

use anyhow::{Context, Result};
use http::Method;
use insta::assert_snapshot;

use crate::heads::{self, App};

const ROUTES: &str = "version = 1\n[[route]]\npath = '/copy'\nmodule = 'copy.wat'\n";

/// What the log says of guests with such output. The client must get status 502 and none of it.
async fn reasons(outputs: &[&[u8]]) -> Result<String> {
    let mut app = heads::serve("trilby.toml", ROUTES, &[]).await?;
    let mut reasons = String::new();
    for (number, output) in outputs.iter().enumerate() {
        reasons.push_str(&reason(&mut app, &format!("case-{number}"), output).await?);
        reasons.push('\n');
    }
    Ok(reasons)
}

async fn reason(app: &mut App, id: &str, output: &[u8]) -> Result<String> {
    let shown = output.escape_ascii();
    let headers = [("x-request-id", id)];
    let answer = app.trilby.http.send(Method::POST, "/copy", &headers, output.to_vec()).await?;
    assert_eq!(answer.status, 502, "{shown}");
    assert_eq!(answer.text(), "the module's answer is not valid\n", "{shown}");
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"), "{shown}");
    for name in ["x-foo", "set-cookie", "location", "upgrade"] {
        assert_eq!(answer.header(name), None, "{shown}");
    }
    // HEAD gets the same status.
    let head = app.trilby.http.send(Method::HEAD, "/copy", &[], output.to_vec()).await?;
    assert_eq!(head.status, 502, "{shown}");
    let line = app.trilby.logged(&format!("trilby::request: request_id=\"{id}\"")).await?;
    assert!(line.contains("outcome=\"bad_output\"") && line.contains(" WARN "), "{line}");
    let (_, rest) = line.split_once("reason=\"").context("no reason")?;
    let end = rest.rfind("\" millis=").context("no time")?;
    Ok(rest[..end].replace("\\\"", "\"").replace("\\\\", "\\"))
}

#[tokio::test]
async fn a_response_needs_a_header_and_an_empty_line() -> Result<()> {
    let reasons = reasons(&[
        b"",
        b"hello",
        b"Content-Type: a/b\n",
        b"Content-Type: a/b\nhello",
        b"\nhello",
        b"X-Foo: 1\n\nhello",
        b"Set-Cookie: a=1\nStatus:\n\nhello",
        b"HTTP/1.1 200 OK\nContent-Type: a/b\n\nhello",
    ])
    .await?;
    assert_snapshot!(reasons, @r"
    the guest wrote nothing; an answer begins with a header such as `Content-Type: text/plain` and an empty line
    the output has no empty line after its headers; write one between headers and body
    the output has no empty line after its headers; write one between headers and body
    the output has no empty line after its headers; write one between headers and body
    there is no `Content-Type`, `Location` or `Status` among the headers; write one
    there is no `Content-Type`, `Location` or `Status` among the headers; write one
    there is no `Content-Type`, `Location` or `Status` among the headers; write one
    the output begins with an HTTP status line; write a header `Status: 200` instead
    ");
    Ok(())
}

#[tokio::test]
async fn a_header_is_a_name_and_a_value_on_one_line() -> Result<()> {
    let reasons = reasons(&[
        b"Content-Type: a/b\nhello\n\n",
        b"Content-Type: a/b\n x=y\n\n",
        b"Content Type: a/b\n\n",
        b"Status: 200\n: 1\n\n",
        b"Status: 200\nX-F\xc3\xb6\xc3\xb6: 1\n\n",
        b"Content-Type: a\x01b\n\n",
        b"Status: 200\nX-Foo: a\0b\n\n",
        b"Status: 200\nX-Foo: a\x7fb\n\n",
        // Not the end of a line by itself: it would split the response.
        b"Status: 200\nX-Foo: a\rSet-Cookie: b=1\n\n",
    ])
    .await?;
    assert_snapshot!(reasons, @r#"
    line 2 has no `:`: "hello"; write an empty line between headers and body
    line 2 begins with a space or a tab; write each header on one line
    line 1: "Content Type" is not the name of a header
    line 2: "" is not the name of a header
    line 2: "X-F\xc3\xb6\xc3\xb6" is not the name of a header
    line 1: the value of `content-type` has a control character
    line 2: the value of `x-foo` has a control character
    line 2: the value of `x-foo` has a control character
    line 2: the value of `x-foo` has a control character
    "#);
    Ok(())
}

#[tokio::test]
async fn a_status_is_a_number_that_ends_a_request() -> Result<()> {
    let reasons = reasons(&[
        b"Status: abc\n\nhello",
        b"Status: 100\n\n",
        b"Status: 101 Switching Protocols\n\n",
        b"Status: 600\n\n",
        b"Status: 20\n\n",
        b"Status: 200OK\n\n",
        b"Status: -200\n\n",
    ])
    .await?;
    assert_snapshot!(reasons, @r#"
    line 1: "abc" is not a status; write a number from 200 to 599, as in `Status: 404 Not Found`
    line 1: "100" is not a status; write a number from 200 to 599, as in `Status: 404 Not Found`
    line 1: "101 Switching Protocols" is not a status; write a number from 200 to 599, as in `Status: 404 Not Found`
    line 1: "600" is not a status; write a number from 200 to 599, as in `Status: 404 Not Found`
    line 1: "20" is not a status; write a number from 200 to 599, as in `Status: 404 Not Found`
    line 1: "200OK" is not a status; write a number from 200 to 599, as in `Status: 404 Not Found`
    line 1: "-200" is not a status; write a number from 200 to 599, as in `Status: 404 Not Found`
    "#);
    Ok(())
}

#[tokio::test]
async fn what_the_server_decides_is_refused() -> Result<()> {
    let reasons = reasons(&[
        b"Status: 200\nTransfer-Encoding: chunked\n\n",
        b"Status: 200\nConnection: close\n\n",
        b"Status: 200\nkeep-alive: timeout=5\n\n",
        b"Status: 200\nTE: trailers\n\n",
        b"Status: 200\nTrailer: X-Foo\n\n",
        b"Status: 200\nUpgrade: websocket\n\n",
        b"Status: 407\nProxy-Authenticate: Basic\n\n",
    ])
    .await?;
    assert_snapshot!(reasons, @r"
    line 2: a guest cannot set `transfer-encoding`, the server does; leave it out
    line 2: a guest cannot set `connection`, the server does; leave it out
    line 2: a guest cannot set `keep-alive`, the server does; leave it out
    line 2: a guest cannot set `te`, the server does; leave it out
    line 2: a guest cannot set `trailer`, the server does; leave it out
    line 2: a guest cannot set `upgrade`, the server does; leave it out
    line 2: a guest cannot set `proxy-authenticate`, the server does; leave it out
    ");
    Ok(())
}

#[tokio::test]
async fn some_headers_may_occur_once() -> Result<()> {
    let reasons = reasons(&[
        b"Status: 200\nStatus: 200\n\n",
        b"Content-Type: a/b\ncontent-type: a/b\n\n",
        b"Location: http://a.test/\nLocation: http://b.test/\n\n",
        b"Status: 200\nContent-Length: 1\nContent-Length: 1\n\na",
    ])
    .await?;
    assert_snapshot!(reasons, @r"
    line 2: there are two headers `Status`; write one
    line 2: there are two headers `Content-Type`; write one
    line 2: there are two headers `Location`; write one
    line 3: there are two headers `Content-Length`; write one
    ");
    Ok(())
}

/// Too long or too short would be taken for the next answer, or would keep the client waiting.
#[tokio::test]
async fn the_length_is_that_of_the_body() -> Result<()> {
    let app = heads::serve("trilby.toml", ROUTES, &[]).await?;
    let invalid = "the module's answer is not valid\n";
    for (length, status, body) in [
        ("5", 200, "hello"),
        ("005", 200, "hello"),
        ("4", 502, invalid),
        ("0", 502, invalid),
        ("6", 502, invalid),
        ("100000000000", 502, invalid),
        ("+5", 502, invalid),
        ("5, 5", 502, invalid),
        ("0x5", 502, invalid),
        ("five", 502, invalid),
        ("18446744073709551616", 502, invalid),
    ] {
        let output = format!("Content-Type: a/b\nContent-Length: {length}\n\nhello");
        let answer = app.trilby.http.post("/copy", output).await?;
        assert_eq!((answer.status.as_u16(), &*answer.text()), (status, body), "{length}");
    }
    Ok(())
}

#[tokio::test]
async fn clients_are_told_why_only_if_they_may_know() -> Result<()> {
    let shown = |launch: trilby_testkit::Launch| launch.args(&["--show-errors"]);
    let app = heads::serve_with("trilby.toml", ROUTES, &[], shown).await?;
    let headers = [("x-request-id", "mine")];
    let answer = app.trilby.http.send(Method::POST, "/copy", &headers, "hello").await?;
    assert_eq!(answer.status, 502);
    assert_snapshot!(answer.text(), @r"
    the module's answer is not valid

    reason: the output has no empty line after its headers; write one between headers and body
    request: mine
    ");
    Ok(())
}
