//! The guest's memory, as arguments point into it.

use wasmtime::{Caller, Extern, Memory, format_err};

use trilby_dapr::Error;
use trilby_sandbox::State;

use crate::Host;

pub(crate) type Guest<'a> = Caller<'a, State<Host>>;

/// Bytes that one string argument may have.
pub(crate) const TEXT_BYTES_MAX: usize = 64 << 10;

/// Bytes that one body argument may have: gRPC's message size in Dapr.
pub(crate) const BODY_BYTES_MAX: usize = 4 << 20;

/// A pointer and a length, as the guest passes them. Both are unsigned in WebAssembly.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    start: usize,
    bytes: usize,
}

impl Span {
    pub(crate) fn new(pointer: i32, length: i32) -> Self {
        // Wasm's i32 is a bit pattern; addresses are its unsigned reading.
        let widen = |value: i32| usize::try_from(value.cast_unsigned()).unwrap_or(usize::MAX);
        Self { start: widen(pointer), bytes: widen(length) }
    }

    pub(crate) fn capacity(self) -> usize {
        self.bytes
    }

    /// The same span in pieces of at most `bytes_max`.
    pub(crate) fn pieces(self, bytes_max: usize) -> impl Iterator<Item = Self> {
        (0..self.bytes).step_by(bytes_max).map(move |offset| Self {
            start: self.start.saturating_add(offset),
            bytes: bytes_max.min(self.bytes - offset),
        })
    }

    fn end(self) -> wasmtime::Result<usize> {
        self.start.checked_add(self.bytes).ok_or_else(|| out_of_bounds(self))
    }
}

fn out_of_bounds(span: Span) -> wasmtime::Error {
    format_err!("an argument of {} bytes at {} lies outside the memory", span.bytes, span.start)
}

pub(crate) fn memory(guest: &mut Guest<'_>) -> wasmtime::Result<Memory> {
    match guest.get_export("memory") {
        Some(Extern::Memory(memory)) => Ok(memory),
        _ => Err(format_err!("the module does not export its memory as `memory`")),
    }
}

/// The bytes of an argument.
pub(crate) fn bytes<'a>(guest: &'a mut Guest<'_>, span: Span) -> wasmtime::Result<&'a [u8]> {
    let memory = memory(guest)?;
    let end = span.end()?;
    memory.data(&*guest).get(span.start..end).ok_or_else(|| out_of_bounds(span))
}

/// A string argument. Not UTF-8 or too long is an error for the guest; outside the memory traps.
pub(crate) fn text<'a>(
    guest: &'a mut Guest<'_>,
    span: Span,
) -> wasmtime::Result<Result<&'a str, Error>> {
    let bytes = bytes(guest, span)?;
    if bytes.len() > TEXT_BYTES_MAX {
        return Ok(Err(too_long("a name or option block", TEXT_BYTES_MAX)));
    }
    Ok(std::str::from_utf8(bytes)
        .map_err(|_| Error::invalid("a name or option block is not UTF-8")))
}

/// A body argument, copied out of the guest.
pub(crate) fn body(
    guest: &mut Guest<'_>,
    span: Span,
) -> wasmtime::Result<Result<bytes::Bytes, Error>> {
    let bytes = bytes(guest, span)?;
    Ok(check_body_size(bytes.len()).map(|()| bytes::Bytes::copy_from_slice(bytes)))
}

/// Refuses a body that is larger than one may be.
pub(crate) fn check_body_size(bytes: usize) -> Result<(), Error> {
    if bytes > BODY_BYTES_MAX { Err(too_long("a body", BODY_BYTES_MAX)) } else { Ok(()) }
}

/// Writes as much of `content` into the guest's buffer as fits.
pub(crate) fn write(guest: &mut Guest<'_>, buffer: Span, content: &[u8]) -> wasmtime::Result<()> {
    let memory = memory(guest)?;
    let end = buffer.end()?;
    let target = memory
        .data_mut(&mut *guest)
        .get_mut(buffer.start..end)
        .ok_or_else(|| out_of_bounds(buffer))?;
    let count = target.len().min(content.len());
    if let (Some(to), Some(from)) = (target.get_mut(..count), content.get(..count)) {
        to.copy_from_slice(from);
    }
    Ok(())
}

fn too_long(what: &str, bytes_max: usize) -> Error {
    Error::new(
        trilby_dapr::Code::ResourceExhausted,
        format!("{what} has more than {bytes_max} bytes"),
    )
    .with_reason("TRILBY_TOO_LARGE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_unsigned() {
        let range = |span: Span| span.end().map(|end| span.start..end).ok();
        assert_eq!(range(Span::new(-1, 1)), Some(0xffff_ffff..0x1_0000_0000));
        assert_eq!(range(Span::new(1, 2)), Some(1..3));
    }

    #[test]
    fn pieces_make_up_the_span() {
        let pieces = |length: i32| -> Vec<_> {
            Span::new(10, length).pieces(4).map(|piece| (piece.start, piece.bytes)).collect()
        };
        assert_eq!(pieces(0), []);
        assert_eq!(pieces(4), [(10, 4)]);
        assert_eq!(pieces(9), [(10, 4), (14, 4), (18, 1)]);
    }
}
