//! Sends a request on with the crate `wasi-experimental-http`, and answers what came back.
//!
//! The query says where to: `method` (GET by default), `url`, and any number of `header`s, each
//! `Name: value`. The body goes on as it is. The answer is always 200; its text is `status: CODE`,
//! the headers sorted as `name: value`, a blank line and the body, or `error: ` and what the crate
//! says (`Wasi error 7` for code 7 of the host).

use bytes::Bytes;
use http::{HeaderMap, Request};
use trilby_guest::cgi;

fn main() {
    let answer = match cgi::Request::read() {
        Ok(request) => report(&request),
        Err(error) => format!("error: cannot read the request: {error}\n").into_bytes(),
    };
    if let Err(error) = cgi::Response::text(200, answer).send() {
        eprintln!("cannot answer: {error}");
    }
}

fn report(request: &cgi::Request) -> Vec<u8> {
    match fetch(request) {
        Ok(text) => text,
        Err(reason) => format!("error: {reason}\n").into_bytes(),
    }
}

fn fetch(request: &cgi::Request) -> Result<Vec<u8>, String> {
    let query = |name: &str| request.query(name);
    let method = query("method").unwrap_or_else(|| "GET".to_owned());
    let mut outgoing =
        Request::builder().method(method.as_str()).uri(query("url").unwrap_or_default());
    for (_, line) in request.queries().filter(|(name, _)| name == "header") {
        let (name, value) = line.split_once(": ").ok_or("a header is `Name: value`")?;
        outgoing = outgoing.header(name, value);
    }
    let body = request.body();
    let body = (!body.is_empty()).then(|| Bytes::copy_from_slice(body));
    let outgoing = outgoing.body(body).map_err(|error| error.to_string())?;
    let mut response =
        wasi_experimental_http::request(outgoing).map_err(|error| format!("{error:#}"))?;
    let headers = response.headers_get_all().map_err(|error| format!("{error:#}"))?;
    let body = response.body_read_all().map_err(|error| format!("{error:#}"))?;
    let mut text =
        format!("status: {}\n{}\n", response.status_code.as_u16(), lines(&headers)).into_bytes();
    text.extend_from_slice(&body);
    Ok(text)
}

fn lines(headers: &HeaderMap) -> String {
    let mut lines: Vec<String> = headers
        .iter()
        .map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    lines.sort();
    lines.concat()
}
