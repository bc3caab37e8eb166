//! Another app, to be invoked: a second `trilby`, with a daprd of its own where there are any.

use anyhow::Result;
use tempfile::TempDir;
use trilby_testkit::{Backend, Daprd, DaprdOptions, Options, Trilby, app_id};

use super::probe::Probe;
use crate::wat;

/// The other app. It serves `/show/...`, `/echo` and `/deaf` (see [`wat`]), `/status/CODE` for
/// [`STATUSES`], `/large`, which answers [`LARGE_BYTES`], and `/digest`, which reads all before it
/// answers the [`digest`].
pub(crate) struct Neighbour {
    pub(crate) id: String,
    pub(crate) trilby: Trilby,
    pub(crate) daprd: Option<Daprd>,
    _folder: TempDir,
}

/// What `/status/CODE` has, each with the header `X-Why: status CODE` and the body `body of CODE`.
pub(crate) const STATUSES: [u16; 10] = [200, 201, 302, 400, 403, 404, 418, 429, 500, 503];

/// More than one message of Dapr may have.
pub(crate) const LARGE_BYTES: usize = 12 << 20;

/// Limits with room for bodies that are larger than one message of Dapr may be.
pub(crate) const ROOM: &str = "[limits]\nbody-in = \"64 MiB\"\ndeadline = \"60s\"\n\
                               memory = \"256 MiB\"\ndapr-timeout = \"20s\"\n";

impl Neighbour {
    pub(crate) async fn start(backend: Backend) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut manifest = format!("version = 1\n{ROOM}");
        let mut route = |path: &str, module: &str| {
            manifest.push_str(&format!("[[route]]\npath = {path:?}\nmodule = {module:?}\n"));
        };
        for name in ["show", "echo", "deaf"] {
            let rest = if name == "show" { "/..." } else { "" };
            route(&format!("/{name}{rest}"), &format!("{name}.wat"));
        }
        for status in STATUSES {
            route(&format!("/status/{status}"), &format!("{status}.wat"));
            std::fs::write(folder.path().join(format!("{status}.wat")), answering(status))?;
        }
        route("/large", "large.wat");
        route("/digest", "digest.wat");
        std::fs::write(folder.path().join("digest.wat"), digesting())?;
        std::fs::write(folder.path().join("large.wat"), large())?;
        let id = app_id();
        let launch = wat::write(&folder, "trilby.toml", &manifest, |launch| {
            launch.env("APP_ID", id.as_str())
        })?;
        let trilby = launch.start().await?;
        let daprd = if backend.is_sidecar() {
            let resources = folder.path().join("components");
            std::fs::create_dir(&resources)?;
            let mut options = DaprdOptions::new(id.as_str(), resources, folder.path())?;
            options.app_port = Some(trilby.port());
            // Without this it takes no larger body than a message, streamed or not.
            options.max_body_size = Some("64Mi".to_owned());
            Some(Daprd::start(&options).await?)
        } else {
            None
        };
        Ok(Self { id, trilby, daprd, _folder: folder })
    }

    /// An application that may call these methods of the other one, and knows where it is.
    pub(crate) fn probe(&self, methods: &str) -> Probe {
        let grants = format!("invoke = [\"{}{methods}\"]", self.id);
        let options = Options {
            daprd: Some(|options| options.max_body_size = Some("64Mi".to_owned())),
            ..Options::default()
        };
        let probe = Probe::granting("invoke", &grants).options(options);
        probe.lines(ROOM).lines(&self.known())
    }

    /// How many requests its guests have answered.
    pub(crate) fn requests(&self) -> usize {
        self.trilby.output().matches("outcome=\"ok\"").count()
    }

    /// The lines of a manifest that say where it is. With a sidecar nobody reads them.
    pub(crate) fn known(&self) -> String {
        format!("[dapr.apps]\n\"{}\" = \"http://{}\"\n", self.id, self.trilby.address)
    }
}

/// A module that answers this status.
fn answering(status: u16) -> String {
    let text = format!(
        "Status: {status}\nX-Why: status {status}\nContent-Type: text/plain\n\nbody of {status}"
    );
    format!(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_write"
                (func $fd_write (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 16) {text:?})
            {}
            (func (export "_start")
                (call $write (i32.const 1) (i32.const 16) (i32.const {}))))"#,
        wat::WRITE,
        text.len(),
    )
}

/// What `/digest` answers: the number of bytes and their checksum, both as four bytes, the lowest
/// first.
pub(crate) fn digest(body: &[u8]) -> Vec<u8> {
    let count = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let add = |sum: u32, byte: &u8| sum.wrapping_mul(31).wrapping_add(u32::from(*byte));
    let sum = body.iter().fold(0, add);
    [count.to_le_bytes(), sum.to_le_bytes()].concat()
}

fn digesting() -> String {
    let head = "Content-Type: text/plain\n\n";
    format!(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_read"
                (func $fd_read (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_write"
                (func $fd_write (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 2)
            (data (i32.const 16) {head:?})
            {}
            (func (export "_start") (local $at i32) (local $end i32) (local $count i32) (local $sum i32)
                (loop $more
                    (i32.store (i32.const 0) (i32.const 1024))
                    (i32.store (i32.const 4) (i32.const 65536))
                    (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))
                        (then unreachable))
                    (local.set $at (i32.const 1024))
                    (local.set $end (i32.add (i32.const 1024) (i32.load (i32.const 8))))
                    (local.set $count (i32.add (local.get $count) (i32.load (i32.const 8))))
                    (if (i32.load (i32.const 8))
                        (then
                            (loop $each
                                (local.set $sum (i32.add
                                    (i32.mul (local.get $sum) (i32.const 31))
                                    (i32.load8_u (local.get $at))))
                                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                                (br_if $each (i32.lt_u (local.get $at) (local.get $end))))
                            (br $more))))
                (i32.store (i32.const 64) (local.get $count))
                (i32.store (i32.const 68) (local.get $sum))
                (call $write (i32.const 1) (i32.const 16) (i32.const {}))
                (call $write (i32.const 1) (i32.const 64) (i32.const 8))))"#,
        wat::WRITE,
        head.len(),
    )
}

fn large() -> String {
    let head = "Content-Type: text/plain\n\n";
    format!(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_write"
                (func $fd_write (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 2)
            (data (i32.const 16) {head:?})
            {}
            (func (export "_start") (local $left i32)
                (memory.fill (i32.const 1024) (i32.const 120) (i32.const 65536))
                (call $write (i32.const 1) (i32.const 16) (i32.const {}))
                (local.set $left (i32.const {}))
                (loop $more
                    (call $write (i32.const 1) (i32.const 1024) (i32.const 65536))
                    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
                    (br_if $more (local.get $left)))))"#,
        wat::WRITE,
        head.len(),
        LARGE_BYTES / 65536,
    )
}
