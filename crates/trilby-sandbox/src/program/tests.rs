use std::time::Duration;

use futures_util::stream;
use tokio::sync::Notify;
use tokio::time::Instant;
use wasmtime::{Caller, format_err};

use super::*;
use crate::{Input, InputError, LineSink, RunLimits, pipe};

mod bounds;

/// Told when the guest waits in `test.wait`.
type Waiting = Arc<Notify>;

const MEMORY_BYTES_MAX: usize = 3 << 16;

/// Imports, memory, a table and helpers of all guests. At 0 and at 8 lie the spans of five bytes
/// of text and of a buffer.
const COMMON: &str = r#"
  (import "test" "wait" (func $wait))
  (import "test" "refuse" (func $refuse))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (type $span_call (func (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (type $span_call)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (type $span_call)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (table $table 1 funcref)
  (data (i32.const 0) "\20\00\00\00\05\00\00\00\40\00\00\00\08\00\00\00")
  (data (i32.const 32) "hello")
  (func $say (param $fd i32)
    (drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 16))))
  (func $read (result i32) (call $fd_read (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 16)))
"#;

/// Where the code of a test stands in its module.
#[derive(Clone, Copy, Debug)]
enum Place {
    Main,
    Start,
    Initialize,
}

const PLACES: [Place; 3] = [Place::Main, Place::Start, Place::Initialize];

fn program(engine: &Engine, place: Place, body: &str) -> Program<Waiting> {
    let (functions, entrypoint) = match place {
        Place::Main => (format!(r#"(func (export "_start") {body})"#), "_start"),
        Place::Start => {
            (format!(r#"(func $s {body}) (start $s) (func (export "_start"))"#), "_start")
        }
        Place::Initialize => {
            (format!(r#"(func (export "_initialize") {body}) (func (export "run"))"#), "run")
        }
    };
    let wat = format!("(module {COMMON} {functions})");
    linked(engine)
        .program(&engine.compile(wat.as_bytes()).expect("valid"), entrypoint)
        .expect("fits")
}

fn linked(engine: &Engine) -> Linked<Waiting> {
    Linked::new(engine, &["test"], |linker| {
        linker.func_wrap_async("test", "wait", |caller: Caller<'_, State<Waiting>>, (): ()| {
            let waiting = Arc::clone(&caller.data().host);
            Box::new(async move {
                waiting.notify_one();
                std::future::pending::<()>().await;
            })
        })?;
        linker.func_wrap("test", "refuse", || -> wasmtime::Result<()> {
            Err(format_err!("no such\nthing"))
        })?;
        Ok(())
    })
    .expect("no name twice")
}

fn main_of(engine: &Engine, body: &str) -> Program<Waiting> {
    program(engine, Place::Main, body)
}

fn job() -> Job<'static, Waiting> {
    let (stdout, reader) = pipe::new(4);
    // A pipe without a reader would refuse every write.
    std::mem::forget(reader);
    Job {
        args: vec!["guest".into()],
        env: Vec::new(),
        stdin: Input::empty(),
        stdout,
        stderr: LineSink::new(1 << 10, |_| {}),
        volumes: &[],
        host: Waiting::default(),
        limits: RunLimits {
            cpu: None,
            deadline: Instant::now() + Duration::from_secs(3600),
            memory_bytes_max: MEMORY_BYTES_MAX,
        },
    }
}

fn failing(error: InputError) -> Input {
    Input::stream(stream::iter([Err(error)]))
}

#[tokio::test]
async fn every_ending_is_told_apart_wherever_the_guest_meets_it() {
    let grow = "(drop (memory.grow (i32.const 3)))";
    let grow_table = "(drop (table.grow $table (ref.null func) (i32.const 200000)))";
    let memory = |asked_bytes| Ending::Memory { asked_bytes };
    let table = [
        (String::new(), Ending::Done),
        ("(call $exit (i32.const 0))".into(), Ending::Done),
        ("(call $exit (i32.const 3))".into(), Ending::Exit(3)),
        (grow.into(), Ending::Done),
        (format!("{grow} unreachable"), memory(4 << 16)),
        (format!("{grow} (call $exit (i32.const 1))"), memory(4 << 16)),
        (format!("{grow_table} unreachable"), memory(200_001 * 8)),
        ("(drop (memory.grow (i32.const 2)))".into(), Ending::Done),
        ("(call $say (i32.const 1))".into(), Ending::Output),
    ];
    let engine = Engine::pooled(1);
    for (body, ending) in table {
        for place in PLACES {
            let reached = program(&engine, place, &body).run(job()).await;
            assert_eq!(reached, ending, "{body} in {place:?}");
        }
    }
}

#[tokio::test]
async fn a_trap_is_told_with_its_reason_and_place_on_one_line() {
    let engine = Engine::pooled(1);
    for place in PLACES {
        for (body, reason) in
            [("unreachable", "`unreachable`"), ("(call $refuse)", "no such\\nthing")]
        {
            match program(&engine, place, body).run(job()).await {
                Ending::Trap(text) => {
                    assert!(text.contains(reason) && text.contains(" (in "), "{text}");
                }
                other => panic!("{body} in {place:?}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_segment_outside_the_memory_is_the_modules_own_fault() {
    let engine = Engine::pooled(1);
    let wat = br#"(module (memory 1) (data (i32.const 65536) "x") (func (export "_start")))"#;
    let module = engine.compile(wat).expect("valid");
    let ending = linked(&engine).program(&module, "_start").expect("fits").run(job()).await;
    assert!(matches!(&ending, Ending::Trap(why) if why.contains("out of bounds")), "{ending:?}");
}

#[tokio::test]
async fn a_guest_cannot_write_the_log_with_the_names_of_its_functions() {
    let engine = Engine::pooled(1);
    let name = format!("a\\nb\\1b{}", "x".repeat(9000));
    let nested = r#"(func $"NAME" unreachable) (func (export "_start") (call $"NAME"))"#;
    let wat = format!("(module {})", nested.replace("NAME", &name));
    let module = engine.compile(wat.as_bytes()).expect("valid");
    let ending = linked(&engine).program(&module, "_start").expect("fits").run(job()).await;
    let Ending::Trap(text) = ending else { panic!("{ending:?}") };
    assert!(text.contains("(in a\\nb\\u{1b}xx"), "{text}");
    assert!(text.len() <= 510, "{}", text.len());
}

#[tokio::test]
async fn a_body_that_fails_decides_the_ending_once_the_guest_has_seen_it() {
    let engine = Engine::pooled(1);
    for error in [InputError::BrokenOff, InputError::TooLarge] {
        for (body, ending) in [
            ("(drop (call $read))", Ending::Input(error)),
            ("(if (call $read) (then unreachable))", Ending::Input(error)),
            ("(drop (call $read)) (call $exit (i32.const 2))", Ending::Input(error)),
            ("", Ending::Done),
        ] {
            for place in PLACES {
                let job = Job { stdin: failing(error), ..job() };
                let reached = program(&engine, place, body).run(job).await;
                assert_eq!(reached, ending, "{body} in {place:?}");
            }
        }
    }
}
