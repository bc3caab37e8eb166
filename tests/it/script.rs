//! Guests that do what a list says, as text modules; and requests whose line in the log is looked
//! at.

use std::fmt::Write;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;
use bytes::Bytes;
use http::Method;
use trilby_testkit::{Answer, Client, Trilby, until};

use crate::wat::WRITE;

/// The shortest head of a response.
pub(crate) const HEAD: Step<'_> = Step::Out("content-type: text/plain\n\n", 1);

/// What a guest does.
#[derive(Clone, Copy)]
pub(crate) enum Step<'a> {
    /// Writes a text to standard output, so many times.
    Out(&'a str, u32),
    /// The same on standard error.
    Err(&'a str, u32),
    /// Reads the body to its end.
    Read,
    /// Takes so many pages of memory more, or traps.
    Grow(u32),
    /// Publishes `data` to a topic, or traps: `pubsub`, `topic`, `data`.
    Publish(&'a str, &'a str, &'a str),
    /// Counts down from here.
    Compute(u32),
    /// Computes for ever.
    Spin,
}

/// The module that does all of this in turn.
pub(crate) fn module(steps: &[Step<'_>]) -> String {
    let mut texts = Texts { data: String::new(), end: 8192 };
    let mut code = String::new();
    let mut publish = "";
    for step in steps {
        // Writing to a string cannot fail.
        let _ = match *step {
            Step::Out(text, times) => writeln!(code, "{}", texts.write(1, text, times)),
            Step::Err(text, times) => writeln!(code, "{}", texts.write(2, text, times)),
            Step::Read => writeln!(code, "(call $drain)"),
            Step::Grow(pages) => writeln!(
                code,
                "(if (i32.eq (memory.grow (i32.const {pages})) (i32.const -1)) (then unreachable))"
            ),
            Step::Publish(pubsub, topic, data) => {
                publish = PUBLISH;
                let args = [pubsub, topic, "", data].map(|text| texts.add(text)).concat();
                writeln!(code, "(if (call $publish {args}) (then unreachable))")
            }
            Step::Compute(times) => writeln!(
                code,
                "(local.set $n (i32.const {times})) (loop $again \
                 (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))"
            ),
            Step::Spin => writeln!(code, "(loop $ever (br $ever))"),
        };
    }
    let data = texts.data;
    format!(
        "(module {publish} {COMMON} {WRITE} {data} (func (export \"_start\") (local $n i32)\n{code}))"
    )
}

const PUBLISH: &str = r#"
  (import "dapr_pubsub_v1" "publish"
    (func $publish (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
"#;

/// Memory: an I/O vector and a result below 16, what is read from 1024 to 5120, texts from 8192.
const COMMON: &str = r#"
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (func $drain
    (loop $more
      (i32.store (i32.const 0) (i32.const 1024))
      (i32.store (i32.const 4) (i32.const 4096))
      (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))
        (then unreachable))
      (br_if $more (i32.load (i32.const 8)))))
"#;

struct Texts {
    data: String,
    end: usize,
}

impl Texts {
    /// Puts a text into memory, and gives its address and length.
    fn add(&mut self, text: &str) -> String {
        let at = self.end;
        self.end += text.len();
        let _ = writeln!(self.data, "(data (i32.const {at}) {text:?})");
        format!("(i32.const {at}) (i32.const {})", text.len())
    }

    fn write(&mut self, fd: u8, text: &str, times: u32) -> String {
        let text = self.add(text);
        format!(
            "(local.set $n (i32.const {times})) (loop $again (call $write (i32.const {fd}) {text}) \
             (local.set $n (i32.sub (local.get $n) (i32.const 1))) (br_if $again (local.get $n)))"
        )
    }
}

/// An id for a request of its own.
pub(crate) fn id() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("case-{}-end", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The line in the log of the request with this id.
pub(crate) async fn line_of(trilby: &mut Trilby, id: &str) -> Result<String> {
    trilby.logged(&format!("trilby::request: request_id=\"{id}\"")).await
}

/// Posts a body, and asserts how it ends: the status, and the outcome in the log.
pub(crate) async fn ends(
    trilby: &mut Trilby,
    path: &str,
    body: impl Into<Bytes>,
    wanted: (u16, &str),
) -> Result<Answer> {
    let http = trilby.http.clone();
    ends_over(&http, trilby, (path, &[]), body, wanted).await
}

/// The same with another client, and with headers.
pub(crate) async fn ends_over(
    http: &Client,
    trilby: &mut Trilby,
    (path, headers): (&str, &[(&str, &str)]),
    body: impl Into<Bytes>,
    (status, outcome): (u16, &str),
) -> Result<Answer> {
    let id = id();
    let headers = [headers, &[("x-request-id", &*id)]].concat();
    let answer = http.send(Method::POST, path, &headers, body).await?;
    assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.text());
    let line = line_of(trilby, &id).await?;
    for part in [format!("route=\"{path}\""), format!("outcome=\"{outcome}\"")] {
        assert!(line.contains(&part), "no {part} in {line}");
    }
    Ok(answer)
}

/// How many lines of the log have this in them.
pub(crate) fn count(trilby: &Trilby, text: &str) -> usize {
    trilby.output().lines().filter(|line| line.contains(text)).count()
}

/// Waits until so many lines have it.
pub(crate) async fn counted(trilby: &Trilby, text: &str, wanted: usize) -> Result<()> {
    let what = format!("{wanted} lines with `{text}`");
    let waited = until(&what, || async { (count(trilby, text) >= wanted).then_some(()) }).await;
    waited.map_err(|error| error.context(trilby.output()))
}
