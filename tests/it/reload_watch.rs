//! `--watch`: reloads at each change of a file, and at nothing else.

use anyhow::Result;
use trilby_testkit::{Launch, Trilby, until};

use crate::folder::{Folder, MANIFEST, saying};
use crate::script::{count, counted};
use crate::wat;

const RELOADED: &str = "trilby::reload: reloaded trilby.toml";
const NOT_RELOADED: &str = "not reloaded, the old version serves on";

fn watched(folder: &Folder) -> Launch {
    folder.launch().args(&["--watch"])
}

async fn answers(trilby: &Trilby, path: &str, text: &str) -> Result<()> {
    let what = format!("`{text}` at {path}");
    let answered = until(&what, || async {
        let answer = trilby.http.get(path).await.ok()?;
        (answer.text() == text).then_some(())
    });
    answered.await.map_err(|error| error.context(without_requests(trilby)))
}

/// What it printed, but for the lines of all these requests.
fn without_requests(trilby: &Trilby) -> String {
    let output = trilby.output();
    let lines = output.lines().filter(|line| !line.contains("trilby::request"));
    lines.collect::<Vec<_>>().join("\n")
}

/// One change, one reload; and none without a change, or there would be more of them by the time
/// of the later ones.
#[tokio::test]
async fn each_change_is_one_reload() -> Result<()> {
    let folder = Folder::with_app()?;
    let trilby = watched(&folder).start().await?;
    let folder = folder.with("a.wat", saying("changed\n"))?;
    answers(&trilby, "/", "changed\n").await?;
    counted(&trilby, RELOADED, 1).await?;
    let more = format!("{MANIFEST}[[route]]\npath = \"/b\"\nmodule = \"b.wat\"\n");
    let folder = folder.with("b.wat", saying("b\n"))?.with("trilby.toml", more)?;
    answers(&trilby, "/b", "b\n").await?;
    counted(&trilby, RELOADED, 2).await?;
    // The new module is looked at, too, and a file that nobody uses is not.
    let folder = folder.with("c.wat", saying("c\n"))?.with("b.wat", saying("changed, too\n"))?;
    answers(&trilby, "/b", "changed, too\n").await?;
    counted(&trilby, RELOADED, 3).await?;
    let _folder = folder.with("trilby.toml", MANIFEST)?;
    answers(&trilby, "/b", "changed\n").await?;
    counted(&trilby, RELOADED, 4).await?;
    assert_eq!(count(&trilby, RELOADED), 4, "{}", trilby.output());
    assert_eq!(count(&trilby, NOT_RELOADED), 0, "{}", trilby.output());
    Ok(())
}

