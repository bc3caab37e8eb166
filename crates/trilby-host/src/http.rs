//! `wasi_experimental_http`: outbound HTTP as WAGI modules import it.
//!
//! Functions return 0 or one of [`Refusal`]'s codes, and never trap. Open responses live in the
//! request's own [`Host`], so no handle reaches those of another request.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use trilby_outbound::{Error, Outbound, Policy};

use crate::Host;
use crate::memory::{self, Guest, Span};

/// Where and how a route's guests may send HTTP requests.
#[derive(Clone)]
pub struct HttpSettings {
    /// The client, shared by the whole process.
    pub outbound: Outbound,
    /// What the manifest allows.
    pub policy: Arc<Policy>,
    /// Responses that one guest may have open at once.
    pub calls_max: usize,
}

/// Failed requests of one guest that the log has.
const TOLD_MAX: usize = 10;
const FIRST_UNTOLD: usize = TOLD_MAX + 1;

/// How much of a host's name a message repeats.
const HOST_CHARS_MAX: usize = 80;

/// Bytes that a URL, a method or a block of headers may have.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// Why a function did not do what it should: the numbers of `wasi-experimental-http` 0.10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    InvalidHandle = 1,
    MemoryNotFound = 2,
    MemoryAccess = 3,
    BufferTooSmall = 4,
    HeaderNotFound = 5,
    Utf8 = 6,
    DestinationNotAllowed = 7,
    InvalidMethod = 8,
    InvalidEncoding = 9,
    InvalidUrl = 10,
    Request = 11,
    TooManySessions = 13,
}

type Outcome<T> = Result<T, Refusal>;

/// The open responses of one request.
#[derive(Default)]
pub(crate) struct Responses {
    open: BTreeMap<u32, Response>,
    next: u32,
    /// Lines that the log has of this request's failures.
    told: usize,
}

struct Response {
    headers: HeaderMap,
    /// What the guest has not read yet.
    body: Bytes,
    /// What the response takes of the host's memory: a part of a body holds all of it.
    held_bytes: usize,
}

impl Response {
    fn new(headers: HeaderMap, body: Bytes) -> Self {
        Self { held_bytes: body.len(), headers, body }
    }
}

/// What a guest passes to `req`.
pub(crate) struct Call {
    pub(crate) url: Span,
    pub(crate) method: Span,
    pub(crate) headers: Span,
    pub(crate) body: Span,
    pub(crate) status: i32,
    pub(crate) handle: i32,
}

/// The number that the guest gets.
pub(crate) fn code(outcome: Outcome<()>) -> i32 {
    outcome.map_or_else(|refusal| refusal as i32, |()| 0)
}

/// `req`: sends a request, and waits for the whole answer.
pub(crate) async fn send(guest: &mut Guest<'_>, call: Call) -> Outcome<()> {
    let url: Uri = text(guest, call.url)?.parse().map_err(|_| Refusal::InvalidUrl)?;
    let method = Method::from_bytes(text(guest, call.method)?.as_bytes())
        .map_err(|_| Refusal::InvalidMethod)?;
    let headers = header_map(&text(guest, call.headers)?)?;
    let (status_at, handle_at) = (Span::new(call.status, 2), Span::new(call.handle, 4));
    // Seen before the request, which cannot be taken back.
    bytes(guest, status_at)?;
    bytes(guest, handle_at)?;
    let settings = permitted(&mut guest.data_mut().host, &url)?;
    let body = bytes(guest, call.body)?;
    if body.len() > settings.policy.body_bytes_max {
        guest.data_mut().host.responses.tell("the body is larger than `http-body` of `limits`");
        return Err(Refusal::Request);
    }
    let mut request = Request::new(Bytes::copy_from_slice(body));
    *request.method_mut() = method;
    *request.uri_mut() = url;
    *request.headers_mut() = headers;
    let host = &guest.data().host;
    if let Some(parent) = host.traceparent()
        && let Ok(parent) = HeaderValue::from_str(parent)
    {
        request.headers_mut().entry("traceparent").or_insert(parent);
    }
    let policy = within(&settings.policy, host.responses.held_bytes());
    let sent = settings.outbound.send(&policy, host.deadline(), request).await;
    let responses = &mut guest.data_mut().host.responses;
    let response = sent.map_err(|error| {
        responses.tell(&error.to_string());
        refusal(&error)
    })?;
    let (head, body) = response.into_parts();
    let handle = responses.keep(Response::new(head.headers, body))?;
    write(guest, status_at, &head.status.as_u16().to_le_bytes())?;
    write(guest, handle_at, &handle.to_le_bytes())
}

/// The route's settings, if it has any and the guest may open one more response.
fn permitted(host: &mut Host, url: &Uri) -> Outcome<HttpSettings> {
    let Some(settings) = host.settings.http.clone() else {
        let name: String = url.host().unwrap_or_default().chars().take(HOST_CHARS_MAX).collect();
        let what = format!("no outbound HTTP to `{name}`: the route has no `allowed-hosts`");
        host.responses.tell(&what);
        return Err(Refusal::DestinationNotAllowed);
    };
    if host.responses.open.len() >= settings.calls_max {
        return Err(Refusal::TooManySessions);
    }
    Ok(settings)
}

/// The policy with what is left of its bound on bodies: open responses share it.
fn within(policy: &Arc<Policy>, held_bytes: usize) -> Arc<Policy> {
    if held_bytes == 0 {
        return Arc::clone(policy);
    }
    let mut rest = Policy::clone(policy);
    rest.body_bytes_max = rest.body_bytes_max.saturating_sub(held_bytes);
    Arc::new(rest)
}

