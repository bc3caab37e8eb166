//! Applications made of the guests in `tests/guests/dapr`, one for each building block, and what
//! these tell.

use std::path::Path;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use serde_json::Value;
use tempfile::TempDir;
use trilby_testkit::{Answer, Backend, Components, Options, World, repository, until};

/// Parameters for operations that need none.
pub(crate) const NONE: &[(&str, &str)] = &[];

/// An application's manifest, with only those of the guests that a test needs.
#[derive(Clone, Default)]
pub(crate) struct Probe {
    manifest: String,
    files: Vec<(String, String)>,
    options: Options,
}

/// One that is served. The server ends before its folders go.
pub(crate) struct App {
    pub(crate) world: World,
    _folder: TempDir,
}

impl Probe {
    /// A route `/BLOCK/...` to the guest of a block. `grants` are as the manifest has them between
    /// the braces.
    pub(crate) fn granting(block: &str, grants: &str) -> Self {
        Self::default().and(block, grants)
    }

    /// Another such route.
    pub(crate) fn and(self, block: &str, grants: &str) -> Self {
        self.and_at(&format!("/{block}/..."), block, grants)
    }

    /// Another such route at a path of its own.
    pub(crate) fn and_at(self, path: &str, block: &str, grants: &str) -> Self {
        let module = repository()
            .join("tests/guests/dapr/target/wasm32-wasip1/release")
            .join(format!("{block}.wasm"));
        self.lines(&format!(
            "[[route]]\npath = {path:?}\nmodule = {:?}\ngrants = {{ {grants} }}\n",
            module.display().to_string()
        ))
    }

    /// Further lines of the manifest.
    pub(crate) fn lines(mut self, lines: &str) -> Self {
        self.manifest.push_str(lines);
        self
    }

    /// A file beside the manifest.
    pub(crate) fn file(mut self, name: &str, text: impl Into<String>) -> Self {
        self.files.push((name.to_owned(), text.into()));
        self
    }

    /// How the world differs.
    pub(crate) fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Serves it with the backend's `statestore` and `pubsub`, and what `more` adds.
    pub(crate) async fn serve(
        self,
        backend: Backend,
        more: impl FnOnce(Components, &Path) -> Components,
    ) -> Result<App> {
        let folder = tempfile::tempdir()?;
        for (name, text) in &self.files {
            std::fs::write(folder.path().join(name), text)?;
        }
        let manifest = format!("version = 1\nname = \"probe\"\n{}", self.manifest);
        std::fs::write(folder.path().join("trilby.toml"), manifest)?;
        let path = folder.path().to_str().context("the folder's name is not UTF-8")?;
        let world = World::start(backend, path, self.options, more).await?;
        let http = &world.trilby.http;
        until("the application to be ready", || async {
            http.get("/readyz").await.ok().filter(|answer| answer.status == 200)
        })
        .await?;
        Ok(App { world, _folder: folder })
    }

    /// The same without further components.
    pub(crate) async fn serve_plain(self, backend: Backend) -> Result<App> {
        self.serve(backend, |components, _| components).await
    }
}

impl App {
    /// Asks for an operation: `/BLOCK/OPERATION`, or `/BLOCK/raw/FUNCTION`.
    pub(crate) async fn ask<V: AsRef<[u8]>>(
        &self,
        path: &str,
        parameters: &[(&str, V)],
        body: impl Into<Bytes>,
    ) -> Result<Told> {
        ask(&self.world.trilby.http, path, parameters, body).await
    }
}

/// The same of any server.
pub(crate) async fn ask<V: AsRef<[u8]>>(
    http: &trilby_testkit::Client,
    path: &str,
    parameters: &[(&str, V)],
    body: impl Into<Bytes>,
) -> Result<Told> {
    let pairs = parameters.iter().map(|(name, value)| {
        format!("{name}={}", percent_encode(value.as_ref(), NON_ALPHANUMERIC))
    });
    let target = format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"));
    Told::read(http.post(&target, body).await?).with_context(|| shortened(&target))
}

fn shortened(text: &str) -> String {
    text.chars().take(500).collect()
}

/// What a guest told about a call.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// `OK`, or the code's name (`NOT_FOUND`).
    pub(crate) code: String,
    /// Dapr's or the host's reason; empty if there is none.
    pub(crate) reason: String,
    /// The answer's body, or the error's sentence.
    pub(crate) body: Bytes,
    headers: http::HeaderMap,
}

impl Told {
    fn read(answer: Answer) -> Result<Self> {
        let (code, reason, body) = match answer.status.as_u16() {
            200 => ("OK".to_owned(), String::new(), answer.body),
            418 => {
                let text = answer.text();
                let (first, message) = text.split_once('\n').context("no message")?;
                let (code, reason) = first.split_once(' ').context("no reason")?;
                let reason = if reason == "-" { "" } else { reason };
                (code.to_owned(), reason.to_owned(), message.to_owned().into())
            }
            status => bail!("the probe answered {status}: {}", answer.text()),
        };
        Ok(Self { code, reason, body, headers: answer.headers })
    }

    /// The body, or the error's sentence, as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header of the host's answer.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(format!("x-answer-{name}")).and_then(|value| value.to_str().ok())
    }

    /// The body's records.
    pub(crate) fn records(&self) -> Result<Vec<Value>> {
        self.text().lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    /// Asserts that the call succeeded.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        assert!(self.code == "OK", "{} {}: {}", self.code, self.reason, self.text());
        self
    }

    /// Asserts how the call failed; the sentence contains `part`.
    #[track_caller]
    pub(crate) fn refused(self, code: &str, reason: &str, part: &str) -> Self {
        let seen = (self.code.as_str(), self.reason.as_str());
        assert_eq!(seen, (code, reason), "{}", shortened(&self.text()));
        assert!(self.text().contains(part), "no `{part}` in: {}", shortened(&self.text()));
        self
    }

    /// Asserts that nothing grants this, and that the sentence tells the line which would.
    #[track_caller]
    pub(crate) fn not_granted(self, line: &str) -> Self {
        self.refused("PERMISSION_DENIED", "TRILBY_NOT_GRANTED", &format!("grants = {{ {line} }}"))
    }

    /// Asserts that the host did not take an argument.
    #[track_caller]
    pub(crate) fn invalid(self, part: &str) -> Self {
        self.refused("INVALID_ARGUMENT", "TRILBY_INVALID_ARGUMENT", part)
    }
}
