//! A real daprd, as a sidecar of one app.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{Process, free_port};
use crate::{Client, ControlPlaneAddress, until};

/// What daprd speaks to the app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AppProtocol {
    /// HTTP/1.1.
    #[default]
    Http,
    /// gRPC without TLS: `AppCallback`.
    Grpc,
}

/// What a daprd is started with.
#[derive(Clone, Debug)]
pub struct DaprdOptions {
    /// The program.
    pub program: String,
    /// The app's id.
    pub app_id: String,
    /// The port on which the app listens; `None` for an app that is not called.
    pub app_port: Option<u16>,
    /// What is spoken there.
    pub app_protocol: AppProtocol,
    /// Whether daprd asks for the app's health, each second, before it sends anything.
    pub app_health_check: bool,
    /// The port of the gRPC API.
    pub grpc_port: u16,
    /// The port of the HTTP API.
    pub http_port: u16,
    /// Scheduler and placement service, if there are.
    pub control_plane: Option<ControlPlaneAddress>,
    /// What callers of daprd must show (`DAPR_API_TOKEN`).
    pub api_token: Option<String>,
    /// What daprd shows to the app (`APP_API_TOKEN`).
    pub app_api_token: Option<String>,
    /// The largest message either way, such as `64Ki`; daprd's own default is `4Mi`.
    pub max_body_size: Option<String>,
    /// The folder of component files.
    pub resources: PathBuf,
    /// Where relative paths in component files begin.
    pub folder: PathBuf,
    /// Further variables.
    pub env: Vec<(String, String)>,
    /// Further arguments.
    pub args: Vec<String>,
}

impl DaprdOptions {
    /// daprd's defaults, for an app that is not called: no control plane, no tokens, a free port.
    ///
    /// # Errors
    ///
    /// When `TRILBY_TEST_DAPRD` is not set, or no port is free.
    pub fn new(
        app_id: impl Into<String>,
        resources: impl Into<PathBuf>,
        folder: impl Into<PathBuf>,
    ) -> Result<Self> {
        Ok(Self {
            program: std::env::var("TRILBY_TEST_DAPRD").context("TRILBY_TEST_DAPRD is not set")?,
            app_id: app_id.into(),
            app_port: None,
            app_protocol: AppProtocol::default(),
            app_health_check: false,
            grpc_port: free_port()?,
            http_port: free_port()?,
            control_plane: None,
            api_token: None,
            app_api_token: None,
            max_body_size: None,
            resources: resources.into(),
            folder: folder.into(),
            env: Vec::new(),
            args: Vec::new(),
        })
    }

    fn command(&self) -> Result<Command> {
        let mut command = Command::new(&self.program);
        command.args(["--app-id", &self.app_id, "--dapr-listen-addresses", "127.0.0.1"]);
        command.arg("--resources-path").arg(&self.resources);
        let ports = [
            ("--dapr-grpc-port", self.grpc_port),
            ("--dapr-http-port", self.http_port),
            ("--dapr-internal-grpc-port", free_port()?),
            ("--metrics-port", free_port()?),
        ];
        for (flag, port) in ports {
            command.arg(flag).arg(port.to_string());
        }
        if let Some(port) = self.app_port {
            let protocol = match self.app_protocol {
                AppProtocol::Http => "http",
                AppProtocol::Grpc => "grpc",
            };
            command.args(["--app-port", &port.to_string(), "--app-protocol", protocol]);
        }
        if self.app_health_check {
            command.args(["--enable-app-health-check", "--app-health-probe-interval", "1"]);
        }
        if let Some(address) = &self.control_plane {
            command.args(["--scheduler-host-address", &address.scheduler]);
            command.args(["--placement-host-address", &address.placement]);
        }
        if let Some(size) = &self.max_body_size {
            command.args(["--max-body-size", size]);
        }
        command.args(&self.args);
        crate::process::without_settings(&mut command);
        command.current_dir(&self.folder).env("DAPR_HOST_IP", "127.0.0.1");
        let tokens = [("DAPR_API_TOKEN", &self.api_token), ("APP_API_TOKEN", &self.app_api_token)];
        for (name, token) in tokens {
            if let Some(token) = token {
                command.env(name, token);
            }
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }
}

/// A running daprd.
pub struct Daprd {
    process: Process,
    /// daprd's HTTP API.
    pub http: Client,
    /// The port of its HTTP API.
    pub http_port: u16,
}

impl Daprd {
    /// Starts daprd and waits until its API and all its components are there.
    ///
    /// # Errors
    ///
    /// When it does not get that far; with its output.
    pub async fn start(options: &DaprdOptions) -> Result<Self> {
        let http_port = options.http_port;
        let process = Process::start("daprd", &mut options.command()?)?;
        let http = Client::new(&format!("http://127.0.0.1:{http_port}"));
        let mut daprd = Self { process, http, http_port };
        // With an app, `healthz` waits for it and for the answer to `/dapr/subscribe`.
        let health = until("daprd's health", || {
            let (http, ended) = (daprd.http.clone(), daprd.process.has_ended());
            async move {
                let healthy = http.get("/v1.0/healthz").await.ok();
                match healthy.filter(|answer| answer.status.is_success()) {
                    Some(_) => Some(true),
                    None => ended.then_some(false),
                }
            }
        })
        .await;
        match health {
            Ok(true) => {}
            Ok(false) => bail!("daprd ended:\n{}", daprd.process.output()),
            Err(error) => return Err(error.context(daprd.process.output())),
        }
        Ok(daprd)
    }

    /// What daprd has logged.
    #[must_use]
    pub fn output(&self) -> String {
        self.process.output()
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}
