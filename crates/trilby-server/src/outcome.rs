//! The outcome table: how each request ended, its status, and how loud its log line is.

use http::StatusCode;
use trilby_cgi::OutputError;
use trilby_sandbox::{Ending, InputError};

use crate::admit::Refused;

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The guest answered.
    Ok,
    /// No route matches the path.
    NoRoute,
    /// Routes match the path, but none the method.
    MethodNotAllowed {
        /// The methods that they have, as in the `Allow` header.
        allow: String,
    },
    /// The request cannot be given to a guest, such as a path with a NUL byte.
    BadRequest(&'static str),
    /// The request line and the headers are larger than the route allows.
    HeadTooLarge,
    /// The body is larger than the route allows.
    BodyTooLarge,
    /// The body broke off while the guest read it.
    BodyBrokenOff,
    /// As many requests wait as may wait, or no instance was free in time.
    Busy,
    /// The server is draining.
    Draining,
    /// Dapr's app token is missing or wrong.
    Unauthenticated,
    /// The guest ran into its deadline.
    Deadline,
    /// The guest computed for longer than it may.
    Cpu,
    /// The guest needed more memory than its limit.
    Memory {
        /// The size in bytes that it asked for.
        asked_bytes: usize,
    },
    /// The guest trapped.
    Trap(String),
    /// The guest exited with a code other than 0.
    Exit(i32),
    /// The guest's output is not a CGI response.
    BadOutput(OutputError),
    /// The guest wrote more than its limit.
    OutputTooLarge,
    /// Local redirects led from one to the next without end.
    RedirectLoop,
    /// The host could not give the guest what the manifest promises it.
    Host(String),
}

/// Who has to look at a request's line in the log, which decides how loud it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blame {
    /// All went well.
    Nobody,
    /// The client asked for what it cannot have.
    Client,
    /// The server or its guest failed, or had no room.
    Server,
}

impl Outcome {
    pub(crate) fn blame(&self) -> Blame {
        match self {
            Self::Ok => Blame::Nobody,
            Self::NoRoute
            | Self::MethodNotAllowed { .. }
            | Self::BadRequest(_)
            | Self::HeadTooLarge
            | Self::BodyTooLarge
            | Self::BodyBrokenOff
            | Self::Unauthenticated => Blame::Client,
            Self::Busy
            | Self::Draining
            | Self::Deadline
            | Self::Cpu
            | Self::Memory { .. }
            | Self::Trap(_)
            | Self::Exit(_)
            | Self::BadOutput(_)
            | Self::OutputTooLarge
            | Self::RedirectLoop
            | Self::Host(_) => Blame::Server,
        }
    }

