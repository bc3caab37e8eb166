//! A manifest with mistakes: exit code 64, each mistake with its line and what was meant, and
//! nothing served.

use anyhow::Result;
use insta::assert_snapshot;

use crate::folder::{EMPTY, Folder, MANIFEST};

/// What is said of a manifest, beside which there is `a.wat`.
pub(crate) async fn refused(manifest: &str) -> Result<String> {
    Folder::new()?.with("a.wat", EMPTY)?.with("trilby.toml", manifest)?.refused().await
}

/// The one route's table with more lines in it.
pub(crate) async fn refused_route(lines: &str) -> Result<String> {
    refused(&format!("{MANIFEST}{lines}\n")).await
}

/// A report in short: each problem's place and title, and its help below.
pub(crate) fn brief(report: &str) -> String {
    let mut title = "";
    let mut brief = String::new();
    for line in report.lines() {
        if let Some(text) = line.strip_prefix("error: ") {
            title = text;
        } else if let Some((_, place)) = line.split_once("--> ") {
            brief.push_str(&format!("{place}: {title}\n"));
        } else if let Some((_, help)) = line.split_once("= help: ") {
            brief.push_str(&format!("  = {help}\n"));
        } else if line.starts_with("warning: ") {
            brief.push_str(&format!("{line}\n"));
        }
    }
    brief
}

