//! Other apps and servers outside Dapr, each at an address that the operator has named.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use http::uri::{Authority, Parts, Scheme};
use http::{Request, Response, Uri};
use http_body_util::BodyDataStream;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use trilby_dapr::invoke::ServiceReply;

use super::failed;
use super::pieces::Body;
use crate::Error;
use crate::load::Endpoint;
use crate::text::chain;

/// An app on this machine accepts at once or not at all; one on another has time for a lost packet.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Connections to one app that are kept for later requests.
const IDLE_MAX: usize = 32;

const IDLE_FOR: Duration = Duration::from_secs(60);

/// The other apps.
pub(super) struct Peers {
    addresses: BTreeMap<String, Authority>,
    endpoints: BTreeMap<String, Endpoint>,
    client: Client<HttpConnector, Body>,
    /// There once an endpoint needs it.
    tls_client: Option<Client<HttpsConnector<HttpConnector>, Body>>,
}

impl Peers {
    /// Other apps by id, each with its address in the form `http://host:port`.
    pub(super) fn open(apps: &BTreeMap<String, String>) -> Result<Self, Error> {
        let addresses = apps.iter().map(|(id, address)| {
            let authority = authority(address)
                .ok_or_else(|| Error::App { id: id.clone(), address: address.clone() })?;
            Ok((id.clone(), authority))
        });
        Ok(Self {
            addresses: addresses.collect::<Result<_, Error>>()?,
            endpoints: BTreeMap::new(),
            client: client(connector()),
            tls_client: None,
        })
    }

    /// A server outside Dapr.
    pub(super) fn add_endpoint(&mut self, name: String, endpoint: Endpoint) -> Result<(), Error> {
        if endpoint.base.scheme() == Some(&Scheme::HTTPS) && self.tls_client.is_none() {
            let builder = HttpsConnectorBuilder::new().with_native_roots();
            let builder = builder.map_err(|error| Error::Open {
                component: name.clone(),
                message: format!(
                    "this machine has no certificates to trust, as https needs: {error}"
                ),
            })?;
            let mut connector = connector();
            connector.enforce_http(false);
            let connector = builder.https_or_http().enable_all_versions().wrap_connector(connector);
            self.tls_client = Some(client(connector));
        }
        self.endpoints.insert(name, endpoint);
        Ok(())
    }

    pub(super) fn endpoint(&self, name: &str) -> Option<&Endpoint> {
        self.endpoints.get(name)
    }

    /// Where an app is.
    pub(super) fn find(&self, id: &str) -> Result<&Authority, String> {
        self.addresses.get(id).ok_or_else(|| format!("couldn't find service: {id}"))
    }

    pub(super) fn endpoint_names(&self) -> impl Iterator<Item = &str> {
        self.endpoints.keys().map(String::as_str)
    }

    /// Sends a request, whose URI has only a path and a query, to another app, and waits for the
    /// answer's head.
    pub(super) async fn send(
        &self,
        app: &str,
        peer: &Authority,
        mut request: Request<Body>,
    ) -> Result<ServiceReply, String> {
        locate(&mut request, Scheme::HTTP, peer)?;
        reply(app, (&Scheme::HTTP, peer), self.client.request(request).await)
    }

    /// The same to a server outside Dapr.
    pub(super) async fn send_out(
        &self,
        app: &str,
        endpoint: &Endpoint,
        mut request: Request<Body>,
    ) -> Result<ServiceReply, String> {
        let base = &endpoint.base;
        let (Some(scheme), Some(server)) = (base.scheme(), base.authority()) else {
            return Err(format!("`{base}` is no URL of a server"));
        };
        locate(&mut request, scheme.clone(), server)?;
        let answer = match &self.tls_client {
            Some(client) if *scheme == Scheme::HTTPS => client.request(request).await,
            _ => self.client.request(request).await,
        };
        reply(app, (scheme, server), answer)
    }
}

fn connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(CONNECT_WITHIN));
    connector.set_nodelay(true);
    connector
}

fn client<C>(connector: C) -> Client<C, Body>
where
    C: Connect + Clone,
{
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_FOR)
        .pool_max_idle_per_host(IDLE_MAX)
        .build(connector)
}

/// Puts a server before the path of a request.
fn locate(request: &mut Request<Body>, scheme: Scheme, server: &Authority) -> Result<(), String> {
    let mut parts = Parts::default();
    parts.scheme = Some(scheme);
    parts.authority = Some(server.clone());
    parts.path_and_query = request.uri().path_and_query().cloned();
    *request.uri_mut() = Uri::from_parts(parts).map_err(|error| error.to_string())?;
    Ok(())
}

fn reply<E: std::error::Error>(
    app: &str,
    (scheme, server): (&Scheme, &Authority),
    answer: Result<Response<Incoming>, E>,
) -> Result<ServiceReply, String> {
    let answer =
        answer.map_err(|error| format!("no answer from {scheme}://{server}: {}", chain(&error)))?;
    let (head, body) = answer.into_parts();
    let app = app.to_owned();
    let body = BodyDataStream::new(body).filter_map(move |piece| {
        let piece = match piece {
            Ok(piece) if piece.is_empty() => None,
            Ok(piece) => Some(Ok(piece)),
            Err(error) => {
                Some(Err(failed(&app, &format!("the answer broke off: {}", chain(&error)))))
            }
        };
        std::future::ready(piece)
    });
    Ok(ServiceReply { status: head.status, headers: head.headers, body: body.boxed() })
}

/// The host and port of an address without anything else.
fn authority(address: &str) -> Option<Authority> {
    let parts = address.parse::<Uri>().ok()?.into_parts();
    let is_plain = parts.scheme == Some(Scheme::HTTP)
        && parts.path_and_query.is_none_or(|path| path.as_str() == "/");
    parts.authority.filter(|authority| is_plain && !authority.as_str().contains('@'))
}
