//! `dapr_v1`: answers and streams by their handles, and the last error.
//!
//! What is there already is given without waiting.

use std::future::Future;

use bytes::Bytes;
use tokio::time::timeout_at;
use trilby_dapr::{Code, Error};
use trilby_sandbox::State;
use wasmtime::Linker;

use crate::Host;
use crate::answer::{Answer, Body, Full};
use crate::host::full;
use crate::memory::{self, Guest, Span};
use crate::stream::CHUNK_BYTES_MAX;

const MODULE: &str = "dapr_v1";

pub(crate) fn link(linker: &mut Linker<State<Host>>) -> wasmtime::Result<()> {
    linker.func_wrap_async(
        MODULE,
        "header",
        |mut guest, (handle, name, name_len, buf, cap): (i32, i32, i32, i32, i32)| {
            Box::new(async move {
                let (name, buffer) = (Span::new(name, name_len), Span::new(buf, cap));
                header(&mut guest, handle, name, buffer).await
            })
        },
    )?;
    linker.func_wrap_async(
        MODULE,
        "headers",
        |mut guest, (handle, buf, cap): (i32, i32, i32)| {
            Box::new(async move { headers(&mut guest, handle, Span::new(buf, cap)).await })
        },
    )?;
    linker.func_wrap_async(MODULE, "read", |mut guest, (handle, buf, cap): (i32, i32, i32)| {
        Box::new(async move { read(&mut guest, handle, Span::new(buf, cap)).await })
    })?;
    linker.func_wrap_async(
        MODULE,
        "write",
        |mut guest, (handle, data, len): (i32, i32, i32)| {
            Box::new(async move { write(&mut guest, handle, Span::new(data, len)).await })
        },
    )?;
    linker.func_wrap(MODULE, "end", |mut guest: Guest<'_>, handle: i32| {
        let host = &mut guest.data_mut().host;
        outcome(host, |host| host.open(handle).and_then(end))
    })?;
    linker.func_wrap(MODULE, "size", |mut guest: Guest<'_>, handle: i32| {
        let host = &mut guest.data_mut().host;
        outcome(host, |host| host.open(handle).and_then(|answer| size(answer)))
    })?;
    linker.func_wrap(MODULE, "close", |mut guest: Guest<'_>, handle: i32| {
        let host = &mut guest.data_mut().host;
        outcome(host, |host| match host.answers.close(handle) {
            Some(_) => Ok(0),
            None => Err(unknown_handle()),
        })
    })?;
    linker.func_wrap(MODULE, "error", |mut guest: Guest<'_>, buf: i32, cap: i32| {
        let text = guest.data().host.error_text();
        give(&mut guest, Span::new(buf, cap), text.as_bytes())
    })?;
    Ok(())
}

/// The number that the guest gets for a result.
fn outcome(host: &mut Host, of: impl FnOnce(&mut Host) -> Result<i32, Error>) -> i32 {
    of(host).unwrap_or_else(|error| host.fail(error))
}

async fn header(
    guest: &mut Guest<'_>,
    handle: i32,
    name: Span,
    buffer: Span,
) -> wasmtime::Result<i32> {
    let name = match memory::text(guest, name)? {
        Ok(name) => name.to_owned(),
        Err(error) => return Ok(guest.data_mut().host.fail(error)),
    };
    let host = &mut guest.data_mut().host;
    let value = begun(host, handle).await.and_then(|answer| match answer.header(&name) {
        Some(value) => Ok(value.to_owned()),
        None => {
            let message = format!("the answer has no header `{}`", crate::shown(&name));
            Err(Error::new(Code::NotFound, message))
        }
    });
    match value {
        Ok(value) => give(guest, buffer, value.as_bytes()),
        Err(error) => Ok(guest.data_mut().host.fail(error)),
    }
}

async fn headers(guest: &mut Guest<'_>, handle: i32, buffer: Span) -> wasmtime::Result<i32> {
    let host = &mut guest.data_mut().host;
    match begun(host, handle).await.map(|answer| answer.header_block()) {
        Ok(block) => give(guest, buffer, block.as_bytes()),
        Err(error) => Ok(guest.data_mut().host.fail(error)),
    }
}