fn refusal(error: &Error) -> Refusal {
    match error {
        Error::NotAllowed { .. } | Error::PrivateAddress { .. } => Refusal::DestinationNotAllowed,
        Error::InvalidUrl { .. } => Refusal::InvalidUrl,
        Error::InvalidMethod { .. } => Refusal::InvalidMethod,
        _ => Refusal::Request,
    }
}

/// `close`: an unknown handle is no error.
pub(crate) fn close(guest: &mut Guest<'_>, handle: i32) -> Outcome<()> {
    guest.data_mut().host.responses.open.remove(&handle.cast_unsigned());
    Ok(())
}

/// `header_get`: the first header of a name.
pub(crate) fn header(
    guest: &mut Guest<'_>,
    handle: i32,
    (name, value, written_at): (Span, Span, i32),
) -> Outcome<()> {
    let name = text(guest, name)?;
    let found = response(guest, handle)?.headers.get(&*name).cloned();
    let found = found.ok_or(Refusal::HeaderNotFound)?;
    fill(guest, value, found.as_bytes(), written_at)
}

/// `headers_get_all`: a line `name:value` for each header.
pub(crate) fn headers(
    guest: &mut Guest<'_>,
    handle: i32,
    (buffer, written_at): (Span, i32),
) -> Outcome<()> {
    let mut all = Vec::new();
    for (name, value) in &response(guest, handle)?.headers {
        all.extend_from_slice(name.as_str().as_bytes());
        all.push(b':');
        all.extend_from_slice(value.as_bytes());
        all.push(b'\n');
    }
    fill(guest, buffer, &all, written_at)
}

/// `body_read`: the next bytes of the body; none at its end.
pub(crate) fn read(
    guest: &mut Guest<'_>,
    handle: i32,
    (buffer, read_at): (Span, i32),
) -> Outcome<()> {
    let room = bytes(guest, buffer)?.len();
    bytes(guest, Span::new(read_at, 4))?;
    let body = &mut response(guest, handle)?.body;
    let chunk = body.split_to(room.min(body.len()));
    fill(guest, buffer, &chunk, read_at)
}

impl Responses {
    fn keep(&mut self, response: Response) -> Outcome<u32> {
        let handle = self.next;
        // As many requests as that take longer than any deadline.
        self.next = self.next.checked_add(1).ok_or(Refusal::TooManySessions)?;
        self.open.insert(handle, response);
        Ok(handle)
    }

    fn held_bytes(&self) -> usize {
        self.open.values().map(|response| response.held_bytes).sum()
    }

    /// Tells the log why a request failed, for the first few: a guest can try without end.
    fn tell(&mut self, why: &str) {
        self.told += 1;
        match self.told {
            ..=TOLD_MAX => {
                let why = why.replace(char::is_control, " ");
                tracing::info!(target: "trilby::outbound", "{why}");
            }
            FIRST_UNTOLD => tracing::info!(
                target: "trilby::outbound",
                "more outbound requests of this guest fail; they are not told"
            ),
            _ => {}
        }
    }
}

fn response<'a>(guest: &'a mut Guest<'_>, handle: i32) -> Outcome<&'a mut Response> {
    let open = &mut guest.data_mut().host.responses.open;
    open.get_mut(&handle.cast_unsigned()).ok_or(Refusal::InvalidHandle)
}

/// Headers as the guest's library writes them: a line `name:value` for each.
fn header_map(text: &str) -> Outcome<HeaderMap> {
    let mut headers = HeaderMap::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').ok_or(Refusal::InvalidEncoding)?;
        let name = HeaderName::from_bytes(name.trim().as_bytes());
        let value = HeaderValue::from_str(value.trim());
        match (name, value) {
            (Ok(name), Ok(value)) => headers.try_append(name, value),
            _ => return Err(Refusal::InvalidEncoding),
        }
        .map_err(|_| Refusal::InvalidEncoding)?;
    }
    Ok(headers)
}

/// The bytes of an argument; what lies outside is a code here, and no trap.
fn bytes<'a>(guest: &'a mut Guest<'_>, span: Span) -> Outcome<&'a [u8]> {
    memory::memory(guest).map_err(|_| Refusal::MemoryNotFound)?;
    memory::bytes(guest, span).map_err(|_| Refusal::MemoryAccess)
}

fn text(guest: &mut Guest<'_>, span: Span) -> Outcome<String> {
    let bytes = bytes(guest, span)?;
    if bytes.len() > TEXT_BYTES_MAX {
        return Err(Refusal::Request);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Refusal::Utf8)?;
    Ok(text.to_owned())
}

/// Writes all of `content`, to the start of `to`.
fn write(guest: &mut Guest<'_>, to: Span, content: &[u8]) -> Outcome<()> {
    if bytes(guest, to)?.len() < content.len() {
        return Err(Refusal::BufferTooSmall);
    }
    memory::write(guest, to, content).map_err(|_| Refusal::MemoryAccess)
}

/// Writes what fits into a buffer wholly, and its length elsewhere.
fn fill(guest: &mut Guest<'_>, buffer: Span, content: &[u8], written_at: i32) -> Outcome<()> {
    let len = u32::try_from(content.len()).map_err(|_| Refusal::BufferTooSmall)?;
    write(guest, buffer, content)?;
    write(guest, Span::new(written_at, 4), &len.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_lines() {
        let headers = header_map("a:1\nB: 2\na:3:4\n\n").expect("valid");
        assert_eq!(headers.get_all("a").iter().count(), 2);
        assert_eq!(headers.get("b").map(HeaderValue::as_bytes), Some(&b"2"[..]));
        for bad in ["a", ":1", "a b:1", "a:\u{1}"] {
            assert_eq!(header_map(bad).map(|_| ()), Err(Refusal::InvalidEncoding), "{bad:?}");
        }
    }
}
