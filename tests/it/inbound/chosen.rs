//! Which way daprd's events take: what `--subscriptions` says, else whether daprd knows the app's
//! port.

use anyhow::{Context, Result};
use trilby_testkit::Options;

use super::app::{App, Way};
use super::setup::Setup;

async fn serve(
    way: Way,
    chosen: &str,
    daprd: Option<fn(&mut trilby_testkit::DaprdOptions)>,
) -> Result<App> {
    let env = vec![("TRILBY_SUBSCRIPTIONS".to_owned(), chosen.to_owned())];
    let options = Options { env, daprd, ..Options::default() };
    let setup = Setup::new(&["topic = \"pubsub/t\""]).and("pubsub", "publish = [\"pubsub\"]");
    setup.options(options).serve(way).await
}

/// The kinds of subscriptions that daprd has.
async fn kinds(app: &App) -> Result<Vec<String>> {
    let daprd = app.world.daprd.as_ref().context("no sidecar")?;
    let answer = daprd.http.get("/v1.0/metadata").await?;
    let metadata: serde_json::Value = serde_json::from_slice(&answer.body)?;
    let subscriptions = metadata["subscriptions"].as_array().cloned().unwrap_or_default();
    Ok(subscriptions
        .iter()
        .map(|one| one["type"].as_str().unwrap_or_default().to_owned())
        .collect())
}

#[tokio::test]
async fn each_way_can_be_chosen() -> Result<()> {
    if Way::Http.is_left_out() {
        return Ok(());
    }
    // As for `streaming`, daprd knows the port all the same: the app tells it no topics.
    let known: fn(&mut trilby_testkit::DaprdOptions) = |_| {};
    for (way, chosen, daprd, wanted) in [
        (Way::Http, "auto", None, "PROGRAMMATIC"),
        (Way::Http, "app-channel", None, "PROGRAMMATIC"),
        (Way::Streams, "auto", None, "STREAMING"),
        (Way::Streams, "streaming", None, "STREAMING"),
        (Way::Streams, "streaming", Some(known), "STREAMING"),
    ] {
        let app = serve(way, chosen, daprd).await?;
        assert_eq!(kinds(&app).await?, [wanted], "{chosen}");
        app.publish("t", "event").await?;
        app.publish("t", "last").await?;
        app.first("event").await?;
        app.first("last").await?;
        assert_eq!(app.seen("event").len(), 1, "{chosen}");
    }
    Ok(())
}

#[tokio::test]
async fn another_word_is_refused() -> Result<()> {
    let folder = Setup::new(&["path = \"/\""]).write()?;
    let launch = trilby_testkit::Launch::new(folder.path(), folder.path());
    let (code, output) = launch.args(&["--subscriptions", "both"]).fails().await?;
    assert_eq!(code, 2, "{output}");
    assert!(output.contains("app-channel") && output.contains("streaming"), "{output}");
    Ok(())
}
