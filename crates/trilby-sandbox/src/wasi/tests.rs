//! Each call, twice: answered quickly if it can be, and by wasmtime-wasi in a guest of its own.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use tokio::time::Instant;
use wasmtime::{Caller, Extern};

use crate::program::State;
use crate::{Ending, Engine, Input, InputError, Job, LineSink, Linked, RunLimits, pipe};

/// What a guest leaves behind: its memory, and whether wasmtime-wasi had to help.
type Seen = Arc<Mutex<Option<(Vec<u8>, bool)>>>;

/// How a run ended, and all that it left.
#[derive(Debug, PartialEq, Eq)]
struct Left {
    ending: Ending,
    memory: Vec<u8>,
    stdout: Vec<u8>,
    stderr: Vec<String>,
}

/// What lies in each guest's memory: two lists of buffers at 0 and 32, text at 64.
const DATA: &str = r#"
  (memory (export "memory") 1)
  (data (i32.const 0) "\40\00\00\00\00\00\00\00\40\00\00\00\05\00\00\00\60\00\00\00\04\00\00\00")
  (data (i32.const 32) "\00\10\00\00\01\20\00\00")
  (data (i32.const 40) "\00\fe\00\00\00\02\00\00")
  (data (i32.const 48) "\00\fe\00\00\01\02\00\00")
  (data (i32.const 64) "hello, all\n")
"#;

fn linked(engine: &Engine) -> Linked<Seen> {
    Linked::new(engine, &["test"], |linker| {
        linker.func_wrap("test", "full", |mut caller: Caller<'_, State<Seen>>| {
            caller.data_mut().wasi().full();
        })?;
        linker.func_wrap("test", "seen", |mut caller: Caller<'_, State<Seen>>| {
            let Some(Extern::Memory(memory)) = caller.get_export("memory") else { return };
            let bytes = memory.data(&caller).to_vec();
            let is_full = caller.data_mut().wasi().full.is_some();
            *caller.data().host.lock().expect("not poisoned") = Some((bytes, is_full));
        })?;
        Ok(())
    })
    .expect("no name twice")
}

/// Runs calls of one function, whose results lie at 2000, 2004 and so on.
async fn run(engine: &Engine, function: &str, calls: &[Vec<i64>], full: bool) -> (Left, bool) {
    let param =
        |index: usize| if function == "clock_time_get" && index == 1 { "i64" } else { "i32" };
    let count = calls.first().map_or(0, Vec::len);
    let params: Vec<&str> = (0..count).map(param).collect();
    let body = calls.iter().enumerate().map(|(number, arguments)| {
        let constant = |(index, value): (usize, &i64)| format!("({}.const {value})", param(index));
        let arguments: Vec<String> = arguments.iter().enumerate().map(constant).collect();
        let at = 2000 + 4 * number;
        format!("(i32.store (i32.const {at}) (call $f {}))", arguments.join(" "))
    });
    let wat = format!(
        r#"(module (import "test" "full" (func $full)) (import "test" "seen" (func $seen))
             (import "wasi_snapshot_preview1" "{function}" (func $f (param {}) (result i32)))
             {DATA} (func (export "_start") {} {} (call $seen)))"#,
        params.join(" "),
        if full { "(call $full)" } else { "" },
        body.collect::<Vec<_>>().join(" "),
    );
    let module = engine.compile(wat.as_bytes()).expect("valid");
    let program = linked(engine).program(&module, "_start").expect("fits");
    let seen = Seen::default();
    let (stdout, reader) = pipe::new(1 << 16);
    let lines = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&lines);
    let chunks = [Ok(Bytes::from_static(b"body")), Ok(Bytes::new()), Err(InputError::TooLarge)];
    let job = Job {
        args: vec!["program".to_owned(), String::new(), "ü".to_owned()],
        env: vec![("A".into(), "1".into()), ("B".into(), "".into()), ("C".into(), "x=y".into())],
        stdin: Input::stream(stream::iter(chunks)),
        stdout,
        stderr: LineSink::new(1000, move |line| log.lock().expect("fine").push(line.to_owned())),
        volumes: &[],
        host: Arc::clone(&seen),
        limits: RunLimits {
            deadline: Instant::now() + Duration::from_secs(30),
            cpu: None,
            memory_bytes_max: 1 << 20,
        },
    };
    let ending = program.run(job).await;
    let (memory, is_full) = seen.lock().expect("fine").take().unwrap_or_default();
    let stdout = std::iter::from_fn(|| reader.try_read()).flatten().collect();
    let stderr = lines.lock().expect("fine").clone();
    (Left { ending, memory, stdout, stderr }, is_full)
}

/// The end of the memory, one page.
const END: i64 = 65536;

