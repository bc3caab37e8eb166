//! The record of a request: one log line when it ends, however it ends.

use std::sync::Arc;

use http::StatusCode;
use tokio::time::Instant;

use crate::outcome::Outcome;

/// Follows one request to its end.
pub(crate) struct Record {
    request_id: Arc<str>,
    route: Arc<str>,
    started: Instant,
    status: Option<StatusCode>,
    finished: bool,
}

impl Record {
    pub(crate) fn new(request_id: Arc<str>, route: Arc<str>) -> Self {
        Self { request_id, route, started: Instant::now(), status: None, finished: false }
    }

    /// The head went out; the guest still runs.
    pub(crate) fn sent(&mut self, status: StatusCode) {
        self.status = Some(status);
    }

    /// The request ended after its head went out.
    pub(crate) fn finish_sent(&mut self, outcome: &Outcome) {
        let status = self.status.unwrap_or_else(|| outcome.status());
        self.finish(outcome, status);
    }

    /// The request ended.
    pub(crate) fn finish(&mut self, outcome: &Outcome, status: StatusCode) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        let (request_id, route) = (&*self.request_id, &*self.route);
        let status = status.as_u16();
        let (outcome, reason) = (outcome.word(), Reason(outcome));
        let millis = self.started.elapsed().as_millis();
        if outcome == "ok" {
            tracing::debug!(target: "trilby::request", request_id, route, status, outcome, millis);
        } else {
            tracing::warn!(
                target: "trilby::request",
                request_id, route, status, outcome, reason = %reason, millis
            );
        }
    }
}

/// Formats the reason only when a log line is really written.
struct Reason<'a>(&'a Outcome);

impl std::fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.reason())
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if !self.finished {
            let (request_id, route) = (&*self.request_id, &*self.route);
            let millis = self.started.elapsed().as_millis();
            tracing::debug!(
                target: "trilby::request", request_id, route, outcome = "client_gone", millis
            );
        }
    }
}
