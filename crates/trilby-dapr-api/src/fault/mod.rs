//! Errors as daprd tells them: over gRPC a status with `google.rpc` details, over HTTP a JSON body.
//!
//! A reason that begins with `DAPR_` is one of daprd's newer errors, which have details on both
//! ways. One that begins with `ERR_` is daprd's code over HTTP; over gRPC, state, bindings and
//! configuration tell it as a reason, too, and all else only a status.

mod details;
mod table;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Serialize;
use serde_json::Value;
use tonic::body::Body;
use tonic::{Code as GrpcCode, Status};
use tonic_types::StatusExt as _;
use trilby_dapr::{Code, Error, Metadata};

use self::details::Details;
use self::table::Known;
use crate::http::reply;

/// Which part of the API a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    State,
    Pubsub,
    Bindings,
    Invoke,
    Secrets,
    Configuration,
    Lock,
    Jobs,
    Crypto,
    Conversation,
    Actors,
    Runtime,
}

/// What a call is about: details name it.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) block: Block,
    /// The component.
    pub(crate) component: String,
    /// The topic or the key.
    pub(crate) name: String,
    /// The request's metadata, which some errors of publish/subscribe repeat.
    pub(crate) metadata: Metadata,
}

impl About {
    pub(crate) fn new(block: Block, component: &str) -> Self {
        let component = component.to_owned();
        Self { block, component, name: String::new(), metadata: Metadata::new() }
    }

    /// The same about a topic or a key.
    pub(crate) fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    pub(crate) fn with_metadata(mut self, metadata: &Metadata) -> Self {
        metadata.clone_into(&mut self.metadata);
        self
    }
}

/// Who tells the errors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Teller<'a> {
    pub(crate) app_id: &'a str,
    pub(crate) namespace: &'a str,
}

impl Teller<'_> {
    /// An error over gRPC.
    pub(crate) fn status(self, error: &Error, about: &About) -> Status {
        let known = Known::of(error, about.block);
        let code = GrpcCode::from(known.code.unwrap_or(error.code).number());
        let details = Details::of(self, &known, error, about).map(Details::into_grpc);
        match details.or_else(|| details::reason_only(&known, error, about.block)) {
            None => Status::new(code, &error.message),
            Some(details) => Status::with_error_details(code, &error.message, details),
        }
    }

    /// An error over HTTP.
    pub(crate) fn response(self, error: &Error, about: &About) -> Response<Body> {
        let known = Known::of(error, about.block);
        let details = Details::of(self, &known, error, about);
        let details = details.map(Details::into_json).unwrap_or_default();
        let message = details::http_text(error);
        body(known.status, &known.error_code, &message, details)
    }
}

/// An error that only the HTTP API has, and that has no details.
pub(crate) fn basic(status: StatusCode, error_code: &str, message: &str) -> Response<Body> {
    body(status, error_code, message, Vec::new())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Json<'a> {
    error_code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<Value>,
}

fn body(
    status: StatusCode,
    error_code: &str,
    message: &str,
    details: Vec<Value>,
) -> Response<Body> {
    // Texts and maps of texts always become JSON.
    let json = serde_json::to_vec(&Json { error_code, message, details }).unwrap_or_default();
    reply::json(status, Bytes::from(json))
}

/// A body or a message over its limit.
pub(crate) fn too_large() -> Error {
    Error::new(Code::InvalidArgument, "failed to read request body: stream too large")
        .with_reason("ERR_BODY_READ")
}

#[cfg(test)]
mod tests;
