//! What bounds a run: the pool, the deadline, cancellation, and what it is given.

use std::sync::{Mutex, mpsc};

use super::*;

#[tokio::test]
async fn more_guests_than_the_pool_has_room_for_and_a_cancelled_one_makes_room() {
    let engine = Engine::pooled(1);
    let quick = main_of(&engine, "");
    for place in PLACES {
        let waits = program(&engine, place, "(call $wait)");
        let job_waiting = job();
        let waiting = Arc::clone(&job_waiting.host);
        let mut run = Box::pin(waits.run(job_waiting));
        tokio::select! {
            ending = &mut run => panic!("{ending:?}"),
            () = waiting.notified() => {}
        }
        assert_eq!(quick.run(job()).await, Ending::Exhausted);
        drop(run);
        assert_eq!(quick.run(job()).await, Ending::Done);
    }
}

#[tokio::test]
async fn without_a_pool_the_limits_are_the_same() {
    let engine = Engine::on_demand();
    assert_eq!(main_of(&engine, "").run(job()).await, Ending::Done);
    for shape in ["(memory 1) (memory 1)", &"(table 1 funcref)".repeat(3)] {
        let wat = format!(r#"(module {shape} (func (export "_start")))"#);
        // Past the check at load, which refuses it.
        let inner = wasmtime::Module::new(engine.inner(), wat).expect("valid");
        let module = Module { inner, cached: false };
        let ending = linked(&engine).program(&module, "_start").expect("fits").run(job()).await;
        assert!(matches!(&ending, Ending::Instance(why) if why.contains("count")), "{ending:?}");
    }
    let wat = br#"(module (memory 4) (func (export "_start")))"#;
    let module = engine.compile(wat).expect("valid");
    let ending = linked(&engine).program(&module, "_start").expect("fits").run(job()).await;
    assert_eq!(ending, Ending::Memory { asked_bytes: 4 << 16 });
}

#[tokio::test]
async fn each_run_has_new_memory_globals_and_tables() {
    let wat = br#"(module
      (memory (export "memory") 1) (global $g (mut i32) (i32.const 0)) (table $t 1 funcref)
      (func $f (export "_start")
        (if (i32.load (i32.const 4096)) (then unreachable))
        (if (global.get $g) (then unreachable))
        (if (i32.eqz (ref.is_null (table.get $t (i32.const 0)))) (then unreachable))
        (if (i32.ne (memory.size) (i32.const 1)) (then unreachable))
        (i32.store (i32.const 4096) (i32.const 1))
        (global.set $g (i32.const 1))
        (table.set $t (i32.const 0) (ref.func $f))
        (drop (memory.grow (i32.const 1)))))"#;
    for engine in [Engine::pooled(1), Engine::on_demand()] {
        let module = engine.compile(wat).expect("valid");
        let program = linked(&engine).program(&module, "_start").expect("fits");
        for _ in 0..3 {
            assert_eq!(program.run(job()).await, Ending::Done);
        }
    }
}

#[tokio::test]
async fn an_endless_guest_ends_at_its_deadline() {
    let engine = Engine::pooled(1);
    for place in PLACES {
        let limits = RunLimits { deadline: Instant::now(), ..job().limits };
        let spins = program(&engine, place, "(loop $l (br $l))");
        assert_eq!(spins.run(Job { limits, ..job() }).await, Ending::Deadline);
    }
    assert_eq!(main_of(&engine, "").run(job()).await, Ending::Done);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_guest_ends_at_its_deadline() {
    let engine = Engine::pooled(1);
    for place in PLACES {
        for body in ["(call $wait)", "(drop (call $read))"] {
            let job = Job { stdin: Input::stream(stream::pending()), ..job() };
            let deadline = job.limits.deadline;
            assert_eq!(program(&engine, place, body).run(job).await, Ending::Deadline);
            assert!(Instant::now() >= deadline);
        }
    }
}

#[tokio::test]
async fn an_unfinished_line_of_a_dropped_run_is_not_lost() {
    let engine = Engine::pooled(1);
    let lines = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&lines);
    let stderr = LineSink::new(1 << 10, move |line| {
        seen.lock().expect("not poisoned").push(line.to_owned());
    });
    let program = main_of(&engine, "(call $say (i32.const 2)) (call $wait)");
    let job = Job { stderr, ..job() };
    let waiting = Arc::clone(&job.host);
    let mut run = Box::pin(program.run(job));
    tokio::select! {
        ending = &mut run => panic!("{ending:?}"),
        () = waiting.notified() => {}
    }
    assert!(lines.lock().expect("not poisoned").is_empty());
    drop(run);
    assert_eq!(*lines.lock().expect("not poisoned"), ["hello"]);
}

