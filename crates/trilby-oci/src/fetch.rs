//! From a reference to a file: what is taken from the store and what is asked for.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use crate::manifest::{self, Layer, MANIFEST_BYTES_MAX, Selected};
use crate::registry::Session;
use crate::{AuthFile, Digest, Error, Reference, Store};

/// The default of [`Options::module_bytes_max`]: 256 MiB.
pub const MODULE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// The default of [`Options::connect_timeout`].
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The default of [`Options::pull_timeout`].
pub const PULL_TIMEOUT: Duration = Duration::from_secs(120);

/// How registries are asked.
#[derive(Clone, Debug)]
pub struct Options {
    /// The file with the credentials; without one, registries are asked anonymously.
    pub auth_file: Option<AuthFile>,
    /// Registries that are asked by plain HTTP, each as `host` or `host:port`, just as it stands
    /// in the references. Those on this machine need no entry.
    pub insecure_registries: Vec<String>,
    /// The largest module, in bytes.
    pub module_bytes_max: u64,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// How long a pull may take, from the look for credentials to the last byte.
    pub pull_timeout: Duration,
}

impl Options {
    /// The defaults, with the credentials that the environment names ([`AuthFile::from_env`]).
    #[must_use]
    pub fn from_env() -> Self {
        Self { auth_file: AuthFile::from_env(), ..Self::anonymous() }
    }

    /// The defaults, without credentials.
    #[must_use]
    pub fn anonymous() -> Self {
        Self {
            auth_file: None,
            insecure_registries: Vec::new(),
            module_bytes_max: MODULE_BYTES_MAX,
            connect_timeout: CONNECT_TIMEOUT,
            pull_timeout: PULL_TIMEOUT,
        }
    }

    /// Whether the registry of this reference is asked by plain HTTP.
    pub(crate) fn is_plain(&self, reference: &Reference) -> bool {
        let named = |name: &String| name.eq_ignore_ascii_case(reference.registry());
        reference.is_loopback() || self.insecure_registries.iter().any(named)
    }
}

/// A module that is in the store now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The file with the module, whose content has just been checked. It is not to be written to.
    pub path: PathBuf,
    /// The digest of the module.
    pub digest: Digest,
    /// The digest of the manifest, or of the index above it: what a reference is pinned to.
    pub manifest_digest: Digest,
    /// Whether the registry had no part in this: the reference is pinned and the store has it, or
    /// the registry was not reached and this is what its tag led to before.
    pub from_store: bool,
}

/// What a reference led to when its registry was last asked.
#[derive(Serialize, Deserialize)]
struct Record {
    reference: String,
    manifest: String,
    layer: String,
    fetched_unix_s: u64,
}

/// Puts the module of a reference into the store and says where it is.
///
/// A reference with a digest is served from the store if it is there. A tag is always asked for;
/// if the registry is not reached, does not serve now or is too slow, and the store knows what the
/// tag led to before, that is used and a warning is logged. A registry that answers with a refusal
/// is not replaced in this way. Content that the store has is not pulled again.
///
/// # Errors
///
/// Any variant of [`Error`] but those of [`Reference::parse`].
pub async fn fetch(
    store: &Store,
    reference: &Reference,
    options: &Options,
) -> Result<Fetched, Error> {
    let pinned = reference.digest();
    if let Some(manifest_digest) = pinned
        && let Some(fetched) = stored(store, reference, manifest_digest, options).await?
    {
        return Ok(fetched);
    }
    let pulled = {
        // The semaphore is never closed.
        let _permit = store.pulls().acquire().await;
        let pull = pull(store, reference, options);
        tokio::time::timeout(options.pull_timeout, pull).await.unwrap_or_else(|_| {
            let after = options.pull_timeout;
            Err(Error::TimedOut { reference: reference.to_string(), after })
        })
    };
    match pulled {
        Err(error) if error.is_transient() && pinned.is_none() => {
            let Some((fetched, age)) = earlier(store, reference, options).await? else {
                return Err(error);
            };
            warn!(
                reference = %reference,
                manifest = %fetched.manifest_digest,
                age_s = age.as_secs(),
                error = &error as &dyn std::error::Error,
                "the tag cannot be asked for: its module of an earlier fetch is used",
            );
            Ok(fetched)
        }
        pulled => pulled,
    }
}

