//! How the applications of these tests are started.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};
use tempfile::TempDir;
use trilby_testkit::{AppProtocol, Backend, Components, Launch, Options, World, repository, until};

use super::app::{App, Way};

/// An application of which each route is the guest that keeps what comes in.
pub(crate) struct Setup {
    routes: String,
    options: Options,
    with_redis: bool,
    topics: BTreeSet<String>,
}

impl Setup {
    /// The routes' tables without their modules: each is the lines that say what triggers it.
    pub(crate) fn new(routes: &[&str]) -> Self {
        let module = guest("inbound", "inbound-probe");
        let tables = routes.iter().map(|lines| {
            format!(
                "[[route]]\n{lines}\nmodule = {module:?}\n\
                 volumes = {{ \"/out\" = {{ host = \"out\", writable = true }} }}\n"
            )
        });
        let lines = routes.iter().flat_map(|route| route.lines());
        let topics = lines.filter(|line| line.starts_with("topic = ")).map(str::to_owned).collect();
        let routes = tables.collect();
        Self { routes, options: Options::default(), with_redis: false, topics }
    }

    /// Adds a route `/BLOCK/...` to the guest of `tests/guests/dapr` for a building block, with
    /// grants as the manifest has them between the braces.
    pub(crate) fn and(mut self, block: &str, grants: &str) -> Self {
        let module = guest("dapr", block);
        self.routes.push_str(&format!(
            "[[route]]\npath = \"/{block}/...\"\nmodule = {module:?}\ngrants = {{ {grants} }}\n"
        ));
        self
    }

    /// How the world differs, but for daprd's options, which are the way's.
    pub(crate) fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// With a sidecar, takes Redis for a broker. The one in daprd's memory takes an event only when
    /// the one before it is done with, its tries included, and keeps nothing.
    pub(crate) fn with_redis(mut self) -> Self {
        self.with_redis = true;
        self
    }

    /// The manifest.
    pub(crate) fn manifest(&self) -> String {
        let limits = "[limits]\ndeadline = \"2s\"\ndapr-timeout = \"1500ms\"\n";
        format!("version = 1\nname = \"inbound\"\n{limits}{}", self.routes)
    }

    /// Writes the manifest to a new folder.
    pub(crate) fn write(&self) -> Result<TempDir> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir(folder.path().join("out"))?;
        std::fs::write(folder.path().join("trilby.toml"), self.manifest())?;
        Ok(folder)
    }

    /// Serves it over a way.
    pub(crate) async fn serve(self, way: Way) -> Result<App> {
        self.serve_with(way, |components, _| components).await
    }

    /// The same, with further components.
    pub(crate) async fn serve_with(
        self,
        way: Way,
        more: impl FnOnce(Components, &Path) -> Components,
    ) -> Result<App> {
        let folder = self.write()?;
        let (mut options, topics) = (self.options, self.topics.len());
        options.daprd = options.daprd.or(match way {
            Way::Embedded | Way::Http => None,
            Way::Grpc => Some(|daprd| daprd.app_protocol = AppProtocol::Grpc),
            Way::Streams => Some(|daprd| daprd.app_port = None),
        });
        let backend = match (way, self.with_redis) {
            (Way::Embedded, _) => Backend::EmbeddedMemory,
            (_, true) => Backend::DaprdRedis,
            (_, false) => Backend::DaprdMemory,
        };
        let path = folder.path().to_str().context("the folder's name is not UTF-8")?;
        let world = World::start(backend, path, options, more).await?;
        let app = App::new(world, folder);
        // Otherwise daprd is not healthy before it has subscribed.
        if way == Way::Streams {
            app.subscribed(topics).await?;
        }
        Ok(app)
    }
}

/// The module of a guest of the tests.
fn guest(application: &str, name: &str) -> String {
    let release = format!("tests/guests/{application}/target/wasm32-wasip1/release/{name}.wasm");
    repository().join(release).display().to_string()
}

impl App {
    /// Starts the server again where it was, with the same sidecar.
    pub(crate) async fn start_again(&mut self) -> Result<()> {
        let daprd = self.world.daprd_options.as_ref().context("no sidecar")?;
        let mut launch = Launch::new(self.path(""), self.world.folder.path())
            .env("DAPR_GRPC_PORT", daprd.grpc_port.to_string())
            .env("DAPR_HTTP_PORT", daprd.http_port.to_string());
        for arg in launch.args.iter_mut().filter(|arg| *arg == "127.0.0.1:0") {
            arg.clone_from(&self.world.trilby.address);
        }
        self.world.trilby = launch.start().await?;
        Ok(())
    }

    /// Waits until daprd has so many subscriptions: what is published to a topic of its memory
    /// before is lost.
    pub(crate) async fn subscribed(&self, topics: usize) -> Result<()> {
        let daprd = self.world.daprd.as_ref().context("no sidecar")?;
        let what = format!("{topics} subscriptions");
        let subscribed = until(&what, || async {
            let answer = daprd.http.get("/v1.0/metadata").await.ok()?;
            let metadata: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
            let subscriptions = metadata["subscriptions"].as_array().map_or(0, Vec::len);
            (subscriptions >= topics).then_some(())
        });
        subscribed.await.with_context(|| self.world.trilby.output())
    }
}
