//! A guest's request on its way, redirects included.

use std::sync::Arc;

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_rustls::ConfigBuilderExt;
use hyper_util::client::legacy;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::{Instant, timeout_at};
use trilby_dapr::invoke::drop_hop_by_hop;

use crate::destination::Destination;
use crate::policy::private;
use crate::pools::Pools;
use crate::resolve::{self, Lookup, ResolveError};
use crate::{Body, Error, Policy, headers};

/// Redirects that are followed, as many as WAGI's client does.
const REDIRECTS_MAX: usize = 10;

/// Sends the requests of guests. Clones share its connections.
#[derive(Clone)]
pub struct Outbound {
    pub(crate) pools: Arc<Pools>,
    /// Whether there is anything to check certificates with.
    roots: bool,
}

impl std::fmt::Debug for Outbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbound").finish_non_exhaustive()
    }
}

impl Outbound {
    /// Trusts the system's root certificates, or those in `SSL_CERT_FILE` and `SSL_CERT_DIR`.
    /// Reads their files: make one for the process, and before it serves. Without any
    /// certificate only plain HTTP works.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new() -> Result<Self, Error> {
        let tls = tls()?.with_native_roots();
        match tls {
            Ok(tls) => Ok(Self::over(tls.with_no_client_auth(), true, Arc::new(resolve::system))),
            Err(error) => {
                tracing::warn!(%error, "no root certificates: guests cannot call https URLs");
                Self::with_roots(RootCertStore::empty())
            }
        }
    }

    /// Trusts these root certificates only.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn with_roots(roots: RootCertStore) -> Result<Self, Error> {
        Self::with_lookup(roots, Arc::new(resolve::system))
    }

    pub(crate) fn with_lookup(roots: RootCertStore, lookup: Lookup) -> Result<Self, Error> {
        let any = !roots.is_empty();
        let tls = tls()?.with_root_certificates(roots).with_no_client_auth();
        Ok(Self::over(tls, any, lookup))
    }

    fn over(tls: ClientConfig, roots: bool, lookup: Lookup) -> Self {
        Self { pools: Arc::new(Pools::new(lookup, tls)), roots }
    }

    /// Sends a request and waits for its whole answer.
    ///
    /// Headers about the connection, `Host` and `Content-Length` are those of the connection
    /// made here, whatever the guest sets. Redirects are followed, each as if the guest had
    /// asked for its URL; credentials stay with the origin that they were for.
    ///
    /// # Errors
    /// See [`Error`]. An answer of any status is no error.
    pub async fn send(
        &self,
        policy: &Policy,
        deadline: Instant,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Error> {
        let (head, body) = self.open(policy, deadline, request).await?.into_parts();
        Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
    }

    /// Sends a request and waits for the head of its answer. The body has the same bounds as in
    /// [`Outbound::send`].
    ///
    /// # Errors
    /// See [`Error`]. An answer of any status is no error.
    pub async fn open(
        &self,
        policy: &Policy,
        deadline: Instant,
        request: Request<Bytes>,
    ) -> Result<Response<Body>, Error> {
        let end = Instant::now().checked_add(policy.timeout);
        let end = end.map_or(deadline, |end| end.min(deadline));
        let destination = Destination::read(request.uri())?;
        let origin = destination.origin();
        let answer = timeout_at(end, self.follow(policy, destination, request)).await;
        let (origin, answer) = answer.map_err(|_| Error::Timeout { origin })??;
        let (mut head, body) = answer.into_parts();
        drop_hop_by_hop(&mut head.headers);
        let body = Body::new(body, origin, policy.body_bytes_max, end)?;
        Ok(Response::from_parts(head, body))
    }

    /// The last answer of a chain of redirects, and the origin that gave it.
    async fn follow(
        &self,
        policy: &Policy,
        mut destination: Destination,
        request: Request<Bytes>,
    ) -> Result<(String, Response<Incoming>), Error> {
        let (head, mut body) = request.into_parts();
        let mut method = checked(head.method)?;
        let mut headers = headers::outgoing(&head.headers);
        for _ in 0..=REDIRECTS_MAX {
            let answer = self.call(policy, &destination, &method, &headers, body.clone()).await?;
            let Some(location) = redirect(&answer) else {
                return Ok((destination.origin(), answer));
            };
            let next = destination.join(location)?;
            if destination.https && !next.https {
                return Err(Error::InsecureRedirect { origin: next.origin() });
            }
            if !destination.same_origin(&next) {
                headers::drop_credentials(&mut headers);
            }
            if becomes_get(answer.status(), &method) {
                method = Method::GET;
                body = Bytes::new();
                headers::drop_content(&mut headers);
            }
            destination = next;
        }
        Err(Error::TooManyRedirects { redirects_max: REDIRECTS_MAX })
    }

    /// One request, its URL checked.
    async fn call(
        &self,
        policy: &Policy,
        destination: &Destination,
        method: &Method,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Response<Incoming>, Error> {
        let reach = policy.check(destination)?;
        if destination.https && !self.roots {
            return Err(Error::NoRoots);
        }
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method.clone();
        *request.uri_mut() = destination.uri()?;
        *request.headers_mut() = headers.clone();
        let answer = self.pools.client(reach).request(request).await;
        answer.map_err(|error| failure(destination, &error))
    }
}

fn tls() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Tls { reason: error.to_string() })
}

/// `CONNECT` would make a tunnel past all checks, `TRACE` shows headers that a server adds.
fn checked(method: Method) -> Result<Method, Error> {
    match method.as_str() {
        "CONNECT" | "TRACE" | "TRACK" => Err(Error::InvalidMethod { method: method.to_string() }),
        _ => Ok(method),
    }
}

/// Where an answer redirects to; one without a place to go is an answer like any other.
fn redirect<T>(answer: &Response<T>) -> Option<&[u8]> {
    let redirects = matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    answer.headers().get(LOCATION).filter(|_| redirects).map(|location| location.as_bytes())
}

/// RFC 9110, section 15.4: 303 asks for it, 301 and 302 are met with it after a POST.
fn becomes_get(status: StatusCode, method: &Method) -> bool {
    match status {
        StatusCode::SEE_OTHER => !matches!(*method, Method::GET | Method::HEAD),
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => *method == Method::POST,
        _ => false,
    }
}

/// What went wrong, by the innermost error: those around it say only where it happened.
fn failure(destination: &Destination, error: &legacy::Error) -> Error {
    let mut innermost: &(dyn std::error::Error + 'static) = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    match innermost.downcast_ref() {
        Some(ResolveError::Private(address)) => private(destination, *address),
        _ => Error::Request { origin: destination.origin(), reason: innermost.to_string() },
    }
}
