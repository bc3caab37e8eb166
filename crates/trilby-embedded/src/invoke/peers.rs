//! Other apps, each at an address that the operator has named.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use http::uri::{Authority, Parts, Scheme};
use http::{Request, Uri};
use http_body_util::BodyDataStream;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use trilby_dapr::invoke::ServiceReply;

use super::failed;
use super::pieces::Body;
use crate::Error;
use crate::text::chain;

/// An app on this machine accepts at once or not at all; one on another has time for a lost packet.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Connections to one app that are kept for later requests.
const IDLE_MAX: usize = 32;

const IDLE_FOR: Duration = Duration::from_secs(60);

/// The other apps.
pub(super) struct Peers {
    addresses: BTreeMap<String, Authority>,
    client: Client<HttpConnector, Body>,
}

impl Peers {
    /// Other apps by id, each with its address in the form `http://host:port`.
    pub(super) fn open(apps: &BTreeMap<String, String>) -> Result<Self, Error> {
        let addresses = apps.iter().map(|(id, address)| {
            let authority = authority(address)
                .ok_or_else(|| Error::App { id: id.clone(), address: address.clone() })?;
            Ok((id.clone(), authority))
        });
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_WITHIN));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_FOR)
            .pool_max_idle_per_host(IDLE_MAX)
            .build(connector);
        Ok(Self { addresses: addresses.collect::<Result<_, Error>>()?, client })
    }

    /// Where an app is.
    pub(super) fn find(&self, id: &str) -> Result<&Authority, String> {
        self.addresses.get(id).ok_or_else(|| format!("couldn't find service: {id}"))
    }

    /// Sends a request, whose URI has only a path and a query, and waits for the answer's head.
    pub(super) async fn send(
        &self,
        app: &str,
        peer: &Authority,
        mut request: Request<Body>,
    ) -> Result<ServiceReply, String> {
        let mut parts = Parts::default();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(peer.clone());
        parts.path_and_query = request.uri().path_and_query().cloned();
        *request.uri_mut() = Uri::from_parts(parts).map_err(|error| error.to_string())?;
        let answer = self.client.request(request).await;
        let (head, body) = answer
            .map_err(|error| format!("no answer from http://{peer}: {}", chain(&error)))?
            .into_parts();
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
}

/// The host and port of an address without anything else.
fn authority(address: &str) -> Option<Authority> {
    let parts = address.parse::<Uri>().ok()?.into_parts();
    let is_plain = parts.scheme == Some(Scheme::HTTP)
        && parts.path_and_query.is_none_or(|path| path.as_str() == "/");
    parts.authority.filter(|authority| is_plain && !authority.as_str().contains('@'))
}
