//! Guests as text, and applications made of them: no toolchain, and nothing in the way.

use anyhow::Result;
use tempfile::TempDir;
use trilby_testkit::{Launch, Trilby};

/// An application in a folder of its own, served.
pub(crate) struct App {
    /// The server; ended before its folder goes.
    pub(crate) trilby: Trilby,
    _folder: TempDir,
}

/// Serves a `trilby.toml` with the modules of this file beside it.
pub(crate) async fn serve(manifest: &str) -> Result<App> {
    serve_with(manifest, |launch| launch).await
}

/// The same, with arguments and variables.
pub(crate) async fn serve_with(manifest: &str, how: impl Fn(Launch) -> Launch) -> Result<App> {
    let folder = tempfile::tempdir()?;
    let trilby = write(&folder, "trilby.toml", manifest, how)?.start().await?;
    Ok(App { trilby, _folder: folder })
}

/// The launch of a manifest of this name, with the modules of this file beside it.
pub(crate) fn write(
    folder: &TempDir,
    name: &str,
    manifest: &str,
    how: impl Fn(Launch) -> Launch,
) -> Result<Launch> {
    std::fs::write(folder.path().join(name), manifest)?;
    for (name, start) in MODULES {
        let text = format!("(module {COMMON} {WRITE} {start})");
        std::fs::write(folder.path().join(format!("{name}.wat")), text)?;
    }
    Ok(how(Launch::new(folder.path(), folder.path())))
}

/// Memory: an I/O vector and a result below 16, then the answer's head (26 bytes at 16), `begun`
/// (6 bytes at 64), and free space from 1024 to the end at 262144.
const COMMON: &str = r#"
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get"
    (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get"
    (func $environ_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get"
    (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get"
    (func $args_get (param i32 i32) (result i32)))
  (memory (export "memory") 4)
  (data (i32.const 16) "Content-Type: text/plain\n\n")
  (data (i32.const 64) "begun\n")
  (func $read (result i32)
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const 65536))
    (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))
      (then unreachable))
    (i32.load (i32.const 8)))
  (func $begun (call $write (i32.const 2) (i32.const 64) (i32.const 6)))
  (func $head (call $write (i32.const 1) (i32.const 16) (i32.const 26)))
"#;

/// Writes so many bytes from a place in memory, whatever they are cut into; below 16 lies what it
/// works with.
pub(crate) const WRITE: &str = r#"
  (func $write (param $fd i32) (param $at i32) (param $bytes i32)
    (loop $more
      (i32.store (i32.const 0) (local.get $at))
      (i32.store (i32.const 4) (local.get $bytes))
      (if (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))
        (then unreachable))
      (local.set $at (i32.add (local.get $at) (i32.load (i32.const 8))))
      (local.set $bytes (i32.sub (local.get $bytes) (i32.load (i32.const 8))))
      (br_if $more (local.get $bytes))))
"#;

/// Each is a file of its name with `.wat`.
const MODULES: [(&str, &str); 12] = [
    ("echo", ECHO),
    ("gate", GATE),
    ("show", SHOW),
    ("talk", TALK),
    ("count", COUNT),
    ("fill", FILL),
    ("spin", SPIN),
    ("deaf", DEAF),
    ("trap", TRAP),
    ("late", LATE),
    ("short", SHORT),
    ("whole", WHOLE),
];

/// Says `begun` on standard error, then sends each piece of the body back as it comes.
const ECHO: &str = r#"
  (func (export "_start") (local $bytes i32)
    (call $begun)
    (call $head)
    (loop $more
      (local.set $bytes (call $read))
      (if (local.get $bytes)
        (then
          (call $write (i32.const 1) (i32.const 1024) (local.get $bytes))
          (br $more)))))
"#;

/// Says `begun`, waits for the end of the body, then answers `begun`.
const GATE: &str = r#"
  (func (export "_start")
    (call $begun)
    (loop $more (br_if $more (call $read)))
    (call $head)
    (call $write (i32.const 1) (i32.const 64) (i32.const 6)))
"#;

