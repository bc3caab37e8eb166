//! Which files of a folder a path leads to, and which not.

use anyhow::Result;

use crate::files::{folder, get, serve};

#[tokio::test]
async fn what_is_not_there_is_not_found() -> Result<()> {
    let folder = folder()?;
    let trilby = serve(&folder).await?;
    let long = format!("/static/{}", "x".repeat(300));
    let paths = [
        "/static/none",
        "/static/none/none",
        "/static/style.css/",
        "/static/style.css/none",
        "/static/empty/",
        "/static/style.css%00",
        "/static/Style.css",
        &long,
        "/none",
    ];
    for path in paths {
        let answer = get(&trilby, path, &[]).await?;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
    }
    Ok(())
}

#[tokio::test]
async fn what_is_hidden_or_outside_is_not_found() -> Result<()> {
    let folder = folder()?;
    let trilby = serve(&folder).await?;
    let outside = folder.path("secret.txt").display().to_string();
    let paths = [
        "/static/.env".to_owned(),
        "/static/%2eenv".to_owned(),
        "/static/.git/config".to_owned(),
        "/static/sub/../.env".to_owned(),
        "/static/../secret.txt".to_owned(),
        "/static/sub/../../secret.txt".to_owned(),
        "/static/%2e%2e/secret.txt".to_owned(),
        "/static/..%2fsecret.txt".to_owned(),
        "/static/..%5csecret.txt".to_owned(),
        "/static/.%2e%2fsecret.txt".to_owned(),
        "/static/%252e%252e/secret.txt".to_owned(),
        "/../secret.txt".to_owned(),
        format!("/static/{outside}"),
        format!("/static/{}", outside.replace('/', "%2f")),
    ];
    for path in paths {
        let answer = get(&trilby, &path, &[]).await?;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
        assert!(!answer.text().contains("secret"), "{path}");
    }
    Ok(())
}

/// Who may write into the folder decides what is served.
#[tokio::test]
async fn links_are_followed() -> Result<()> {
    let folder = folder()?;
    std::os::unix::fs::symlink("../secret.txt", folder.path("public/link.txt"))?;
    std::os::unix::fs::symlink("../site", folder.path("public/linked"))?;
    let trilby = serve(&folder).await?;
    assert_eq!(get(&trilby, "/static/link.txt", &[]).await?.text(), "secret");
    assert_eq!(get(&trilby, "/static/linked/", &[]).await?.text(), "site");
    Ok(())
}

/// Relative links in a folder's page need the slash.
#[tokio::test]
async fn a_folder_gets_its_slash() -> Result<()> {
    let folder = folder()?;
    let trilby = serve(&folder).await?;
    let cases = [
        ("/static/sub", "/static/sub/"),
        ("/sub", "/sub/"),
        // The client's parameters are for the page.
        ("/static/sub?a=1&b", "/static/sub/?a=1&b"),
        ("/static", "/static/"),
    ];
    for (path, expected) in cases {
        let answer = get(&trilby, path, &[]).await?;
        assert!(answer.status.is_redirection(), "{path}: {}", answer.status);
        assert_eq!(answer.header("location"), Some(expected), "{path}");
    }
    // `//sub/` would lead to another host.
    let answer = get(&trilby, "//sub", &[]).await?;
    let location = answer.header("location").unwrap_or_default();
    assert!(!location.starts_with("//"), "{location}");
    Ok(())
}