async fn read(guest: &mut Guest<'_>, handle: i32, buffer: Span) -> wasmtime::Result<i32> {
    let host = &mut guest.data_mut().host;
    match next(host, handle, buffer.capacity()).await {
        Ok(bytes) => give(guest, buffer, &bytes),
        Err(error) => Ok(guest.data_mut().host.fail(error)),
    }
}

/// The next bytes of an answer, at most `count`.
async fn next(host: &mut Host, handle: i32, count: usize) -> Result<Bytes, Error> {
    if let Body::Whole { rest, .. } = &mut host.open(handle)?.body {
        return Ok(rest.split_to(count.min(rest.len())));
    }
    let answer = begun(host, handle).await?;
    let Body::Stream(stream) = &mut answer.body else { return Ok(Bytes::new()) };
    if count == 0 {
        return Ok(Bytes::new());
    }
    if !stream.has_waiting() && host.answers.room_bytes() == 0 {
        return Err(full(Full::Bytes));
    }
    let deadline = host.context().deadline;
    let Body::Stream(stream) = &mut host.open(handle)?.body else { return Ok(Bytes::new()) };
    within(deadline, "reading an answer", stream.read(count)).await
}

/// An answer of which the headers are there.
async fn begun(host: &mut Host, handle: i32) -> Result<&mut Answer, Error> {
    if matches!(host.open(handle)?.body, Body::Whole { .. }) {
        return host.open(handle);
    }
    let deadline = host.context().deadline;
    let answer = host.open(handle)?;
    if let Body::Stream(stream) = &mut answer.body {
        let headers = within(deadline, "waiting for an answer", stream.head()).await?;
        answer.add_headers(headers);
    }
    Ok(answer)
}

/// Writes to a stream. Whatever breaks a write breaks the stream: the guest cannot know how much
/// of it has gone.
async fn write(guest: &mut Guest<'_>, handle: i32, data: Span) -> wasmtime::Result<i32> {
    memory::bytes(guest, data)?;
    let deadline = guest.data().host.context().deadline;
    if let Err(error) = writable(&mut guest.data_mut().host, handle, data) {
        return Ok(guest.data_mut().host.fail(error));
    }
    for piece in data.pieces(CHUNK_BYTES_MAX) {
        let chunk = Bytes::copy_from_slice(memory::bytes(guest, piece)?);
        let host = &mut guest.data_mut().host;
        let room = host.answers.room_bytes();
        let Ok(Answer { body: Body::Stream(stream), .. }) = host.open(handle) else {
            return Ok(host.fail(unknown_handle()));
        };
        let room = room.saturating_add(stream.waiting_bytes());
        if let Err(error) = within(deadline, "writing", stream.put(chunk, room)).await {
            if error.code == Code::DeadlineExceeded {
                stream.fail(error.clone());
            }
            return Ok(host.fail(error));
        }
    }
    Ok(clamped(data.capacity()))
}

fn writable(host: &mut Host, handle: i32, data: Span) -> Result<(), Error> {
    match &mut host.open(handle)?.body {
        Body::Stream(stream) => stream.check_writable()?,
        Body::Whole { .. } => return Err(not_writable()),
    }
    memory::check_body_size(data.capacity())
}

fn end(answer: &mut Answer) -> Result<i32, Error> {
    match &mut answer.body {
        Body::Stream(stream) => stream.end().map(|()| 0),
        Body::Whole { .. } => Err(not_writable()),
    }
}

fn size(answer: &Answer) -> Result<i32, Error> {
    match &answer.body {
        Body::Whole { size, .. } => Ok(clamped(*size)),
        Body::Stream(_) => Err(Error::new(
            Code::FailedPrecondition,
            "the answer is a stream, whose length is not known; read it to its end",
        )),
    }
}

async fn within<T>(
    deadline: tokio::time::Instant,
    what: &str,
    wait: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    timeout_at(deadline, wait).await.unwrap_or_else(|_| Err(Error::deadline(what)))
}

fn give(guest: &mut Guest<'_>, buffer: Span, content: &[u8]) -> wasmtime::Result<i32> {
    memory::write(guest, buffer, content)?;
    Ok(clamped(content.len()))
}

fn clamped(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn not_writable() -> Error {
    let message = "this handle is an answer: only those of `open` functions can be written";
    Error::new(Code::FailedPrecondition, message).with_reason("TRILBY_NOT_WRITABLE")
}

pub(crate) fn unknown_handle() -> Error {
    Error::invalid("no answer is open under this handle")
}
