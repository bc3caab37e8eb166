//! The folder in which modules are kept under the digest of their content.
//!
//! `sha256/<hex>` holds manifests and modules, `refs/<sha256 of a reference>` what a reference led
//! to when the registry was last asked. Files come into being by a rename, so that processes may
//! share the folder, and content is checked at each read, so that nothing has to be trusted but
//! the digest. The folder may be deleted at any time.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use tempfile::NamedTempFile;
use tokio::sync::{OwnedMutexGuard, Semaphore};
use tracing::warn;

use crate::digest::Hasher;
use crate::{Digest, Error};

/// How many pulls one store lets run at a time.
pub const PULLS_MAX: usize = 4;

/// The beginning of the names of files that are not complete yet.
const PART_PREFIX: &str = ".part-";
/// The age at which such a file is left over from a process that is gone.
const PART_AGE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// A store of modules, shared by its clones and by other processes on the same folder.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    content: PathBuf,
    refs: PathBuf,
    pulls: Semaphore,
    /// One lock for each digest that is being pulled, so that it is pulled once.
    turns: Mutex<HashMap<Digest, Weak<tokio::sync::Mutex<()>>>>,
}

impl Store {
    /// Opens the store in this folder, and makes the folder if it is missing, for its owner only
    /// (0700).
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if the folder cannot be made.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, Error> {
        let folder = folder.as_ref();
        let (content, refs) = (folder.join("sha256"), folder.join("refs"));
        for path in [folder, &content, &refs] {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
            let mode = made.and_then(|()| Ok(fs::metadata(path)?.permissions().mode()));
            // Who may write here may name the module that a tag leads to without the registry.
            if mode.map_err(|source| failed(path, source))? & 0o022 != 0 {
                warn!(folder = %path.display(), "other users may write to the module store");
            }
        }
        for path in [&content, &refs] {
            remove_left_over_parts(path).map_err(|source| failed(path, source))?;
        }
        let (pulls, turns) = (Semaphore::new(PULLS_MAX), Mutex::default());
        Ok(Self { inner: Arc::new(Inner { content, refs, pulls, turns }) })
    }

    /// The limit of the pulls at a time.
    pub(crate) fn pulls(&self) -> &Semaphore {
        &self.inner.pulls
    }

