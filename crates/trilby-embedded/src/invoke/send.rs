//! One call of an app, and the tries that a policy makes of it.

use std::borrow::Cow;

use http::uri::Authority;
use http::{Request, StatusCode};
use trilby_dapr::CallContext;
use trilby_dapr::invoke::ServiceReply;

use super::Apps;
use super::pieces::Pieces;
use crate::load::Endpoint;
use crate::resiliency::{Fault, Policy, Stop};

/// Who is called.
pub(super) struct Target<'a> {
    /// The app's id, or the endpoint's name.
    pub(super) id: &'a str,
    pub(super) place: Place<'a>,
}

/// Where that is.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    Own,
    Peer(&'a Authority),
    Endpoint(&'a Endpoint),
}

impl Target<'_> {
    /// The path that is asked for, when a call has `path`, which begins with `/`.
    pub(super) fn path(&self, path: String) -> String {
        let Place::Endpoint(endpoint) = self.place else {
            return path;
        };
        let base = endpoint.base.path().trim_end_matches('/');
        if path == "/" && !base.is_empty() { base.to_owned() } else { format!("{base}{path}") }
    }

    /// What a circuit breaker is for: in daprd the path of an app, or an endpoint as a whole.
    pub(super) fn method<'a>(&self, request: &'a Request<()>) -> Cow<'a, str> {
        match self.place {
            Place::Own | Place::Peer(_) => Cow::Borrowed(request.uri().path()),
            Place::Endpoint(endpoint) => Cow::Owned(endpoint.base.to_string()),
        }
    }
}

/// A call on its way.
pub(super) struct Sending<'a> {
    pub(super) apps: &'a Apps,
    pub(super) app: &'a str,
    pub(super) target: &'a Target<'a>,
}

/// A try that failed: with an answer that is none of a success, or without one.
enum Failure {
    Reply(ServiceReply),
    None(String),
}

impl Sending<'_> {
    /// Sends once.
    pub(super) async fn send(
        &self,
        request: Request<()>,
        pieces: Pieces,
    ) -> Result<ServiceReply, String> {
        let peers = &self.apps.peers;
        match self.target.place {
            Place::Own => {
                let inbound = self.apps.inbound()?;
                Ok(inbound.invoke(request.map(|()| pieces.stream())).await)
            }
            Place::Peer(peer) => peers.send(self.app, peer, request.map(|()| pieces.body())).await,
            Place::Endpoint(endpoint) => {
                peers.send_out(self.app, endpoint, request.map(|()| pieces.body())).await
            }
        }
    }

    /// Sends under a policy. As in daprd an answer below 200 or above 399 is a failure, and the
    /// last one is the outcome; a body that is not there as a whole cannot be sent again.
    pub(super) async fn send_under(
        &self,
        policy: &Policy,
        cx: &CallContext,
        request: Request<()>,
        pieces: Pieces,
    ) -> Result<ServiceReply, String> {
        let judge = |failure: &Failure| match failure {
            Failure::Reply(reply) => Fault::Status(reply.status),
            Failure::None(_) => Fault::Passing,
        };
        let deadline = Some(cx.deadline);
        let done = match pieces {
            Pieces::Coming(body) => {
                let once = || self.try_once(request, Pieces::Coming(body));
                policy.run_once(deadline, judge, once).await
            }
            Pieces::Whole(bytes) => {
                let again = || self.try_once(request.clone(), Pieces::Whole(bytes.clone()));
                policy.run(deadline, judge, again).await
            }
        };
        done.or_else(|stop| match stop {
            Stop::Failed(Failure::Reply(reply)) => Ok(reply),
            Stop::Failed(Failure::None(why)) => Err(why),
            Stop::TimedOut | Stop::Deadline | Stop::Refused(_) => Err(stop.reason().to_owned()),
        })
    }

    async fn try_once(
        &self,
        request: Request<()>,
        pieces: Pieces,
    ) -> Result<ServiceReply, Failure> {
        let success = StatusCode::OK.as_u16()..=399;
        match self.send(request, pieces).await {
            Ok(reply) if success.contains(&reply.status.as_u16()) => Ok(reply),
            Ok(reply) => Err(Failure::Reply(reply)),
            Err(why) => Err(Failure::None(why)),
        }
    }
}