async fn pull(store: &Store, reference: &Reference, options: &Options) -> Result<Fetched, Error> {
    let session = Session::open(reference, options).await?;
    let bytes = session.manifest(None).await?;
    let manifest_digest = Digest::of(&bytes);
    let mut selected = manifest::select(reference, &bytes)?;
    store.put(&manifest_digest, bytes).await?;
    if let Selected::Manifest(digest) = selected {
        let bytes = session.manifest(Some(&digest)).await?;
        selected = manifest::select(reference, &bytes)?;
        store.put(&digest, bytes).await?;
    }
    let layer = layer(reference, selected, options)?;
    let path = {
        let _turn = store.turn(&layer.digest).await;
        match store.verified(&layer.digest).await? {
            Some(path) => path,
            None => {
                let part = store.part().await?;
                session.layer(&layer, options.module_bytes_max, &part).await?;
                info!(reference = %reference, digest = %layer.digest, "module pulled");
                store.keep(&layer.digest, part).await?
            }
        }
    };
    remember(store, reference, &manifest_digest, &layer.digest).await?;
    Ok(Fetched { path, digest: layer.digest, manifest_digest, from_store: false })
}

/// What the store has for this manifest, if it has all of it.
async fn stored(
    store: &Store,
    reference: &Reference,
    manifest_digest: &Digest,
    options: &Options,
) -> Result<Option<Fetched>, Error> {
    let Some(bytes) = store.read(manifest_digest, MANIFEST_BYTES_MAX).await? else {
        return Ok(None);
    };
    let mut selected = manifest::select(reference, &bytes)?;
    if let Selected::Manifest(digest) = selected {
        let Some(bytes) = store.read(&digest, MANIFEST_BYTES_MAX).await? else { return Ok(None) };
        selected = manifest::select(reference, &bytes)?;
    }
    let Layer { digest, .. } = layer(reference, selected, options)?;
    let path = store.verified(&digest).await?;
    let manifest_digest = manifest_digest.clone();
    Ok(path.map(|path| Fetched { path, digest, manifest_digest, from_store: true }))
}

fn layer(reference: &Reference, selected: Selected, options: &Options) -> Result<Layer, Error> {
    let bytes_max = options.module_bytes_max;
    let reference = || reference.to_string();
    match selected {
        Selected::Layer(layer) if layer.size_bytes > bytes_max => {
            Err(Error::TooLarge { reference: reference(), bytes_max })
        }
        Selected::Layer(layer) => Ok(layer),
        Selected::Manifest(_) => Err(Error::Manifest {
            reference: reference(),
            problem: "it is an index of indexes".to_owned(),
        }),
    }
}

async fn remember(
    store: &Store,
    reference: &Reference,
    manifest: &Digest,
    layer: &Digest,
) -> Result<(), Error> {
    let name = reference.to_string();
    let record = Record {
        reference: name.clone(),
        manifest: manifest.to_string(),
        layer: layer.to_string(),
        fetched_unix_s: unix_s(),
    };
    let path = || store.record_path(&name);
    let bytes = serde_json::to_vec(&record);
    let bytes = bytes.map_err(|error| crate::store::failed(&path(), error.into()))?;
    store.write_record(&name, bytes).await
}

/// What the tag led to before, and how long ago that was.
async fn earlier(
    store: &Store,
    reference: &Reference,
    options: &Options,
) -> Result<Option<(Fetched, Duration)>, Error> {
    let name = reference.to_string();
    let Some(bytes) = store.read_record(&name).await? else { return Ok(None) };
    let record = serde_json::from_slice::<Record>(&bytes).ok();
    let Some(record) = record.filter(|record| record.reference == name) else {
        let file = store.record_path(&name);
        warn!(file = %file.display(), "a file of the module store is damaged and is ignored");
        return Ok(None);
    };
    let Some(manifest) = Digest::parse(&record.manifest) else { return Ok(None) };
    let fetched = stored(store, reference, &manifest, options).await?;
    let age = Duration::from_secs(unix_s().saturating_sub(record.fetched_unix_s));
    Ok(fetched.map(|fetched| (fetched, age)))
}

fn unix_s() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests;
