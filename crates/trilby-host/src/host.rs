//! The state of the host functions for one request.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use trilby_dapr::{Blocks, CallContext, Error};

use crate::Access;
use crate::answer::{Answer, Answers, Full};
use crate::handles;
use crate::http::{HttpSettings, Responses};
use crate::operation::{Ask, Operation};

/// What a route's host functions work with, the same for all its requests.
#[derive(Clone)]
pub struct HostSettings {
    /// The building blocks.
    pub blocks: Arc<dyn Blocks>,
    /// What the manifest grants.
    pub access: Arc<Access>,
    /// Time for one call.
    pub call_timeout: Duration,
    /// Outbound HTTP; `None` allows none.
    pub http: Option<HttpSettings>,
}

/// One request's host state: it lives in the guest's store and dies with it.
pub struct Host {
    pub(crate) settings: HostSettings,
    pub(crate) answers: Answers,
    pub(crate) last_error: Option<Error>,
    pub(crate) responses: Responses,
    deadline: Instant,
    traceparent: Option<Arc<str>>,
}

impl Host {
    /// State for a request that ends at `deadline`.
    #[must_use]
    pub fn new(settings: HostSettings, deadline: Instant, traceparent: Option<Arc<str>>) -> Self {
        Self {
            settings,
            answers: Answers::default(),
            last_error: None,
            responses: Responses::default(),
            deadline,
            traceparent,
        }
    }

    /// When the request ends.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The trace context that the request came with.
    pub(crate) fn traceparent(&self) -> Option<&str> {
        self.traceparent.as_deref()
    }

    /// The context of a call that starts now.
    pub(crate) fn context(&self) -> CallContext {
        let deadline = self.deadline.min(Instant::now() + self.settings.call_timeout);
        CallContext { deadline, traceparent: self.traceparent.clone() }
    }

    /// Keeps the error for `dapr_v1.error`, and gives its code as the ABI returns it.
    pub(crate) fn fail(&mut self, error: Error) -> i32 {
        let code = -error.code.number();
        self.last_error = Some(error);
        code
    }

    /// What an operation that starts now asks Dapr with.
    pub(crate) fn ask(&self, operation: Operation) -> Ask {
        Ask {
            blocks: Arc::clone(&self.settings.blocks),
            access: Arc::clone(&self.settings.access),
            cx: self.context(),
            request_deadline: self.deadline,
            operation,
        }
    }

    /// Keeps the error that no handle is free.
    pub(crate) fn fail_for_handles(&mut self) -> i32 {
        self.fail(full(Full::Handles))
    }

    /// An answer by its handle.
    pub(crate) fn open(&mut self, handle: i32) -> Result<&mut Answer, Error> {
        self.answers.get(handle).ok_or_else(handles::unknown_handle)
    }

    /// Keeps an answer and gives its handle.
    pub(crate) fn answer(&mut self, answer: Answer) -> i32 {
        match self.answers.open(answer) {
            Ok(handle) => handle,
            Err(reason) => self.fail(full(reason)),
        }
    }

    /// The text of `dapr_v1.error`.
    pub(crate) fn error_text(&self) -> String {
        let Some(error) = &self.last_error else { return String::new() };
        let mut text = format!("code: {}\nname: {}\n", error.code.number(), error.code.name());
        if !error.reason.is_empty() {
            text.push_str(&format!("reason: {}\n", error.reason));
        }
        text.push('\n');
        text.push_str(&error.message);
        text
    }
}

pub(crate) fn full(reason: Full) -> Error {
    let (message, reason) = match reason {
        Full::Handles => {
            ("too many open handles; close answers with dapr_v1.close", "TRILBY_TOO_MANY_HANDLES")
        }
        Full::Bytes => {
            ("the open answers are too large; close some with dapr_v1.close", "TRILBY_TOO_LARGE")
        }
    };
    Error::new(trilby_dapr::Code::ResourceExhausted, message).with_reason(reason)
}
