//! An application that is served, and what has come in.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;
use tempfile::TempDir;
use trilby_testkit::{Answer, Backend, World, until};

use crate::blocks::probe::{Told, ask};

/// Over what events reach an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The embedded broker, cron and jobs.
    Embedded,
    /// daprd's app channel over HTTP.
    Http,
    /// daprd's app channel over gRPC: `AppCallback`.
    Grpc,
    /// Streams that the app opens at a daprd that does not know the app's port.
    Streams,
}

impl Way {
    /// Whether a part of it is not there; says which.
    pub(crate) fn is_left_out(self) -> bool {
        self != Self::Embedded && Backend::DaprdRedis.is_left_out()
    }
}

/// An application. The server ends before its folders go.
pub(crate) struct App {
    pub(crate) world: World,
    folder: TempDir,
}

/// A delivery, or one of the events of a delivery.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    record: Value,
}

impl Delivery {
    /// A variable of the guest's environment; empty if it was not set.
    pub(crate) fn variable(&self, name: &str) -> &str {
        self.record["env"][name].as_str().unwrap_or_default()
    }

    /// Whether there is a variable.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.record["env"].get(name).is_some()
    }

    /// What was on standard input, if it was text.
    pub(crate) fn text(&self) -> &str {
        self.record["body"].as_str().unwrap_or("no text")
    }

    /// The same, as JSON.
    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_str(self.text()).with_context(|| self.text().to_owned())
    }

    /// What was on standard input, if it was no text, in base64.
    pub(crate) fn base64(&self) -> &str {
        self.record["body-base64"].as_str().unwrap_or("text")
    }
}

impl App {
    pub(crate) fn new(world: World, folder: TempDir) -> Self {
        Self { world, folder }
    }

    /// A file of the application's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Asks a guest of `tests/guests/dapr`.
    pub(crate) async fn ask(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
        body: impl Into<bytes::Bytes>,
    ) -> Result<Told> {
        ask(&self.world.trilby.http, path, parameters, body).await
    }

    /// Publishes a text to a topic of `pubsub`.
    pub(crate) async fn publish(&self, topic: &str, text: &str) -> Result<()> {
        self.publish_as(topic, &[], text.to_owned()).await
    }

    /// Publishes JSON to a topic of `pubsub`.
    pub(crate) async fn publish_json(&self, topic: &str, data: &Value) -> Result<()> {
        let json = [("content-type", "application/json")];
        self.publish_as(topic, &json, data.to_string()).await
    }

    /// The same with any parameters of the probe's operation.
    pub(crate) async fn publish_as(
        &self,
        topic: &str,
        parameters: &[(&str, &str)],
        data: impl Into<bytes::Bytes>,
    ) -> Result<()> {
        let parameters = [&[("pubsub", "pubsub"), ("topic", topic)], parameters].concat();
        self.ask("/pubsub/publish", &parameters, data).await?.done();
        Ok(())
    }

    /// Posts to the server itself.
    pub(crate) async fn post(&self, path: &str, body: &str) -> Result<Answer> {
        self.world.trilby.http.post(path, body.to_owned()).await
    }

    /// The deliveries of a key until now, in the order in which they came.
    pub(crate) fn seen(&self, key: &str) -> Vec<Delivery> {
        let read = |number: usize| {
            let file = self.path("out").join(format!("{key}.{number}.json"));
            // What is being written is not there yet.
            let record = std::fs::read(file).ok()?;
            Some(Delivery { record: serde_json::from_slice(&record).ok()? })
        };
        (1..).map_while(read).collect()
    }

    /// Waits until a key was delivered so often.
    pub(crate) async fn came(&self, key: &str, times: usize) -> Result<Vec<Delivery>> {
        let what = format!("{key} to come {times} times");
        let came =
            until(&what, || async { Some(self.seen(key)).filter(|seen| seen.len() >= times) });
        came.await.with_context(|| {
            let daprd = self.world.daprd.as_ref().map(trilby_testkit::Daprd::output);
            format!("{}\n{}", self.world.trilby.output(), daprd.unwrap_or_default())
        })
    }

    /// Waits until a key was delivered for the first time.
    pub(crate) async fn first(&self, key: &str) -> Result<Delivery> {
        self.came(key, 1).await?.into_iter().next().context("no delivery")
    }
}
