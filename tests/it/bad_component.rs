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
    assert_snapshot!(refused(&text).await?, @"");
    let text = store("  type: state.in-memory\n").replace("metadata:", "metdata:");
    assert_snapshot!(refused(&text).await?, @"");
    let text = "  type: state.sqlite\n  metadata:\n  - name: conectionString\n    value: a.db\n";
    assert_snapshot!(refused(&store(text)).await?, @"");
    Ok(())
}

#[tokio::test]
async fn unknown_types_are_told_the_nearest() -> Result<()> {
    assert_snapshot!(refused(&store("  type: state.sqllite\n")).await?, @"");
    assert_snapshot!(refused(&store("  type: state.redis\n")).await?, @"");
    Ok(())
}

#[tokio::test]
async fn metadata_that_is_missing_or_wrong_is_named() -> Result<()> {
    assert_snapshot!(refused(&store("  type: state.sqlite\n")).await?, @"");
    let cron = "  type: bindings.cron\n  metadata:\n  - name: schedule\n    value: every noon\n";
    assert_snapshot!(refused(&store(cron)).await?, @"");
    Ok(())
}

#[tokio::test]
async fn what_is_not_yaml_is_pointed_at() -> Result<()> {
    assert_snapshot!(refused("kind: Component\nspec: [\n").await?, @"");
    Ok(())
}

#[tokio::test]
async fn secrets_that_are_not_there_are_named() -> Result<()> {
    let text = store(
        "  type: state.sqlite\n  metadata:\n  - name: connectionString\n    secretKeyRef:\n      \
         name: DATABASE_OF_NO_TEST\n",
    );
    assert_snapshot!(refused(&text).await?, @"");
    let of_vault = format!("{text}auth:\n  secretStore: vault\n");
    assert_snapshot!(refused(&of_vault).await?, @"");
    let of_another = format!("{text}auth:\n  secretStore: valut\n");
    assert_snapshot!(refused(&of_another).await?, @"");
    Ok(())
}

#[tokio::test]
async fn names_are_unique() -> Result<()> {
    let text = store("  type: state.in-memory\n").replace("name: store", "name: vault");
    assert_snapshot!(refused(&text).await?, @"");
    Ok(())
}

#[tokio::test]
async fn files_and_folders_that_cannot_be_read_are_named() -> Result<()> {
    let folder = Folder::with_app()?.with("components/a-vault.yaml", SECRETS)?;
    std::os::unix::fs::symlink("nowhere", folder.path("components/store.yaml"))?;
    assert_snapshot!(folder.refused().await?, @"");
    let launch = folder.launch().args(&["--components", "nowhere"]);
    assert_snapshot!(folder.refuses(launch).await?, @"");
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
    assert_snapshot!(folder.with("trilby.toml", manifest)?.refused().await?, @"");
    Ok(())
}

#[tokio::test]
async fn a_component_for_other_apps_is_not_there() -> Result<()> {
    let manifest = format!("{MANIFEST}grants = {{ state = [\"store\"] }}\n");
    let component = format!("{}scopes: [other]\n", store("  type: state.in-memory\n"));
    let folder = Folder::with_app()?.with("components/store.yaml", component)?;
    let folder = folder.with("trilby.toml", manifest)?;
    assert_snapshot!(folder.refused().await?, @"");
    // Under the other app's id it is.
    folder.launch().env("APP_ID", "other").start().await?;
    Ok(())
}
