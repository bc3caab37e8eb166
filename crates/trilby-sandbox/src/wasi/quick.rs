//! The calls that are answered without wasmtime-wasi.
//!
//! Each function here answers as wasmtime-wasi's of the same name does, or not at all (`None`): what
//! is not usual, mistakes of the guest among it, is left to wasmtime-wasi.

use std::future::{Future, ready};
use std::time::SystemTime;

use ring::rand::{SecureRandom as _, SystemRandom};
use wasmtime::{Caller, Extern, Linker, format_err};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p1::wasi_snapshot_preview1::{self as full, WasiSnapshotPreview1 as _};
use wiggle::GuestMemory;

use super::Wasi;
use super::strings::Strings;
use crate::program::State;

const MODULE: &str = "wasi_snapshot_preview1";

/// As many bytes as wasmtime-wasi writes in one piece.
const WRITE_BYTES_MAX: usize = 4096;

/// More are left to a generator, which asks the kernel less often.
const RANDOM_BYTES_MAX: usize = 256;

/// The descriptors of the standard streams.
const STDIN: i32 = 0;
const STDOUT: i32 = 1;
const STDERR: i32 = 2;

const SUCCESS: i32 = 0;
const BADF: i32 = 8;

/// Rights to a descriptor, as WASI numbers them.
const FD_READ: u64 = 1 << 1;
const FD_WRITE: u64 = 1 << 6;

type Later<'a> = Box<dyn Future<Output = wasmtime::Result<i32>> + Send + 'a>;

/// Defines a function that may wait in wasmtime-wasi.
macro_rules! waits {
    ($linker:ident, $name:ident($($arg:ident: $ty:ty),*)) => {
        $linker.func_wrap_async(
            MODULE,
            stringify!($name),
            |mut caller: Caller<'_, State<H>>, ($($arg,)*): ($($ty,)*)| -> Later<'_> {
                if let Some(errno) = Quick::of(&mut caller).and_then(|q| q.$name($($arg),*)) {
                    return Box::new(ready(Ok(errno)));
                }
                Box::new(async move {
                    let (mut memory, wasi) = parts(&mut caller)?;
                    full::$name(wasi.full(), &mut memory, $($arg),*).await
                })
            },
        )?;
    };
}

/// Defines a function that never waits.
macro_rules! instant {
    ($linker:ident, $name:ident($($arg:ident: $ty:ty),*)) => {
        $linker.func_wrap(
            MODULE,
            stringify!($name),
            |mut caller: Caller<'_, State<H>>, $($arg: $ty),*| -> wasmtime::Result<i32> {
                if let Some(errno) = Quick::of(&mut caller).and_then(|q| q.$name($($arg),*)) {
                    return Ok(errno);
                }
                let (mut memory, wasi) = parts(&mut caller)?;
                full::$name(wasi.full(), &mut memory, $($arg),*)
            },
        )?;
    };
}

/// Puts the functions of this module before those of wasmtime-wasi.
pub(super) fn link<H: Send + 'static>(linker: &mut Linker<State<H>>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    waits!(linker, fd_write(fd: i32, pieces: i32, count: i32, written: i32));
    waits!(linker, fd_read(fd: i32, pieces: i32, count: i32, read: i32));
    waits!(linker, fd_fdstat_get(fd: i32, stat: i32));
    instant!(linker, fd_prestat_get(fd: i32, stat: i32));
    instant!(linker, args_sizes_get(count: i32, bytes: i32));
    instant!(linker, args_get(starts: i32, bytes: i32));
    instant!(linker, environ_sizes_get(count: i32, bytes: i32));
    instant!(linker, environ_get(starts: i32, bytes: i32));
    instant!(linker, clock_time_get(clock: i32, precision: i64, time: i32));
    instant!(linker, random_get(buffer: i32, length: i32));
    linker.func_wrap(MODULE, "sched_yield", || SUCCESS)?;
    linker.func_wrap(MODULE, "proc_exit", exit)?;
    linker.allow_shadowing(false);
    Ok(())
}

