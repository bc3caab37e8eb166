//! The operations: arguments in, grant check, a call to Dapr, an answer or a code out.
//!
//! The outer `Result` of each function is a trap; errors that the guest can handle are codes.

use bytes::Bytes;
use tokio::time::timeout_at;
use trilby_dapr::messaging::{InvokeBinding, Publish};
use trilby_dapr::secret::GetSecret;
use trilby_dapr::state::{DeleteState, GetState, SaveState, StateItem};
use trilby_dapr::{Error, Metadata};

use crate::answer::Answer;
use crate::memory::{self, Guest, Span};
use crate::options::{self, Known, Options};

/// Two targets (store and key, pub/sub and topic, …) and the options.
struct Call {
    component: String,
    name: String,
    options: Options,
}

/// Runs an operation: an error becomes its code, kept for `dapr_v1.error`.
macro_rules! attempt {
    ($guest:expr, $result:expr) => {
        match $result {
            Ok(value) => value,
            Err(error) => return Ok($guest.data_mut().host.fail(error)),
        }
    };
}

fn call(
    guest: &mut Guest<'_>,
    [component, name, options]: [Span; 3],
    known: Known,
) -> wasmtime::Result<Result<Call, Error>> {
    let component = memory::text(guest, component)?;
    let name = memory::text(guest, name)?;
    let options = memory::text(guest, options)?;
    Ok((|| {
        let options = options::parse(&options?, known)?;
        Ok(Call { component: component?, name: name?, options })
    })())
}

/// Waits for a call within its deadline, whatever the back end does about deadlines itself.
macro_rules! ask {
    ($guest:expr, $what:literal, $method:ident, $request:expr) => {{
        let host = &$guest.data().host;
        let blocks = std::sync::Arc::clone(&host.settings.blocks);
        let cx = host.context();
        let result = timeout_at(cx.deadline, blocks.$method(&cx, $request)).await;
        attempt!($guest, result.unwrap_or_else(|_| Err(Error::deadline($what))))
    }};
}

pub(crate) async fn state_get(guest: &mut Guest<'_>, spans: [Span; 3]) -> wasmtime::Result<i32> {
    let call = attempt!(guest, call(guest, spans, &["consistency"])?);
    attempt!(guest, guest.data().host.expect_answer());
    let access = std::sync::Arc::clone(&guest.data().host.settings.access);
    attempt!(guest, access.state(&call.component, &call.name));
    let request = GetState {
        store: call.component,
        key: call.name,
        consistency: call.options.consistency,
        metadata: call.options.metadata,
    };
    let value = ask!(guest, "reading state", get_state, request);
    let mut headers = metadata_headers(value.metadata);
    headers.extend(value.etag.map(|etag| ("etag".to_owned(), etag)));
    Ok(guest.data_mut().host.answer(Answer::new(headers, value.data)))
}

pub(crate) async fn state_set(
    guest: &mut Guest<'_>,
    spans: [Span; 3],
    value: Span,
) -> wasmtime::Result<i32> {
    const KNOWN: Known = &["etag", "consistency", "concurrency", "content-type"];
    let mut call = attempt!(guest, call(guest, spans, KNOWN)?);
    let value = attempt!(guest, memory::body(guest, value)?);
    let access = std::sync::Arc::clone(&guest.data().host.settings.access);
    attempt!(guest, access.state(&call.component, &call.name));
    if let Some(content_type) = call.options.content_type.take() {
        call.options.metadata.insert("contentType".to_owned(), content_type);
    }
    let item = StateItem {
        key: call.name,
        value,
        etag: call.options.etag,
        metadata: call.options.metadata,
        concurrency: call.options.concurrency,
        consistency: call.options.consistency,
    };
    let request = SaveState { store: call.component, items: vec![item] };
    ask!(guest, "writing state", save_state, request);
    Ok(0)
}

pub(crate) async fn state_delete(guest: &mut Guest<'_>, spans: [Span; 3]) -> wasmtime::Result<i32> {
    let call = attempt!(guest, call(guest, spans, &["etag", "consistency", "concurrency"])?);
    let access = std::sync::Arc::clone(&guest.data().host.settings.access);
    attempt!(guest, access.state(&call.component, &call.name));
    let request = DeleteState {
        store: call.component,
        key: call.name,
        etag: call.options.etag,
        concurrency: call.options.concurrency,
        consistency: call.options.consistency,
        metadata: call.options.metadata,
    };
    ask!(guest, "deleting state", delete_state, request);
    Ok(0)
}

pub(crate) async fn publish(
    guest: &mut Guest<'_>,
    spans: [Span; 3],
    data: Span,
) -> wasmtime::Result<i32> {
    let call = attempt!(guest, call(guest, spans, &["content-type"])?);
    let data = attempt!(guest, memory::body(guest, data)?);
    let access = std::sync::Arc::clone(&guest.data().host.settings.access);
    attempt!(guest, access.publish(&call.component, &call.name));
    let request = Publish {
        pubsub: call.component,
        topic: call.name,
        data,
        content_type: call.options.content_type,
        metadata: call.options.metadata,
    };
    ask!(guest, "publishing", publish, request);
    Ok(0)
}

