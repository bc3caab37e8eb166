//! A file of values that may change.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::items::{self, Items};
use crate::Error;
use crate::component::{Component, HIDDEN};

/// Far more than anybody writes by hand; keeps a wrong name such as `/dev/zero` from filling memory.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// A file that is older than this when it is read does not change without changing its time: file
/// systems count time in steps.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// The file, and when it was read.
pub(super) struct WatchedFile {
    path: PathBuf,
    /// What messages show of the path.
    shown: String,
    /// What the file was like when it was read; `None` if it has to be read again in any case.
    seen: Option<Stamp>,
    /// What is wrong with the file, so that it is told only once.
    problem: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    size: u64,
}

impl WatchedFile {
    /// Reads the file that the metadata `file` names.
    pub(super) fn open(component: &Component) -> Result<(Self, Items), Error> {
        let path = component.required("file")?;
        let shown = if component.is_secret("file") { HIDDEN } else { path }.to_owned();
        let mut file = Self { path: PathBuf::from(path), shown, seen: None, problem: None };
        let items = file.read().map_err(|why| {
            component.mistake_in("file", format!("the file `{}`: {why}", file.shown))
        })?;
        Ok((file, items))
    }

    /// The items, if the file has changed and is good. A file that is not leaves all as it is.
    pub(super) fn read_if_changed(&mut self) -> Option<Items> {
        if self.seen.is_some() && self.seen == stamp(&self.path) {
            return None;
        }
        let read = self.read();
        items::news(read, &mut self.problem, |problem| {
            tracing::warn!(file = self.shown, "the configuration stays as it was: {problem}");
        })
    }

    fn read(&mut self) -> Result<Items, String> {
        let before = stamp(&self.path);
        self.seen =
            before.filter(|stamp| stamp.modified.elapsed().is_ok_and(|age| age > SETTLED_AFTER));
        let mut text = String::new();
        File::open(&self.path)
            .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text))
            .map_err(|error| {
                format!(
                    "it cannot be read ({error}); its path is relative to the working directory"
                )
            })?;
        if !u64::try_from(text.len()).is_ok_and(|size| size <= FILE_BYTES_MAX) {
            return Err(format!("it is larger than {} MiB", FILE_BYTES_MAX >> 20));
        }
        // Many programs empty a file before they write it: half of it must not pass for all.
        if text.trim().is_empty() {
            return Err("it is empty; write `{}` for no values".to_owned());
        }
        if stamp(&self.path) != before {
            return Err("it is being written".to_owned());
        }
        items::parse(&text)
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = path.metadata().ok()?;
    Some(Stamp { modified: metadata.modified().ok()?, size: metadata.len() })
}
