//! The keys: files in one folder.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::key::{Form, Key, Problem};
use crate::Error;
use crate::component::Component;
use crate::text::shown;

/// The largest file that is read as a key. An RSA key of 16384 bits is a fifth of it.
const KEY_BYTES_MAX: usize = 64 << 10;

/// Keys of one component that are being read at the same time. The others wait, and hold no
/// thread meanwhile.
const READS_MAX: usize = 16;

/// The folder. Whatever name a guest or a message gives, the key is in it.
#[derive(Debug)]
pub(super) struct KeyStore {
    /// Absolute, with every symbolic link resolved.
    folder: PathBuf,
    slots: Arc<Semaphore>,
}

impl KeyStore {
    /// Finds the folder that the metadata `path` names.
    pub(super) fn open(component: &Component) -> Result<Self, Error> {
        let path = component.required("path")?;
        let mistake = |problem: String| {
            let path = component.shown("path", path);
            component.mistake_in("path", format!("path `{path}` {problem}"))
        };
        let folder = fs::canonicalize(path).map_err(|error| {
            mistake(format!("cannot be opened: {}; name a folder of keys", reason(&error)))
        })?;
        if !folder.is_dir() {
            return Err(mistake("is not a folder; name a folder of keys".to_owned()));
        }
        Ok(Self { folder, slots: Arc::new(Semaphore::new(READS_MAX)) })
    }

    /// Reads a key. It is read each time, so that a new key counts from the next call.
    pub(super) async fn get(&self, name: &str) -> Result<Key, Problem> {
        let slot = Arc::clone(&self.slots).acquire_owned().await;
        let slot = slot.map_err(|_| Problem::Read("the component is closed".to_owned()))?;
        let (folder, name) = (self.folder.clone(), name.to_owned());
        let work = tokio::task::spawn_blocking(move || {
            // Held until the thread is done, however long the caller waits.
            let _slot = slot;
            read(&folder, &name)
        });
        work.await.unwrap_or_else(|_| Err(Problem::Read("the reading broke off".to_owned())))
    }
}

fn read(folder: &Path, name: &str) -> Result<Key, Problem> {
    check_name(name).map_err(|why| Problem::Read(why.to_owned()))?;
    let path = folder.join(name);
    let content = content(folder, &path).map_err(|why| {
        // Those who ask are guests: what the folder is and what is in it is not theirs to know.
        tracing::debug!(folder = ?folder, key = shown(name), "cannot load a key: {why}");
        Problem::Read(format!("failed to load key '{name}'"))
    })?;
    Key::parse(&content, Form::of_file(&path))
}

/// Refuses what is not the name of a file in the folder. (Daprd takes names with `/`, of files in
/// folders below.)
fn check_name(name: &str) -> Result<(), &'static str> {
    if name.contains("..") {
        return Err("invalid key path: cannot contain '..'");
    }
    if name.is_empty() || name == "." {
        return Err("invalid key path: it names no file");
    }
    if name.contains('/') {
        return Err("invalid key path: cannot contain '/'; a key is a file in the folder itself");
    }
    if name.contains('\0') {
        return Err("invalid key path: cannot contain a NUL");
    }
    Ok(())
}

/// The content of a file, or why it cannot be read. Links are followed within the folder, as
/// Kubernetes mounts secrets with them. (A link that somebody makes between the check and the
/// reading is followed; guests cannot make links.)
fn content(folder: &Path, path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let resolved = fs::canonicalize(path).map_err(|error| reason(&error))?;
    if !resolved.starts_with(folder) {
        return Err("it is a link that leads out of the folder".to_owned());
    }
    let metadata = fs::metadata(&resolved).map_err(|error| reason(&error))?;
    if metadata.is_dir() {
        return Err("is a directory".to_owned());
    }
    // A pipe could keep the thread for ever.
    if !metadata.is_file() {
        return Err("it is not a file".to_owned());
    }
    let file = File::open(&resolved).map_err(|error| reason(&error))?;
    // Of full size from the start: a buffer that grows leaves copies of the key behind.
    let mut content = Zeroizing::new(Vec::with_capacity(KEY_BYTES_MAX + 1));
    let limit = u64::try_from(KEY_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let read = file.take(limit).read_to_end(&mut content);
    read.map_err(|error| reason(&error))?;
    if content.len() > KEY_BYTES_MAX {
        return Err("it is larger than 64 KiB".to_owned());
    }
    Ok(content)
}

/// The system's text, as Go shows it: in lower case and without the number.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    text.to_lowercase()
}

#[cfg(test)]
mod tests;