/// Answers the environment, a line feed, and the arguments; each string ends with a NUL.
const SHOW: &str = r#"
  (data (i32.const 80) "\n")
  (func (export "_start")
    (call $head)
    (if (call $environ_sizes_get (i32.const 88) (i32.const 92)) (then unreachable))
    (if (call $environ_get (i32.const 1024) (i32.const 4096)) (then unreachable))
    (call $write (i32.const 1) (i32.const 4096) (i32.load (i32.const 92)))
    (call $write (i32.const 1) (i32.const 80) (i32.const 1))
    (if (call $args_sizes_get (i32.const 88) (i32.const 92)) (then unreachable))
    (if (call $args_get (i32.const 1024) (i32.const 4096)) (then unreachable))
    (call $write (i32.const 1) (i32.const 4096) (i32.load (i32.const 92))))
"#;

/// Says `begun`, then answers without end.
const TALK: &str = r#"
  (func (export "_start")
    (call $begun)
    (call $head)
    (loop $more
      (call $write (i32.const 1) (i32.const 1024) (i32.const 65536))
      (br $more)))
"#;

/// Counts in its memory and in a global, and answers both digits: `11` in a fresh instance.
const COUNT: &str = r#"
  (data (i32.const 80) "00")
  (global $calls (mut i32) (i32.const 48))
  (func (export "_start")
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.store8 (i32.const 80) (i32.add (i32.load8_u (i32.const 80)) (i32.const 1)))
    (i32.store8 (i32.const 81) (global.get $calls))
    (call $head)
    (call $write (i32.const 1) (i32.const 80) (i32.const 2)))
"#;

/// Grows its memory by 24 MiB, looks whether all of it is zero, overwrites all that it has, and
/// answers `clean` or `dirty`.
const FILL: &str = r#"
  (data (i32.const 80) "cleandirty")
  (func (export "_start") (local $at i32) (local $word i32)
    (if (i32.eq (memory.grow (i32.const 384)) (i32.const -1)) (then unreachable))
    (local.set $word (i32.const 80))
    (local.set $at (i32.const 1024))
    (loop $more
      (if (i64.ne (i64.load (local.get $at)) (i64.const 0))
        (then (local.set $word (i32.const 85))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $more (i32.lt_u (local.get $at) (i32.const 25427968))))
    (memory.fill (i32.const 1024) (i32.const 170) (i32.const 25426944))
    (call $head)
    (call $write (i32.const 1) (local.get $word) (i32.const 5)))
"#;

/// Says `begun` and computes for ever.
const SPIN: &str = r#"
  (func (export "_start")
    (call $begun)
    (loop $more (br $more)))
"#;

/// Never reads, and answers at once.
const DEAF: &str = r#"
  (func (export "_start") (call $begun) (call $head))
"#;

/// Traps after its head.
const TRAP: &str = r#"
  (func (export "_start") (call $head) unreachable)
"#;

/// Answers its head, waits for the end of the body, and ends with its last word, `begun`.
const LATE: &str = r#"
  (func (export "_start")
    (call $head)
    (loop $more (br_if $more (call $read)))
    (call $write (i32.const 1) (i32.const 64) (i32.const 6)))
"#;

/// The same, but less than it promised.
const SHORT: &str = r#"
  (data (i32.const 80) "Content-Length: 7\n")
  (func (export "_start")
    (call $write (i32.const 1) (i32.const 80) (i32.const 18))
    (call $head)
    (loop $more (br_if $more (call $read)))
    (call $write (i32.const 1) (i32.const 64) (i32.const 6)))
"#;

/// Answers all that it promised, says `begun`, waits for the end of the body, and says it again.
const WHOLE: &str = r#"
  (data (i32.const 80) "Content-Length: 6\n")
  (func (export "_start")
    (call $write (i32.const 1) (i32.const 80) (i32.const 18))
    (call $head)
    (call $write (i32.const 1) (i32.const 64) (i32.const 6))
    (call $begun)
    (loop $more (br_if $more (call $read)))
    (call $begun))
"#;
