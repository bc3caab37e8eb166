//! What guests print on standard error: in the log, and below `--log-dir`. And the id that joins
//! a request with its lines.

use std::path::PathBuf;

use anyhow::Result;
use http::Method;
use rustix::process::Signal;
use tempfile::TempDir;
use trilby_testkit::{Trilby, until};

use crate::registry::sha256;
use crate::wat;

const MANIFEST: &str = r#"
version = 1
name = "app"
[[route]]
path = "/deaf/..."
module = "deaf.wat"
[[route]]
path = "/show"
module = "show.wat"
[[route]]
path = "/gate"
module = "gate.wat"
[[route]]
path = "/trap"
module = "quiet.wat"
"#;

struct App {
    trilby: Trilby,
    folder: TempDir,
}

impl App {
    async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let trap = r#"(module (memory (export "memory") 1) (func (export "_start") unreachable))"#;
        std::fs::write(folder.path().join("quiet.wat"), trap)?;
        let launch = wat::write(&folder, "trilby.toml", MANIFEST, |launch| {
            launch.args(&["--log-dir", "logs/of/guests"])
        })?;
        Ok(Self { trilby: launch.start().await?, folder })
    }

    /// The file of a route, as WAGI names it.
    fn file(&self, route: &str) -> PathBuf {
        let folder = self.folder.path().join("logs/of/guests").join(sha256(route.as_bytes()));
        folder.join("module.stderr")
    }

    /// Waits until the file of a route has this content.
    async fn written(&self, route: &str, expected: &str) -> Result<()> {
        let file = self.file(route);
        let what = format!("{expected:?} in {}", file.display());
        until(&what, || {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            std::future::ready((text == expected).then_some(()))
        })
        .await
    }
}

#[tokio::test]
async fn each_route_has_its_file() -> Result<()> {
    let mut app = App::start().await?;
    for path in ["/deaf/a", "/deaf/b", "/show", "/gate"] {
        assert_eq!(app.trilby.http.get(path).await?.status, 200, "{path}");
    }
    app.written("/deaf/...", "begun\nbegun\n").await?;
    app.written("/gate", "begun\n").await?;
    // A guest that prints nothing leaves nothing behind.
    assert!(!app.file("/show").exists());
    // The log has it all the same, with the route.
    for route in ["/deaf/...", "/gate"] {
        let line = app.trilby.logged(&format!("begun route=\"{route}\"")).await?;
        assert!(line.contains("INFO trilby::guest"), "{line}");
    }
    Ok(())
}

/// Another start appends to what is there.
#[tokio::test]
async fn files_live_longer_than_the_process() -> Result<()> {
    let app = App::start().await?;
    app.trilby.http.get("/gate").await?;
    app.written("/gate", "begun\n").await?;
    let App { mut trilby, folder } = app;
    trilby.process().signal(Signal::TERM)?;
    assert!(trilby.process().ended().await?.success());
    let launch = wat::write(&folder, "trilby.toml", MANIFEST, |launch| {
        launch.args(&["--log-dir", "logs/of/guests"])
    })?;
    let app = App { trilby: launch.start().await?, folder };
    app.trilby.http.get("/gate").await?;
    app.written("/gate", "begun\nbegun\n").await
}

#[tokio::test]
async fn sighup_lets_files_be_moved_away() -> Result<()> {
    let mut app = App::start().await?;
    let (file, moved) = (app.file("/gate"), app.folder.path().join("moved"));
    app.trilby.http.get("/gate").await?;
    app.written("/gate", "begun\n").await?;
    std::fs::rename(&file, &moved)?;
    app.trilby.process().signal(Signal::HUP)?;
    app.trilby.logged("reloaded").await?;
    app.trilby.http.get("/gate").await?;
    app.written("/gate", "begun\n").await?;
    assert_eq!(std::fs::read_to_string(&moved)?, "begun\n");
    Ok(())
}

/// Until then, lines follow the file that was moved.
#[tokio::test]
async fn the_file_stays_open() -> Result<()> {
    let app = App::start().await?;
    let (file, moved) = (app.file("/gate"), app.folder.path().join("moved"));
    app.trilby.http.get("/gate").await?;
    app.written("/gate", "begun\n").await?;
    std::fs::rename(&file, &moved)?;
    app.trilby.http.get("/gate").await?;
    until("the second line", || {
        let text = std::fs::read_to_string(&moved).unwrap_or_default();
        std::future::ready((text == "begun\nbegun\n").then_some(()))
    })
    .await?;
    assert!(!file.exists());
    Ok(())
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_refused() -> Result<()> {
    let folder = crate::folder::Folder::with_app()?.with("taken", "")?;
    let refused = folder.refuses(folder.launch().args(&["--log-dir", "taken"])).await?;
    assert!(refused.starts_with("error: cannot make the folder taken: "), "{refused}");
    Ok(())
}

/// What a proxy in front calls a request is what the log calls it.
#[tokio::test]
async fn the_clients_id_is_in_every_line() -> Result<()> {
    let mut app = App::start().await?;
    let send = |path: &'static str, id: &str| {
        let (http, id) = (app.trilby.http.clone(), id.to_owned());
        async move { http.send(Method::GET, path, &[("x-request-id", &id)], "").await }
    };
    assert_eq!(send("/trap", "trapped-1").await?.status, 500);
    assert_eq!(send("/none", "lost-1").await?.status, 404);
    assert_eq!(send("/gate", "gate-1").await?.status, 200);
    let shown = send("/show", "shown-1").await?.text();
    assert!(shown.split('\0').any(|line| line == "REQUEST_ID=shown-1"), "{shown}");
    let too_long = "x".repeat(129);
    assert_eq!(send("/trap", &too_long).await?.status, 500);
    for (id, level, text) in [
        ("trapped-1", " WARN ", "outcome=\"trap\""),
        ("lost-1", " INFO ", "outcome=\"no_route\""),
        ("gate-1", " INFO ", "begun"),
        ("shown-1", "DEBUG ", "outcome=\"ok\""),
    ] {
        let line = app.trilby.logged(&format!("request_id=\"{id}\"")).await?;
        assert!(line.contains(level) && line.contains(text), "{line}");
    }
    assert!(!app.trilby.output().contains(&too_long));
    Ok(())
}
