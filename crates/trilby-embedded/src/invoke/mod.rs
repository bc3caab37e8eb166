//! Service invocation: requests to the routes of this app, to other apps on this machine, and to
//! servers outside Dapr that files of the kind `HTTPEndpoint` name.
//!
//! In the order of a call: the app's id is looked up, the `path` is brought into its plain form, the
//! `headers` lose what is about a connection, and `send` brings the request, as often as a policy
//! has it, to the app's own [`Inbound`] or, through `peers`, over HTTP to another app.

mod headers;
mod path;
mod peers;
mod pieces;
mod send;
#[cfg(test)]
mod tests;

use std::sync::{Arc, PoisonError, RwLock, Weak};

use http::uri::PathAndQuery;
use http::{Method, Request, Uri};
use tokio::time::timeout_at;
use trilby_dapr::invoke::{InvokeService, ServiceReply, drop_hop_by_hop};
use trilby_dapr::stream::ByteStream;
use trilby_dapr::{CallContext, Code, Error as DaprError, Inbound};

use self::headers::Callers;
use self::peers::Peers;
use self::pieces::Pieces;
use self::send::{Place, Sending, Target};
use crate::load::Endpoint;
use crate::resiliency::Policies;
use crate::{Error, Options};

/// The apps that can be called.
pub(crate) struct Apps {
    /// This app's id.
    id: String,
    namespace: String,
    /// Who answers for this app, once somebody does.
    inbound: RwLock<Option<Weak<dyn Inbound>>>,
    peers: Peers,
}

impl Apps {
    /// This app, and others by id with the address of each.
    pub(crate) fn open(options: &Options) -> Result<Self, Error> {
        let namespace = options.env.get("NAMESPACE").filter(|namespace| !namespace.is_empty());
        Ok(Self {
            id: options.app_id.clone(),
            // The one that daprd takes on a machine without Kubernetes.
            namespace: namespace.map_or_else(|| "default".to_owned(), Clone::clone),
            inbound: RwLock::new(None),
            peers: Peers::open(&options.apps)?,
        })
    }

    /// From now on `inbound` answers for this app.
    pub(crate) fn attach(&self, inbound: Weak<dyn Inbound>) {
        *self.inbound.write().unwrap_or_else(PoisonError::into_inner) = Some(inbound);
    }

    /// From now on `name` is a server outside Dapr.
    ///
    /// # Errors
    ///
    /// When it needs TLS, and this machine has no certificates to trust.
    pub(crate) fn add_endpoint(&mut self, name: String, endpoint: Endpoint) -> Result<(), Error> {
        self.peers.add_endpoint(name, endpoint)
    }

    /// The names of the servers outside Dapr.
    pub(crate) fn endpoints(&self) -> impl Iterator<Item = &str> {
        self.peers.endpoint_names()
    }

    /// Sends a request to an app, and waits for the head of its answer, under the policy for the
    /// app if there is one.
    pub(crate) async fn invoke(
        &self,
        cx: &CallContext,
        policies: &Policies,
        request: InvokeService,
        body: ByteStream,
    ) -> trilby_dapr::Result<ServiceReply> {
        let app = request.app.clone();
        let answer = async {
            if request.method == Method::CONNECT {
                return Err("the method CONNECT asks for a tunnel, which there is not".to_owned());
            }
            let target = self.target(&app)?;
            let pieces = Pieces::of(body);
            let request = self.request(cx, request, &target, &pieces)?;
            let policy = policies.app(target.id, &target.method(&request));
            let sending = Sending { apps: self, app: &app, target: &target };
            let mut reply = match policy {
                None => sending.send(request, pieces).await?,
                Some(policy) => sending.send_under(&policy, cx, request, pieces).await?,
            };
            drop_hop_by_hop(&mut reply.headers);
            Ok(reply)
        };
        match timeout_at(cx.deadline, answer).await {
            Ok(answer) => answer.map_err(|why| failed(&app, &why)),
            Err(_) => Err(DaprError::deadline(&format!("the call of the app `{app}`"))),
        }
    }

    /// Who is called. As in daprd the name of an endpoint comes before those of apps.
    fn target<'a>(&'a self, app: &'a str) -> Result<Target<'a>, String> {
        if let Some(endpoint) = self.peers.endpoint(app) {
            return Ok(Target { id: app, place: Place::Endpoint(endpoint) });
        }
        let id = self.id_of(app)?;
        let place = if id == self.id { Place::Own } else { Place::Peer(self.peers.find(id)?) };
        Ok(Target { id, place })
    }

    /// The id within the namespace: `app` and `app.NAMESPACE` are the same.
    fn id_of<'a>(&self, app: &'a str) -> Result<&'a str, String> {
        let unknown = || format!("couldn't find service: {app}");
        match app.split('.').collect::<Vec<_>>().as_slice() {
            [""] => Err("app id is empty".to_owned()),
            [id] => Ok(id),
            [id, namespace] if *namespace == self.namespace => Ok(id),
            [_, _] => Err(unknown()),
            _ => Err(format!("invalid app id {app}")),
        }
    }

    fn inbound(&self) -> Result<Arc<dyn Inbound>, String> {
        let inbound = self.inbound.read().unwrap_or_else(PoisonError::into_inner);
        let inbound = inbound.as_ref().and_then(Weak::upgrade);
        inbound
            .ok_or_else(|| "cannot invoke local endpoint: app channel not initialized".to_owned())
    }

    /// The request as the app gets it, but for its body.
    fn request(
        &self,
        cx: &CallContext,
        request: InvokeService,
        to: &Target<'_>,
        pieces: &Pieces,
    ) -> Result<Request<()>, String> {
        let path = path::plain(&request.path)?;
        let query = request.query.filter(|query| !query.is_empty());
        let path = to.path(path);
        let target = query.map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
        let target: PathAndQuery = target
            .parse()
            .map_err(|error| format!("the path and query are not those of a URL: {error}"))?;
        // As in daprd, neither this app itself nor a server outside Dapr is told who calls.
        let callers = matches!(to.place, Place::Peer(_)).then_some(Callers {
            caller: &self.id,
            callee: to.id,
            namespace: &self.namespace,
        });
        let mut sent = Request::new(());
        *sent.method_mut() = request.method;
        *sent.uri_mut() = Uri::from(target);
        *sent.headers_mut() =
            headers::outgoing(request.headers, callers, cx.traceparent.as_deref(), pieces.size())?;
        if let Place::Endpoint(endpoint) = to.place {
            sent.headers_mut().extend(endpoint.headers.clone());
        }
        Ok(sent)
    }
}

/// daprd's answer when there was no answer of the app.
fn failed(app: &str, why: &str) -> DaprError {
    DaprError::new(Code::Internal, format!("failed to invoke, id: {app}, err: {why}"))
        .with_reason("ERR_DIRECT_INVOKE")
}
