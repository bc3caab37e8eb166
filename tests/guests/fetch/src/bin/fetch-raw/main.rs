//! Calls the imports of `wasi_experimental_http` as no client library would: the path names the
//! case, and each line of the answer shows what one call returned.
//!
//! `url` in the query is what is asked for; `method` (GET) and `headers` (`name:value` lines) are
//! handed to the host unchecked.

mod host;

use std::fmt::Write;

use trilby_guest::cgi::{Request, Response};

use host::{Call, body_read, close, header_get, headers_get_all, raw};

/// An address in the last page of what 32 bits can name, which no memory of a guest reaches.
const OUTSIDE: usize = 0xffff_fff0;

/// A handle that no request returned.
const UNKNOWN: i32 = 1000;

fn main() {
    let answer = match Request::read() {
        Ok(request) => case(&request),
        Err(error) => format!("cannot read the request: {error}\n"),
    };
    if let Err(error) = Response::text(200, answer).send() {
        eprintln!("cannot answer: {error}");
    }
}

fn case(request: &Request) -> String {
    let query = |name: &str| request.query(name).unwrap_or_default();
    let mut lines = Lines(String::new());
    let method = Some(query("method")).filter(|m| !m.is_empty()).unwrap_or("GET".to_owned());
    let call = Call {
        url: query("url"),
        method,
        headers: query("headers"),
        body: request.body().to_vec(),
    };
    match request.path_info() {
        "/req" => whole(&call, &mut lines),
        "/two" => two(&call, query("other"), &mut lines),
        "/pieces" => pieces(&call, &mut lines),
        "/small" => small(&call, &mut lines),
        "/many" => many(&call, query("count").parse().unwrap_or(0), &mut lines),
        "/closed" => closed(&call, &mut lines),
        "/unknown" => unknown(UNKNOWN, &mut lines),
        "/negative" => unknown(-1, &mut lines),
        "/outside" => outside(&call, &mut lines),
        other => lines.say("no such case", other),
    }
    lines.0
}

/// The answer so far.
struct Lines(String);

impl Lines {
    fn say(&mut self, what: &str, value: impl std::fmt::Display) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{what}: {value}");
    }
}

/// Sends a request; the lines say what came. The handle of its response.
fn open(call: &Call, lines: &mut Lines) -> Option<i32> {
    match call.send() {
        Ok((status, handle)) => {
            lines.say("status", status);
            Some(handle)
        }
        Err(code) => {
            lines.say("req", code);
            None
        }
    }
}

/// What a call wrote to the buffer, or `code N`.
fn shown(result: Result<usize, u32>, buf: &[u8]) -> String {
    match result {
        Ok(count) => {
            let text = buf.get(..count).map(String::from_utf8_lossy);
            text.map_or_else(
                || format!("wrote {count}, more than fits"),
                |text| format!("{text:?}"),
            )
        }
        Err(code) => format!("code {code}"),
    }
}

/// All of a body, in pieces of at most `size` bytes.
fn body(handle: i32, size: usize) -> Result<Vec<Vec<u8>>, u32> {
    let (mut all, mut buf) = (Vec::new(), vec![0; size]);
    loop {
        match body_read(handle, &mut buf)? {
            0 => return Ok(all),
            count => all.push(buf.get(..count).unwrap_or(&buf).to_vec()),
        }
    }
}

fn text(handle: i32) -> String {
    match body(handle, 4096) {
        Ok(pieces) => format!("{:?}", String::from_utf8_lossy(&pieces.concat())),
        Err(code) => format!("code {code}"),
    }
}

/// One request, with whatever the query says, its headers as the host lays them out, and its body.
fn whole(call: &Call, lines: &mut Lines) {
    let Some(handle) = open(call, lines) else { return };
    let mut buf = vec![0; 64 * 1024];
    let headers = headers_get_all(handle, &mut buf);
    lines.say("headers", shown(headers, &buf));
    lines.say("body", text(handle));
    lines.say("close", close(handle));
}

/// Two responses open at once, read in turn; closing one leaves the other as it is.
fn two(call: &Call, other: String, lines: &mut Lines) {
    let second =
        Call { url: other, method: "GET".to_owned(), headers: String::new(), body: vec![] };
    let (Some(a), Some(b)) = (open(call, lines), open(&second, lines)) else { return };
    lines.say("same handle", a == b);
    let mut piece = [0; 3];
    for (name, handle) in [("a", a), ("b", b)] {
        let read = body_read(handle, &mut piece);
        lines.say(name, shown(read, &piece));
    }
    lines.say("close b", close(b));
    lines.say("rest of a", text(a));
    lines.say("b after its close", text(b));
    lines.say("close a", close(a));
}

