//! A guest that makes a list of calls, written as WebAssembly text.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use tokio::time::Instant;
use trilby_sandbox::{
    Ending, Engine, EngineSettings, Input, Job, LineSink, Linked, RunLimits, pipe,
};
use wasmtime::Extern;

use super::fake::Fake;
use super::{CALL_TIMEOUT, REQUEST_TIMEOUT};
use crate::{Access, Host, HostSettings, IMPORT_MODULES, link, memory};

/// Where the guest has its answers written.
pub(super) const BUFFER: i32 = 1 << 20;
pub(super) const BUFFER_BYTES: i32 = 1 << 20;

const MEMORY_BYTES: usize = 4 << 20;

/// An argument of a call.
#[derive(Clone, Copy)]
pub(super) enum Arg<'a> {
    /// A pointer and a length.
    Text(&'a str),
    /// A number.
    Number(i32),
}

pub(super) fn s(text: &str) -> Arg<'_> {
    Arg::Text(text)
}

pub(super) fn n(number: i32) -> Arg<'static> {
    Arg::Number(number)
}

pub(super) struct Guest {
    fake: Arc<Fake>,
    access: Access,
}

type Seen = Arc<Mutex<Vec<(i32, String)>>>;

impl Guest {
    pub(super) fn new(fake: Arc<Fake>, access: Access) -> Self {
        Self { fake, access }
    }

    /// Results, and what the buffer has of each.
    pub(super) async fn run(self, calls: &[(&str, &[Arg<'_>])]) -> Vec<(i32, String)> {
        let (ending, seen) = self.run_to(calls).await;
        assert_eq!(ending, Ending::Done);
        seen
    }

    pub(super) async fn run_to(self, calls: &[(&str, &[Arg<'_>])]) -> (Ending, Vec<(i32, String)>) {
        let settings =
            EngineSettings { memory_bytes_max: MEMORY_BYTES, instances_max: 1, cache: None };
        let engine = Engine::new(settings).expect("an engine");
        let seen = Seen::default();
        let told = Arc::clone(&seen);
        let linked = Linked::new(&engine, IMPORT_MODULES, |linker| {
            link(linker)?;
            linker.func_wrap("test", "see", move |mut guest: memory::Guest<'_>, result: i32| {
                let Some(Extern::Memory(memory)) = guest.get_export("memory") else { return };
                let start = usize::try_from(BUFFER).unwrap();
                let count = usize::try_from(result.clamp(0, BUFFER_BYTES)).unwrap();
                let bytes = &memory.data(&guest)[start..start + count];
                told.lock().unwrap().push((result, String::from_utf8_lossy(bytes).into_owned()));
            })?;
            Ok(())
        });
        let module = engine.compile(text(calls).as_bytes()).expect("valid");
        let program = linked.expect("no name twice").program(&module, "_start").expect("fits");
        let ending = program.run(job(self.host())).await;
        let seen = seen.lock().unwrap().clone();
        (ending, seen)
    }

    fn host(self) -> Host {
        let settings = HostSettings {
            blocks: self.fake,
            access: Arc::new(self.access),
            call_timeout: CALL_TIMEOUT,
            http: None,
        };
        Host::new(settings, Instant::now() + REQUEST_TIMEOUT, None)
    }
}

fn job(host: Host) -> Job<'static, Host> {
    let (stdout, _) = pipe::new(4);
    Job {
        args: Vec::new(),
        env: Vec::new(),
        stdin: Input::empty(),
        stdout,
        stderr: LineSink::new(1 << 10, |_| {}),
        volumes: &[],
        host,
        limits: RunLimits {
            cpu: None,
            deadline: Instant::now() + REQUEST_TIMEOUT,
            memory_bytes_max: MEMORY_BYTES,
        },
    }
}

fn text(calls: &[(&str, &[Arg<'_>])]) -> String {
    let (mut imports, mut data, mut code) = (BTreeSet::new(), String::new(), String::new());
    let mut at = 16;
    for (import, args) in calls {
        let mut given = String::new();
        let mut count = 0;
        for arg in *args {
            match arg {
                Arg::Number(number) => write!(given, "(i32.const {number})").unwrap(),
                Arg::Text(text) => {
                    let escaped: String = text.bytes().map(|b| format!("\\{b:02x}")).collect();
                    writeln!(data, "(data (i32.const {at}) \"{escaped}\")").unwrap();
                    write!(given, "(i32.const {at})(i32.const {})", text.len()).unwrap();
                    at += text.len();
                    count += 1;
                }
            }
            count += 1;
        }
        let (module, name) = import.split_once('.').expect("module.name");
        let params = "i32 ".repeat(count);
        imports.insert(format!(
            "(import \"{module}\" \"{name}\" (func ${import} (param {params}) (result i32)))\n"
        ));
        writeln!(code, "(call $see (call ${import} {given}))").unwrap();
    }
    let imports: String = imports.into_iter().collect();
    format!(
        "(module {imports} (import \"test\" \"see\" (func $see (param i32)))\n\
         (memory (export \"memory\") 48)\n{data}(func (export \"_start\")\n{code}))"
    )
}
