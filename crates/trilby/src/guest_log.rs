//! `--log-dir`: what guests print on standard error, in a file for each route.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use trilby_server::LineCopy;

use crate::failure::Failure;

/// Lines that wait for the disk. When there are as many, more are dropped here; they are in the log
/// all the same.
const QUEUE_DEPTH: usize = 4096;

/// How long after an error a file is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Writes lines from a thread of its own: a slow disk holds up no guest.
#[derive(Clone)]
pub(crate) struct GuestLog {
    lines: SyncSender<Message>,
    /// The files may have been moved away: open them anew.
    reopen: Arc<AtomicBool>,
}

enum Message {
    Line {
        route: Arc<str>,
        text: String,
    },
    /// Tells when all that came before is written.
    Flush(SyncSender<()>),
}

impl GuestLog {
    /// Starts the thread. It ends with the last clone.
    pub(crate) fn start(folder: &Path) -> Result<Self, Failure> {
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::configuration(format!("cannot make the folder {}: {error}", folder.display()))
        })?;
        let (lines, received) = sync_channel(QUEUE_DEPTH);
        let reopen = Arc::new(AtomicBool::new(false));
        let mut files =
            Files { folder: folder.to_owned(), open: HashMap::new(), reopen: Arc::clone(&reopen) };
        std::thread::Builder::new()
            .name("guest-log".into())
            .spawn(move || received.into_iter().for_each(|message| files.take(message)))
            .map_err(|error| Failure::Other(error.into()))?;
        Ok(Self { lines, reopen })
    }

    /// Where the lines of a route go.
    pub(crate) fn of(&self, route: &str) -> LineCopy {
        let (route, lines) = (Arc::<str>::from(route), self.lines.clone());
        Arc::new(move |text: &str| {
            let text = format!("{text}\n");
            // Full: the disk is too slow.
            let _ = lines.try_send(Message::Line { route: Arc::clone(&route), text });
        })
    }

    /// Opens all files anew, so that they can be moved away.
    pub(crate) fn reopen(&self) {
        self.reopen.store(true, Ordering::Release);
    }

    /// Waits until all lines are written, within a bound.
    pub(crate) fn flush(&self, within: Duration) {
        let (done, wait) = sync_channel(1);
        if self.lines.try_send(Message::Flush(done)).is_ok() {
            // Past the bound the disk is to blame.
            let _ = wait.recv_timeout(within);
        }
    }
}

struct Files {
    folder: PathBuf,
    open: HashMap<Arc<str>, Result<File, Instant>>,
    reopen: Arc<AtomicBool>,
}

impl Files {
    fn take(&mut self, message: Message) {
        match message {
            // Nobody waits any more.
            Message::Flush(done) => drop(done.send(())),
            Message::Line { route, text } => self.write(route, &text),
        }
    }

    fn write(&mut self, route: Arc<str>, text: &str) {
        if self.reopen.swap(false, Ordering::AcqRel) {
            self.open.clear();
        }
        let is_due = |failed: &Instant| failed.elapsed() >= RETRY_AFTER;
        if self.open.get(&route).is_none_or(|file| file.as_ref().is_err_and(is_due)) {
            let opened = open(&self.folder, &route).ok_or_else(Instant::now);
            self.open.insert(Arc::clone(&route), opened);
        }
        if let Some(Ok(file)) = self.open.get_mut(&route)
            && let Err(error) = file.write_all(text.as_bytes())
        {
            tracing::warn!(route = &*route, %error, "cannot write to the log of a route");
            self.open.insert(route, Err(Instant::now()));
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
