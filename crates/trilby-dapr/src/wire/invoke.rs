//! Service invocation as messages of Dapr's protobuf API.

use http::Method;

use crate::proto::common::v1::http_extension::Verb;

/// The method that a call over gRPC names. Dapr posts what has no verb.
#[must_use]
pub fn method(verb: Verb) -> Method {
    match verb {
        Verb::None | Verb::Post => Method::POST,
        Verb::Get => Method::GET,
        Verb::Head => Method::HEAD,
        Verb::Put => Method::PUT,
        Verb::Delete => Method::DELETE,
        Verb::Connect => Method::CONNECT,
        Verb::Options => Method::OPTIONS,
        Verb::Trace => Method::TRACE,
        Verb::Patch => Method::PATCH,
    }
}
