//! Guests whose whole output a test writes, the header block included.

use anyhow::Result;
use tempfile::TempDir;
use trilby_testkit::{Launch, Trilby};

use crate::wat;

/// An application in a folder of its own, served.
pub(crate) struct App {
    /// The server; ended before its folder goes.
    pub(crate) trilby: Trilby,
    _folder: TempDir,
}

/// Serves a manifest of this name. Beside it are the modules of [`wat`], `copy.wat` and these.
pub(crate) async fn serve(name: &str, manifest: &str, modules: &[(&str, &str)]) -> Result<App> {
    serve_with(name, manifest, modules, |launch| launch).await
}

/// The same, with arguments and variables.
pub(crate) async fn serve_with(
    name: &str,
    manifest: &str,
    modules: &[(&str, &str)],
    how: impl Fn(Launch) -> Launch,
) -> Result<App> {
    let folder = tempfile::tempdir()?;
    let launch = wat::write(&folder, name, manifest, how)?;
    for (name, text) in modules.iter().chain(&[("copy.wat", COPY)]) {
        std::fs::write(folder.path().join(name), text)?;
    }
    Ok(App { trilby: launch.start().await?, _folder: folder })
}

/// A module whose output is this text, whatever the request.
pub(crate) fn printing(output: &str) -> String {
    let bytes: String = output.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    format!(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_write"
                (func $write (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 64) "{bytes}")
            (func (export "_start")
                (i32.store (i32.const 0) (i32.const 64))
                (i32.store (i32.const 4) (i32.const {}))
                (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#,
        output.len()
    )
}

/// Its output is the request's body: at most 64 KiB, all in one write. Between the write and the
/// end nothing is called and nothing loops, so the guest cannot be interrupted there, and an
/// answer is never sent before it has ended.
const COPY: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_read"
        (func $fd_read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write"
        (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
    (memory (export "memory") 3)
    ;; After it, the I/O vector at 0 is the whole body.
    (func $read_all (local $bytes i32)
        (loop $more
            (i32.store (i32.const 0) (i32.add (i32.const 1024) (local.get $bytes)))
            (i32.store (i32.const 4) (i32.sub (i32.const 65536) (local.get $bytes)))
            (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))
                (then unreachable))
            (local.set $bytes (i32.add (local.get $bytes) (i32.load (i32.const 8))))
            (br_if $more (i32.load (i32.const 8))))
        (i32.store (i32.const 0) (i32.const 1024))
        (i32.store (i32.const 4) (local.get $bytes)))
    (func (export "_start")
        (call $read_all)
        (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
    (func (export "exit_0")
        (call $read_all)
        (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
        (call $proc_exit (i32.const 0)))
    (func (export "exit_1")
        (call $read_all)
        (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
        (call $proc_exit (i32.const 1)))
    (func (export "trap")
        (call $read_all)
        (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
        unreachable))"#;
