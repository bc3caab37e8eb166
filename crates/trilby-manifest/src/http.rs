//! The keys of a route that only HTTP has: methods, host and response headers.

use std::collections::HashSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::findings::{Findings, Problem, shown};
use crate::reader::{Reader, Text};

/// Bytes of a DNS name, and of a label of it (RFC 1035 2.3.4).
const NAME_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;

/// Headers about the connection or the length of a message: the server sets them (RFC 9110 7.6.1,
/// RFC 9112 6).
const CONNECTION_HEADERS: [&str; 7] =
    ["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length"];

/// Whether the text is a token (RFC 9110 5.6.2), as names of methods and headers are.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

/// The methods of a route; any if the key is absent.
pub(crate) fn methods(route: &Reader<'_>, found: &mut Findings) -> Vec<String> {
    let Some(field) = route.get("methods") else { return Vec::new() };
    if field.is_empty_array() {
        let title = "`methods` must not be empty";
        found.error(Problem::new(field.span(), title).help("leave it out to take every method"));
    }
    let mut methods = Vec::new();
    let mut seen = HashSet::new();
    for text in route.texts("methods", found) {
        let (title, help) = match method_fault(text.text) {
            Some(fault) => fault,
            None if !seen.insert(text.text) => {
                (format!("method `{}` stands twice", shown(text.text)), "keep one".to_owned())
            }
            None => {
                methods.push(text.text.to_owned());
                continue;
            }
        };
        found.error(Problem::new(text.span, title).help(help));
    }
    methods
}

fn method_fault(method: &str) -> Option<(String, String)> {
    let given = shown(method);
    if !is_token(method) {
        let help = "a method is a word such as `GET`; write one string for each";
        return Some((format!("`{given}` is not a method"), help.to_owned()));
    }
    if method.contains(|c: char| c.is_ascii_lowercase()) {
        let help = format!("case matters in methods: write `{}`", given.to_ascii_uppercase());
        return Some((format!("method `{given}` is not in capitals"), help));
    }
    if method == "CONNECT" {
        let help = "`CONNECT` is for proxies, and has no path to choose a route by";
        return Some(("method `CONNECT` cannot have a route".to_owned(), help.to_owned()));
    }
    None
}

/// The host of a route, in lower case.
pub(crate) fn host(route: &Reader<'_>, found: &mut Findings) -> Option<String> {
    let text = route.get("host")?.filled_text(found)?;
    let host = text.text.to_ascii_lowercase();
    match host_fault(&host) {
        None => Some(canonical(host)),
        Some(help) => {
            let title = format!("`{}` is not a host", shown(text.text));
            found.error(Problem::new(text.span, title).help(help));
            None
        }
    }
}

/// An IPv6 address in its shortest form, as clients send it; all else as it is.
fn canonical(host: String) -> String {
    match bracketed(&host).and_then(|text| text.parse::<Ipv6Addr>().ok()) {
        Some(address) => format!("[{address}]"),
        None => host,
    }
}

fn bracketed(host: &str) -> Option<&str> {
    host.strip_prefix('[')?.strip_suffix(']')
}

/// What to write instead of a text that is no host.
fn host_fault(host: &str) -> Option<String> {
    if let Some(address) = bracketed(host) {
        let is_address = address.parse::<Ipv6Addr>().is_ok();
        return (!is_address).then(|| "between brackets stands an IPv6 address".to_owned());
    }
    if host.parse::<Ipv6Addr>().is_ok() {
        return Some(format!("an IPv6 address stands in brackets: `[{host}]`"));
    }
    if host.parse::<Ipv4Addr>().is_ok() {
        return None;
    }
    let name = host.strip_prefix("*.").unwrap_or(host);
    if name.contains('/') {
        return Some("write the host alone, without scheme and path".to_owned());
    }
    // The colons of an IPv6 address are within its brackets.
    let port = match name.rsplit_once("]:") {
        Some((address, _)) => Some(format!("{address}]")),
        None => name.split_once(':').map(|(name, _)| name.to_owned()),
    };
    if let Some(name) = port {
        return Some(format!("a host has no port here: write `{}`", shown(&name)));
    }
    if name.contains('*') {
        return Some("a `*` can only be the first label: `*.example.com`".to_owned());
    }
    let is_label = |label: &str| {
        let inner = label.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_'));
        inner && (1..=LABEL_BYTES_MAX).contains(&label.len())
    };
    // No name ends in a number, so it must be an address, and nothing is below an address.
    let is_number = |label: &str| label.bytes().all(|c| c.is_ascii_digit());
    if name.rsplit('.').next().is_some_and(|last| !last.is_empty() && is_number(last)) {
        return Some("an IPv4 address has four numbers up to 255: `127.0.0.1`".to_owned());
    }
    if name.len() > NAME_BYTES_MAX || !name.split('.').all(is_label) {
        return Some(
            "write a DNS name such as `api.example.com`, or `*.example.com` for all names below; \
             other letters than a to z are written in punycode (`xn--…`)"
                .to_owned(),
        );
    }
    None
}

/// The headers that each response of a route gets, in file order.
pub(crate) fn response_headers(route: &Reader<'_>, found: &mut Findings) -> Vec<(String, String)> {
    let Some(table) = route.table("response-headers", "`response-headers`", found) else {
        return Vec::new();
    };
    let mut headers = Vec::new();
    let mut seen = HashSet::new();
    for field in table.fields() {
        let name = field.name;
        if let Some((title, help)) = header_fault(name) {
            found.error(Problem::new(field.key, title).help(help));
            continue;
        }
        if !seen.insert(name.to_ascii_lowercase()) {
            let title = format!("header `{}` stands twice", shown(name));
            let help = "case does not matter in names of headers: keep one";
            found.error(Problem::new(field.key, title).help(help));
            continue;
        }
        let value = field.text("a string", found).filter(|text| is_value(text, found));
        headers.extend(value.map(|value| (name.to_owned(), value.text.to_owned())));
    }
    headers
}

fn header_fault(name: &str) -> Option<(String, &'static str)> {
    let given = shown(name);
    if !is_token(name) {
        let help = "a name has letters, digits and `-`, as in `Cache-Control`";
        return Some((format!("`{given}` is not the name of a header"), help));
    }
    let lower = name.to_ascii_lowercase();
    if CONNECTION_HEADERS.contains(&lower.as_str()) || lower.starts_with("proxy-") {
        let help = "it belongs to the connection, and the server sets it: leave it out";
        return Some((format!("header `{given}` cannot be set"), help));
    }
    None
}

fn is_value(text: &Text<'_>, found: &mut Findings) -> bool {
    let is_good = text.text.chars().all(|c| c == '\t' || c == ' ' || c.is_ascii_graphic());
    if !is_good {
        let title = format!("`{}` is not the value of a header", shown(text.text));
        let help = "a value is one line of ASCII characters";
        found.error(Problem::new(text.span.clone(), title).help(help));
    }
    is_good
}

#[cfg(test)]
mod tests;
