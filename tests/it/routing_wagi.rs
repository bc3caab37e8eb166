//! Routes of WAGI's `modules.toml`.

use anyhow::Result;
use http::Method;
use trilby_testkit::Answer;

use crate::folder::saying;
use crate::heads;
use crate::raw;
use crate::shown::shown;

/// An entry for each path. Its guest is `show.wat` where the word is empty, and else says it.
async fn served(entries: &[(&str, &str)]) -> Result<heads::App> {
    let mut manifest = String::new();
    let mut modules = Vec::new();
    for (number, (path, word)) in entries.iter().enumerate() {
        let name = if word.is_empty() { "show.wat".to_owned() } else { format!("{number}.wat") };
        manifest.push_str(&format!("[[module]]\nroute = '{path}'\nmodule = '{name}'\n"));
        if !word.is_empty() {
            modules.push((name, saying(word)));
        }
    }
    let modules: Vec<(&str, &str)> =
        modules.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    heads::serve("modules.toml", &manifest, &modules).await
}

#[tokio::test]
async fn the_first_match_answers() -> Result<()> {
    let app = served(&[
        ("/a/b", "exact"),
        ("/a/...", "below a"),
        ("/a/b/c", "never"),
        ("/exact/", "with a slash"),
        ("/exact", "without"),
        ("/:id", "a colon"),
        ("/x/...", "below x"),
        ("/x/y/...", "never"),
    ])
    .await?;
    for (path, expected) in [
        ("/a/b", "exact"),
        ("/a", "below a"),
        ("/a/", "below a"),
        ("/a/b/", "below a"),
        ("/a/b/c", "below a"),
        ("/exact", "without"),
        ("/exact/", "with a slash"),
        // WAGI has no parameters.
        ("/:id", "a colon"),
        ("/x/y/z", "below x"),
    ] {
        let (head, body) =
            raw::request(&app.trilby, &format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await?;
        assert_eq!((head.status, &*body), (200, expected), "{path}");
    }
    for path in ["/", "/7", "/ab", "/A/b", "/%61/b", "/exact//", "//a/b", "/a/../exact/no"] {
        let sent = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        let (head, body) = raw::request(&app.trilby, &sent).await?;
        let expected = if path.starts_with("/a/") { 200 } else { 404 };
        assert_eq!(head.status, expected, "{path}: {body}");
    }
    Ok(())
}

#[tokio::test]
async fn all_methods_and_hosts_are_alike() -> Result<()> {
    let app = served(&[("/...", "")]).await?;
    for method in ["GET", "POST", "DELETE", "OPTIONS", "PROPFIND", "own"] {
        let first = format!("{method} /x HTTP/1.1");
        for host in ["Host: a.test", "Host: b.test:99", "Host: [::1]"] {
            shown(&app.trilby, &first, &[host]).await?.has(&[("REQUEST_METHOD", Some(method))]);
        }
    }
    assert_eq!(app.trilby.http.send(Method::HEAD, "/x", &[], "").await?.status, 200);
    Ok(())
}

/// WAGI's `/...` has a script name of `/` there; RFC 3875 section 4.1.13 wants the empty one, so
/// that script name and path info together are the path.
#[tokio::test]
async fn paths_are_split_as_the_rfc_has_them() -> Result<()> {
    let app = served(&[("/exact", ""), ("/pre/...", ""), ("/...", "")]).await?;
    for (path, route, script_name, path_info) in [
        ("/exact", "/exact", "/exact", ""),
        ("/pre", "/pre/...", "/pre", ""),
        ("/pre/a%20b/../c%2Fd", "/pre/...", "/pre", "/a b/../c/d"),
        ("/", "/...", "", "/"),
        ("/zzz/y", "/...", "", "/zzz/y"),
        ("//zzz", "/...", "", "//zzz"),
    ] {
        let seen = shown(&app.trilby, &format!("GET {path} HTTP/1.1"), &["Host: a"]).await?;
        seen.has(&[
            ("X_MATCHED_ROUTE", Some(route)),
            ("SCRIPT_NAME", Some(script_name)),
            ("PATH_INFO", Some(path_info)),
            ("PATH_TRANSLATED", None),
        ]);
    }
    Ok(())
}

/// Also before a route that matches everything, and in both manifests.
#[tokio::test]
async fn the_servers_own_paths_come_first() -> Result<()> {
    let wagi = served(&[("/...", "guest")]).await?;
    let ours = "version = 1\n[[route]]\npath = '/...'\nmodule = 'show.wat'\n";
    let ours = heads::serve("trilby.toml", ours, &[]).await?;
    for app in [wagi, ours] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            for path in ["/healthz", "/readyz", "/healthz?x=1"] {
                let answer = app.trilby.http.send(method.clone(), path, &[], "").await?;
                let Answer { status, headers, .. } = &answer;
                assert_eq!((status.as_u16(), &*answer.text()), (200, "OK"), "{method} {path}");
                assert_eq!(headers.get("content-type"), None, "{method} {path}");
            }
        }
        let head = app.trilby.http.send(Method::HEAD, "/healthz", &[], "").await?;
        assert_eq!((head.status.as_u16(), &*head.text()), (200, ""));
        // These are the guest's.
        for path in ["/healthz/", "/healthz/x", "/Healthz", "/%68ealthz"] {
            let answer = app.trilby.http.get(path).await?;
            assert_eq!(answer.status, 200, "{path}");
            assert_ne!(answer.text(), "OK", "{path}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn without_a_match_nothing_is_there() -> Result<()> {
    let app = served(&[("/a", "guest")]).await?;
    for method in [Method::GET, Method::POST, Method::OPTIONS] {
        let answer = app.trilby.http.send(method, "/b", &[], "a body").await?;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (404, None));
        assert_eq!(answer.text(), "no route matches this path\n");
    }
    Ok(())
}
