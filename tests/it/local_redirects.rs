//! `Location: /path` alone: another path answers, and the client does not see that (RFC 3875
//! section 6.2.2).

use anyhow::Result;
use http::Method;
use trilby_testkit::Client;

use crate::heads::{self, App, printing};
use crate::raw;
use crate::shown::{Shown, shown};

/// A line for each route: its path, and what its guest says.
const GUESTS: [(&str, &str); 11] = [
    ("/go", "Location: /show/a%20b?x=1&y\n\nnot for the client"),
    ("/twice", "location: /go\r\n\r\n"),
    ("/bare", "Location: /show\n\n"),
    ("/loop", "Location: /loop?again\n\n"),
    ("/lost", "Location: /nowhere\n\n"),
    ("/health", "Location: /healthz\n\n"),
    ("/cookie", "Location: /show\nSet-Cookie: a=1\n\n"),
    ("/status", "Status: 303\nLocation: /show\n\n"),
    ("/typed", "Location: /show\nContent-Type: text/plain\n\nmoved\n"),
    ("/fragment", "Location: /show#part\n\n"),
    ("/host", "Location: //show/x\n\n"),
];

/// Serves them as an entry each of a manifest, after a guest at `/show/...`.
async fn served(manifest: &str, entry: impl Fn(&str, &str) -> String, more: &str) -> Result<App> {
    let mut text = entry("/show/...", "show.wat");
    let mut modules = Vec::new();
    for (path, output) in GUESTS {
        let name = format!("{}.wat", path.trim_start_matches('/'));
        text.push_str(&entry(path, &name));
        modules.push((name, printing(output)));
    }
    let modules: Vec<(&str, &str)> =
        modules.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    heads::serve(manifest, &format!("{more}{text}"), &modules).await
}

async fn by_trilby_toml() -> Result<App> {
    let more = "version = 1\n[[route]]\npath = '/copy'\nmodule = 'copy.wat'\n\
                [[route]]\npath = '/post-only'\nmethods = ['POST']\nmodule = 'show.wat'\n\
                [[route]]\npath = '/files/...'\nfiles = '.'\n";
    let entry =
        |path: &str, module: &str| format!("[[route]]\npath = \"{path}\"\nmodule = \"{module}\"\n");
    served("trilby.toml", entry, more).await
}

async fn by_modules_toml() -> Result<App> {
    let entry = |path: &str, module: &str| {
        format!("[[module]]\nroute = \"{path}\"\nmodule = \"{module}\"\n")
    };
    served("modules.toml", entry, "").await
}

#[tokio::test]
async fn the_other_path_answers_in_both_manifests() -> Result<()> {
    for (app, args) in [
        (by_trilby_toml().await?, &["/show/a%20b"][..]),
        (by_modules_toml().await?, &["/show/a%20b", "x=1", "y"]),
    ] {
        for path in ["/go", "/twice"] {
            let first = format!("GET {path}?lost HTTP/1.1");
            let seen = shown(&app.trilby, &first, &["Host: a.test", "Cookie: a=1"]).await?;
            seen.has(&[
                ("REQUEST_METHOD", Some("GET")),
                ("SCRIPT_NAME", Some("/show")),
                ("PATH_INFO", Some("/a b")),
                ("QUERY_STRING", Some("x=1&y")),
                ("REQUEST_URI", Some("/show/a%20b?x=1&y")),
                ("X_FULL_URL", Some("http://a.test/show/a%20b?x=1&y")),
                ("X_MATCHED_ROUTE", Some("/show/...")),
                // What the client asked for, through however many redirects.
                ("REDIRECT_URL", Some(path)),
                ("HTTP_COOKIE", Some("a=1")),
                ("HTTP_HOST", Some("a.test")),
                ("REMOTE_ADDR", Some("127.0.0.1")),
            ]);
            assert_eq!(seen.args, args);
        }
        let seen = shown(&app.trilby, "GET /show HTTP/1.1", &["Host: a"]).await?;
        seen.has(&[("REDIRECT_URL", None)]);
    }
    Ok(())
}

#[tokio::test]
async fn the_new_request_has_no_body() -> Result<()> {
    let app = by_trilby_toml().await?;
    let to = "Location: /show\n\n";
    let length = format!("Content-Length: {}", to.len());
    let lines = ["Host: a", "Content-Type: a/b", &*length, "", to];
    for method in ["POST", "PUT", "DELETE"] {
        let seen = shown(&app.trilby, &format!("{method} /copy HTTP/1.1"), &lines).await?;
        seen.has(&[
            ("REQUEST_METHOD", Some("GET")),
            ("REDIRECT_URL", Some("/copy")),
            ("CONTENT_LENGTH", None),
            ("CONTENT_TYPE", None),
            ("HTTP_CONTENT_LENGTH", None),
        ]);
    }
    // The route is looked up for GET.
    let answer = app.trilby.http.post("/copy", "Location: /post-only\n\n").await?;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some("POST")));
    // To itself, with nothing to copy.
    assert_eq!(app.trilby.http.post("/copy", "Location: /copy\n\n").await?.status, 502);
    Ok(())
}

