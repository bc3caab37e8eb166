//! What all operations have in common: arguments in, a call within its deadline, an answer or a
//! code out.
//!
//! The outer `Result` of a function is a trap; errors that the guest can handle are codes. No
//! argument is borrowed from the guest's memory while a call waits.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use tokio::time::{Instant, timeout_at};
use tokio_util::task::AbortOnDropHandle;
use trilby_dapr::stream::ByteStream;
use trilby_dapr::{Blocks, CallContext, Error};
use wasmtime::{Linker, WasmTyList};

use trilby_sandbox::State;

use crate::answer::Answer;
use crate::memory::{self, Guest, Span};
use crate::observe::Observed;
use crate::options::{self, Known, Options};
use crate::stream::{self, Head, Headers, Stream};
use crate::{Access, Host};

/// The name of an operation: an import.
#[derive(Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) module: &'static str,
    pub(crate) name: &'static str,
    /// Whether its first target is a component (or an app, an actor's type, an rpc), which a log
    /// may name. Keys and other names are never in a log.
    pub(crate) names_component: bool,
    options: Known,
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}.{}`", self.module, self.name)
    }
}

/// What an operation asks Dapr with.
pub(crate) struct Ask {
    pub(crate) blocks: Arc<dyn Blocks>,
    pub(crate) access: Arc<Access>,
    pub(crate) cx: CallContext,
    /// When the whole request ends: for calls that outlast one wait.
    pub(crate) request_deadline: Instant,
    pub(crate) operation: Operation,
}

impl Ask {
    /// Starts a call that takes its body while it goes on. It may last as long as the request:
    /// each wait of the guest has a bound of its own.
    pub(crate) fn open<F>(
        mut self,
        component: &str,
        start: impl FnOnce(Self, ByteStream) -> F,
    ) -> Opened
    where
        F: Future<Output = Result<Head, Error>> + Send + 'static,
    {
        let (input, body) = stream::pair();
        let (operation, deadline) = (self.operation, self.request_deadline);
        self.cx.deadline = deadline;
        let observed = Observed::begin(operation, component);
        let call = timeout_at(deadline, start(self, body));
        let task = tokio::spawn(async move {
            let late = |_| Err(Error::deadline(&operation.to_string()));
            let head = call.await.unwrap_or_else(late);
            observed.end(&head);
            head
        });
        let stream = Stream::opened(input, AbortOnDropHandle::new(task));
        Opened(Answer::streamed(Headers::new(), stream))
    }
}

/// The arguments of an operation with `N` targets.
pub(crate) struct Call<const N: usize> {
    pub(crate) names: [String; N],
    pub(crate) options: Options,
}

/// The arguments of an operation that takes a body, too.
pub(crate) struct BodyCall<const N: usize> {
    pub(crate) names: [String; N],
    pub(crate) options: Options,
    pub(crate) body: Bytes,
}

/// Arguments, and how WebAssembly passes them.
pub(crate) trait Arguments: Sized + Send + 'static {
    /// Pointers and lengths: of the targets, the options and the body.
    type Params: WasmTyList + Send + 'static;

    fn read(
        guest: &mut Guest<'_>,
        params: Self::Params,
        known: Known,
    ) -> wasmtime::Result<Result<Self, Error>>;

    /// The first target.
    fn first(&self) -> &str;
}

/// Implements [`Arguments`] for a number of targets: a pointer and a length for each.
macro_rules! arguments {
    ($count:literal: $($at:ident $len:ident $i32:ident),*) => {
        impl Arguments for Call<$count> {
            type Params = ($($i32, $i32,)* i32, i32);

            fn read(
                guest: &mut Guest<'_>,
                ($($at, $len,)* options, options_len): Self::Params,
                known: Known,
            ) -> wasmtime::Result<Result<Self, Error>> {
                let spans = [$(Span::new($at, $len)),*];
                let options = Span::new(options, options_len);
                Ok(targets(guest, spans, options, known)?
                    .map(|(names, options)| Self { names, options }))
            }

            fn first(&self) -> &str {
                self.names.first().map_or("", String::as_str)
            }
        }

        impl Arguments for BodyCall<$count> {
            type Params = ($($i32, $i32,)* i32, i32, i32, i32);

            fn read(
                guest: &mut Guest<'_>,
                ($($at, $len,)* options, options_len, body, body_len): Self::Params,
                known: Known,
            ) -> wasmtime::Result<Result<Self, Error>> {
                let spans = [$(Span::new($at, $len)),*];
                let options = Span::new(options, options_len);
                let targets = targets(guest, spans, options, known)?;
                let body = memory::body(guest, Span::new(body, body_len))?;
                Ok(targets.and_then(|(names, options)| {
                    Ok(Self { names, options, body: body? })
                }))
            }

            fn first(&self) -> &str {
                self.names.first().map_or("", String::as_str)
            }
        }
    };
}

arguments!(0:);
arguments!(1: a an i32);
arguments!(2: a an i32, b bn i32);
arguments!(3: a an i32, b bn i32, c cn i32);

fn targets<const N: usize>(
    guest: &mut Guest<'_>,
    spans: [Span; N],
    options: Span,
    known: Known,
) -> wasmtime::Result<Result<([String; N], Options), Error>> {
    let mut names = [const { String::new() }; N];
    for (name, span) in names.iter_mut().zip(spans) {
        match memory::text(guest, span)? {
            Ok(text) => *name = text.to_owned(),
            Err(error) => return Ok(Err(error)),
        }
    }
    let options = memory::text(guest, options)?.and_then(|text| options::parse(text, known));
    Ok(options.map(|options| (names, options)))
}

/// What an operation gives to the guest.
pub(crate) trait Reply: Send + 'static {
    /// Whether it needs a handle.
    const IS_ANSWER: bool;
    /// Whether the call is over with it.
    const IS_END: bool = true;

    /// The number that the guest gets.
    fn keep(self, host: &mut Host) -> i32;
}

impl Reply for () {
    const IS_ANSWER: bool = false;

    fn keep(self, _: &mut Host) -> i32 {
        0
    }
}

impl Reply for Answer {
    const IS_ANSWER: bool = true;

    fn keep(self, host: &mut Host) -> i32 {
        host.answer(self)
    }
}

/// An answer that begins later.
pub(crate) struct Opened(pub(crate) Answer);

impl Reply for Opened {
    const IS_ANSWER: bool = true;
    const IS_END: bool = false;

    fn keep(self, host: &mut Host) -> i32 {
        host.answer(self.0)
    }
}

/// Where the operations of one import module are defined.
pub(crate) struct Imports<'a> {
    linker: &'a mut Linker<State<Host>>,
    module: &'static str,
    names_component: bool,
}

impl<'a> Imports<'a> {
    /// A module whose operations name a component first.
    pub(crate) fn of(linker: &'a mut Linker<State<Host>>, module: &'static str) -> Self {
        Self { linker, module, names_component: true }
    }

    /// A module whose operations name no component.
    pub(crate) fn nameless(linker: &'a mut Linker<State<Host>>, module: &'static str) -> Self {
        Self { names_component: false, ..Self::of(linker, module) }
    }

    /// Defines an operation. `run` has its arguments already.
    pub(crate) fn add<A, R, F>(
        &mut self,
        name: &'static str,
        options: Known,
        run: impl Fn(Ask, A) -> F + Copy + Send + Sync + 'static,
    ) -> wasmtime::Result<()>
    where
        A: Arguments,
        R: Reply,
        F: Future<Output = Result<R, Error>> + Send + 'static,
    {
        let (module, names_component) = (self.module, self.names_component);
        let operation = Operation { module, name, names_component, options };
        self.linker.func_wrap_async(module, name, move |mut guest, params: A::Params| {
            Box::new(async move { perform(&mut guest, operation, params, run).await })
        })?;
        Ok(())
    }
}

/// Waits for a call within its deadline, whatever the back end does about deadlines itself. An
/// error becomes its code, kept for `dapr_v1.error`.
async fn perform<A, R, F>(
    guest: &mut Guest<'_>,
    operation: Operation,
    params: A::Params,
    run: impl Fn(Ask, A) -> F + Send,
) -> wasmtime::Result<i32>
where
    A: Arguments,
    R: Reply,
    F: Future<Output = Result<R, Error>> + Send,
{
    let arguments = A::read(guest, params, operation.options)?;
    let host = &mut guest.data_mut().host;
    let arguments = match arguments {
        Ok(_) if R::IS_ANSWER && !host.answers.has_room() => return Ok(host.fail_for_handles()),
        Ok(arguments) => arguments,
        Err(error) => return Ok(host.fail(error)),
    };
    let ask = host.ask(operation);
    let observed = Observed::begin(operation, arguments.first());
    let deadline = ask.cx.deadline;
    let result = match timeout_at(deadline, run(ask, arguments)).await {
        Ok(result) => result,
        Err(_) => Err(Error::deadline(&operation.to_string())),
    };
    if R::IS_END || result.is_err() {
        observed.end(&result);
    }
    let host = &mut guest.data_mut().host;
    Ok(match result {
        Ok(reply) => reply.keep(host),
        Err(error) => host.fail(error),
    })
}
