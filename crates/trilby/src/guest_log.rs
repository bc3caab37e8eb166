//! `--log-dir`: what guests print on standard error, in a file for each route.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use sha2::{Digest, Sha256};
use trilby_server::LineCopy;

use crate::failure::Failure;

/// Lines that wait for the disk. When there are as many, more are dropped here; they are in the log
/// all the same.
const QUEUE_DEPTH: usize = 4096;

/// Writes lines from a thread of its own: a slow disk holds up no guest.
#[derive(Clone)]
pub(crate) struct GuestLog {
    lines: SyncSender<Message>,
}

enum Message {
    Line {
        route: Arc<str>,
        text: String,
    },
    /// The files may have been moved away: open them anew.
    Reopen,
}

impl GuestLog {
    /// Starts the thread. It ends with the last clone.
    pub(crate) fn start(folder: &Path) -> Result<Self, Failure> {
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::configuration(format!("cannot make the folder {}: {error}", folder.display()))
        })?;
        let (lines, received) = sync_channel(QUEUE_DEPTH);
        let folder = folder.to_owned();
        std::thread::Builder::new()
            .name("guest-log".into())
            .spawn(move || write(&folder, &received))
            .map_err(|error| Failure::Other(error.into()))?;
        Ok(Self { lines })
    }

    /// Where the lines of a route go.
    pub(crate) fn of(&self, route: &str) -> LineCopy {
        let (route, lines) = (Arc::<str>::from(route), self.lines.clone());
        Arc::new(move |text: &str| {
            let line = Message::Line { route: Arc::clone(&route), text: text.to_owned() };
            // Full: the disk is too slow.
            let _ = lines.try_send(line);
        })
    }

    /// Opens all files anew, so that they can be moved away.
    pub(crate) fn reopen(&self) {
        let _ = self.lines.try_send(Message::Reopen);
    }
}

fn write(folder: &Path, received: &Receiver<Message>) {
    let mut files: HashMap<Arc<str>, Option<File>> = HashMap::new();
    for message in received {
        match message {
            Message::Reopen => files.clear(),
            Message::Line { route, text } => {
                let file = files.entry(Arc::clone(&route)).or_insert_with(|| open(folder, &route));
                if let Some(file) = file
                    && let Err(error) = writeln!(file, "{text}")
                {
                    tracing::warn!(route = &*route, %error, "cannot write to the log of a route");
                    files.insert(route, None);
                }
            }
        }
    }
}

fn open(folder: &Path, route: &str) -> Option<File> {
    let path = path_of(folder, route);
    let opened = path
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| OpenOptions::new().create(true).append(true).open(&path));
    opened
        .inspect_err(|error| {
            tracing::warn!(file = %path.display(), %error, "cannot open the log of a route");
        })
        .ok()
}

/// The file of a route: its name is WAGI's.
fn path_of(folder: &Path, route: &str) -> PathBuf {
    let digest = Sha256::digest(route.as_bytes());
    let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    folder.join(name).join("module.stderr")
}
