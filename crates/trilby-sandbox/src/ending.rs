//! How a run ended, read from what wasmtime returned and what the host refused.

use std::sync::{Mutex, PoisonError};

use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::input::InputError;
use crate::{Ending, pipe, text};

/// How long a reason may be: names of functions come from the guest.
const REASON_BYTES_MAX: usize = 500;

/// How much of the name of one function is told.
const NAME_BYTES_MAX: usize = 100;

/// Why a run did not end by a return of its entry point.
pub(crate) enum Failure {
    /// While the instance was made, which includes the module's start function.
    Instantiate(wasmtime::Error),
    /// In a function that was called after that.
    Run(wasmtime::Error),
}

/// The ending of a run that was refused `refused_bytes` of memory.
pub(crate) fn of(
    result: Result<(), Failure>,
    refused_bytes: Option<usize>,
    stdout: &pipe::Writer,
    input: &Mutex<Option<InputError>>,
) -> Ending {
    // Whatever the guest makes of half a body, the request has failed.
    let input = *input.lock().unwrap_or_else(PoisonError::into_inner);
    let done = input.map_or(Ending::Done, Ending::Input);
    let (error, in_guest) = match result {
        Ok(()) => return done,
        Err(Failure::Instantiate(error)) => {
            let in_guest = is_of_guest(&error);
            (error, in_guest)
        }
        Err(Failure::Run(error)) => (error, true),
    };
    let exit = error.downcast_ref::<I32Exit>().map(|exit| exit.0);
    if exit == Some(0) {
        return done;
    }
    // The guest's own failure often only follows from what the host refused it.
    if stdout.is_over_limit() {
        return Ending::Output;
    }
    if let Some(failure) = input {
        return Ending::Input(failure);
    }
    if let Some(asked_bytes) = refused_bytes {
        return Ending::Memory { asked_bytes };
    }
    if let Some(code) = exit {
        return Ending::Exit(code);
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return Ending::Exhausted;
    }
    if in_guest {
        return Ending::Trap(describe(&error));
    }
    Ending::Instance(text::one_line(&format!("{error:#}"), REASON_BYTES_MAX))
}

/// Whether an error of the instantiation is one of the module's start function, or of its segments.
fn is_of_guest(error: &wasmtime::Error) -> bool {
    error.is::<Trap>() || error.is::<WasmBacktrace>()
}

/// The error's reason first, then its context (the guest's call stack), on one line.
fn describe(error: &wasmtime::Error) -> String {
    let reason = format!("{:#}", error.root_cause());
    let stack = error.downcast_ref::<WasmBacktrace>().map(|trace| {
        let frames = trace.frames().iter().take(8);
        let names = frames.map(|f| text::one_line(f.func_name().unwrap_or("?"), NAME_BYTES_MAX));
        names.collect::<Vec<_>>().join(" < ")
    });
    let described = match stack {
        Some(stack) if !stack.is_empty() => format!("{reason} (in {stack})"),
        _ => reason,
    };
    text::one_line(&described, REASON_BYTES_MAX)
}
