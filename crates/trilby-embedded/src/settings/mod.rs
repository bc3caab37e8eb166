//! What a file of the kind `Configuration` sets for the whole runtime.

mod api_access;
mod secret_scopes;

use std::path::PathBuf;

pub use self::api_access::{ApiAccess, ApiProtocol};
pub(crate) use self::api_access::{ApiRule, GROUPS, VERSIONS};
pub(crate) use self::secret_scopes::{SecretScope, SecretScopes};

/// The settings of this app; without a file nothing is limited.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// The resource's name, its file, and the line where it begins, from 1.
    pub(crate) place: Option<(String, PathBuf, usize)>,
    pub(crate) tracing: Option<Tracing>,
    pub(crate) secrets: SecretScopes,
    pub(crate) api: ApiAccess,
    /// The app ids it is for; empty for all.
    pub(crate) scopes: Vec<String>,
}

/// Where spans are to be sent, and how many of them: `spec.tracing`. It has no effect yet.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Tracing {
    /// The part of all traces that is recorded, from 0 to 1.
    pub sampling_rate: Option<f64>,
    /// Whether spans are to be written to the standard output.
    pub stdout: bool,
    /// The address of a Zipkin server.
    pub zipkin: Option<String>,
    /// The address of an OpenTelemetry collector, and how to talk to it.
    pub otel: Option<Otel>,
}

/// An OpenTelemetry collector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Otel {
    /// Its address, in the form `host:port`.
    pub endpoint: String,
    /// `grpc` or `http`; daprd's default is for its version to choose.
    pub protocol: Option<String>,
    /// Whether the connection is encrypted.
    pub is_secure: bool,
}
