//! The record of a request: one log line when it ends, however it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::StatusCode;
use tokio::time::Instant;

use crate::outcome::{Blame, Outcome};

/// Follows one request to its end.
pub(crate) struct Record {
    request_id: Arc<str>,
    route: Arc<str>,
    started: Instant,
    status: Option<StatusCode>,
    finished: AtomicBool,
}

impl Record {
    pub(crate) fn new(request_id: Arc<str>, route: Arc<str>) -> Self {
        Self {
            request_id,
            route,
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
        let (blame, outcome, reason) = (outcome.blame(), outcome.word(), Reason(outcome));
        let millis = self.started.elapsed().as_millis();
        match blame {
            Blame::Nobody => {
                tracing::debug!(
                    target: "trilby::request",
                    request_id, route, status, outcome, millis
                );
            }
            Blame::Client => tracing::info!(
                target: "trilby::request",
                request_id, route, status, outcome, reason = %reason, millis
            ),
            Blame::Server => tracing::warn!(
                target: "trilby::request",
                request_id, route, status, outcome, reason = %reason, millis
            ),
        }
    }

    /// The client went away before the request ended.
    pub(crate) fn finish_gone(&self) {
        if self.finished.swap(true, Ordering::AcqRel) {
            return;
        }
        let (request_id, route) = (&*self.request_id, &*self.route);
        let millis = self.started.elapsed().as_millis();
        tracing::debug!(
            target: "trilby::request", request_id, route, outcome = "client_gone", millis
        );
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
        self.finish_gone();
    }
}
