//! Against real servers on this machine.

mod bounds;
mod private;
mod redirects;
mod server;
mod transport;

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use rustls::RootCertStore;
use tokio::time::Instant;
use trilby_manifest::AllowedHost;

use crate::{Error, Outbound, Policy};

/// Long enough for a slow machine; no test waits for it unless it fails.
const LONG: Duration = Duration::from_secs(60);

/// Every URL of the tests ends in this, and no error may show it.
const SECRET: &str = "secret";

fn policy(rules: &[&str]) -> Policy {
    Policy {
        allowed_hosts: rules.iter().map(|rule| AllowedHost::parse(rule).unwrap()).collect(),
        allowed_networks: Vec::new(),
        timeout: LONG,
        body_bytes_max: 1 << 20,
    }
}

/// A client that trusts nobody: for plain HTTP.
fn plain() -> Outbound {
    Outbound::with_roots(RootCertStore::empty()).unwrap()
}

fn request(method: Method, url: &str) -> http::request::Builder {
    let separator = if url.contains('?') { '&' } else { '?' };
    Request::builder().method(method).uri(format!("{url}{separator}token={SECRET}"))
}

fn get(url: &str) -> Request<Bytes> {
    request(Method::GET, url).body(Bytes::new()).unwrap()
}

async fn send(
    outbound: &Outbound,
    policy: &Policy,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, Error> {
    let answer = outbound.send(policy, Instant::now() + LONG, request).await;
    if let Err(error) = &answer {
        assert!(!error.to_string().contains(SECRET), "{error}");
    }
    answer
}

/// The body of an answer that must be there.
async fn text(outbound: &Outbound, policy: &Policy, request: Request<Bytes>) -> String {
    let answer = send(outbound, policy, request).await.unwrap();
    assert_eq!(answer.status(), 200);
    String::from_utf8(answer.into_body().to_vec()).unwrap()
}
