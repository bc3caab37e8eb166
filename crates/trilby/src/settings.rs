//! What flags and the environment say, as the rest of the program takes it.

use std::collections::BTreeMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use anyhow::Context;
use ipnet::IpNet;
use tokio::runtime::Runtime;
use trilby_manifest::App;
use trilby_sandbox::Cache;

use crate::cli::{AppOptions, ServeOptions};
use crate::failure::Failure;

/// The async runtime. It has threads of its own: a handle alone does not drive what waits for a
/// child process.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    Ok(runtime.context("cannot start the async runtime")?)
}

/// The address to listen on.
pub(crate) fn address(options: &ServeOptions) -> Result<SocketAddr, Failure> {
    if let Some(text) = &options.listen {
        // One that a name stands for is as good as another: it is this machine's.
        let found = text.to_socket_addrs().ok().and_then(|mut all| all.next());
        return found.ok_or_else(|| {
            Failure::configuration(format!(
                "--listen is `{text}`, which is no address here; write HOST:PORT, as in \
                 127.0.0.1:3000, [::]:8080 or localhost:3000"
            ))
        });
    }
    match std::env::var("PORT") {
        Ok(port) if !port.is_empty() => {
            let port: u16 = port.parse().map_err(|_| {
                Failure::configuration(format!(
                    "PORT is `{port}`, which is not a port number from 0 to 65535"
                ))
            })?;
            Ok(SocketAddr::from(([0, 0, 0, 0], port)))
        }
        _ => Ok(SocketAddr::from(([127, 0, 0, 1], 3000))),
    }
}

/// The proxies whose word is taken: those of the flag, or else the manifest's.
pub(crate) fn trusted_proxies(options: &ServeOptions, app: &App) -> Result<Vec<IpNet>, Failure> {
    let Some(given) = &options.trusted_proxies else {
        return Ok(app.server.trusted_proxies.clone());
    };
    let network = |text: &String| {
        trilby_manifest::parse_network(text.trim()).map_err(|help| {
            Failure::configuration(format!("`--trusted-proxies` has `{text}`: {help}"))
        })
    };
    given.iter().filter(|text| !text.trim().is_empty()).map(network).collect()
}

/// The variables of the command line, which stand over the manifest's: `--env` over `--env-file`,
/// and what comes later over what came before.
pub(crate) fn guest_env(options: &AppOptions) -> Result<BTreeMap<String, String>, Failure> {
    let mut env = BTreeMap::new();
    for file in &options.env_file {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file)
            .map_err(|error| Failure::configuration(format!("cannot read {name}: {error}")))?;
        env.extend(trilby_manifest::parse_env_file(&name, &text).map_err(Failure::configuration)?);
    }
    for text in &options.env {
        let pair = trilby_manifest::parse_env_flag(text)
            .map_err(|problem| Failure::configuration(format!("--env: {problem}")))?;
        env.extend([pair]);
    }
    Ok(env)
}

/// The compilation cache, or none when there is no folder for it: that only costs start time.
pub(crate) fn cache(options: &AppOptions) -> Option<Cache> {
    if options.no_cache {
        return None;
    }
    let folder = options.cache_dir.clone().or_else(|| user_cache("modules"))?;
    match Cache::open(&folder) {
        Ok(cache) => Some(cache),
        Err(error) => {
            tracing::warn!(folder = %folder.display(), %error, "no compilation cache");
            None
        }
    }
}

/// A folder of ours in the user's cache.
pub(crate) fn user_cache(name: &str) -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let base = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))?;
    Some(base.join("trilby").join(name))
}
