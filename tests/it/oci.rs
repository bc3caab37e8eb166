//! Modules from OCI registries, as `oci:` references name them.

use anyhow::Result;
use insta::assert_snapshot;
use rustix::process::Signal;
use trilby_testkit::{Launch, until};

use crate::folder::{Folder, saying};
use crate::registry::{MODULE_TYPE, Registry, sha256};

/// `user:pass`, as Docker and HTTP write it.
const BASIC: &str = "dXNlcjpwYXNz";

/// A folder with a manifest of one route, `/...`, to what this reference names.
fn folder(reference: &str) -> Result<Folder> {
    let manifest = format!(
        "version = 1\nname = \"app\"\n[[route]]\npath = \"/...\"\nmodule = \"{reference}\"\n"
    );
    Folder::new()?.with("trilby.toml", manifest)?.with("docker/config.json", "{}")
}

/// A start with a store and credentials of the folder's own.
fn launch(folder: &Folder) -> Launch {
    let docker = folder.path("docker").display().to_string();
    let launch = folder.launch().args(&["--module-store", "store"]);
    launch.env("DOCKER_CONFIG", docker).env("REGISTRY_AUTH_FILE", "").env("NO_PROXY", "127.0.0.1")
}

fn tagged(registry: &Registry) -> String {
    format!("oci:{}/hello:1", registry.address)
}

/// What a start says that must be refused, with a registry's name of the same length for its own.
async fn refused(folder: &Folder, registry: &str) -> Result<String> {
    Ok(folder.refuses(launch(folder)).await?.replace(registry, "[REGISTRY:PORT]"))
}

#[tokio::test]
async fn a_tag_is_served() -> Result<()> {
    let registry = Registry::start().await?;
    for (media_type, text) in [(MODULE_TYPE, "wagi\n"), ("application/wasm", "cncf\n")] {
        registry.push("1", media_type, &saying(text));
        let folder = folder(&tagged(&registry))?;
        let mut trilby = launch(&folder).start().await?;
        assert_eq!(trilby.http.get("/").await?.text(), text);
        trilby.logged("module from a registry").await?;
    }
    Ok(())
}

#[tokio::test]
async fn references_of_wagi_are_served() -> Result<()> {
    let registry = Registry::start().await?;
    registry.push("1", MODULE_TYPE, &saying("hello\n"));
    let address = registry.address;
    let manifest = format!(
        "[[module]]\nroute = \"/short\"\nmodule = \"oci:{address}/hello:1\"\n\n\
         [[module]]\nroute = \"/url/...\"\nmodule = \"oci://{address}/hello:1\"\n"
    );
    let folder = folder("a.wat")?.with("modules.toml", manifest)?;
    let mut launch = launch(&folder);
    launch.path = "modules.toml".into();
    let trilby = launch.start().await?;
    for path in ["/short", "/url/x"] {
        assert_eq!(trilby.http.get(path).await?.text(), "hello\n", "{path}");
    }
    Ok(())
}

/// A digest cannot lead to anything else, so nobody is asked again.
#[tokio::test]
async fn a_digest_needs_no_registry_once_it_is_stored() -> Result<()> {
    let registry = Registry::start().await?;
    let digest = registry.push("1", MODULE_TYPE, &saying("pinned\n"));
    let folder = folder(&format!("oci:{}/hello@sha256:{digest}", registry.address))?;
    let trilby = launch(&folder).start().await?;
    assert_eq!(trilby.http.get("/").await?.text(), "pinned\n");
    assert!(!registry.take_asked().is_empty());
    registry.push("1", MODULE_TYPE, &saying("moved\n"));
    let trilby = launch(&folder).start().await?;
    assert_eq!(trilby.http.get("/").await?.text(), "pinned\n");
    assert_eq!(registry.take_asked(), [""; 0]);
    registry.stop().await;
    let trilby = launch(&folder).start().await?;
    assert_eq!(trilby.http.get("/").await?.text(), "pinned\n");
    Ok(())
}

/// WAGI would serve the old module for ever.
#[tokio::test]
async fn a_tag_that_has_moved_is_seen() -> Result<()> {
    let registry = Registry::start().await?;
    registry.push("1", MODULE_TYPE, &saying("one\n"));
    let folder = folder(&tagged(&registry))?;
    let mut first = launch(&folder).start().await?;
    assert_eq!(first.http.get("/").await?.text(), "one\n");
    registry.push("1", MODULE_TYPE, &saying("two\n"));
    let second = launch(&folder).start().await?;
    assert_eq!(second.http.get("/").await?.text(), "two\n");
    // One that runs goes on with what it has until it is told to look again.
    assert_eq!(first.http.get("/").await?.text(), "one\n");
    first.process().signal(Signal::HUP)?;
    until("the new module", || {
        let http = first.http.clone();
        async move { http.get("/").await.ok().filter(|answer| answer.text() == "two\n") }
    })
    .await?;
    Ok(())
}