#[tokio::test]
async fn unknown_keys_are_told_the_nearest() -> Result<()> {
    let manifest = MANIFEST.replace("module =", "modul =");
    assert_snapshot!(refused(&manifest).await?, @r#"
    error: unknown key `modul` in a route
     --> trilby.toml:6:1
      |
    6 | modul = "a.wat"
      | ^^^^^
      |
      = help: did you mean `module`?
    "#);
    assert_snapshot!(refused_route("grants = { stat = [\"statestore\"] }").await?, @r#"
    error: unknown key `stat` in `grants`
     --> trilby.toml:7:12
      |
    7 | grants = { stat = ["statestore"] }
      |            ^^^^
      |
      = help: did you mean `state`?
    "#);
    assert_snapshot!(refused_route("colour = \"red\"").await?, @r#"
    error: unknown key `colour` in a route
     --> trilby.toml:7:1
      |
    7 | colour = "red"
      | ^^^^^^
      |
      = help: known keys: path, methods, host, topic, match, dead-letter, bulk, raw-payload, envelope, binding, job, configuration, module, files, build, sources, entrypoint, argv, env, volumes, grants, allowed-hosts, allowed-networks, authorization, response-headers, limits
    "#);
    Ok(())
}

#[tokio::test]
async fn wrong_types_are_told_the_right_one() -> Result<()> {
    assert_snapshot!(refused_route("limits = { deadline = 5 }").await?, @r#"
    error: `deadline` must be a duration such as "10s", found integer
     --> trilby.toml:7:23
      |
    7 | limits = { deadline = 5 }
      |                       ^
    "#);
    Ok(())
}

#[tokio::test]
async fn what_is_not_toml_is_pointed_at() -> Result<()> {
    assert_snapshot!(refused("version = 1\n[[route]\npath = \"/\"\n").await?, @r"
    error: invalid TOML: unclosed array table, expected `]`
     --> trilby.toml:2:9
      |
    2 | [[route]
      |         ^
    ");
    Ok(())
}

#[tokio::test]
async fn a_path_has_one_route() -> Result<()> {
    let manifest = format!("{MANIFEST}\n[[route]]\npath = \"/...\"\nmodule = \"a.wat\"\n");
    assert_snapshot!(refused(&manifest).await?, @r#"
    error: path `/...` has two routes, on lines 5 and 9
     --> trilby.toml:9:8
      |
    5 | path = "/..."
      |        ------ the first one
    ...
    9 | path = "/..."
      |        ^^^^^^ the second one
    "#);
    Ok(())
}

#[tokio::test]
async fn a_missing_module_is_told_where_it_was_looked_for() -> Result<()> {
    assert_snapshot!(refused(&MANIFEST.replace("a.wat", "guests/b.wasm")).await?, @r#"
    error: this module is missing
     --> trilby.toml:6:10
      |
    6 | module = "guests/b.wasm"
      |          ^^^^^^^^^^^^^^^ looked for ./guests/b.wasm
      |
      = help: name a `.wasm` or `.wat` file, or add `build = "…"` to have it made
    "#);
    Ok(())
}

#[tokio::test]
async fn grants_say_what_they_mean() -> Result<()> {
    assert_snapshot!(refused_route("grants = { state = [\"*\"] }").await?, @r#"
    error: `*` is not a grant of `state`
     --> trilby.toml:7:21
      |
    7 | grants = { state = ["*"] }
      |                     ^^^
      |
      = help: write `component`, `component/name` or `component/prefix*`; a `*` stands only at the end
    "#);
    Ok(())
}

#[tokio::test]
async fn reserved_paths_are_refused() -> Result<()> {
    assert_snapshot!(refused(&MANIFEST.replace("/...", "/healthz")).await?, @r#"
    error: path `/healthz` is reserved
     --> trilby.toml:5:8
      |
    5 | path = "/healthz"
      |        ^^^^^^^^^^
      |
      = help: `/healthz` and `/readyz` are answered by Trilby itself
    "#);
    assert_snapshot!(refused(&MANIFEST.replace("/...", "/dapr/config")).await?, @r#"
    error: path `/dapr/config` is reserved
     --> trilby.toml:5:8
      |
    5 | path = "/dapr/config"
      |        ^^^^^^^^^^^^^^
      |
      = help: all paths below `/dapr/` belong to Dapr's app channel
    "#);
    Ok(())
}

#[tokio::test]
async fn all_mistakes_are_told_at_once() -> Result<()> {
    let manifest = "version = 1\nnmae = \"app\"\n\n[[route]]\npath = \"a\"\nmodule = \"b.wat\"\n\
                    \n[[route]]\ntopic = \"pubsub\"\nmodule = \"a.wat\"\nargv = 1\n";
    assert_snapshot!(refused(manifest).await?, @r#"
    error: unknown key `nmae` in the manifest
     --> trilby.toml:2:1
      |
    2 | nmae = "app"
      | ^^^^
      |
      = help: did you mean `name`?

    error: path `a` does not start with `/`
     --> trilby.toml:5:8
      |
    5 | path = "a"
      |        ^^^
      |
      = help: a path is written `/orders`, or `/orders/...`

    error: this module is missing
     --> trilby.toml:6:10
      |
    6 | module = "b.wat"
      |          ^^^^^^^ looked for ./b.wat
      |
      = help: name a `.wasm` or `.wat` file, or add `build = "…"` to have it made

    error: topic `pubsub` does not name a component and a topic
     --> trilby.toml:9:9
      |
    9 | topic = "pubsub"
      |         ^^^^^^^^
      |
      = help: write the pub/sub component's name, `/`, and the topic: `pubsub/orders`

    error: `argv` must be a string such as "${SCRIPT_NAME} ${ARGS}", found integer
      --> trilby.toml:11:8
       |
    11 | argv = 1
       |        ^
    "#);
    Ok(())
}

#[tokio::test]
async fn a_folder_without_a_manifest_is_not_served() -> Result<()> {
    let folder = Folder::new()?.with("notes.txt", "")?;
    assert_snapshot!(folder.refused().await?, @"error: . has neither `trilby.toml` nor `modules.toml`; name another folder, a manifest, or a `.wasm` or `.wat` file");
    let mut launch = folder.launch();
    launch.path = "nowhere".into();
    assert_snapshot!(folder.refuses(launch.clone()).await?, @"error: cannot read nowhere: No such file or directory (os error 2)");
    launch.path = "notes.txt".into();
    assert_snapshot!(folder.refuses(launch).await?, @"error: notes.txt is neither a manifest (`.toml`) nor a module (`.wasm`, `.wat`)");
    Ok(())
}