/// An editor may put another file in the place of the old one, which then is gone for a moment.
#[tokio::test]
async fn a_replaced_file_is_a_change() -> Result<()> {
    let folder = Folder::with_app()?;
    let trilby = watched(&folder).start().await?;
    for text in ["one\n", "two\n", "three\n"] {
        std::fs::write(folder.path("new"), saying(text))?;
        std::fs::rename(folder.path("new"), folder.path("a.wat"))?;
        answers(&trilby, "/", text).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_file_of_variables_is_looked_at() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let manifest = "version = 1\n[[route]]\npath = '/'\nmodule = 'show.wat'\n";
    let launch = wat::write(&folder, "trilby.toml", manifest, |launch| {
        launch.args(&["--watch", "--env-file", "own.env"])
    })?;
    let file = folder.path().join("own.env");
    std::fs::write(&file, "WORD=first\n")?;
    let trilby = launch.start().await?;
    let shows = async |word: &str| {
        until(word, || async {
            let shown = trilby.http.get("/").await.ok()?.text();
            shown.contains(&format!("WORD={word}\0")).then_some(())
        })
        .await
        .map_err(|error| error.context(trilby.output()))
    };
    shows("first").await?;
    for word in ["second", "third"] {
        std::fs::write(&file, format!("WORD={word}\n"))?;
        shows(word).await?;
    }
    Ok(())
}

/// A version that is no good is told once, and looked at again when it changes, with all the files
/// that it names.
#[tokio::test]
async fn a_bad_version_is_told_until_it_is_good() -> Result<()> {
    let folder = Folder::with_app()?;
    let trilby = watched(&folder).start().await?;
    let folder = folder.with("trilby.toml", format!("{MANIFEST}wrong = 1\n"))?;
    counted(&trilby, NOT_RELOADED, 1).await?;
    answers(&trilby, "/", "a\n").await?;
    let folder = folder.with("trilby.toml", format!("{MANIFEST}# good\n"))?;
    counted(&trilby, RELOADED, 1).await?;

    let folder = folder.with("a.wat", "(module")?;
    counted(&trilby, NOT_RELOADED, 2).await?;
    answers(&trilby, "/", "a\n").await?;
    let _folder = folder.with("a.wat", saying("good\n"))?;
    answers(&trilby, "/", "good\n").await?;
    counted(&trilby, RELOADED, 2).await?;
    let counts = [RELOADED, NOT_RELOADED].map(|text| count(&trilby, text));
    assert_eq!(counts, [2, 2], "{}", trilby.output());
    Ok(())
}

/// A module that a new manifest names before it is there, or good, is waited for.
#[tokio::test]
async fn a_module_may_come_after_its_route() -> Result<()> {
    let folder = Folder::with_app()?;
    let trilby = watched(&folder).start().await?;
    let more = format!("{MANIFEST}[[route]]\npath = \"/b\"\nmodule = \"b.wat\"\n");
    let folder = folder.with("trilby.toml", more)?;
    counted(&trilby, NOT_RELOADED, 1).await?;
    let folder = folder.with("b.wat", "(module")?;
    counted(&trilby, NOT_RELOADED, 2).await?;
    let _folder = folder.with("b.wat", saying("b\n"))?;
    answers(&trilby, "/b", "b\n").await
}

/// A module is built when its source changes, and what the build writes is no change.
#[tokio::test]
async fn a_source_is_built_and_its_module_is_no_change() -> Result<()> {
    let manifest = format!("{MANIFEST}build = \"cp src/a.txt a.wat\"\nsources = [\"src\"]\n");
    let folder = Folder::new()?.with("trilby.toml", manifest)?;
    let mut folder = folder.with("src/a.txt", saying("0\n"))?;
    let trilby = builds(&folder).start().await?;
    for version in 1..=3 {
        folder = folder.with("src/a.txt", saying(&format!("{version}\n")))?;
        answers(&trilby, "/", &format!("{version}\n")).await?;
        counted(&trilby, RELOADED, version).await?;
    }
    assert_eq!(count(&trilby, RELOADED), 3, "{}", trilby.output());
    assert_eq!(count(&trilby, "building: "), 4, "{}", trilby.output());
    Ok(())
}

/// A source may be new.
#[tokio::test]
async fn a_new_source_is_a_change() -> Result<()> {
    let build = "cp src/* a.wat";
    let manifest = format!("{MANIFEST}build = \"{build}\"\nsources = [\"src\"]\n");
    let folder = Folder::new()?.with("trilby.toml", manifest)?.with("a.wat", saying("0\n"))?;
    std::fs::create_dir(folder.path("src"))?;
    let trilby = builds(&folder).start().await?;
    let _folder = folder.with("src/a.txt", saying("1\n"))?;
    answers(&trilby, "/", "1\n").await
}

/// What changes while a reload is under way is not lost. The build waits until it is told to go on.
#[tokio::test]
async fn a_change_during_a_reload_is_seen() -> Result<()> {
    let build = "cp src/a.txt a.wat; if test -e wait; then rm wait; read line < go; fi";
    let with = |extra: &str| format!("{MANIFEST}build = \"{build}\"\nsources = [\"src\"]\n{extra}");
    let folder = Folder::new()?.with("trilby.toml", with(""))?;
    let folder = folder.with("src/a.txt", saying("0\n"))?;
    let mut mkfifo = std::process::Command::new("mkfifo");
    assert!(
        folder
            .ends({
                mkfifo.arg(folder.path("go"));
                mkfifo
            })
            .await?
            .code
            == Some(0)
    );
    let trilby = builds(&folder).start().await?;
    let folder = folder.with("wait", "")?.with("src/a.txt", saying("1\n"))?;
    until("the build", || async { (!folder.path("wait").exists()).then_some(()) })
        .await
        .map_err(|error| error.context(trilby.output()))?;
    let more = with("[[route]]\npath = \"/b\"\nmodule = \"b.wat\"\n");
    let folder = folder.with("b.wat", saying("b\n"))?.with("trilby.toml", more)?;
    std::fs::write(folder.path("go"), "\n")?;
    answers(&trilby, "/", "1\n").await?;
    answers(&trilby, "/b", "b\n").await
}

/// `trilby serve --watch` that may build.
fn builds(folder: &Folder) -> Launch {
    let mut launch = watched(folder);
    launch.args.retain(|arg| arg != "--no-build");
    launch
}