    /// The HTTP status that the client gets, if the guest's own head is not sent yet.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Ok => StatusCode::OK,
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::BadRequest(_) | Self::BodyBrokenOff => StatusCode::BAD_REQUEST,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Busy | Self::Draining => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Deadline | Self::Cpu => StatusCode::GATEWAY_TIMEOUT,
            Self::Memory { .. } | Self::Trap(_) | Self::Exit(_) | Self::Host(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::BadOutput(_) | Self::OutputTooLarge | Self::RedirectLoop => {
                StatusCode::BAD_GATEWAY
            }
        }
    }

    /// One word for logs and metrics.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NoRoute => "no_route",
            Self::MethodNotAllowed { .. } => "method_not_allowed",
            Self::HeadTooLarge => "head_too_large",
            Self::BadRequest(_) => "bad_request",
            Self::BodyTooLarge => "body_too_large",
            Self::BodyBrokenOff => "body_broken_off",
            Self::Busy => "busy",
            Self::Draining => "draining",
            Self::Unauthenticated => "unauthenticated",
            Self::Deadline => "deadline",
            Self::Cpu => "cpu",
            Self::Memory { .. } => "memory",
            Self::Trap(_) => "trap",
            Self::Exit(_) => "exit",
            Self::BadOutput(_) => "bad_output",
            Self::OutputTooLarge => "output_too_large",
            Self::RedirectLoop => "redirect_loop",
            Self::Host(_) => "host",
        }
    }

    /// What the client is told. Reasons stay in the log: they are the operator's, not the
    /// client's.
    #[must_use]
    pub fn public_text(&self) -> &'static str {
        match self {
            Self::Ok => "",
            Self::NoRoute => "no route matches this path\n",
            Self::BadRequest(reason) => reason,
            Self::MethodNotAllowed { .. } => "this path does not answer that method\n",
            Self::HeadTooLarge => "the request's headers are too large\n",
            Self::BodyTooLarge => "the request body is too large\n",
            Self::BodyBrokenOff => "the request body broke off\n",
            Self::Busy => "too many requests at the moment\n",
            Self::Draining => "the server is shutting down\n",
            Self::Unauthenticated => "the app token is missing or wrong\n",
            Self::Deadline | Self::Cpu => "the module did not answer in time\n",
            Self::Memory { .. } | Self::Trap(_) | Self::Exit(_) | Self::Host(_) => {
                "the module failed\n"
            }
            Self::BadOutput(_) | Self::OutputTooLarge | Self::RedirectLoop => {
                "the module's answer is not valid\n"
            }
        }
    }

    /// What the log says beyond the word.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Trap(reason) | Self::Host(reason) => reason.clone(),
            Self::Exit(code) => format!("exit code {code}"),
            Self::Memory { asked_bytes } => format!("asked for {asked_bytes} bytes of memory"),
            Self::BadOutput(error) => error.to_string(),
            Self::BadRequest(reason) => (*reason).trim_end().to_owned(),
            Self::MethodNotAllowed { allow } => format!("only {allow}"),
            Self::OutputTooLarge => "more than `body-out` of `limits`".to_owned(),
            Self::Deadline => "longer than `deadline` of `limits`".to_owned(),
            Self::Cpu => "computed longer than `cpu` of `limits`".to_owned(),
            Self::HeadTooLarge => "more than `head-in` of `limits`".to_owned(),
            Self::BodyTooLarge => "more than `body-in` of `limits`".to_owned(),
            Self::RedirectLoop => "too many local redirects one after the other".to_owned(),
            Self::Ok
            | Self::NoRoute
            | Self::BodyBrokenOff
            | Self::Busy
            | Self::Draining
            | Self::Unauthenticated => self.word().replace('_', " "),
        }
    }
}

impl From<Refused> for Outcome {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::QueueFull | Refused::WaitedTooLong => Self::Busy,
        }
    }
}

impl From<Ending> for Outcome {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Done => Self::Ok,
            Ending::Exit(code) => Self::Exit(code),
            Ending::Trap(reason) => Self::Trap(reason),
            Ending::Memory { asked_bytes } => Self::Memory { asked_bytes },
            Ending::Deadline => Self::Deadline,
            Ending::Cpu => Self::Cpu,
            Ending::Output => Self::OutputTooLarge,
            Ending::Input(InputError::TooLarge) => Self::BodyTooLarge,
            Ending::Input(_) => Self::BodyBrokenOff,
            Ending::Exhausted => Self::Busy,
            Ending::Volume(reason) | Ending::Instance(reason) => Self::Host(reason),
            other => Self::Host(format!("{other:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_has_its_status() {
        let table = [
            (Ending::Done, 200, "ok"),
            (Ending::Exit(3), 500, "exit"),
            (Ending::Trap("unreachable".into()), 500, "trap"),
            (Ending::Memory { asked_bytes: 1 }, 500, "memory"),
            (Ending::Deadline, 504, "deadline"),
            (Ending::Cpu, 504, "cpu"),
            (Ending::Output, 502, "output_too_large"),
            (Ending::Input(InputError::TooLarge), 413, "body_too_large"),
            (Ending::Input(InputError::BrokenOff), 400, "body_broken_off"),
            (Ending::Exhausted, 503, "busy"),
            (Ending::Volume("x".into()), 500, "host"),
            (Ending::Instance("x".into()), 500, "host"),
        ];
        for (ending, status, word) in table {
            let outcome = Outcome::from(ending);
            assert_eq!(outcome.status().as_u16(), status, "{outcome:?}");
            assert_eq!(outcome.word(), word);
        }
        assert_eq!(Outcome::BadOutput(OutputError::Empty).status(), 502);
        assert_eq!(Outcome::Busy.status(), 503);
        assert_eq!(Outcome::NoRoute.status(), 404);
    }
}
