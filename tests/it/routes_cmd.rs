//! `trilby routes`: the table of routes as `trilby serve` serves it; and `trilby schema`.

use anyhow::{Context, Result};
use insta::assert_snapshot;
use serde_json::{Value, json};
use trilby_testkit::repository;

use crate::folder::{Folder, saying};

const ROUTES: &str = r#"version = 1
name = "app"

[[route]]
path = "/orders/:id"
host = "api.example.com"
methods = ["GET", "POST"]
module = "a.wat"
entrypoint = "run"
limits = { deadline = "1s", memory = "16 MiB" }
grants = { state = ["statestore/a*"], publish = ["pubsub/t"] }
allowed-hosts = ["https://api.example.org"]

[[route]]
path = "/static/..."
files = "public"

[[route]]
topic = "pubsub/t"
module = "a.wat"
"#;

const MODULE: &str = r#"(module (memory (export "memory") 1)
    (func (export "_start")) (func (export "run")))"#;

fn folder() -> Result<Folder> {
    let folder = Folder::new()?.with("trilby.toml", ROUTES)?.with("a.wat", MODULE)?;
    folder.with("public/index.html", "")
}

async fn routes(folder: &Folder, args: &[&str]) -> Result<String> {
    let ended = folder.ends(folder.trilby(&[&["routes"], args].concat())?).await?;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    Ok(ended.stdout)
}

#[tokio::test]
async fn the_table_names_all_that_is_served() -> Result<()> {
    let folder = folder()?;
    assert_snapshot!(routes(&folder, &[]).await?, @r"
    ROUTE                                MODULE     LIMITS       GRANTS
    GET,POST api.example.com/orders/:id  a.wat run  1s, 16 MiB   state:statestore/a* publish:pubsub/t https://api.example.org
    ANY      /static/...                 public     files        -
    SUB      pubsub/t                    a.wat      10s, 64 MiB  -
    ");
    assert!(!folder.path(".trilby").exists());
    Ok(())
}

/// A host name will do for `--listen`, and what is served is what `routes` has shown.
#[tokio::test]
async fn the_banner_shows_the_same_table() -> Result<()> {
    let folder = folder()?;
    let table = routes(&folder, &[]).await?;
    let mut launch = folder.launch();
    launch.args = ["--listen", "localhost:0"].map(str::to_owned).to_vec();
    let mut trilby = launch.env("TRILBY_LOG", "off").start().await?;
    trilby.logged("ready in ").await?;
    assert!(trilby.output().contains(&table), "{}", trilby.output());
    assert_ne!(trilby.port(), 0);
    assert_eq!(trilby.http.get("/static/").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn json_has_a_row_for_each_route() -> Result<()> {
    let shown: Value = serde_json::from_str(&routes(&folder()?, &["--json"]).await?)?;
    let line = |text: &str| ROUTES.lines().position(|line| line == text).map(|at| at + 1);
    let start = |key: &str| line(key).map(|line| line - 1);
    let expected = json!({
        "app": "app",
        "routes": [
            {
                "path": "/orders/:id", "host": "api.example.com", "methods": ["GET", "POST"],
                "target": "./a.wat", "entrypoint": "run", "file": "trilby.toml",
                "line": start("path = \"/orders/:id\""),
            },
            {
                "path": "/static/...", "host": null, "methods": [], "target": "./public",
                "entrypoint": "_start", "file": "trilby.toml",
                "line": start("path = \"/static/...\""),
            },
            {
                "topic": "pubsub/t", "host": null, "methods": [], "target": "./a.wat",
                "entrypoint": "_start", "file": "trilby.toml",
                "line": start("topic = \"pubsub/t\""),
            },
        ],
    });
    assert_eq!(shown, expected, "{shown:#}");
    Ok(())
}

/// A module of WAGI says itself which routes it has.
#[tokio::test]
async fn routes_that_a_module_declares_are_shown() -> Result<()> {
    let folder = Folder::new()?;
    let legacy = repository().join("tests/guests/legacy").display().to_string();
    assert_snapshot!(routes(&folder, &[&legacy]).await?, @r"
    ROUTE               MODULE           LIMITS       GRANTS
    ANY  /unstable      unstable.wat     10s, 64 MiB  -
    ANY  /many/two/x    routes.wat last  10s, 64 MiB  -
    ANY  /many/two/...  routes.wat two   10s, 64 MiB  -
    ANY  /many/one      routes.wat one   10s, 64 MiB  -
    ANY  /many/...      routes.wat       10s, 64 MiB  -
    ");
    let shown: Value = serde_json::from_str(&routes(&folder, &[&legacy, "--json"]).await?)?;
    let rows = shown["routes"].as_array().context("no routes")?;
    let rows: Vec<_> =
        rows.iter().map(|row| (row["path"].as_str(), row["entrypoint"].as_str())).collect();
    let expected = [
        ("/unstable", "_start"),
        ("/many/two/x", "last"),
        ("/many/two/...", "two"),
        ("/many/one", "one"),
        ("/many/...", "_start"),
    ];
    assert_eq!(rows, expected.map(|(path, entry)| (Some(path), Some(entry))));
    Ok(())
}

#[tokio::test]
async fn problems_are_told_as_by_serve() -> Result<()> {
    let folder = folder()?.with("a.wat", saying("a"))?;
    let ended = folder.ends(folder.trilby(&["routes"])?).await?;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(64), ""));
    assert_eq!(ended.stderr, folder.refused().await?);
    assert!(ended.stderr.contains("has no function `run`"), "{}", ended.stderr);
    Ok(())
}

#[tokio::test]
async fn the_schema_describes_the_manifest() -> Result<()> {
    let folder = Folder::new()?;
    let ended = folder.ends(folder.trilby(&["schema"])?).await?;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let schema: Value = serde_json::from_str(&ended.stdout)?;
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(keys(&schema), ["dapr", "env", "limits", "name", "route", "server", "version"]);
    assert_eq!(schema["additionalProperties"], false);
    let route = resolved(&schema, &schema["properties"]["route"]["items"])?;
    assert_eq!(
        keys(route),
        [
            "allowed-hosts",
            "allowed-networks",
            "argv",
            "authorization",
            "binding",
            "build",
            "bulk",
            "configuration",
            "dead-letter",
            "entrypoint",
            "env",
            "envelope",
            "files",
            "grants",
            "host",
            "job",
            "limits",
            "match",
            "methods",
            "module",
            "path",
            "raw-payload",
            "response-headers",
            "sources",
            "topic",
            "volumes",
        ]
    );
    let limits = resolved(&schema, &route["properties"]["limits"])?;
    assert!(keys(limits).contains(&"head-in") && !keys(limits).contains(&"connections"));
    let limits = resolved(&schema, &schema["properties"]["limits"])?;
    assert!(keys(limits).contains(&"head-in") && keys(limits).contains(&"connections"));
    Ok(())
}

/// The names of an object's properties, in order.
fn keys(schema: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = schema["properties"]
        .as_object()
        .map(|properties| properties.keys().map(String::as_str).collect())
        .unwrap_or_default();
    keys.sort_unstable();
    keys
}

/// What a `$ref` leads to.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> Result<&'a Value> {
    let Some(reference) = schema["$ref"].as_str() else { return Ok(schema) };
    let path = reference.strip_prefix('#').context("not a place in this schema")?;
    root.pointer(path).with_context(|| format!("{reference} leads nowhere"))
}