/// Whether or not the guest says something that goes nowhere.
#[tokio::test]
async fn head_stays_head() -> Result<()> {
    let app = by_trilby_toml().await?;
    for path in ["/bare", "/go"] {
        let seen = app.trilby.http.get(path).await?;
        Shown::parse(&seen.text())?.has(&[("REQUEST_METHOD", Some("GET"))]);
        let head = app.trilby.http.send(Method::HEAD, path, &[], "").await?;
        assert_eq!((head.status.as_u16(), head.text().as_str()), (200, ""), "{path}");
        assert_eq!(head.header("content-type"), Some("text/plain"), "{path}");
        // `HEAD` has one letter more than `GET`; ids and ports may have one more, too.
        let length: usize = head.header("content-length").unwrap_or_default().parse()?;
        assert!(length > seen.body.len(), "{path}: {length} after {}", seen.body.len());
    }
    Ok(())
}

#[tokio::test]
async fn http2_is_redirected_alike() -> Result<()> {
    let app = by_trilby_toml().await?;
    let http = Client::http2(&format!("http://{}", app.trilby.address));
    let answer = http.get("/twice").await?;
    Shown::parse(&answer.text())?.has(&[
        ("SERVER_PROTOCOL", Some("HTTP/2.0")),
        ("HTTP_HOST", Some(&app.trilby.address)),
        ("X_FULL_URL", Some(&format!("http://{}/show/a%20b?x=1&y", app.trilby.address))),
        ("REDIRECT_URL", Some("/twice")),
    ]);
    Ok(())
}

/// Whatever more the guest says would get lost on the way, so the client is redirected instead.
#[tokio::test]
async fn redirects_with_more_go_to_the_client() -> Result<()> {
    for app in [by_trilby_toml().await?, by_modules_toml().await?] {
        for (path, status, location, cookie, body) in [
            ("/cookie", 302, "/show", Some("a=1"), ""),
            ("/status", 303, "/show", None, ""),
            ("/typed", 302, "/show", None, "moved\n"),
            ("/fragment", 302, "/show#part", None, ""),
            ("/host", 302, "//show/x", None, ""),
        ] {
            let answer = app.trilby.http.get(path).await?;
            assert_eq!((answer.status.as_u16(), &*answer.text()), (status, body), "{path}");
            assert_eq!(answer.header("location"), Some(location), "{path}");
            assert_eq!(answer.header("set-cookie"), cookie, "{path}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn redirects_end() -> Result<()> {
    for mut app in [by_trilby_toml().await?, by_modules_toml().await?] {
        let headers = [("x-request-id", "dizzy")];
        let answer = app.trilby.http.send(Method::GET, "/loop", &headers, "").await?;
        assert_eq!(answer.status, 502);
        assert_eq!(answer.text(), "the module's answer is not valid\n");
        assert_eq!(answer.header("location"), None);
        let line = app.trilby.logged("outcome=\"redirect_loop\"").await?;
        assert!(line.contains("request_id=\"dizzy\"") && line.contains(" WARN "), "{line}");
        assert!(line.contains("too many local redirects"), "{line}");
        // It has done no harm.
        assert_eq!(app.trilby.http.get("/go").await?.status, 200);
    }
    Ok(())
}

#[tokio::test]
async fn what_the_server_answers_itself_is_a_target_too() -> Result<()> {
    let app = by_trilby_toml().await?;
    let answer = app.trilby.http.get("/lost").await?;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (404, None));
    let answer = app.trilby.http.get("/health").await?;
    assert_eq!((answer.status.as_u16(), &*answer.text()), (200, "OK"));
    let answer = app.trilby.http.post("/copy", "Location: /files/loop.wat\n\n").await?;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, printing(GUESTS[3].1)));
    // Deliveries come from Dapr, and a guest is not Dapr.
    for to in ["/dapr/subscribe", "/dapr/events/bus/t"] {
        let answer = app.trilby.http.post("/copy", format!("Location: {to}\n\n")).await?;
        assert_eq!(answer.status, 404, "{to}: {}", answer.text());
    }
    let sent = "GET /lost HTTP/1.0\r\n\r\n";
    assert_eq!(raw::request(&app.trilby, sent).await?.0.status, 404);
    Ok(())
}