#[tokio::test]
async fn quick_answers_are_those_of_wasmtime_wasi() {
    let engine = Engine::pooled(1);
    // The function, its calls, and whether the last of them is answered quickly.
    let cases: [(&str, &[&[i64]], bool); 37] = [
        ("fd_write", &[&[1, 0, 3, 128]], true),
        ("fd_write", &[&[1, 0, 3, 128], &[1, 8, 2, 132], &[2, 0, 3, 128]], true),
        ("fd_write", &[&[2, 0, 3, 128], &[2, 8, 1, 128]], true),
        ("fd_write", &[&[1, 0, 0, 128], &[1, 0, 1, 128]], true),
        ("fd_write", &[&[0, 0, 3, 128], &[3, 0, 3, 128], &[-1, 0, 3, 128]], false),
        ("fd_write", &[&[1, 32, 1, 128]], false),
        ("fd_write", &[&[1, 40, 1, 128]], true),
        ("fd_write", &[&[1, 48, 1, 128]], false),
        ("fd_write", &[&[1, 0, 3, END - 3]], false),
        ("fd_write", &[&[1, 0, 3, 130]], false),
        ("fd_write", &[&[1, 2, 3, 128]], false),
        ("fd_write", &[&[1, END - 4, 1, 128]], false),
        ("fd_write", &[&[1, 0, -1, 128]], false),
        ("fd_write", &[&[1, 8, 1, 128], &[3, 8, 1, 128], &[1, 8, 1, 128]], false),
        ("fd_read", &[&[0, 8, 1, 128]], true),
        ("fd_read", &[&[0, 16, 1, 128], &[0, 16, 1, 128]], false),
        ("fd_read", &[&[0, 0, 1, 128]], false),
        ("fd_read", &[&[1, 8, 1, 128], &[7, 8, 1, 128]], false),
        ("fd_read", &[&[0, 8, 1, END]], false),
        ("fd_read", &[&[0, 48, 1, 128]], false),
        ("fd_fdstat_get", &[&[0, 128], &[1, 160], &[2, 192]], true),
        ("fd_fdstat_get", &[&[3, 128], &[-1, 128]], false),
        ("fd_fdstat_get", &[&[1, 132]], false),
        ("fd_fdstat_get", &[&[1, END - 23]], false),
        ("fd_prestat_get", &[&[3, 128], &[4, END], &[0x7fff_ffff, 0]], true),
        ("fd_prestat_get", &[&[0, 128], &[1, 128], &[-1, 128]], false),
        ("args_sizes_get", &[&[128, 132]], true),
        ("args_sizes_get", &[&[128, END]], false),
        ("args_get", &[&[128, 201]], true),
        ("args_get", &[&[130, 200]], false),
        ("args_get", &[&[128, END - 2]], false),
        ("environ_sizes_get", &[&[128, 132]], true),
        ("environ_get", &[&[128, 200]], true),
        ("environ_get", &[&[-4, 200]], false),
        ("clock_time_get", &[&[2, 0, 128], &[3, 0, 128], &[9, 0, 128]], false),
        ("clock_time_get", &[&[0, 0, END - 7]], false),
        ("random_get", &[&[END, 1]], false),
    ];
    for (function, calls, is_quick) in cases {
        let calls: Vec<Vec<i64>> = calls.iter().map(|call| call.to_vec()).collect();
        let (quick, became_full) = run(&engine, function, &calls, false).await;
        let (full, _) = run(&engine, function, &calls, true).await;
        assert_eq!(quick, full, "{function} {calls:?}");
        if quick.ending == Ending::Done {
            assert_eq!(became_full, !is_quick, "{function} {calls:?}");
        } else {
            assert!(!is_quick, "{function} {calls:?}: {:?}", quick.ending);
        }
    }
}

#[tokio::test]
async fn time_and_chance_are_answered_quickly() {
    let engine = Engine::pooled(1);
    for full in [false, true] {
        let calls = [vec![64, 16], vec![100, 0]];
        let (left, is_full) = run(&engine, "random_get", &calls, full).await;
        assert_eq!((left.ending, is_full), (Ending::Done, full));
        assert_eq!(left.memory.get(2000..2008), Some(&[0; 8][..]));
        assert_ne!(left.memory.get(64..75), Some(&b"hello, all\n"[..]));
        let (left, is_full) = run(&engine, "clock_time_get", &[vec![0, 0, 128]], full).await;
        assert_eq!((left.ending, is_full), (Ending::Done, full));
        let nanos = left.memory.get(128..136).and_then(|bytes| bytes.try_into().ok());
        let seconds = nanos.map(u64::from_le_bytes).expect("8 bytes") / 1_000_000_000;
        // From 2026 on.
        assert!(seconds > 1_767_000_000, "{seconds}");
    }
}
