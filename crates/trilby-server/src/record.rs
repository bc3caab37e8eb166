//! The record of a request: one log line when it ends, however it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{Method, Request, StatusCode, Uri};
use tokio::time::Instant;

use crate::outcome::{Blame, Outcome};

/// What a request asks for.
pub(crate) type Asked = (Method, Uri);

pub(crate) fn asked<B>(request: &Request<B>) -> Asked {
    (request.method().clone(), request.uri().clone())
}

/// Follows one request to its end.
pub(crate) struct Record {
    request_id: Arc<str>,
    route: Arc<str>,
    method: Method,
    /// Without the query, which may hold what is not for a log.
    uri: Uri,
    started: Instant,
    status: Option<StatusCode>,
    finished: AtomicBool,
}

impl Record {
    pub(crate) fn new(request_id: Arc<str>, route: Arc<str>, (method, uri): Asked) -> Self {
        Self {
            request_id,
            route,
            method,
            uri,
            started: Instant::now(),
            status: None,
            finished: AtomicBool::new(false),
        }
    }

    /// What the log calls the request.
    pub(crate) fn request_id(&self) -> &Arc<str> {
        &self.request_id
    }

    /// The head went out; the guest still runs.
    pub(crate) fn sent(&mut self, status: StatusCode) {
        self.status = Some(status);
    }

    /// The request ended after its head went out.
    pub(crate) fn finish_sent(&self, outcome: &Outcome) {
        let status = self.status.unwrap_or_else(|| outcome.status());
        self.finish(outcome, status);
    }

    /// The request ended.
    pub(crate) fn finish(&self, outcome: &Outcome, status: StatusCode) {
        if self.finished.swap(true, Ordering::AcqRel) {
            return;
        }
        let (request_id, route) = (&*self.request_id, &*self.route);
        let status = status.as_u16();
        let (blame, why, outcome) = (outcome.blame(), outcome, outcome.word());
        let (method, path) = (self.method.as_str(), self.uri.path());
        let millis = self.millis();
        match blame {
            Blame::Nobody => {
                tracing::debug!(
                    target: "trilby::request",
                    request_id, route, status, outcome, method, path, millis
                );
            }
            Blame::Client => tracing::info!(
                target: "trilby::request",
                request_id, route, status, outcome, method, path, reason = why.reason(), millis
            ),
            Blame::Server => tracing::warn!(
                target: "trilby::request",
                request_id, route, status, outcome, method, path, reason = why.reason(), millis
            ),
        }
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The client went away before the request ended.
    pub(crate) fn finish_gone(&self) {
        if self.finished.swap(true, Ordering::AcqRel) {
            return;
        }
        let (request_id, route) = (&*self.request_id, &*self.route);
        let millis = self.millis();
        tracing::debug!(
            target: "trilby::request", request_id, route, outcome = "client_gone", millis
        );
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.finish_gone();
    }
}
