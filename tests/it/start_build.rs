//! A route's build command: run when the module is missing or older than its sources, with its
//! output shown.

use std::fs::File;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use insta::assert_snapshot;
use trilby_testkit::Launch;

use crate::folder::{Folder, MANIFEST, saying};

/// An application whose module is made from `src/a.wat` by this command.
fn app(command: &str) -> Result<Folder> {
    let manifest = MANIFEST.replace("a.wat", "out/a.wat");
    let manifest = format!("{manifest}build = \"{command}\"\nsources = [\"src\"]\n");
    Folder::new()?.with("trilby.toml", manifest)?.with("src/a.wat", saying("first\n"))
}

const COPY: &str = "mkdir -p out; cp src/a.wat out/a.wat; echo to stdout; echo to stderr >&2";

fn building(folder: &Folder) -> Launch {
    let mut launch = folder.launch().env("TRILBY_LOG", "off");
    launch.args.retain(|arg| arg != "--no-build");
    launch
}

/// Serves, and gives what `/` answers and whether the module was built.
async fn served(folder: &Folder, launch: &Launch) -> Result<(String, bool)> {
    let trilby = launch.start().await?;
    let answer = trilby.http.get("/").await?.text();
    let output = folder.output_of(trilby).await?;
    let said = ["building: mkdir", "to stdout", "to stderr"].map(|text| output.contains(text));
    assert!(said == [true; 3] || said == [false; 3], "{output}");
    Ok((answer, said == [true; 3]))
}

fn age(folder: &Folder, name: &str, by: Duration) -> Result<()> {
    Ok(File::options().write(true).open(folder.path(name))?.set_modified(SystemTime::now() - by)?)
}

#[tokio::test]
async fn a_module_is_built_when_it_is_missing_or_old() -> Result<()> {
    let folder = app(COPY)?;
    let launch = building(&folder);
    assert_eq!(served(&folder, &launch).await?, ("first\n".to_owned(), true));
    assert_eq!(served(&folder, &launch).await?, ("first\n".to_owned(), false));

    let folder = folder.with("src/a.wat", saying("second\n"))?;
    age(&folder, "out/a.wat", Duration::from_secs(60))?;
    assert_eq!(
        served(&folder, &folder.launch()).await?,
        ("first\n".to_owned(), false),
        "--no-build"
    );
    assert_eq!(served(&folder, &launch).await?, ("second\n".to_owned(), true));

    // Only the sources count.
    let folder = folder.with("notes.txt", "")?;
    age(&folder, "src/a.wat", Duration::from_secs(120))?;
    age(&folder, "out/a.wat", Duration::from_secs(60))?;
    assert_eq!(served(&folder, &launch).await?, ("second\n".to_owned(), false));
    Ok(())
}

#[tokio::test]
async fn the_build_command_builds_and_ends() -> Result<()> {
    let folder = app(COPY)?;
    let ended = folder.ends(folder.trilby(&["build"])?).await?;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "to stdout\n"), "{}", ended.stderr);
    assert!(folder.path("out/a.wat").exists());
    let ended = folder.ends(folder.trilby(&["build", "."])?).await?;
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "", ""));
    let ended = folder.ends(folder.trilby(&["build", "nowhere"])?).await?;
    assert_eq!(ended.code, Some(64), "{}", ended.stderr);
    Ok(())
}

#[tokio::test]
async fn a_build_that_fails_is_told() -> Result<()> {
    let folder = app("echo no such compiler >&2; exit 3")?;
    assert_snapshot!(folder.refuses(building(&folder)).await?, @r#"
    building: echo no such compiler >&2; exit 3
    no such compiler
    error: the build command failed (exit status: 3): echo no such compiler >&2; exit 3
     --> trilby.toml:6:10
      |
    6 | module = "out/a.wat"
      |          ^^^^^^^^^^^
    "#);
    let folder = app("true")?;
    assert_snapshot!(folder.refuses(building(&folder)).await?, @r#"
    building: true
    error: the build command succeeded but did not make ./out/a.wat
     --> trilby.toml:6:10
      |
    6 | module = "out/a.wat"
      |          ^^^^^^^^^^^
    "#);
    Ok(())
}

#[tokio::test]
async fn a_module_that_may_not_be_built_is_told_how() -> Result<()> {
    let folder = app("make a")?;
    let manifest = std::fs::read_to_string(folder.path("trilby.toml"))?;
    let more = "\n[[route]]\npath = \"/b\"\nmodule = \"b.wat\"\nbuild = \"make b\"\n";
    let folder = folder.with("trilby.toml", format!("{manifest}{more}"))?;
    assert_snapshot!(folder.refused().await?, @r#"
    error: ./out/a.wat is missing, and --no-build forbids building it; run in .: make a
     --> trilby.toml:6:10
      |
    6 | module = "out/a.wat"
      |          ^^^^^^^^^^^

    error: ./b.wat is missing, and --no-build forbids building it; run in .: make b
      --> trilby.toml:12:10
       |
    12 | module = "b.wat"
       |          ^^^^^^^
    "#);
    Ok(())
}
