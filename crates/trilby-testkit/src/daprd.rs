//! A real daprd, as a sidecar of one app.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::process::{Process, free_port};
use crate::{Client, until};

/// What a daprd is started with.
#[derive(Clone, Debug)]
pub struct DaprdOptions {
    /// The program.
    pub program: String,
    /// The app's id.
    pub app_id: String,
    /// The port on which the app listens; `None` for an app that is not called.
    pub app_port: Option<u16>,
    /// The port of the gRPC API.
    pub grpc_port: u16,
    /// The folder of component files.
    pub resources: PathBuf,
    /// Where relative paths in component files begin.
    pub folder: PathBuf,
    /// `DAPR_API_TOKEN` and the like.
    pub env: Vec<(String, String)>,
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
        let http_port = free_port()?;
        let mut command = Command::new(&options.program);
        command.args(["--app-id", &options.app_id, "--dapr-listen-addresses", "127.0.0.1"]);
        command.arg("--resources-path").arg(&options.resources);
        let ports = [
            ("--dapr-grpc-port", options.grpc_port),
            ("--dapr-http-port", http_port),
            ("--dapr-internal-grpc-port", free_port()?),
            ("--metrics-port", free_port()?),
        ];
        for (flag, port) in ports {
            command.arg(flag).arg(port.to_string());
        }
        if let Some(port) = options.app_port {
            command.args(["--app-port", &port.to_string(), "--app-protocol", "http"]);
        }
        crate::process::without_settings(&mut command);
        command.current_dir(&options.folder).env("DAPR_HOST_IP", "127.0.0.1");
        command.envs(options.env.iter().map(|(name, value)| (name, value)));
        let process = Process::start("daprd", &mut command)?;
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