/// A body in pieces of three bytes, after a read into no buffer at all; its end, twice.
fn pieces(call: &Call, lines: &mut Lines) {
    let Some(handle) = open(call, lines) else { return };
    lines.say("into nothing", shown(body_read(handle, &mut []), &[]));
    match body(handle, 3) {
        Ok(pieces) => {
            let lengths: Vec<usize> = pieces.iter().map(Vec::len).collect();
            let all = pieces.concat();
            lines.say("longest piece", lengths.iter().max().copied().unwrap_or(0));
            lines.say("body", format!("{:?}", String::from_utf8_lossy(&all)));
        }
        Err(code) => lines.say("body", format!("code {code}")),
    }
    lines.say("at the end", shown(body_read(handle, &mut [0; 3]), &[0; 3]));
    lines.say("close", close(handle));
}

/// The header `x-test` into buffers of no byte, of one too few, and of exactly enough; a header
/// that is not there; all headers into one byte.
fn small(call: &Call, lines: &mut Lines) {
    let Some(handle) = open(call, lines) else { return };
    let mut enough = vec![0; 4096];
    let length = header_get(handle, "x-test", &mut enough).unwrap_or(0);
    lines.say("length", length);
    for size in [0, length.saturating_sub(1), length] {
        let mut buf = vec![0; size];
        let result = header_get(handle, "x-test", &mut buf);
        lines.say(&format!("x-test into {size}"), shown(result, &buf));
    }
    let result = header_get(handle, "X-TEST", &mut enough);
    lines.say("in capitals", shown(result, &enough));
    let result = header_get(handle, "x-absent", &mut enough);
    lines.say("x-absent", shown(result, &enough));
    let result = header_get(handle, "not a name", &mut enough);
    lines.say("not a name", shown(result, &enough));
    let mut one = [0];
    let result = headers_get_all(handle, &mut one);
    lines.say("all into 1", shown(result, &one));
    lines.say("close", close(handle));
}

/// Opens responses until the host refuses one, closes the first, and opens one more.
fn many(call: &Call, count: usize, lines: &mut Lines) {
    let mut open = Vec::new();
    let mut refused = None;
    while open.len() < count && refused.is_none() {
        match call.send() {
            Ok((_, handle)) => open.push(handle),
            Err(code) => refused = Some(code),
        }
    }
    lines.say("opened", open.len());
    lines.say("then", refused.map_or("all".to_owned(), |code| format!("code {code}")));
    if let Some(first) = open.first() {
        lines.say("close", close(*first));
    }
    lines.say("one more", call.send().map_or_else(|code| format!("code {code}"), |_| "ok".into()));
}

/// A response is closed twice, and then used.
fn closed(call: &Call, lines: &mut Lines) {
    let Some(handle) = open(call, lines) else { return };
    lines.say("close", close(handle));
    unknown(handle, lines);
}

/// Every function, on a handle that is not open.
fn unknown(handle: i32, lines: &mut Lines) {
    let mut buf = [0; 16];
    let read = body_read(handle, &mut buf);
    lines.say("body_read", shown(read, &buf));
    let header = header_get(handle, "content-type", &mut buf);
    lines.say("header_get", shown(header, &buf));
    let headers = headers_get_all(handle, &mut buf);
    lines.say("headers_get_all", shown(headers, &buf));
    lines.say("close", close(handle));
}

/// Arguments that point outside the memory, or whose end lies outside.
fn outside(call: &Call, lines: &mut Lines) {
    let (at, length) = (call.url.as_ptr().expose_provenance(), call.url.len());
    let (get, get_len) = ("GET".as_ptr().expose_provenance(), 3);
    let (mut status, mut handle) = (0_u16, 0_i32);
    let results = [(&raw mut status).expose_provenance(), (&raw mut handle).expose_provenance()];
    // SAFETY: what is not the guest's memory is refused by the host; the rest is as in `send`.
    let req = |url, url_len, [status, handle]: [usize; 2]| unsafe {
        raw::req(url, url_len, get, get_len, 0, 0, 0, 0, status, handle)
    };
    lines.say("url", req(OUTSIDE, 4, results));
    lines.say("end of the url", req(at, OUTSIDE, results));
    lines.say("status", req(at, length, [OUTSIDE, results[1]]));
    lines.say("handle", req(at, length, [results[0], OUTSIDE]));
    let Some(handle) = open(call, lines) else { return };
    // SAFETY: as above.
    unsafe {
        let mut count = 0_usize;
        let written = (&raw mut count).expose_provenance();
        lines.say("body_read", raw::body_read(handle, OUTSIDE, 32, written));
        lines.say("headers_get_all", raw::headers_get_all(handle, OUTSIDE, 65536, written));
        let name = "x-test".as_ptr().expose_provenance();
        lines.say("header_get", raw::header_get(handle, name, 6, OUTSIDE, 4096, written));
        lines.say("name", raw::header_get(handle, OUTSIDE, 32, written, 4, written));
        let mut buf = [0_u8; 64];
        let at = buf.as_mut_ptr().expose_provenance();
        lines.say("count", raw::body_read(handle, at, buf.len(), OUTSIDE));
    }
    lines.say("close", close(handle));
}
