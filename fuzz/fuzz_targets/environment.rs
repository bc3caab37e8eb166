//! Whatever head a client sends, through whatever proxies: its environment is sound.

#![no_main]

use std::collections::HashSet;
use std::net::SocketAddr;

use arbitrary::Arbitrary;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use libfuzzer_sys::fuzz_target;
use trilby_cgi::{BodyLength, Client, EnvError, RequestMeta, client, environment};

/// The headers that say who the client is; arbitrary names seldom hit them.
const NAMES: [&str; 8] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-port",
    "host",
    "proxy",
    "authorization",
];

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    named: Vec<(u8, &'a [u8])>,
    others: Vec<(&'a str, &'a [u8])>,
    peer: [u8; 4],
    tls: bool,
    trusting: bool,
    path: &'a str,
    at: usize,
    query: Option<&'a str>,
    host: Option<&'a str>,
    values: [&'a str; 2],
    redirected_from: Option<&'a str>,
    authorization: bool,
    body: Option<u64>,
    local_port: u16,
}

fn headers(input: &Input<'_>) -> HeaderMap {
    let known = input.named.iter().map(|(at, value)| (NAMES[usize::from(at % 8)], *value));
    let mut headers = HeaderMap::new();
    for (name, value) in known.chain(input.others.iter().copied()) {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
            let _ = headers.try_append(name, value);
        }
    }
    headers
}

/// What no server passes on has a NUL neither here.
fn has_nul(input: &Input<'_>) -> bool {
    let texts = [Some(input.path), input.query, input.host, input.redirected_from];
    texts.into_iter().flatten().chain(input.values).any(|text| text.contains('\0'))
}

fuzz_target!(|input: Input<'_>| {
    if has_nul(&input) {
        return;
    }
    let (headers, peer) = (headers(&input), SocketAddr::from((input.peer, 4711)));
    let all = ["0.0.0.0/0".parse().unwrap()];
    let trusted = if input.trusting { all.as_slice() } else { &[] };
    let client = client(peer, input.tls, &headers, trusted);
    if !input.trusting {
        assert_eq!(client, Client::direct(peer, input.tls));
    }
    let at =
        (0..=input.at % (input.path.len() + 1)).rev().find(|at| input.path.is_char_boundary(*at));
    let (script_name, path_info) = input.path.split_at(at.unwrap_or_default());
    let params = [("id", input.values[0]), ("user-id", input.values[1])];
    let meta = RequestMeta {
        method: &Method::GET,
        path: input.path,
        query: input.query,
        version: Version::HTTP_11,
        headers: &headers,
        client: &client,
        local_port: input.local_port,
        body: input.body.map_or(BodyLength::Unknown, BodyLength::Known),
        script_name,
        path_info,
        params: &params,
        redirected_from: input.redirected_from,
        authorization: input.authorization,
        matched_route: "/...",
        request_id: "7-1",
        host: input.host,
        default_server_name: "localhost",
    };
    let variables = match environment(&meta) {
        Ok(variables) => variables,
        Err(error) => return assert_eq!(error, EnvError::NulInPath),
    };
    let mut names = HashSet::new();
    for (name, value) in &variables {
        assert!(!name.contains(['\0', '=']) && !value.contains('\0'), "{name}={value}");
        assert!(names.insert(name), "{name} occurs twice");
        assert!(name != "HTTP_PROXY" && name != "HTTP_PROXY_AUTHORIZATION");
        assert!(input.authorization || name != "HTTP_AUTHORIZATION");
    }
});