#[tokio::test]
async fn a_guest_cannot_make_the_host_hold_much_randomness() {
    let engine = Engine::on_demand();
    let ask = |bytes: u32| {
        format!(
            "(drop (memory.grow (i32.const 16))) \
             (drop (call $random (i32.const 0) (i32.const {bytes})))"
        )
    };
    let limits = RunLimits { memory_bytes_max: 2 << 20, ..job().limits };
    let ending = main_of(&engine, &ask(1 << 20)).run(Job { limits, ..job() }).await;
    assert_eq!(ending, Ending::Done);
    let ending = main_of(&engine, &ask((1 << 20) + 1)).run(Job { limits, ..job() }).await;
    assert!(matches!(&ending, Ending::Trap(why) if why.contains("exceeds limit")), "{ending:?}");
}

fn volume(host: std::path::PathBuf) -> Vec<Volume> {
    vec![Volume { guest: "/data".into(), host, writable: false }]
}

#[tokio::test]
async fn a_volume_is_there_or_the_run_fails() {
    let engine = Engine::pooled(1);
    let folder = tempfile::tempdir().expect("can write");
    let needs =
        main_of(&engine, "(if (call $prestat (i32.const 3) (i32.const 64)) (then unreachable))");
    let volumes = volume(folder.path().to_owned());
    assert_eq!(needs.run(Job { volumes: &volumes, ..job() }).await, Ending::Done);
    assert!(matches!(needs.run(job()).await, Ending::Trap(_)));
    let volumes = volume(folder.path().join("missing"));
    let ending = needs.run(Job { volumes: &volumes, ..job() }).await;
    assert!(
        matches!(&ending, Ending::Volume(why) if why.contains("missing as /data")),
        "{ending:?}"
    );
}

#[test]
fn a_disk_that_hangs_holds_neither_a_worker_nor_the_deadline() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .max_blocking_threads(1)
        .build()
        .expect("can be built");
    let engine = Engine::pooled(1);
    let program = main_of(&engine, "");
    let volumes = volume(std::env::temp_dir());
    runtime.block_on(async {
        let (release, released) = mpsc::channel::<()>();
        // The only thread that may block does.
        let busy = tokio::task::spawn_blocking(move || released.recv().is_err());
        let limits = RunLimits { deadline: Instant::now(), ..job().limits };
        let ending = program.run(Job { volumes: &volumes, limits, ..job() }).await;
        assert_eq!(ending, Ending::Deadline);
        assert_eq!(program.run(job()).await, Ending::Done, "waits though it has no volumes");
        drop(release);
        assert!(busy.await.expect("does not panic"));
        assert_eq!(program.run(Job { volumes: &volumes, ..job() }).await, Ending::Done);
    });
}

#[tokio::test]
async fn an_endless_guest_is_ended_when_it_has_computed_long_enough() {
    let engine = Engine::pooled(1);
    let limits = RunLimits { cpu: Some(Duration::from_millis(20)), ..job().limits };
    for place in PLACES {
        let spins = program(&engine, place, "(loop $more (br $more))");
        assert_eq!(spins.run(Job { limits, ..job() }).await, Ending::Cpu);
        let quick = program(&engine, place, "");
        assert_eq!(quick.run(Job { limits, ..job() }).await, Ending::Done);
    }
}

#[tokio::test]
async fn the_first_snapshot_of_wasi_is_there_too() {
    let engine = Engine::pooled(1);
    let wat = br#"(module
      (import "wasi_unstable" "fd_write"
        (func $fd_write (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 0) "\20\00\00\00\05\00\00\00")
      (data (i32.const 32) "hello")
      (func (export "_start")
        (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16))
          (then unreachable))))"#;
    let module = engine.compile(wat).expect("valid");
    let (stdout, reader) = pipe::new(99);
    let program = linked(&engine).program(&module, "_start").expect("fits");
    assert_eq!(program.run(Job { stdout, ..job() }).await, Ending::Done);
    assert_eq!(reader.try_read().as_deref(), Some(b"hello".as_slice()));
}
