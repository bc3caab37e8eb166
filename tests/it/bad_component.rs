//! Component files with mistakes, and manifests that name components which are not there: exit
//! code 64, file, line and what was meant, and nothing served.

use anyhow::Result;
use insta::assert_snapshot;

use crate::folder::{Folder, MANIFEST};

const SECRETS: &str = "apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: vault
spec:
  type: secretstores.local.env
  version: v1
";

/// A component `store` with the given lines in its `spec`.
fn store(spec: &str) -> String {
    format!(
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: store\nspec:\n{spec}"
    )
}

async fn refused(component: &str) -> Result<String> {
    let folder = Folder::with_app()?.with("components/a-vault.yaml", SECRETS)?;
    folder.with("components/store.yaml", component)?.refused().await
}

#[tokio::test]
async fn unknown_keys_are_told_the_nearest() -> Result<()> {
    let text = store("  tpye: state.in-memory\n");
    assert_snapshot!(refused(&text).await?, @"error: ./components/store.yaml:6: `spec` has no key `tpye`; did you mean `type`?");
    let text = store("  type: state.in-memory\n").replace("metadata:", "metdata:");
    assert_snapshot!(refused(&text).await?, @"error: ./components/store.yaml:3: a component has no key `metdata`; did you mean `metadata`?");
    let text = "  type: state.sqlite\n  metadata:\n  - name: conectionString\n    value: a.db\n";
    assert_snapshot!(refused(&store(text)).await?, @"error: ./components/store.yaml:8: state.sqlite has no metadata `conectionString`; did you mean `connectionString`?");
    Ok(())
}