fn exit(code: i32) -> wasmtime::Result<()> {
    // The bound and the words are wasmtime-wasi's.
    if (0..126).contains(&code) {
        return Err(I32Exit(code).into());
    }
    Err(format_err!("exit with invalid exit status outside of [0..126)"))
}

/// The memory of the guest and its WASI state.
fn parts<'a, H: Send + 'static>(
    caller: &'a mut Caller<'_, State<H>>,
) -> wasmtime::Result<(GuestMemory<'a>, &'a mut Wasi)> {
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
        return Err(format_err!("missing required memory export"));
    };
    let fuel = wasmtime::AsContextMut::as_context_mut(caller).hostcall_fuel();
    let (bytes, state) = memory.data_and_store_mut(caller);
    let wasi = state.wasi();
    wasi.full().set_hostcall_fuel(fuel);
    Ok((GuestMemory::Unshared(bytes), wasi))
}

/// A guest whose calls may be answered at once.
struct Quick<'a> {
    memory: &'a mut [u8],
    wasi: &'a mut Wasi,
}

impl<'a> Quick<'a> {
    fn of<H: Send + 'static>(caller: &'a mut Caller<'_, State<H>>) -> Option<Self> {
        let Some(Extern::Memory(memory)) = caller.get_export("memory") else { return None };
        let (memory, state) = memory.data_and_store_mut(caller);
        Some(Self { memory, wasi: state.wasi() })
    }

    fn fd_write(mut self, fd: i32, pieces: i32, count: i32, written: i32) -> Option<i32> {
        let (start, length) = self.first_piece(pieces, count)?;
        self.bytes_at(written, 4, 4)?;
        if length > WRITE_BYTES_MAX {
            return None;
        }
        let own = self.wasi.own.as_ref()?;
        let bytes = self.memory.get(start..start.checked_add(length)?)?;
        match fd {
            STDOUT if own.stdout.write_at_once(bytes) => {}
            STDERR => own.stderr.push(bytes),
            _ => return None,
        }
        self.put_u32(written, u32::try_from(length).ok()?)
    }

    fn fd_read(mut self, fd: i32, pieces: i32, count: i32, read: i32) -> Option<i32> {
        let (start, length) = self.first_piece(pieces, count)?;
        self.bytes_at(read, 4, 4)?;
        let end = start.checked_add(length)?;
        let own = self.wasi.own.as_mut()?;
        let buffer = self.memory.get_mut(start..end)?;
        if fd != STDIN || buffer.is_empty() {
            return None;
        }
        let count = own.stdin.read_at_once(buffer)?;
        self.put_u32(read, u32::try_from(count).ok()?)
    }

    fn fd_fdstat_get(mut self, fd: i32, stat: i32) -> Option<i32> {
        let rights = match fd {
            STDIN => FD_READ,
            STDOUT | STDERR => FD_WRITE,
            _ => return None,
        };
        self.wasi.own.as_ref()?;
        let bytes = self.bytes_at(stat, 24, 8)?;
        // The type is unknown (0), as it is for all that is no terminal, and there are no flags.
        bytes.fill(0);
        bytes.get_mut(8..16)?.copy_from_slice(&rights.to_le_bytes());
        bytes.get_mut(16..24)?.copy_from_slice(&rights.to_le_bytes());
        Some(SUCCESS)
    }

    /// Without folders nothing is a preopened one.
    fn fd_prestat_get(self, fd: i32, _stat: i32) -> Option<i32> {
        self.wasi.own.as_ref()?;
        (fd > STDERR).then_some(BADF)
    }

    fn args_sizes_get(self, count: i32, bytes: i32) -> Option<i32> {
        sizes(self.memory, &self.wasi.arguments, count, bytes)
    }

    fn args_get(self, starts: i32, bytes: i32) -> Option<i32> {
        strings(self.memory, &self.wasi.arguments, starts, bytes)
    }

    fn environ_sizes_get(self, count: i32, bytes: i32) -> Option<i32> {
        sizes(self.memory, &self.wasi.environment, count, bytes)
    }

    fn environ_get(self, starts: i32, bytes: i32) -> Option<i32> {
        strings(self.memory, &self.wasi.environment, starts, bytes)
    }

    /// The monotonic clock is wasmtime-wasi's, which counts from its own beginning.
    fn clock_time_get(mut self, clock: i32, _precision: i64, time: i32) -> Option<i32> {
        const REALTIME: i32 = 0;
        if clock != REALTIME {
            return None;
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
        let now = u64::try_from(now.as_nanos()).ok()?;
        self.bytes_at(time, 8, 8)?.copy_from_slice(&now.to_le_bytes());
        Some(SUCCESS)
    }

    fn random_get(mut self, buffer: i32, length: i32) -> Option<i32> {
        let length = index(length)?;
        if length > RANDOM_BYTES_MAX {
            return None;
        }
        let bytes = self.bytes_at(buffer, length, 1)?;
        SystemRandom::new().fill(bytes).is_ok().then_some(SUCCESS)
    }

    /// The first buffer of a list that is not empty, as it is all that one call reads or writes.
    fn first_piece(&mut self, pieces: i32, count: i32) -> Option<(usize, usize)> {
        const PIECE_BYTES: usize = 8;
        let list = self.bytes_at(pieces, index(count)?.checked_mul(PIECE_BYTES)?, 4)?;
        for piece in list.chunks_exact(PIECE_BYTES) {
            let (start, length) = piece.split_at_checked(4)?;
            let start = usize::try_from(u32::from_le_bytes(start.try_into().ok()?)).ok()?;
            let length = usize::try_from(u32::from_le_bytes(length.try_into().ok()?)).ok()?;
            if length > 0 {
                return Some((start, length));
            }
        }
        Some((0, 0))
    }

    fn bytes_at(&mut self, at: i32, length: usize, align: usize) -> Option<&mut [u8]> {
        bytes_at(self.memory, at, length, align)
    }

    fn put_u32(&mut self, at: i32, value: u32) -> Option<i32> {
        put_u32(self.memory, at, value)
    }
}

