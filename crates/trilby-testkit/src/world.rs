//! An application, served against one backend.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::{Backend, Components, ControlPlane, Daprd, DaprdOptions, Launch, Redis, Trilby};

/// How a world differs from the plain one.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Variables for `trilby`.
    pub env: Vec<(String, String)>,
    /// Variables for daprd.
    pub daprd_env: Vec<(String, String)>,
    /// Changes how daprd is started, when all else of it is settled.
    pub daprd: Option<fn(&mut DaprdOptions)>,
    /// The app's id; another one for each world without it.
    pub app_id: Option<String>,
    /// Whether daprd gets a scheduler and a placement service.
    pub control_plane: bool,
    /// Whether there is a Redis even if the backend needs none.
    pub redis: bool,
    /// Whether the embedded runtime serves the Dapr API, on free ports.
    pub api: bool,
    /// A `Configuration` for daprd and for the embedded runtime, as YAML.
    pub configuration: Option<String>,
}

/// All parts of a running application. Parts are ended in the order of the fields.
pub struct World {
    /// The server.
    pub trilby: Trilby,
    /// Where the Dapr API is served, if it is.
    pub api: Option<Api>,
    /// Its sidecar, if the backend has one.
    pub daprd: Option<Daprd>,
    /// How the sidecar was started, to start it again.
    pub daprd_options: Option<DaprdOptions>,
    /// Its scheduler and placement service, if they were asked for.
    pub control_plane: Option<ControlPlane>,
    /// The Redis, if there is one.
    pub redis: Option<Redis>,
    /// The app's id.
    pub app_id: String,
    /// The working directory of both.
    pub folder: TempDir,
}

/// Where the Dapr API is, of daprd or of the embedded runtime.
#[derive(Clone, Debug)]
pub struct Api {
    /// The gRPC API, `host:port`.
    pub grpc: String,
    /// The HTTP API, `host:port`.
    pub http: String,
}

impl Api {
    fn at(grpc: u16, http: u16) -> Self {
        Self { grpc: format!("127.0.0.1:{grpc}"), http: format!("127.0.0.1:{http}") }
    }

    /// What the embedded runtime's banner says: `dapr api  grpc://host:port, http://host:port`.
    async fn of(trilby: &mut Trilby) -> Result<Self> {
        let line = trilby.logged("dapr api").await?;
        let address = |scheme: &str| {
            let (_, rest) = line.split_once(scheme).with_context(|| line.clone())?;
            anyhow::Ok(rest.split([',', ' ']).next().unwrap_or(rest).to_owned())
        };
        Ok(Self { grpc: address("grpc://")?, http: address("http://")? })
    }
}

impl World {
    /// Serves the application in `app` (a folder below the repository's root) with the backend's
    /// `statestore` and `pubsub`, and with the components that `more` adds.
    ///
    /// # Errors
    ///
    /// When a part does not start.
    pub async fn start(
        backend: Backend,
        app: &str,
        options: Options,
        more: impl FnOnce(Components, &Path) -> Components,
    ) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let redis = if options.redis || backend == Backend::DaprdRedis {
            Some(Redis::start(&program("TRILBY_TEST_REDIS")?).await?)
        } else {
            None
        };
        let components =
            Components::of(backend, redis.as_ref().map(|redis| redis.port), folder.path());
        let resources = folder.path().join("components");
        more(components, folder.path()).write(&resources)?;
        let app_id = options.app_id.clone().unwrap_or_else(app_id);
        let mut launch = Launch::new(crate::repository().join(app), folder.path());
        launch.env.clone_from(&options.env);
        launch = launch.env("APP_ID", &app_id);
        if !backend.is_sidecar() {
            if let Some(yaml) = &options.configuration {
                std::fs::write(resources.join("configuration.yaml"), yaml)?;
            }
            let path = resources.display().to_string();
            launch = launch.args(&["--components", &path]);
            if options.api {
                launch = launch.args(&["--dapr-grpc-port", "0", "--dapr-http-port", "0"]);
            }
            let mut trilby = launch.start().await?;
            let api = if options.api { Some(Api::of(&mut trilby).await?) } else { None };
            let (daprd, daprd_options, control_plane) = (None, None, None);
            return Ok(Self {
                trilby,
                api,
                daprd,
                daprd_options,
                control_plane,
                redis,
                app_id,
                folder,
            });
        }
        let control_plane =
            if options.control_plane { Some(ControlPlane::start().await?) } else { None };
        let mut daprd_options = DaprdOptions::new(app_id.as_str(), resources, folder.path())?;
        daprd_options.control_plane = control_plane.as_ref().map(|plane| plane.address.clone());
        daprd_options.env = options.daprd_env;
        if let Some(yaml) = &options.configuration {
            let path = folder.path().join("configuration.yaml");
            std::fs::write(&path, yaml)?;
            daprd_options.args = vec!["--config".to_owned(), path.display().to_string()];
        }
        let grpc_port = daprd_options.grpc_port.to_string();
        let http_port = daprd_options.http_port.to_string();
        let launch = launch.env("DAPR_GRPC_PORT", grpc_port).env("DAPR_HTTP_PORT", http_port);
        let trilby = launch.start().await?;
        daprd_options.app_port = Some(trilby.port());
        if let Some(change) = options.daprd {
            change(&mut daprd_options);
        }
        let daprd = Daprd::start(&daprd_options).await.with_context(|| trilby.output())?;
        let api = Some(Api::at(daprd_options.grpc_port, daprd_options.http_port));
        let (daprd, daprd_options) = (Some(daprd), Some(daprd_options));
        Ok(Self { trilby, api, daprd, daprd_options, control_plane, redis, app_id, folder })
    }

    /// A path below the working directory.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn program(variable: &str) -> Result<String> {
    std::env::var(variable).with_context(|| format!("{variable} is not set"))
}

/// An id that no other app has, since Redis and the network are shared by all that use one.
#[must_use]
pub fn app_id() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("app-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
