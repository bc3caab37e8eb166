//! A route with `files`: a folder served as it is, beside modules.

use anyhow::{Context, Result};
use http::{Method, StatusCode};
use trilby_testkit::{Answer, Trilby};

use crate::folder::{Folder, saying};

const MANIFEST: &str = r#"
version = 1
name = "app"
[[route]]
path = "/static/..."
files = "public"
response-headers = { "Cache-Control" = "max-age=60", "Content-Type" = "never/used" }
[[route]]
path = "/static/api/..."
module = "api.wat"
[[route]]
path = "/..."
files = "site"
[[route]]
path = "/hello"
module = "hello.wat"
"#;

/// As many bytes as need many reads and writes.
fn large() -> Vec<u8> {
    (0..3_000_000_u32).map(|at| u8::try_from(at % 251).unwrap_or_default()).collect()
}

pub(crate) fn folder() -> Result<Folder> {
    let mut folder = Folder::new()?.with("trilby.toml", MANIFEST)?;
    let files = [
        ("api.wat", saying("api\n")),
        ("hello.wat", saying("hello\n")),
        ("secret.txt", "secret".to_owned()),
        ("public/index.html", "<h1>home</h1>".to_owned()),
        ("public/sub/index.html", "sub".to_owned()),
        ("public/style.css", "0123456789".to_owned()),
        ("public/a b é.txt", "blanks".to_owned()),
        ("public/api/file", "hidden by the longer path".to_owned()),
        ("public/.env", "secret".to_owned()),
        ("public/.git/config", "secret".to_owned()),
        ("public/.well-known/acme", "acme".to_owned()),
        ("public/empty/.keep", String::new()),
        ("site/index.html", "site".to_owned()),
        ("site/sub/index.html", "site/sub".to_owned()),
    ];
    for (name, content) in files {
        folder = folder.with(name, content)?;
    }
    folder.with("public/large.bin", large())
}

pub(crate) async fn serve(folder: &Folder) -> Result<Trilby> {
    folder.launch().start().await
}

pub(crate) async fn get(trilby: &Trilby, path: &str, headers: &[(&str, &str)]) -> Result<Answer> {
    trilby.http.send(Method::GET, path, headers, "").await
}

#[tokio::test]
async fn types_go_by_the_extension() -> Result<()> {
    let types = [
        ("a.html", "text/html; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.json", "application/json"),
        ("a.svg", "image/svg+xml"),
        ("a.png", "image/png"),
        ("a.wasm", "application/wasm"),
        ("a.txt", "text/plain; charset=utf-8"),
        ("a", "application/octet-stream"),
    ];
    let mut folder = folder()?;
    for (name, _) in types {
        folder = folder.with(&format!("public/{name}"), name)?;
    }
    let trilby = serve(&folder).await?;
    for (name, expected) in types {
        let answer = get(&trilby, &format!("/static/{name}"), &[]).await?;
        assert_eq!((answer.status.as_u16(), &*answer.text()), (200, name));
        assert_eq!(answer.header("content-type"), Some(expected), "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn files_are_whole_and_their_names_are_decoded() -> Result<()> {
    let folder = folder()?;
    let trilby = serve(&folder).await?;
    let cases = [
        ("/static/", "<h1>home</h1>"),
        ("/static/sub/", "sub"),
        ("/static/style.css?v=1", "0123456789"),
        ("/static/a%20b%20%C3%A9.txt", "blanks"),
        ("/static/%73tyle.css", "0123456789"),
        ("/static/.well-known/acme", "acme"),
        ("/", "site"),
    ];
    for (path, expected) in cases {
        let answer = get(&trilby, path, &[]).await?;
        assert_eq!((answer.status.as_u16(), &*answer.text()), (200, expected), "{path}");
    }
    let answer = get(&trilby, "/static/large.bin", &[]).await?;
    assert!(answer.body == large(), "{} bytes", answer.body.len());
    // What the route adds stands beside what the file is.
    let answer = get(&trilby, "/static/style.css", &[]).await?;
    assert_eq!(answer.header("cache-control"), Some("max-age=60"));
    assert_eq!(answer.header("content-type"), Some("text/css; charset=utf-8"));
    assert_eq!(answer.header("content-length"), Some("10"));
    assert_eq!(get(&trilby, "/", &[]).await?.header("cache-control"), None);
    Ok(())
}

#[tokio::test]
async fn the_longer_path_wins() -> Result<()> {
    let folder = folder()?;
    let trilby = serve(&folder).await?;
    let cases = [
        ("/static/api/file", "api\n"),
        ("/static/api", "api\n"),
        ("/hello", "hello\n"),
        ("/", "site"),
    ];
    for (path, expected) in cases {
        assert_eq!(get(&trilby, path, &[]).await?.text(), expected, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn only_get_and_head_are_answered() -> Result<()> {
    let folder = folder()?;
    let trilby = serve(&folder).await?;
    let head = trilby.http.send(Method::HEAD, "/static/style.css", &[], "").await?;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some("10"));
    assert_eq!(head.header("content-type"), Some("text/css; charset=utf-8"));
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let answer = trilby.http.send(method.clone(), "/static/style.css", &[], "x").await?;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), Some("GET, HEAD"), "{method}");
    }
    assert_eq!(std::fs::read_to_string(folder.path("public/style.css"))?, "0123456789");
    Ok(())
}

#[tokio::test]
async fn parts_of_a_file_are_served() -> Result<()> {
    let folder = folder()?;
    let trilby = serve(&folder).await?;
    let cases = [
        ("bytes=2-4", "bytes 2-4/10", "234"),
        ("bytes=7-", "bytes 7-9/10", "789"),
        ("bytes=-2", "bytes 8-9/10", "89"),
        ("bytes=8-99", "bytes 8-9/10", "89"),
    ];
    for (range, content_range, expected) in cases {
        let answer = get(&trilby, "/static/style.css", &[("range", range)]).await?;
        assert_eq!((answer.status.as_u16(), &*answer.text()), (206, expected), "{range}");
        assert_eq!(answer.header("content-range"), Some(content_range), "{range}");
    }
    let answer = get(&trilby, "/static/style.css", &[("range", "bytes=10-")]).await?;
    assert_eq!(answer.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(answer.header("content-range"), Some("bytes */10"));
    Ok(())
}

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() -> Result<()> {
    let folder = folder()?;
    let trilby = serve(&folder).await?;
    let first = get(&trilby, "/static/style.css", &[]).await?;
    let modified = first.header("last-modified").context("no Last-Modified")?;
    let again = get(&trilby, "/static/style.css", &[("if-modified-since", modified)]).await?;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    let old = [("if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT")];
    let again = get(&trilby, "/static/style.css", &old).await?;
    assert_eq!((again.status.as_u16(), &*again.text()), (200, "0123456789"));
    Ok(())
}