pub(crate) async fn invoke_binding(
    guest: &mut Guest<'_>,
    spans: [Span; 3],
    data: Span,
) -> wasmtime::Result<i32> {
    let call = attempt!(guest, call(guest, spans, &[])?);
    let data = attempt!(guest, memory::body(guest, data)?);
    attempt!(guest, guest.data().host.expect_answer());
    let access = std::sync::Arc::clone(&guest.data().host.settings.access);
    attempt!(guest, access.binding(&call.component, &call.name));
    let request = InvokeBinding {
        binding: call.component,
        operation: call.name,
        data,
        metadata: call.options.metadata,
    };
    let reply = ask!(guest, "invoking a binding", invoke_binding, request);
    let answer = Answer::new(metadata_headers(reply.metadata), reply.data);
    Ok(guest.data_mut().host.answer(answer))
}

pub(crate) async fn secret_get(guest: &mut Guest<'_>, spans: [Span; 3]) -> wasmtime::Result<i32> {
    let call = attempt!(guest, call(guest, spans, &[])?);
    attempt!(guest, guest.data().host.expect_answer());
    let access = std::sync::Arc::clone(&guest.data().host.settings.access);
    attempt!(guest, access.secret(&call.component, &call.name));
    attempt!(guest, secret_metadata(&call.options.metadata));
    let request =
        GetSecret { store: call.component, key: call.name, metadata: call.options.metadata };
    let secret = ask!(guest, "reading a secret", get_secret, request);
    let only = (secret.values.len() == 1).then(|| secret.values.values().next().cloned()).flatten();
    let body = only.map(Bytes::from).unwrap_or_default();
    let headers = secret.values.into_iter().map(|(k, v)| (format!("value.{k}"), v)).collect();
    Ok(guest.data_mut().host.answer(Answer::new(headers, body)))
}

/// Metadata may choose a version of the granted secret, and nothing that leads to another one, as
/// `namespace` does in `secretstores.kubernetes`.
fn secret_metadata(metadata: &Metadata) -> Result<(), Error> {
    const HARMLESS: [&str; 3] = ["version", "version_id", "version_stage"];
    let known = |name: &&String| HARMLESS.iter().any(|known| name.eq_ignore_ascii_case(known));
    match metadata.keys().find(|name| !known(name)) {
        None => Ok(()),
        Some(name) => Err(Error::new(
            trilby_dapr::Code::PermissionDenied,
            format!(
                "metadata `{}` could lead to a secret that is not granted; a secret takes \
                 `version`, `version_id` and `version_stage`",
                name.escape_debug()
            ),
        )
        .with_reason("TRILBY_NOT_GRANTED")),
    }
}

fn metadata_headers(metadata: Metadata) -> Vec<(String, String)> {
    metadata.into_iter().map(|(name, value)| (format!("metadata.{name}"), value)).collect()
}

pub(crate) fn header(
    guest: &mut Guest<'_>,
    handle: i32,
    name: &str,
    buffer: Span,
) -> wasmtime::Result<i32> {
    let host = &mut guest.data_mut().host;
    let Some(answer) = host.answers.get(handle) else { return Ok(host.fail(unknown_handle())) };
    let Some(value) = answer.header(name).map(str::to_owned) else {
        let message = format!("the answer has no header `{}`", name.escape_debug());
        return Ok(host.fail(Error::new(trilby_dapr::Code::NotFound, message)));
    };
    give(guest, buffer, value.as_bytes())
}

pub(crate) fn headers(guest: &mut Guest<'_>, handle: i32, buffer: Span) -> wasmtime::Result<i32> {
    let host = &mut guest.data_mut().host;
    let Some(answer) = host.answers.get(handle) else { return Ok(host.fail(unknown_handle())) };
    let block = answer.header_block();
    give(guest, buffer, block.as_bytes())
}

pub(crate) fn read(guest: &mut Guest<'_>, handle: i32, buffer: Span) -> wasmtime::Result<i32> {
    let host = &mut guest.data_mut().host;
    let Some(answer) = host.answers.get(handle) else { return Ok(host.fail(unknown_handle())) };
    let count = answer.body.len().min(buffer.capacity());
    let chunk = answer.body.split_to(count);
    memory::write(guest, buffer, &chunk)?;
    Ok(clamped(count))
}

pub(crate) fn size(guest: &mut Guest<'_>, handle: i32) -> wasmtime::Result<i32> {
    let host = &mut guest.data_mut().host;
    let Some(answer) = host.answers.get(handle) else { return Ok(host.fail(unknown_handle())) };
    Ok(clamped(answer.size))
}

pub(crate) fn close(guest: &mut Guest<'_>, handle: i32) -> wasmtime::Result<i32> {
    let host = &mut guest.data_mut().host;
    if host.answers.close(handle).is_none() {
        return Ok(host.fail(unknown_handle()));
    }
    Ok(0)
}

pub(crate) fn error(guest: &mut Guest<'_>, buffer: Span) -> wasmtime::Result<i32> {
    let text = guest.data().host.error_text();
    give(guest, buffer, text.as_bytes())
}

fn give(guest: &mut Guest<'_>, buffer: Span, content: &[u8]) -> wasmtime::Result<i32> {
    memory::write(guest, buffer, content)?;
    Ok(clamped(content.len()))
}

fn clamped(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn unknown_handle() -> Error {
    Error::invalid("no answer is open under this handle")
}
