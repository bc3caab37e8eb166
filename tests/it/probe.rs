//! The probe guest (`tests/guests/probe`): a world that serves it, and its answers.

use anyhow::{Context, Result, ensure};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use trilby_testkit::{Backend, Client, Options, World};

/// A world that serves the probe, with the components that its manifest names.
pub(crate) async fn world(backend: Backend) -> Result<World> {
    world_with(backend, Options::default()).await
}

/// The same, with options. The folder of `files` comes from a secret, and another component, whose
/// folder cannot be, is another app's: daprd and the embedded runtime read both alike.
pub(crate) async fn world_with(backend: Backend, options: Options) -> Result<World> {
    World::start(backend, "tests/guests/probe", options, |components, folder| {
        let (secrets, files) = (folder.join("secrets.json"), folder.join("files"));
        let values = serde_json::json!({"known": "s3cr3t", "other": "hidden", "folder": files});
        let written = std::fs::write(&secrets, values.to_string());
        assert!(written.is_ok(), "cannot write {}", secrets.display());
        let secrets = secrets.display().to_string();
        components
            .add("secrets", "secretstores.local.file", &[("secretsFile", &secrets)])
            .add("tick", "bindings.cron", &[("schedule", "@every 1s"), ("direction", "input")])
            .document(FILES)
            .document(FILES_OF_ANOTHER)
    })
    .await
}

const FILES: &str = "\
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: files
spec:
  type: bindings.localstorage
  version: v1
  metadata:
    - name: rootPath
      secretKeyRef: {name: folder, key: folder}
auth:
  secretStore: secrets
";

const FILES_OF_ANOTHER: &str = "\
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: files-of-another
spec:
  type: bindings.localstorage
  version: v1
  metadata:
    - name: rootPath
      value: /proc/nowhere
scopes: [another-app]
";

/// What an import answered: the sign of its result, then the headers and body or the error's text.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// Negative for an error, 0 for done, 1 for an answer with a handle.
    pub(crate) result: i32,
    /// The lines before the blank one.
    pub(crate) headers: Vec<(String, String)>,
    /// What follows.
    pub(crate) body: String,
}

impl Report {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    fn parse(text: &str) -> Result<Self> {
        let (first, rest) = text.split_once('\n').context("no result line")?;
        let result = first.strip_prefix("result: ").context("no result line")?.parse()?;
        let (head, body) = match rest.strip_prefix('\n') {
            Some(body) => ("", body),
            None => rest.split_once("\n\n").unwrap_or((rest, "")),
        };
        let headers = head.lines().filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(Self { result, headers, body: body.to_owned() })
    }
}

/// Calls an import through the probe: `what` is its path, `a` and `b` the two targets.
pub(crate) async fn call(
    http: &Client,
    what: &str,
    [a, b]: [&str; 2],
    options: &str,
    body: impl Into<bytes::Bytes>,
) -> Result<Report> {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let path = format!("{what}?a={}&b={}&options={}", encoded(a), encoded(b), encoded(options));
    let answer = http.post(&path, body).await?;
    ensure!(answer.status == 200, "{what} {a} {b}: {} {}", answer.status, answer.text());
    Report::parse(&answer.text())
}

/// Reads a key of `statestore`.
pub(crate) async fn get(http: &Client, key: &str) -> Result<Report> {
    call(http, "/state/get", ["statestore", key], "", "").await
}

/// Writes a key of `statestore`.
pub(crate) async fn set(http: &Client, key: &str, options: &str, value: &str) -> Result<Report> {
    call(http, "/state/set", ["statestore", key], options, value.to_owned()).await
}
