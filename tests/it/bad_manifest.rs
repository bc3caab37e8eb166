//! A manifest with mistakes: exit code 64, each mistake with its line and what was meant, and
//! nothing served.

use anyhow::Result;
use insta::assert_snapshot;

use crate::folder::{EMPTY, Folder, MANIFEST};

/// What is said of a manifest, beside which there is `a.wat`.
async fn refused(manifest: &str) -> Result<String> {
    Folder::new()?.with("a.wat", EMPTY)?.with("trilby.toml", manifest)?.refused().await
}

/// The one route's table with more lines in it.
async fn refused_route(lines: &str) -> Result<String> {
    refused(&format!("{MANIFEST}{lines}\n")).await
}

#[tokio::test]
async fn unknown_keys_are_told_the_nearest() -> Result<()> {
    let manifest = MANIFEST.replace("module =", "modul =");
    assert_snapshot!(refused(&manifest).await?, @"");
    assert_snapshot!(refused_route("grants = { stat = [\"statestore\"] }").await?, @"");
    assert_snapshot!(refused_route("colour = \"red\"").await?, @"");
    Ok(())
}

#[tokio::test]
async fn wrong_types_are_told_the_right_one() -> Result<()> {
    assert_snapshot!(refused_route("limits = { deadline = 5 }").await?, @"");
    Ok(())
}

#[tokio::test]
async fn what_is_not_toml_is_pointed_at() -> Result<()> {
    assert_snapshot!(refused("version = 1\n[[route]\npath = \"/\"\n").await?, @"");
    Ok(())
}

#[tokio::test]
async fn a_path_has_one_route() -> Result<()> {
    let manifest = format!("{MANIFEST}\n[[route]]\npath = \"/...\"\nmodule = \"a.wat\"\n");
    assert_snapshot!(refused(&manifest).await?, @"");
    Ok(())
}

#[tokio::test]
async fn a_missing_module_is_told_where_it_was_looked_for() -> Result<()> {
    assert_snapshot!(refused(&MANIFEST.replace("a.wat", "guests/b.wasm")).await?, @"");
    Ok(())
}

#[tokio::test]
async fn grants_say_what_they_mean() -> Result<()> {
    assert_snapshot!(refused_route("grants = { state = [\"*\"] }").await?, @"");
    Ok(())
}

#[tokio::test]
async fn reserved_paths_are_refused() -> Result<()> {
    assert_snapshot!(refused(&MANIFEST.replace("/...", "/healthz")).await?, @"");
    assert_snapshot!(refused(&MANIFEST.replace("/...", "/dapr/config")).await?, @"");
    Ok(())
}

#[tokio::test]
async fn all_mistakes_are_told_at_once() -> Result<()> {
    let manifest = "version = 1\nnmae = \"app\"\n\n[[route]]\npath = \"a\"\nmodule = \"b.wat\"\n\
                    \n[[route]]\ntopic = \"pubsub\"\nmodule = \"a.wat\"\nargv = 1\n";
    assert_snapshot!(refused(manifest).await?, @"");
    Ok(())
}

#[tokio::test]
async fn a_folder_without_a_manifest_is_not_served() -> Result<()> {
    let folder = Folder::new()?.with("notes.txt", "")?;
    assert_snapshot!(folder.refused().await?, @"");
    let mut launch = folder.launch();
    launch.path = "nowhere".into();
    assert_snapshot!(folder.refuses(launch.clone()).await?, @"");
    launch.path = "notes.txt".into();
    assert_snapshot!(folder.refuses(launch).await?, @"");
    Ok(())
}
