//! Dapr's scheduler and placement services.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::process::{Process, free_port, without_settings};
use crate::{Client, leave_out, until};

const SCHEDULER: &str = "TRILBY_TEST_SCHEDULER";
const PLACEMENT: &str = "TRILBY_TEST_PLACEMENT";

/// The services beside daprd that jobs (scheduler), and actors and their reminders (both) need.
/// They are ended when it is dropped.
pub struct ControlPlane {
    /// Where the services listen.
    pub address: ControlPlaneAddress,
    scheduler: Process,
    placement: Process,
    _folder: TempDir,
}

/// Where daprd finds its control plane.
#[derive(Clone, Debug)]
pub struct ControlPlaneAddress {
    /// The scheduler, `host:port`.
    pub scheduler: String,
    /// The placement service, `host:port`.
    pub placement: String,
}

impl ControlPlane {
    /// Whether a program of it is not there; says which.
    ///
    /// # Panics
    ///
    /// With `CI` set, where every part must be there.
    #[must_use]
    pub fn is_left_out() -> bool {
        let absent =
            |variable: &&str| std::env::var_os(variable).is_none_or(|path| path.is_empty());
        let missing = [SCHEDULER, PLACEMENT].into_iter().find(|variable| absent(variable));
        if let Some(variable) = missing {
            leave_out(&format!("{variable} (`cargo xtask test` builds it)"));
        }
        missing.is_some()
    }

    /// Starts both services and waits until they are healthy.
    ///
    /// # Errors
    ///
    /// When one does not get that far; with its output.
    pub async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let (scheduler_port, placement_port) = (free_port()?, free_port()?);
        let (scheduler_health, placement_health) = (free_port()?, free_port()?);
        let mut scheduler = start_scheduler(scheduler_port, scheduler_health, folder.path())?;
        let mut placement = start_placement(placement_port, placement_health)?;
        healthy("scheduler", &mut scheduler, scheduler_health).await?;
        healthy("placement", &mut placement, placement_health).await?;
        let address = ControlPlaneAddress {
            scheduler: format!("127.0.0.1:{scheduler_port}"),
            placement: format!("127.0.0.1:{placement_port}"),
        };
        Ok(Self { address, scheduler, placement, _folder: folder })
    }

    /// The process of the scheduler.
    pub fn scheduler(&mut self) -> &mut Process {
        &mut self.scheduler
    }

    /// The process of the placement service.
    pub fn placement(&mut self) -> &mut Process {
        &mut self.placement
    }
}

fn start_scheduler(port: u16, health_port: u16, folder: &Path) -> Result<Process> {
    let mut command = command(SCHEDULER, port, health_port)?;
    let peer = format!("dapr-scheduler-server-0=http://127.0.0.1:{}", free_port()?);
    command.args(["--etcd-initial-cluster", &peer]);
    command.args(["--etcd-client-listen-address", "127.0.0.1"]);
    command.args(["--etcd-client-port", &free_port()?.to_string()]);
    // Otherwise daprd is told to connect to the name of this machine.
    command.args(["--override-broadcast-host-port", &format!("127.0.0.1:{port}")]);
    command.arg("--etcd-data-dir").arg(folder.join("jobs"));
    command.arg("--identity-directory-write").arg(folder.join("identity"));
    Process::start("scheduler", &mut command)
}

fn start_placement(port: u16, health_port: u16) -> Result<Process> {
    let mut command = command(PLACEMENT, port, health_port)?;
    let peer = format!("dapr-placement-0=127.0.0.1:{}", free_port()?);
    command.args(["--initial-cluster", &peer]);
    Process::start("placement", &mut command)
}

/// What the two have in common.
fn command(variable: &str, port: u16, health_port: u16) -> Result<Command> {
    let program = std::env::var_os(variable).with_context(|| format!("{variable} is not set"))?;
    let mut command = Command::new(program);
    without_settings(&mut command);
    command.args(["--listen-address", "127.0.0.1", "--port", &port.to_string()]);
    command.args(["--healthz-listen-address", "127.0.0.1"]);
    command.args(["--healthz-port", &health_port.to_string(), "--enable-metrics=false"]);
    Ok(command)
}

async fn healthy(name: &str, process: &mut Process, port: u16) -> Result<()> {
    let http = Client::new(&format!("http://127.0.0.1:{port}"));
    let health = until(&format!("the health of {name}"), || {
        let (http, ended) = (http.clone(), process.has_ended());
        async move {
            match http.get("/healthz").await {
                Ok(answer) if answer.status.is_success() => Some(true),
                _ => ended.then_some(false),
            }
        }
    })
    .await;
    match health {
        Ok(true) => Ok(()),
        Ok(false) => bail!("{name} ended:\n{}", process.output()),
        Err(error) => Err(error.context(process.output())),
    }
}

#[cfg(test)]
mod tests;