fn sizes(memory: &mut [u8], strings: &Strings, count: i32, bytes: i32) -> Option<i32> {
    bytes_at(memory, bytes, 4, 4)?;
    put_u32(memory, count, u32::try_from(strings.starts().len()).ok()?)?;
    put_u32(memory, bytes, u32::try_from(strings.bytes().len()).ok()?)
}

fn strings(memory: &mut [u8], strings: &Strings, starts: i32, bytes: i32) -> Option<i32> {
    let base = bytes.cast_unsigned();
    let list_bytes = strings.starts().len().checked_mul(4)?;
    bytes_at(memory, starts, list_bytes, 4)?;
    bytes_at(memory, bytes, strings.bytes().len(), 1)?.copy_from_slice(strings.bytes());
    let list = bytes_at(memory, starts, list_bytes, 4)?;
    for (slot, start) in list.chunks_exact_mut(4).zip(strings.starts()) {
        slot.copy_from_slice(&base.checked_add(*start)?.to_le_bytes());
    }
    Some(SUCCESS)
}

fn put_u32(memory: &mut [u8], at: i32, value: u32) -> Option<i32> {
    bytes_at(memory, at, 4, 4)?.copy_from_slice(&value.to_le_bytes());
    Some(SUCCESS)
}

/// Bytes of the guest that lie as WASI wants them.
fn bytes_at(memory: &mut [u8], at: i32, length: usize, align: usize) -> Option<&mut [u8]> {
    let at = index(at)?;
    if !at.is_multiple_of(align) {
        return None;
    }
    memory.get_mut(at..at.checked_add(length)?)
}

/// Wasm's i32 is a bit pattern; addresses and lengths are its unsigned reading.
fn index(value: i32) -> Option<usize> {
    usize::try_from(value.cast_unsigned()).ok()
}