#[tokio::test]
async fn unknown_types_are_told_the_nearest() -> Result<()> {
    assert_snapshot!(refused(&store("  type: state.sqllite\n")).await?, @r"
    error: ./components/store.yaml:6: the embedded runtime has no type `state.sqllite`; did you mean `state.sqlite`?
      = help: it has `state.in-memory`, `state.redis`, `state.sqlite`, and `bindings.cron`, `bindings.http`, `bindings.localstorage`, `configuration.in-memory`, `configuration.redis`, `configuration.sqlite`, `conversation.echo`, `crypto.dapr.localstorage`, `lock.in-memory`, `lock.redis`, `lock.sqlite`, `pubsub.in-memory`, `pubsub.redis`, `secretstores.local.env`, `secretstores.local.file`
      = help: a daprd sidecar has the other types and reads this file as it is: `dapr run --app-id APP --app-port 3000 --resources-path ./components -- trilby serve`, or beside a daprd that runs, `trilby serve` with `DAPR_GRPC_PORT` and `DAPR_HTTP_PORT` set to its ports
    ");
    assert_snapshot!(refused(&store("  type: state.postgresql\n")).await?, @r"
    error: ./components/store.yaml:6: the embedded runtime has no type `state.postgresql`
      = help: it has `state.in-memory`, `state.redis`, `state.sqlite`, and `bindings.cron`, `bindings.http`, `bindings.localstorage`, `configuration.in-memory`, `configuration.redis`, `configuration.sqlite`, `conversation.echo`, `crypto.dapr.localstorage`, `lock.in-memory`, `lock.redis`, `lock.sqlite`, `pubsub.in-memory`, `pubsub.redis`, `secretstores.local.env`, `secretstores.local.file`
      = help: a daprd sidecar has the other types and reads this file as it is: `dapr run --app-id APP --app-port 3000 --resources-path ./components -- trilby serve`, or beside a daprd that runs, `trilby serve` with `DAPR_GRPC_PORT` and `DAPR_HTTP_PORT` set to its ports
    ");
    Ok(())
}

#[tokio::test]
async fn metadata_that_is_missing_or_wrong_is_named() -> Result<()> {
    assert_snapshot!(refused(&store("  type: state.sqlite\n")).await?, @"error: ./components/store.yaml:1: a state.sqlite needs the metadata `connectionString`");
    let cron = "  type: bindings.cron\n  metadata:\n  - name: schedule\n    value: every noon\n";
    assert_snapshot!(refused(&store(cron)).await?, @"error: ./components/store.yaml:8: invalid schedule format 'every noon': Invalid pattern: Pattern must have 5 or 6 fields when years are disallowed.");
    Ok(())
}

#[tokio::test]
async fn what_is_not_yaml_is_pointed_at() -> Result<()> {
    assert_snapshot!(refused("kind: Component\nspec: [\n").await?, @"error: ./components/store.yaml:2: this is not valid YAML: unclosed bracket '['");
    Ok(())
}

#[tokio::test]
async fn secrets_that_are_not_there_are_named() -> Result<()> {
    let text = store(
        "  type: state.sqlite\n  metadata:\n  - name: connectionString\n    secretKeyRef:\n      \
         name: DATABASE_OF_NO_TEST\n",
    );
    assert_snapshot!(refused(&text).await?, @r#"
    error: ./components/store.yaml:10: `secretKeyRef` needs to know where the secret is; add at the top level of this resource:
    auth:
      secretStore: NAME-OF-A-SECRET-STORE
    "#);
    let of_vault = format!("{text}auth:\n  secretStore: vault\n");
    assert_snapshot!(refused(&of_vault).await?, @"error: ./components/store.yaml:10: the secret store `vault` has no secret `DATABASE_OF_NO_TEST` with the key `DATABASE_OF_NO_TEST`");
    let of_another = format!("{text}auth:\n  secretStore: valut\n");
    assert_snapshot!(refused(&of_another).await?, @"error: ./components/store.yaml:12: there is no secret store `valut`; did you mean `vault`? Or add a component of that name with the type secretstores.local.file or secretstores.local.env");
    Ok(())
}

#[tokio::test]
async fn names_are_unique() -> Result<()> {
    let text = store("  type: state.in-memory\n").replace("name: store", "name: vault");
    assert_snapshot!(refused(&text).await?, @"error: ./components/store.yaml:1: there is a component `vault` already, at ./components/a-vault.yaml:1; give one of them another name");
    Ok(())
}

#[tokio::test]
async fn files_and_folders_that_cannot_be_read_are_named() -> Result<()> {
    let folder = Folder::with_app()?.with("components/a-vault.yaml", SECRETS)?;
    std::os::unix::fs::symlink("nowhere", folder.path("components/store.yaml"))?;
    assert_snapshot!(folder.refused().await?, @"error: cannot read ./components/store.yaml: No such file or directory (os error 2)");
    let launch = folder.launch().args(&["--components", "nowhere"]);
    assert_snapshot!(folder.refuses(launch).await?, @"error: cannot read nowhere: No such file or directory (os error 2)");
    Ok(())
}

/// Every one is told, and the nearest component of the right kind.
#[tokio::test]
async fn components_that_a_manifest_names_must_be_there() -> Result<()> {
    let manifest = format!(
        "{MANIFEST}grants = {{ state = [\"statstore\"], publish = [\"statestore/t\"], \
         secrets = [\"vualt\"] }}\n\n[[route]]\ntopic = \"pubusb/t\"\nmodule = \"a.wat\"\n\n\
         [[route]]\nbinding = \"tick\"\nmodule = \"a.wat\"\n"
    );
    let folder = Folder::with_app()?.with("components/a-vault.yaml", SECRETS)?;
    assert_snapshot!(folder.with("trilby.toml", manifest)?.refused().await?, @r#"
    error: no component of type state is named `statstore`
     --> trilby.toml:7:10
      |
    7 | grants = { state = ["statstore"], publish = ["statestore/t"], secrets = ["vualt"] }
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: there is `statestore`

    error: no component of type pubsub is named `statestore`
     --> trilby.toml:7:10
      |
    7 | grants = { state = ["statstore"], publish = ["statestore/t"], secrets = ["vualt"] }
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: there is `pubsub`

    error: no component of type secret store is named `vualt`
     --> trilby.toml:7:10
      |
    7 | grants = { state = ["statstore"], publish = ["statestore/t"], secrets = ["vualt"] }
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: there is `vault`

    error: no component of type pubsub is named `pubusb`
      --> trilby.toml:10:9
       |
    10 | topic = "pubusb/t"
       |         ^^^^^^^^^^
       |
       = help: there is `pubsub`

    error: no component of type input binding is named `tick`
      --> trilby.toml:14:11
       |
    14 | binding = "tick"
       |           ^^^^^^
    "#);
    Ok(())
}

#[tokio::test]
async fn a_component_for_other_apps_is_not_there() -> Result<()> {
    let manifest = format!("{MANIFEST}grants = {{ state = [\"store\"] }}\n");
    let component = format!("{}scopes: [other]\n", store("  type: state.in-memory\n"));
    let folder = Folder::with_app()?.with("components/store.yaml", component)?;
    let folder = folder.with("trilby.toml", manifest)?;
    assert_snapshot!(folder.refused().await?, @r#"
    error: no component of type state is named `store`
     --> trilby.toml:7:10
      |
    7 | grants = { state = ["store"] }
      |          ^^^^^^^^^^^^^^^^^^^^^
      |
      = help: there is `statestore`
    "#);
    // Under the other app's id it is.
    folder.launch().env("APP_ID", "other").start().await?;
    Ok(())
}
