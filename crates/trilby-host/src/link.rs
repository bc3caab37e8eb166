//! Definition of the imports.

use wasmtime::Linker;

use trilby_sandbox::State;

use crate::http::Call;
use crate::imports::EXPERIMENTAL_HTTP;
use crate::memory::{Guest, Span};
use crate::{Host, blocks, handles, http};

/// Adds all of the guest ABI to a linker. What a route may really do is decided by its grants.
///
/// # Errors
///
/// When a name is already taken.
pub fn link(linker: &mut Linker<State<Host>>) -> wasmtime::Result<()> {
    handles::link(linker)?;
    blocks::link(linker)?;
    outbound_http(linker)
}

/// `wasi_experimental_http`: only `req` waits.
fn outbound_http(linker: &mut Linker<State<Host>>) -> wasmtime::Result<()> {
    type Ten = (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32);
    let module = EXPERIMENTAL_HTTP;
    linker.func_wrap_async(
        module,
        "req",
        |mut guest, (u, un, m, mn, h, hn, b, bn, status, handle): Ten| {
            Box::new(async move {
                let (url, method) = (Span::new(u, un), Span::new(m, mn));
                let (headers, body) = (Span::new(h, hn), Span::new(b, bn));
                let call = Call { url, method, headers, body, status, handle };
                http::code(http::send(&mut guest, call).await)
            })
        },
    )?;
    linker.func_wrap(module, "close", |mut guest: Guest<'_>, handle: i32| {
        http::code(http::close(&mut guest, handle))
    })?;
    linker.func_wrap(
        module,
        "header_get",
        |mut guest: Guest<'_>, handle: i32, n: i32, nn: i32, v: i32, vn: i32, written: i32| {
            http::code(http::header(
                &mut guest,
                handle,
                (Span::new(n, nn), Span::new(v, vn), written),
            ))
        },
    )?;
    linker.func_wrap(
        module,
        "headers_get_all",
        |mut guest: Guest<'_>, handle: i32, b: i32, bn: i32, written: i32| {
            http::code(http::headers(&mut guest, handle, (Span::new(b, bn), written)))
        },
    )?;
    linker.func_wrap(
        module,
        "body_read",
        |mut guest: Guest<'_>, handle: i32, b: i32, bn: i32, read: i32| {
            http::code(http::read(&mut guest, handle, (Span::new(b, bn), read)))
        },
    )?;
    Ok(())
}
