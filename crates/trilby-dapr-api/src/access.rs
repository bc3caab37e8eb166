//! Which parts of the API callers may use.

/// How a call comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// The gRPC API.
    Grpc,
    /// The HTTP API.
    Http,
}

/// The allow-list of Dapr's `Configuration` (`spec.api.allowed` and `spec.api.denied`).
pub trait ApiAccess: Send + Sync + 'static {
    /// Whether callers may use a group of the API, such as `state`, in a version as
    /// `Configuration` writes it (`v1`, `v1alpha1`). Health is always allowed, and not asked for.
    fn allow(&self, group: &str, version: &str, protocol: Protocol) -> bool;
}

/// Everything is allowed: Dapr's default.
#[derive(Clone, Copy, Debug, Default)]
pub struct AllowAll;

impl ApiAccess for AllowAll {
    fn allow(&self, _: &str, _: &str, _: Protocol) -> bool {
        true
    }
}
