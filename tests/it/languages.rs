//! Guests in languages whose own libraries speak CGI: `tests/guests/c` and `tests/guests/go`.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::Method;
use insta::assert_snapshot;
use trilby_testkit::{Launch, Trilby, leave_out, repository};

/// The application of a language; none when a module of it could not be built, for want of its
/// compiler. With `CI` set, it must be there.
async fn app(language: &str, modules: &[&str]) -> Result<Option<Trilby>> {
    let path = repository().join("tests/guests").join(language);
    let missing = |name: &&&str| !path.join("target").join(name).is_file();
    if let Some(name) = modules.iter().find(missing) {
        leave_out(&format!("tests/guests/{language}/target/{name} (needs its compiler)"));
        return Ok(None);
    }
    Launch::new(&path, &path).start().await.map(Some)
}

async fn c() -> Result<Option<Trilby>> {
    app("c", &["show.wasm", "echo.wasm"]).await
}

#[tokio::test]
async fn c_reads_the_environment_and_the_arguments() -> Result<()> {
    let Some(trilby) = c().await? else { return Ok(()) };
    let headers = [("x-test", "a, b"), ("content-type", "text/x; charset=utf-8")];
    let path = "/show/a%20b/c?one+t%2Bo+%26";
    let answer = trilby.http.send(Method::PUT, path, &headers, "12345").await?;
    assert_eq!(answer.header("content-type"), Some("text/plain"));
    let text = answer.text();
    let (env, args) = text.split_once('\n').context("no arguments")?;
    // Words of a query are arguments with GET and HEAD only (RFC 3875 section 4.4).
    assert_eq!(args.split_terminator('\0').collect::<Vec<_>>(), ["/show/a%20b/c"]);
    let got = trilby.http.get(path).await?.text();
    let (_, args) = got.split_once('\n').context("no arguments")?;
    let args: Vec<_> = args.split_terminator('\0').collect();
    assert_eq!(args, ["/show/a%20b/c", "one", "t+o", "&"]);
    let env: BTreeSet<_> = env.split_terminator('\0').collect();
    let expected = [
        "CONTENT_LENGTH=5",
        "CONTENT_TYPE=text/x; charset=utf-8",
        "GATEWAY_INTERFACE=CGI/1.1",
        "HTTP_X_TEST=a, b",
        "PATH_INFO=/a b/c",
        "QUERY_STRING=one+t%2Bo+%26",
        "REMOTE_ADDR=127.0.0.1",
        "REQUEST_METHOD=PUT",
        "SCRIPT_NAME=/show",
        "SERVER_NAME=127.0.0.1",
        "SERVER_PROTOCOL=HTTP/1.1",
    ];
    for line in expected {
        assert!(env.contains(line), "no {line} in {env:#?}");
    }
    assert!(env.contains(&*format!("SERVER_PORT={}", trilby.port())), "{env:#?}");
    Ok(())
}

/// A query with `=` is a form, and no arguments (RFC 3875, section 4.4).
#[tokio::test]
async fn c_gets_no_arguments_from_a_form() -> Result<()> {
    let Some(trilby) = c().await? else { return Ok(()) };
    let answer = trilby.http.get("/show/x?a=1+2").await?.text();
    let (env, args) = answer.split_once('\n').context("no arguments")?;
    assert_eq!(args, "/show/x\0");
    assert!(env.contains("QUERY_STRING=a=1+2\0"), "{env}");
    Ok(())
}

/// Lines may end with CR LF, and bytes are bytes, however many, both ways.
#[tokio::test]
async fn c_streams_bytes() -> Result<()> {
    let Some(trilby) = c().await? else { return Ok(()) };
    let all: Vec<u8> = (0..=255).cycle().take(8 * 1024 * 1024 + 1).collect();
    for body in [Bytes::new(), Bytes::from_static(b"\r\n\r\n\0\xff\n"), Bytes::from(all)] {
        let answer = trilby.http.post("/echo", body.clone()).await?;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (200, body.len()));
        assert!(answer.body == body, "other bytes came back");
        assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
    }
    Ok(())
}

#[tokio::test]
async fn go_sees_the_request() -> Result<()> {
    let Some(trilby) = app("go", &["cgi.wasm"]).await? else { return Ok(()) };
    let headers = [("x-test", "a, b"), ("content-type", "text/x"), ("host", "example.com:8080")];
    let path = "/a%20b/%2Fc?status=201&x=%20y";
    let answer = trilby.http.send(Method::PUT, path, &headers, "12345").await?;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["first=1; Path=/", "second=2; HttpOnly"]);
    assert_snapshot!(answer.text(), @"
    method=PUT
    path=/a b//c
    query=status=201&x=%20y
    host=example.com:8080
    x-test=a, b
    content-type=text/x
    body=5
    ");
    Ok(())
}

#[tokio::test]
async fn go_answers_any_status_and_reads_any_body() -> Result<()> {
    let Some(trilby) = app("go", &["cgi.wasm"]).await? else { return Ok(()) };
    for (query, status) in
        [("", 418), ("?status=200", 200), ("?status=404", 404), ("?status=599", 599)]
    {
        let answer = trilby.http.get(&format!("/{query}")).await?;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(answer.text().contains("method=GET\npath=/\n"), "{}", answer.text());
        assert!(answer.text().ends_with("body=0\n"), "{}", answer.text());
    }
    let body = Bytes::from(vec![b'x'; 4 * 1024 * 1024]);
    let answer = trilby.http.post("/?status=200", body).await?;
    assert!(answer.text().ends_with("body=4194304\n"), "{}", answer.text());
    let answer = trilby.http.send(Method::HEAD, "/?status=200", &[], "").await?;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
    Ok(())
}
