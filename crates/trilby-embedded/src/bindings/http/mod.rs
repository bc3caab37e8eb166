//! `bindings.http`: requests to the server that the component file names.
//!
//! [`options`] reads the metadata, and [`message`] makes the request and reads the answer's head. A
//! guest chooses the path below the file's `url`, the method, headers and body, but never the
//! server: redirects are not followed.

mod message;
mod options;
#[cfg(test)]
mod tests;

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use trilby_dapr::messaging::{BindingReply, InvokeBinding};
use trilby_dapr::{CallContext, Error as DaprError};

use self::options::Options;
use crate::component::Component;
use crate::text::chain;
use crate::{Error, refusals};

/// As long as daprd waits for a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(15);

/// Connections that are kept for later requests.
const IDLE_MAX: usize = 32;

const IDLE_FOR: Duration = Duration::from_secs(60);

/// Requests of one binding at the same time; later ones wait.
const REQUESTS_MAX: usize = 64;

/// The binding.
pub(crate) struct Http {
    name: String,
    options: Options,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    slots: Semaphore,
}

impl Http {
    /// Reads the metadata; connects to nothing yet.
    pub(crate) fn open(component: &Component) -> Result<Self, Error> {
        let options = Options::of(component)?;
        let client = client(component, options.is_https())?;
        let slots = Semaphore::new(REQUESTS_MAX);
        Ok(Self { name: component.name.clone(), options, client, slots })
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn invoke(
        &self,
        cx: &CallContext,
        request: InvokeBinding,
    ) -> trilby_dapr::Result<BindingReply> {
        let Ok(_slot) = self.slots.acquire().await else {
            return Err(self.failed("the binding is closed"));
        };
        let exchange = self.exchange(cx, request);
        let reply = match self.options.response_timeout {
            None => exchange.await,
            Some(within) => timeout(within, exchange).await.unwrap_or_else(|_| {
                Err(format!("no answer from {} within {within:?}", self.options.shown))
            }),
        };
        reply.map_err(|why| self.failed(&why))
    }

    async fn exchange(
        &self,
        cx: &CallContext,
        request: InvokeBinding,
    ) -> Result<BindingReply, String> {
        let error_if_not_2xx = message::flag(&request.metadata, "errorIfNot2XX")
            .unwrap_or(self.options.error_if_not_2xx);
        let traceparent = cx.traceparent.as_deref();
        let request = message::request(&self.options, &self.name, request, traceparent)?;
        let shown = &self.options.shown;
        let answer = self.client.request(request).await;
        let answer =
            answer.map_err(|error| format!("no answer from {shown}: {}", chain(&error)))?;
        let (head, body) = answer.into_parts();
        let bytes_max = self.options.answer_bytes_max;
        let data = Limited::new(body, bytes_max).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                format!("the answer from {shown} is larger than {bytes_max} bytes")
            } else {
                format!("the answer from {shown} broke off: {}", chain(&*error))
            }
        })?;
        let head = Response::from_parts(head, ());
        if error_if_not_2xx && !head.status().is_success() {
            return Err(format!("received status code {}", head.status().as_u16()));
        }
        Ok(BindingReply { data: data.to_bytes(), metadata: message::metadata(&head) })
    }

    fn failed(&self, why: &str) -> DaprError {
        refusals::output_binding(&self.name, why)
    }
}

fn client(
    component: &Component,
    is_https: bool,
) -> Result<Client<HttpsConnector<HttpConnector>, Full<Bytes>>, Error> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_connect_timeout(Some(CONNECT_WITHIN));
    http.set_nodelay(true);
    let provider = rustls::crypto::ring::default_provider();
    let builder = HttpsConnectorBuilder::new();
    let failed = |why: &dyn std::error::Error| Error::Open {
        component: component.name.clone(),
        message: format!("cannot read the certificates that this system trusts: {why}"),
    };
    let builder = if is_https {
        builder.with_provider_and_native_roots(provider).map_err(|error| failed(&error))?
    } else {
        // Nothing is trusted where nothing is encrypted.
        let config = ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(&error))?;
        let roots = RootCertStore::empty();
        builder.with_tls_config(config.with_root_certificates(roots).with_no_client_auth())
    };
    let connector = builder.https_or_http().enable_http1().enable_http2().wrap_connector(http);
    Ok(Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_FOR)
        .pool_max_idle_per_host(IDLE_MAX)
        .build(connector))
}
