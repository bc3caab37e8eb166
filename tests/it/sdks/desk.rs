//! What the programs run against: an application of Trilby's with the same components, and Dapr's
//! API beside it, from a real daprd or from Trilby itself.

use std::path::PathBuf;

use anyhow::{Context, Result};
use tempfile::TempDir;
use trilby_testkit::{
    Backend, Components, ControlPlane, Daprd, DaprdOptions, Launch, Redis, Trilby, app_id,
    free_port,
};

use super::programs::Sdk;
use crate::wat;

/// Whose API it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Daprd,
    Embedded,
}

impl Side {
    /// Whether a part of it is not there; says which.
    pub(crate) fn is_left_out(self) -> bool {
        self == Self::Daprd
            && (Backend::DaprdMemory.is_left_out()
                || Redis::is_left_out()
                || ControlPlane::is_left_out())
    }
}

const TOKEN: &str = "a token for the desk";

const MANIFEST: &str = "version = 1\n[[route]]\npath = \"/echo\"\nmodule = \"echo.wat\"\n";

/// All parts but the program. They are ended in the order of the fields.
pub(crate) struct Desk {
    side: Side,
    /// The daprd of a program that is an app itself.
    own_daprd: Option<Daprd>,
    daprd: Option<Daprd>,
    trilby: Option<Trilby>,
    control_plane: Option<ControlPlane>,
    redis: Option<Redis>,
    ports: Ports,
    /// The id of Trilby's application, which answers `/echo`.
    app: String,
    /// What callers of the API must show.
    token: Option<&'static str>,
    /// The id and the port of the program, if it is an app itself.
    own: Option<(String, u16)>,
    folder: TempDir,
}

/// Where Dapr's API is for the program.
struct Ports {
    grpc: u16,
    http: u16,
}

impl Desk {
    /// Decides all addresses and starts what nothing waits for.
    pub(crate) async fn prepare(side: Side, sdk: Sdk) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let ports = Ports { grpc: free_port()?, http: free_port()? };
        let own = if sdk.is_app() { Some((app_id(), free_port()?)) } else { None };
        let (redis, control_plane) = if side == Side::Daprd {
            let program = std::env::var("TRILBY_TEST_REDIS").context("no Redis")?;
            (Some(Redis::start(&program).await?), Some(ControlPlane::start().await?))
        } else {
            (None, None)
        };
        let token = sdk.sends_token().then_some(TOKEN);
        let (app, own_daprd, daprd, trilby) = (app_id(), None, None, None);
        let desk = Self {
            side,
            own_daprd,
            daprd,
            trilby,
            control_plane,
            redis,
            ports,
            app,
            token,
            own,
            folder,
        };
        desk.set_color("red").await?;
        desk.components()?.write(&desk.path("resources"))?;
        Ok(desk)
    }

    /// Starts the application and the API.
    pub(crate) async fn open(&mut self) -> Result<()> {
        let Some(plane) = &self.control_plane else {
            let (grpc, http) = (self.ports.grpc.to_string(), self.ports.http.to_string());
            let components = self.path("resources").display().to_string();
            let args = ["--dapr-grpc-port", &grpc, "--dapr-http-port", &http];
            let launch = self.launch()?.args(&args).args(&["--components", &components]);
            self.trilby = Some(launch.start().await?);
            return Ok(());
        };
        let address = plane.address.clone();
        let daprd = |id: &str, app_port| -> Result<DaprdOptions> {
            let mut options = DaprdOptions::new(id, self.path("resources"), self.folder.path())?;
            options.app_port = Some(app_port);
            options.api_token = self.token.map(str::to_owned);
            options.control_plane = Some(address.clone());
            Ok(options)
        };
        let with_ports = |mut options: DaprdOptions| {
            (options.grpc_port, options.http_port) = (self.ports.grpc, self.ports.http);
            options
        };
        let trilby = self.launch()?.start().await?;
        let mut options = daprd(&self.app, trilby.port())?;
        let mut own_daprd = None;
        if let Some((id, port)) = &self.own {
            own_daprd = Some(Daprd::start(&with_ports(daprd(id, *port)?)).await?);
        } else {
            options = with_ports(options);
        }
        let daprd = Daprd::start(&options).await?;
        (self.trilby, self.daprd, self.own_daprd) = (Some(trilby), Some(daprd), own_daprd);
        Ok(())
    }

    fn launch(&self) -> Result<Launch> {
        let mut manifest = MANIFEST.to_owned();
        if let Some((id, port)) = &self.own {
            manifest.push_str(&format!("[dapr.apps]\n\"{id}\" = \"http://127.0.0.1:{port}\"\n"));
        }
        wat::write(&self.folder, "trilby.toml", &manifest, |launch| {
            let launch = launch.env("APP_ID", self.app.as_str());
            self.token.into_iter().fold(launch, |l, token| l.env("DAPR_API_TOKEN", token))
        })
    }

    /// The same names on both sides.
    fn components(&self) -> Result<Components> {
        let folder = self.folder.path();
        let secrets = self.path("secrets.json");
        std::fs::write(&secrets, r#"{"known": "s3cr3t", "other": "hidden"}"#)?;
        let secrets = secrets.display().to_string();
        let files = self.path("files").display().to_string();
        let port = self.redis.as_ref().map(|redis| redis.port);
        let backend = match self.side {
            Side::Daprd => Backend::DaprdMemory,
            Side::Embedded => Backend::EmbeddedMemory,
        };
        let all = Components::of(backend, port, folder)
            .with_crypto(folder)
            .with_conversation()
            .add("secrets", "secretstores.local.file", &[("secretsFile", &secrets)])
            .add("files", "bindings.localstorage", &[("rootPath", &files)]);
        if self.side == Side::Daprd {
            return Ok(all.with_configuration().with_lock());
        }
        let settings = self.settings().display().to_string();
        Ok(all.add("configuration", "configuration.in-memory", &[("file", &settings)]).add(
            "lock",
            "lock.in-memory",
            &[],
        ))
    }

    /// Changes the item `color` of the configuration.
    pub(crate) async fn set_color(&self, color: &str) -> Result<()> {
        let item = format!("{color}||1");
        if let Some(redis) = &self.redis {
            return redis.set("color", &item).await;
        }
        std::fs::write(self.settings(), serde_json::json!({"color": item}).to_string())?;
        Ok(())
    }

    fn settings(&self) -> PathBuf {
        self.path("settings.json")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the program is told: the variables of the SDKs, `APP_ID` for whom the API speaks, and
    /// `TARGET_APP`, the app to call.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("DAPR_GRPC_PORT", self.ports.grpc.to_string()),
            ("DAPR_HTTP_PORT", self.ports.http.to_string()),
            ("TARGET_APP", self.app.clone()),
        ];
        variables.extend(self.token.map(|token| ("DAPR_API_TOKEN", token.to_owned())));
        let mut speaker = &self.app;
        if let Some((id, port)) = &self.own {
            variables.push(("APP_PORT", port.to_string()));
            variables.push(("OWN_APP", id.clone()));
            if self.side == Side::Daprd {
                speaker = id;
            }
        }
        variables.push(("APP_ID", speaker.clone()));
        variables
    }

    /// What the parts have logged.
    pub(crate) fn output(&self) -> String {
        let daprd = self.own_daprd.as_ref().or(self.daprd.as_ref()).map(Daprd::output);
        let trilby = self.trilby.as_ref().map(Trilby::output);
        [trilby, daprd].into_iter().flatten().collect::<Vec<_>>().join("\n")
    }
}
