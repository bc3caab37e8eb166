//! Component files, the same for daprd and for the embedded runtime.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::Backend;

/// The components of a test's application, to be written to a folder.
#[derive(Clone, Debug, Default)]
pub struct Components {
    documents: String,
    redis_port: Option<u16>,
    /// What components read beside their own files.
    files: Vec<(PathBuf, &'static str)>,
    resiliency: Option<&'static str>,
}

/// Brings an event again when the app asks for it.
const RETRIES: &str = "\
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata:
  name: retries
spec:
  policies:
    retries:
      again: {policy: constant, duration: 100ms, maxRetries: 5}
  targets:
    components:
      pubsub:
        inbound: {retry: again}
";

impl Components {
    /// `statestore` and `pubsub` as the backend has them. `redis_port` is used by the one that
    /// needs it; files lie below `folder`.
    #[must_use]
    pub fn of(backend: Backend, redis_port: Option<u16>, folder: &Path) -> Self {
        let all = Self { redis_port, ..Self::default() };
        let host = all.redis_host();
        let database = folder.join("state.db").display().to_string();
        let all = match backend {
            Backend::EmbeddedMemory | Backend::DaprdMemory => {
                all.add("statestore", "state.in-memory", &[])
            }
            Backend::EmbeddedSqlite | Backend::DaprdSqlite => {
                all.add("statestore", "state.sqlite", &[("connectionString", &database)])
            }
            Backend::DaprdRedis => all.add("statestore", "state.redis", &[("redisHost", &host)]),
        };
        let all = match backend {
            Backend::DaprdRedis => all.add("pubsub", "pubsub.redis", &[("redisHost", &host)]),
            _ => all.add("pubsub", "pubsub.in-memory", &[]),
        };
        if backend.is_sidecar() { all.with_retries() } else { all }
    }

    /// daprd loses an event that an app wants again, unless a policy keeps it.
    fn with_retries(mut self) -> Self {
        self.resiliency = Some(RETRIES);
        self
    }

    /// Adds `configuration`: its items are the keys of the Redis (see [`crate::Redis::set`]), for
    /// which [`crate::Options::redis`] asks.
    #[must_use]
    pub fn with_configuration(self) -> Self {
        let host = self.redis_host();
        self.add("configuration", "configuration.redis", &[("redisHost", &host)])
    }

    /// Adds `lock`, kept in the Redis for which [`crate::Options::redis`] asks.
    #[must_use]
    pub fn with_lock(self) -> Self {
        let host = self.redis_host();
        self.add("lock", "lock.redis", &[("redisHost", &host)])
    }

    /// Adds `crypto`, with the keys `aes` and `other`, each of 256 bits, in files below `folder`.
    #[must_use]
    pub fn with_crypto(mut self, folder: &Path) -> Self {
        // daprd takes a file for base64 whenever it decodes, even if its raw bytes were the key.
        const AES: &str = "VHJpbGJ5J3MgdGVzdHMgZW5jcnlwdCB3aXRoIHRoaXM=";
        const OTHER: &str = "QW4gb3RoZXIga2V5IG9mIHR3byBodW5kcmVkIGJpdHM=";
        let keys = folder.join("keys");
        self.files.extend([(keys.join("aes"), AES), (keys.join("other"), OTHER)]);
        let path = keys.display().to_string();
        self.add("crypto", "crypto.dapr.localstorage", &[("path", &path)])
    }

    /// Adds `conversation`, which answers with what it was told.
    #[must_use]
    pub fn with_conversation(self) -> Self {
        self.add("conversation", "conversation.echo", &[])
    }

    /// Adds `actors`, in which a daprd with a control plane keeps the state of actors.
    #[must_use]
    pub fn with_actor_state(self) -> Self {
        self.add("actors", "state.in-memory", &[("actorStateStore", "true")])
    }

    /// Where the Redis is, `host:port`.
    #[must_use]
    pub fn redis_host(&self) -> String {
        format!("127.0.0.1:{}", self.redis_port.unwrap_or_default())
    }

    /// Adds a component.
    #[must_use]
    pub fn add(mut self, name: &str, type_name: &str, metadata: &[(&str, &str)]) -> Self {
        let mut lines = String::new();
        for (name, value) in metadata {
            // Writing to a string cannot fail.
            let _ = write!(lines, "    - name: {name}\n      value: {value:?}\n");
        }
        if metadata.is_empty() {
            lines.push_str("    []\n");
        }
        let _ = write!(
            self.documents,
            "---\napiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\nspec:\n  \
             type: {type_name}\n  version: v1\n  metadata:\n{lines}"
        );
        self
    }

    /// Adds a component as YAML.
    #[must_use]
    pub fn document(mut self, yaml: &str) -> Self {
        self.documents.push_str("---\n");
        self.documents.push_str(yaml);
        self
    }

    /// Writes the files.
    ///
    /// # Errors
    ///
    /// When the folder cannot be written to.
    pub fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("components.yaml"), &self.documents)?;
        for (path, text) in &self.files {
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(path, text)?;
        }
        if let Some(resiliency) = self.resiliency {
            // daprd reads one resource of this kind from a file, and no others beside it.
            fs::write(folder.join("resiliency.yaml"), resiliency)?;
        }
        Ok(())
    }
}
