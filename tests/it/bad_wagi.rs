//! WAGI's `modules.toml` with mistakes, and with what is not supported: exit code 64, each with its
//! line and what to write, and nothing served.

use anyhow::Result;
use insta::assert_snapshot;

use crate::bad_manifest::brief;
use crate::folder::{EMPTY, Folder};

/// What is said of a manifest, beside which there is `a.wat`.
async fn refused(manifest: &str) -> Result<String> {
    Folder::new()?.with("a.wat", EMPTY)?.with("modules.toml", manifest)?.refused().await
}

#[tokio::test]
async fn entries_need_a_route_and_a_module() -> Result<()> {
    let manifest = "[[module]]\nroute = \"b\"\nmodule = \"a.wat\"\n\n[[module]]\nroute = \"/c\"\n\n\
                    [[module]]\nroute = \"/d\"\nmodule = \"d.wat\"\n";
    assert_snapshot!(refused(manifest).await?, @r#"
    error: path `b` does not start with `/`
     --> modules.toml:2:9
      |
    2 | route = "b"
      |         ^^^
      |
      = help: a path is written `/orders`, or `/orders/...`

    error: a module needs `module`
     --> modules.toml:5:1
      |
    5 | [[module]]
      | ^^^^^^^^^^
      |
      = help: add `module = "app.wasm"`

    error: this module is missing
      --> modules.toml:10:10
       |
    10 | module = "d.wat"
       |          ^^^^^^^ looked for ./d.wat
       |
       = help: a relative path starts at the manifest's folder, or else at the working directory
    "#);
    Ok(())
}

#[tokio::test]
async fn a_manifest_has_modules() -> Result<()> {
    assert_snapshot!(brief(&refused("").await?), @r"
    modules.toml:1:1: there is no module, so nothing can be served
      = add a `[[module]]` with `route` and `module`
    ");
    let table = "[module]\nroute = \"/\"\nmodule = \"a.wat\"\n";
    assert_snapshot!(brief(&refused(table).await?), @r"
    modules.toml:1:1: `module` must be an array of tables, found table
      = write `[[module]]`
    ");
    let misspelt = "[[modules]]\nroute = \"/\"\nmodule = \"a.wat\"\n";
    assert_snapshot!(brief(&refused(misspelt).await?), @r"
    modules.toml:1:3: unknown key `modules`, and `module` is missing
      = did you mean `module`?
    ");
    let mixed = "[[module]]\nroute = \"/\"\nmodule = \"a.wat\"\n\n[[route]]\npath = \"/x\"\n";
    assert_snapshot!(brief(&refused(mixed).await?), @r"
    modules.toml:5:3: `[[module]]` is of WAGI's `modules.toml`, `[[route]]` of `trilby.toml`
      = a file has one of the two; in a `trilby.toml` each module is in its `[[route]]`
    ");
    Ok(())
}

/// A misspelt key may be the reason of an error, so warnings are told with the errors.
#[tokio::test]
async fn misspelt_keys_are_told_the_nearest_beside_errors() -> Result<()> {
    let manifest = "default_host = \"x\"\n\n[[module]]\nrout = \"/\"\nmodul = \"a.wat\"\n\
                    entry_point = \"run\"\n\n[[module]]\nroute = \"/x/...\"\nmodule = \"a.wat\"\n\
                    volumes = { \"/data\" = \"none\" }\n\n\
                    [[module]]\nroute = \"/x/y\"\nmodule = \"a.wat\"\nlimits = {}\n";
    assert_snapshot!(refused(manifest).await?, @r#"
    error: unknown key `rout`, and `route` is missing
     --> modules.toml:4:1
      |
    4 | rout = "/"
      | ^^^^
      |
      = help: did you mean `route`?

    error: unknown key `modul`, and `module` is missing
     --> modules.toml:5:1
      |
    5 | modul = "a.wat"
      | ^^^^^
      |
      = help: did you mean `module`?

    warning: modules.toml:1:1: unknown key `default_host` is ignored, as WAGI does
    warning: modules.toml:6:1: unknown key `entry_point` is ignored, as WAGI does; did you mean `entrypoint`?
    warning: modules.toml:11:23: there is no folder `none`: guests run without it
    warning: modules.toml:14:9: route `/x/y` is never reached: `/x/...` on line 9 comes first
    warning: modules.toml:16:1: unknown key `limits` is ignored, as WAGI does; `limits` is a key of `trilby.toml`, to which this can be migrated
    "#);
    Ok(())
}

#[tokio::test]
async fn bindle_is_refused() -> Result<()> {
    let manifest = "[[module]]\nroute = \"/\"\nmodule = \"bindle:example.com/app/1.0.0\"\n\
                    bindle_server = \"http://localhost:8080/v1\"\n\n\
                    [[module]]\nroute = \"/x\"\nmodule = \"a.wat\"\n\
                    bindle_server = \"http://localhost:8080/v1\"\n";
    assert_snapshot!(brief(&refused(manifest).await?), @r"
    modules.toml:3:10: `bindle:` modules are not supported
      = a module is a file, or in an OCI registry (`oci:ghcr.io/owner/app:1.0`); a file whose name has a `:` is written `./a:b.wasm`
    modules.toml:4:1: `bindle_server` is not supported: modules come from files and OCI registries
      = name the module's file or `oci:` reference, and remove this
    modules.toml:9:1: `bindle_server` is not supported: modules come from files and OCI registries
      = name the module's file or `oci:` reference, and remove this
    ");
    Ok(())
}

#[tokio::test]
async fn references_to_modules_are_checked() -> Result<()> {
    let modules = ["s3:a", "file://elsewhere/a.wat", "file:///nowhere/a.wat", "oci:a b"];
    let entries = modules.iter().enumerate();
    let entries =
        entries.map(|(n, module)| format!("[[module]]\nroute = \"/{n}\"\nmodule = \"{module}\"\n"));
    assert_snapshot!(brief(&refused(&entries.collect::<String>()).await?), @r"
    modules.toml:3:10: `s3:` modules are not supported
      = a module is a file, or in an OCI registry (`oci:ghcr.io/owner/app:1.0`); a file whose name has a `:` is written `./a:b.wasm`
    modules.toml:6:10: `file://elsewhere/a.wat` is not the URL of a file here
      = a file's URL is written `file:///folder/app.wasm`
    modules.toml:9:10: this module is missing
      = a relative path starts at the manifest's folder, or else at the working directory
    modules.toml:12:10: `oci:a b` is not the reference of a module
      = write `oci:`, the registry, the repository and a tag: `oci:ghcr.io/owner/app:1.0`
    ");
    // As in a `trilby.toml`, a folder is not said to be missing.
    let folder = "[[module]]\nroute = \"/\"\nmodule = \".\"\n";
    assert_snapshot!(brief(&refused(folder).await?), @r"
    modules.toml:3:10: this module is a folder
      = a relative path starts at the manifest's folder, or else at the working directory
    ");
    Ok(())
}

#[tokio::test]
async fn routes_that_no_request_has_are_refused() -> Result<()> {
    let routes = ["", "/healthz", "/readyz/...", "/dapr/x", "/a b", "/x?y", "/x#y"];
    let entries = routes.iter();
    let entries =
        entries.map(|route| format!("[[module]]\nroute = \"{route}\"\nmodule = \"a.wat\"\n"));
    assert_snapshot!(brief(&refused(&entries.collect::<String>()).await?), @r"
    modules.toml:2:9: `route` must not be empty
    modules.toml:5:9: path `/healthz` is reserved
      = `/healthz` and `/readyz` are answered by Trilby itself
    modules.toml:8:9: path `/readyz/...` is reserved
      = `/healthz` and `/readyz` are answered by Trilby itself
    modules.toml:11:9: path `/dapr/x` is reserved
      = all paths below `/dapr/` belong to Dapr's app channel
    modules.toml:14:9: path `/a b` has a character that a URL cannot have
      = write it percent-encoded, as clients send it: a blank is `%20`
    modules.toml:17:9: path `/x?y` has a query or a fragment
      = a route is chosen by the path alone
    modules.toml:20:9: path `/x#y` has a query or a fragment
      = a route is chosen by the path alone
    ");
    Ok(())
}

#[tokio::test]
async fn values_are_checked() -> Result<()> {
    let manifest = "[[module]]\nroute = \"/\"\nmodule = \"a.wat\"\n\
                    http_max_concurrency = 0\nentrypoint = \"\"\nargv = [\"a\"]\n\
                    allowed_hosts = [\"example.com\", \"ftp://example.com\", 5]\n\
                    volumes = { \"\" = \".\", \"/data\" = 5 }\n\n\
                    [[module]]\nroute = 5\nmodule = \"a.wat\"\nallowed_hosts = \"*\"\n\
                    http_max_concurrency = \"4\"\nvolumes = [\"/data\"]\n";
    assert_snapshot!(brief(&refused(manifest).await?), @r#"
    modules.toml:4:24: `http_max_concurrency` must be between 1 and 4294967295
    modules.toml:5:14: `entrypoint` must not be empty
    modules.toml:6:8: `argv` must be a string such as "${SCRIPT_NAME} ${ARGS}", found array
    modules.toml:7:18: `example.com` does not begin with `https://` or `http://`: write it like `https://api.example.com`
    modules.toml:7:33: `ftp://example.com` does not begin with `https://` or `http://`: write it like `https://api.example.com`
    modules.toml:7:54: `allowed_hosts` must hold strings only, found integer
    modules.toml:8:13: `` cannot be a path of the guest
      = write a path such as `/data`
    modules.toml:8:33: `/data` must be a folder, found integer
    modules.toml:11:9: `route` must be a string, found integer
    modules.toml:13:17: `allowed_hosts` must be an array of strings, found string
    modules.toml:14:24: `http_max_concurrency` must be a whole number, found string
    modules.toml:15:11: `volumes` must be a table, found array
    "#);
    Ok(())
}

/// WAGI finds out at the first request.
#[tokio::test]
async fn the_entry_point_must_be_there() -> Result<()> {
    let manifest = "[[module]]\nroute = \"/\"\nmodule = \"a.wat\"\nentrypoint = \"run\"\n";
    assert_snapshot!(brief(&refused(manifest).await?), @"modules.toml:4:14: module ./a.wat: the module has no function `run` without parameters and results; it exports `_start`");
    Ok(())
}
