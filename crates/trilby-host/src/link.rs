//! Definition of the imports.

use wasmtime::Linker;

use trilby_sandbox::State;

use crate::http::Call;
use crate::imports::EXPERIMENTAL_HTTP;
use crate::memory::{Guest, Span};
use crate::{Host, blocks, http, memory};

/// Adds all of the guest ABI to a linker. What a route may really do is decided by its grants.
///
/// # Errors
///
/// When a name is already taken.
pub fn link(linker: &mut Linker<State<Host>>) -> wasmtime::Result<()> {
    answers(linker)?;
    outbound_http(linker)?;
    linker.func_wrap_async(
        "dapr_state_v1",
        "get",
        |mut guest, (a, an, b, bn, o, on): (i32, i32, i32, i32, i32, i32)| {
            Box::new(async move {
                let spans = [Span::new(a, an), Span::new(b, bn), Span::new(o, on)];
                blocks::state_get(&mut guest, spans).await
            })
        },
    )?;
    linker.func_wrap_async(
        "dapr_state_v1",
        "set",
        |mut guest, (a, an, b, bn, o, on, d, dn): (i32, i32, i32, i32, i32, i32, i32, i32)| {
            Box::new(async move {
                let spans = [Span::new(a, an), Span::new(b, bn), Span::new(o, on)];
                blocks::state_set(&mut guest, spans, Span::new(d, dn)).await
            })
        },
    )?;
    linker.func_wrap_async(
        "dapr_state_v1",
        "delete",
        |mut guest, (a, an, b, bn, o, on): (i32, i32, i32, i32, i32, i32)| {
            Box::new(async move {
                let spans = [Span::new(a, an), Span::new(b, bn), Span::new(o, on)];
                blocks::state_delete(&mut guest, spans).await
            })
        },
    )?;
    linker.func_wrap_async(
        "dapr_pubsub_v1",
        "publish",
        |mut guest, (a, an, b, bn, o, on, d, dn): (i32, i32, i32, i32, i32, i32, i32, i32)| {
            Box::new(async move {
                let spans = [Span::new(a, an), Span::new(b, bn), Span::new(o, on)];
                blocks::publish(&mut guest, spans, Span::new(d, dn)).await
            })
        },
    )?;
    linker.func_wrap_async(
        "dapr_binding_v1",
        "invoke",
        |mut guest, (a, an, b, bn, o, on, d, dn): (i32, i32, i32, i32, i32, i32, i32, i32)| {
            Box::new(async move {
                let spans = [Span::new(a, an), Span::new(b, bn), Span::new(o, on)];
                blocks::invoke_binding(&mut guest, spans, Span::new(d, dn)).await
            })
        },
    )?;
    linker.func_wrap_async(
        "dapr_secret_v1",
        "get",
        |mut guest, (a, an, b, bn, o, on): (i32, i32, i32, i32, i32, i32)| {
            Box::new(async move {
                let spans = [Span::new(a, an), Span::new(b, bn), Span::new(o, on)];
                blocks::secret_get(&mut guest, spans).await
            })
        },
    )?;
    Ok(())
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

/// `dapr_v1`: reading answers and errors. Nothing here waits.
fn answers(linker: &mut Linker<State<Host>>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "dapr_v1",
        "header",
        |mut guest: Guest<'_>, handle: i32, name: i32, name_len: i32, buf: i32, cap: i32| {
            let name = match memory::text(&mut guest, Span::new(name, name_len))? {
                Ok(name) => name,
                Err(error) => return Ok(guest.data_mut().host.fail(error)),
            };
            blocks::header(&mut guest, handle, &name, Span::new(buf, cap))
        },
    )?;
    linker.func_wrap(
        "dapr_v1",
        "headers",
        |mut guest: Guest<'_>, handle: i32, buf: i32, cap: i32| {
            blocks::headers(&mut guest, handle, Span::new(buf, cap))
        },
    )?;
    linker.func_wrap(
        "dapr_v1",
        "read",
        |mut guest: Guest<'_>, handle: i32, buf: i32, cap: i32| {
            blocks::read(&mut guest, handle, Span::new(buf, cap))
        },
    )?;
    linker.func_wrap("dapr_v1", "size", |mut guest: Guest<'_>, handle: i32| {
        blocks::size(&mut guest, handle)
    })?;
    linker.func_wrap("dapr_v1", "close", |mut guest: Guest<'_>, handle: i32| {
        blocks::close(&mut guest, handle)
    })?;
    linker.func_wrap("dapr_v1", "error", |mut guest: Guest<'_>, buf: i32, cap: i32| {
        blocks::error(&mut guest, Span::new(buf, cap))
    })?;
    Ok(())
}