#[tokio::test]
async fn without_its_registry_a_tag_leads_where_it_led() -> Result<()> {
    let registry = Registry::start().await?;
    registry.push("1", MODULE_TYPE, &saying("kept\n"));
    let (address, reference) = (registry.address.to_string(), tagged(&registry));
    let known = folder(&reference)?;
    drop(launch(&known).start().await?);
    registry.stop().await;
    let mut trilby = launch(&known).start().await?;
    assert_eq!(trilby.http.get("/").await?.text(), "kept\n");
    let warning = trilby.logged("its module of an earlier fetch is used").await?;
    assert!(warning.contains(" WARN ") && warning.contains(&address), "{warning}");
    // Nothing is known of it elsewhere.
    let refused = refused(&folder(&reference)?, &address).await?;
    assert!(refused.starts_with("error: cannot reach registry `[REGISTRY:PORT]`"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn what_is_not_what_it_should_be_is_refused() -> Result<()> {
    let registry = Registry::start().await?;
    let address = registry.address.to_string();
    let (good, evil) = (saying("good\n"), saying("evil\n"));
    let digest = registry.push("1", MODULE_TYPE, &good);
    let layer = format!("/v2/hello/blobs/sha256:{}", sha256(good.as_bytes()));
    registry.content().by_path.insert(layer, evil.clone().into());
    let text = refused(&folder(&tagged(&registry))?, &address).await?;
    let (good, evil) = (sha256(good.as_bytes()), sha256(evil.as_bytes()));
    assert_snapshot!(text.replace(&good, "[GOOD]").replace(&evil, "[EVIL]"), @r#"
    error: the layer of `oci:[REGISTRY:PORT]/hello:1` has the digest `sha256:[EVIL]` instead of `sha256:[GOOD]`: do not run it, and ask whoever runs the registry
     --> trilby.toml:5:10
      |
    5 | module = "oci:[REGISTRY:PORT]/hello:1"
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#);

    let manifest = format!("/v2/hello/manifests/sha256:{digest}");
    registry.content().by_path.insert(manifest, "{\"schemaVersion\":2}".into());
    let pinned = folder(&format!("oci:{address}/hello@sha256:{digest}"))?;
    let text = refused(&pinned, &address).await?;
    assert!(
        text.starts_with("error: the manifest of `oci:[REGISTRY:PORT]/hello@sha256:"),
        "{text}"
    );
    assert!(text.contains(" --> trilby.toml:5:10\n"), "{text}");
    Ok(())
}

/// All of them at once, each with its line.
#[tokio::test]
async fn what_the_registry_does_not_have_is_named() -> Result<()> {
    let registry = Registry::start().await?;
    registry.push("text", "text/plain", "What?");
    let address = registry.address;
    let mut manifest = "version = 1\nname = \"app\"\n".to_owned();
    for (path, name) in [("/a", "hello:2"), ("/b", "nobody/none:1"), ("/c", "hello:text")] {
        manifest.push_str(&format!(
            "\n[[route]]\npath = \"{path}\"\nmodule = \"oci:{address}/{name}\"\n"
        ));
    }
    let folder = folder("a.wat")?.with("trilby.toml", manifest)?;
    assert_snapshot!(refused(&folder, &address.to_string()).await?, @r#"
    error: registry `[REGISTRY:PORT]` has no `oci:[REGISTRY:PORT]/hello:2`: check the repository and the tag
     --> trilby.toml:6:10
      |
    6 | module = "oci:[REGISTRY:PORT]/hello:2"
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error: registry `[REGISTRY:PORT]` has no `oci:[REGISTRY:PORT]/nobody/none:1`: check the repository and the tag
      --> trilby.toml:10:10
       |
    10 | module = "oci:[REGISTRY:PORT]/nobody/none:1"
       |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error: `oci:[REGISTRY:PORT]/hello:text` holds no module: it has `text/plain`, and a module is a layer of `application/vnd.wasm.content.layer.v1+wasm` or `application/wasm`
      --> trilby.toml:14:10
       |
    14 | module = "oci:[REGISTRY:PORT]/hello:text"
       |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#);
    Ok(())
}

#[tokio::test]
async fn credentials_are_those_of_docker() -> Result<()> {
    let registry = Registry::start().await?;
    registry.push("1", MODULE_TYPE, &saying("private\n"));
    registry.content().authorization = Some("Basic dXNlcjpwYXNz");
    let address = registry.address.to_string();
    let folder = folder(&tagged(&registry))?;
    assert_snapshot!(refused(&folder, &address).await?, @r#"
    error: registry `[REGISTRY:PORT]` wants credentials for `oci:[REGISTRY:PORT]/hello:1`, or has no such repository: use `docker login [REGISTRY:PORT]`
     --> trilby.toml:5:10
      |
    5 | module = "oci:[REGISTRY:PORT]/hello:1"
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#);
    let config = |auth: &str| {
        let config = serde_json::json!({ "auths": { (&*address): { "auth": auth } } });
        std::fs::write(folder.path("docker/config.json"), config.to_string())
    };
    config("dXNlcjp3cm9uZw==")?;
    let text = refused(&folder, &address).await?;
    assert!(text.contains("refuses the credentials from `[APP]/docker/config.json`"), "{text}");
    assert!(!text.contains("wrong"), "{text}");
    config(BASIC)?;
    let trilby = launch(&folder).start().await?;
    assert_eq!(trilby.http.get("/").await?.text(), "private\n");
    let output = trilby.output();
    assert!(!output.contains(BASIC) && !output.contains("pass"), "{output}");
    Ok(())
}
