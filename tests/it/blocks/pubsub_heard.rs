//! What a subscriber was given: a guest that tells it all on standard error.

use std::collections::BTreeMap;

use anyhow::Result;
use trilby_testkit::{Trilby, until};

/// Writes each of its variables on a line, then `BODY=` with the body in hexadecimal digits. It
/// acknowledges whatever comes.
pub(crate) const HEARER: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get"
    (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get"
    (func $environ_get (param i32 i32) (result i32)))
  (memory (export "memory") 8)
  (data (i32.const 16) "Content-Type: text/plain\n\n")
  (data (i32.const 48) "BODY=")
  (data (i32.const 56) "\n")
  (data (i32.const 64) "0123456789abcdef")
  (func $write (param $fd i32) (param $at i32) (param $bytes i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $bytes))
    (if (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))
      (then unreachable)))
  (func $digit (param $to i32) (param $value i32)
    (i32.store8 (local.get $to)
      (i32.load8_u (i32.add (i32.const 64) (i32.and (local.get $value) (i32.const 15))))))
  (func $variables (local $at i32) (local $end i32)
    (if (call $environ_sizes_get (i32.const 88) (i32.const 92)) (then unreachable))
    (if (call $environ_get (i32.const 8192) (i32.const 16384)) (then unreachable))
    (local.set $at (i32.const 16384))
    (local.set $end (i32.add (local.get $at) (i32.load (i32.const 92))))
    (loop $more
      (if (i32.eqz (i32.load8_u (local.get $at)))
        (then (i32.store8 (local.get $at) (i32.const 10))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $at) (local.get $end))))
    (call $write (i32.const 2) (i32.const 16384) (i32.load (i32.const 92))))
  (func $body (local $at i32) (local $bytes i32)
    (call $write (i32.const 2) (i32.const 48) (i32.const 5))
    (loop $more
      (i32.store (i32.const 0) (i32.const 131072))
      (i32.store (i32.const 4) (i32.const 65536))
      (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))
        (then unreachable))
      (local.set $bytes (i32.load (i32.const 8)))
      (local.set $at (i32.const 0))
      (if (local.get $bytes)
        (then
          (loop $each
            (call $digit (i32.add (i32.const 262144) (i32.mul (local.get $at) (i32.const 2)))
              (i32.shr_u (i32.load8_u offset=131072 (local.get $at)) (i32.const 4)))
            (call $digit (i32.add (i32.const 262145) (i32.mul (local.get $at) (i32.const 2)))
              (i32.load8_u offset=131072 (local.get $at)))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br_if $each (i32.lt_u (local.get $at) (local.get $bytes))))
          (call $write (i32.const 2) (i32.const 262144)
            (i32.mul (local.get $bytes) (i32.const 2)))
          (br $more))))
    (call $write (i32.const 2) (i32.const 56) (i32.const 1)))
  (func (export "_start")
    (call $variables)
    (call $body)
    (call $write (i32.const 1) (i32.const 16) (i32.const 26))))
"#;

/// One event, as the guest got it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard {
    /// The label of its route.
    pub(crate) route: String,
    env: BTreeMap<String, String>,
    /// Its standard input.
    pub(crate) body: Vec<u8>,
}

impl Heard {
    /// A variable; empty if there is none.
    pub(crate) fn variable(&self, name: &str) -> &str {
        self.env.get(name).map_or("", String::as_str)
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// All events that were heard to their end so far, in the order of their ends.
pub(crate) fn heard(trilby: &Trilby) -> Vec<Heard> {
    let mut begun: BTreeMap<String, Heard> = BTreeMap::new();
    let mut all = Vec::new();
    for line in trilby.output().lines() {
        let Some((_, told)) = line.split_once("trilby::guest: ") else { continue };
        let Some((told, fields)) = told.rsplit_once(" route=\"") else { continue };
        let Some((route, id)) = fields.split_once("\" request_id=") else { continue };
        let Some((name, value)) = told.split_once('=') else { continue };
        let event = begun.entry(id.to_owned()).or_default();
        event.route = route.to_owned();
        if name == "BODY" {
            event.body = bytes(value);
            all.extend(begun.remove(id));
        } else {
            event.env.insert(name.to_owned(), value.to_owned());
        }
    }
    all
}

fn bytes(digits: &str) -> Vec<u8> {
    let digit = |at: usize| digits.as_bytes().get(at).and_then(|d| char::from(*d).to_digit(16));
    let byte = |at| Some(u8::try_from(digit(at)? * 16 + digit(at + 1)?).unwrap_or_default());
    (0..digits.len()).step_by(2).filter_map(byte).collect()
}

/// Waits until so many events have been heard for which `is_it` holds.
pub(crate) async fn hear(
    trilby: &Trilby,
    count: usize,
    is_it: impl Fn(&Heard) -> bool,
) -> Result<Vec<Heard>> {
    let found = || heard(trilby).into_iter().filter(|event| is_it(event)).collect::<Vec<_>>();
    let enough = until("events", || {
        let found = found();
        std::future::ready((found.len() >= count).then_some(found))
    });
    enough.await.map_err(|error| error.context(trilby.output()))
}