    /// Waits until nobody else in this process pulls this content.
    pub(crate) async fn turn(&self, digest: &Digest) -> OwnedMutexGuard<()> {
        let lock = {
            let mut turns = self.inner.turns.lock().unwrap_or_else(PoisonError::into_inner);
            turns.retain(|_, lock| lock.strong_count() > 0);
            let known = turns.get(digest).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let lock = Arc::default();
                turns.insert(digest.clone(), Arc::downgrade(&lock));
                lock
            })
        };
        lock.lock_owned().await
    }

    /// How many have or await the turn of this content.
    #[cfg(test)]
    pub(crate) fn turn_count(&self, digest: &Digest) -> usize {
        self.inner.turns.lock().unwrap().get(digest).map_or(0, Weak::strong_count)
    }

    /// The file with this content, if the store has it and the content is right.
    pub(crate) async fn verified(&self, digest: &Digest) -> Result<Option<PathBuf>, Error> {
        let (path, digest) = (self.path(digest), digest.clone());
        blocking(self.path(&digest), move || {
            Ok(check(&path, &digest, &mut io::sink())?.then_some(path))
        })
        .await
    }

    /// The content itself, for manifests: `None` also if it is larger than `bytes_max`.
    pub(crate) async fn read(
        &self,
        digest: &Digest,
        bytes_max: u64,
    ) -> Result<Option<Vec<u8>>, Error> {
        let (path, digest) = (self.path(digest), digest.clone());
        blocking(self.path(&digest), move || {
            match fs::metadata(&path) {
                Ok(metadata) if metadata.len() > bytes_max => return Ok(None),
                _ => {}
            }
            let mut bytes = Vec::new();
            Ok(check(&path, &digest, &mut bytes)?.then_some(bytes))
        })
        .await
    }

    /// Keeps these bytes under their digest.
    pub(crate) async fn put(&self, digest: &Digest, bytes: Vec<u8>) -> Result<(), Error> {
        let (folder, path) = (self.inner.content.clone(), self.path(digest));
        blocking(self.path(digest), move || write(&folder, &path, &bytes)).await
    }

    /// A file for content that is still to come; it is removed unless [`Store::keep`] takes it.
    pub(crate) async fn part(&self) -> Result<NamedTempFile, Error> {
        let folder = self.inner.content.clone();
        blocking(self.inner.content.clone(), move || new_part(&folder)).await
    }

    /// Keeps the file, whose content has this digest. The caller has checked it.
    pub(crate) async fn keep(
        &self,
        digest: &Digest,
        part: NamedTempFile,
    ) -> Result<PathBuf, Error> {
        let path = self.path(digest);
        blocking(path.clone(), move || {
            part.persist(&path).map_err(|error| error.error)?;
            Ok(path)
        })
        .await
    }

    /// The file with what a reference led to.
    pub(crate) fn record_path(&self, reference: &str) -> PathBuf {
        self.inner.refs.join(Digest::of(reference.as_bytes()).hex())
    }

    /// Writes what a reference led to.
    pub(crate) async fn write_record(&self, reference: &str, bytes: Vec<u8>) -> Result<(), Error> {
        let (folder, path) = (self.inner.refs.clone(), self.record_path(reference));
        blocking(path.clone(), move || write(&folder, &path, &bytes)).await
    }

    /// Reads what a reference led to, if the store knows.
    pub(crate) async fn read_record(&self, reference: &str) -> Result<Option<Vec<u8>>, Error> {
        const RECORD_BYTES_MAX: u64 = 4096;
        let path = self.record_path(reference);
        blocking(path.clone(), move || {
            let Some(file) = found(File::open(&path))? else { return Ok(None) };
            let mut bytes = Vec::new();
            file.take(RECORD_BYTES_MAX).read_to_end(&mut bytes)?;
            Ok(Some(bytes))
        })
        .await
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.inner.content.join(digest.hex())
    }
}

/// Copies the file into `copy` and tells whether its content has this digest. A file with other
/// content is removed, so that it is pulled anew.
fn check(path: &Path, digest: &Digest, copy: &mut dyn Write) -> io::Result<bool> {
    let Some(mut file) = found(File::open(path))? else { return Ok(false) };
    let mut hasher = Hasher::default();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let count = file.read(&mut chunk)?;
        let Some(read) = chunk.get(..count).filter(|read| !read.is_empty()) else { break };
        hasher.update(read);
        copy.write_all(read)?;
    }
    if hasher.finish() == *digest {
        return Ok(true);
    }
    warn!(file = %path.display(), "a file of the module store is damaged and is removed");
    found(fs::remove_file(path))?;
    Ok(false)
}

fn write(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut part = new_part(folder)?;
    part.write_all(bytes)?;
    part.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn new_part(folder: &Path) -> io::Result<NamedTempFile> {
    // The folder may have been deleted since the store was opened.
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    tempfile::Builder::new().prefix(PART_PREFIX).tempfile_in(folder)
}

fn remove_left_over_parts(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(PART_PREFIX) {
            continue;
        }
        // Another process may have finished or removed it by now.
        let Some(metadata) = found(entry.metadata())? else { continue };
        let age = SystemTime::now().duration_since(metadata.modified()?).unwrap_or_default();
        if age > PART_AGE_MAX {
            found(fs::remove_file(entry.path()))?;
        }
    }
    Ok(())
}

/// Takes a file that is not there as `None`.
fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Runs work with files where it may block; `path` is named if it fails.
async fn blocking<T: Send + 'static>(
    path: PathBuf,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(io::Error::other).flatten().map_err(|source| failed(&path, source))
}

pub(crate) fn failed(path: &Path, source: io::Error) -> Error {
    Error::Store { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests;
