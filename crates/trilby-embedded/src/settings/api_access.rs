//! Which parts of the Dapr API others may use: `spec.api` of a `Configuration`.

use std::fmt;

/// daprd's groups of endpoints, in one of which each call of its API is.
pub(crate) const GROUPS: [&str; 18] = [
    "actors",
    "bindings",
    "configuration",
    "conversation",
    "crypto",
    "healthz",
    "invoke",
    "jobs",
    "lock",
    "metadata",
    "publish",
    "secrets",
    "shutdown",
    "state",
    "subscribe",
    "subtlecrypto",
    "unlock",
    "workflows",
];

/// The versions of groups; over HTTP the paths begin with the second form, and rules may have it.
pub(crate) const VERSIONS: [(&str, &str); 4] = [
    ("v1", "v1.0"),
    ("v1alpha1", "v1.0-alpha1"),
    ("v1alpha2", "v1.0-alpha2"),
    ("v1beta1", "v1.0-beta1"),
];

/// The group that is always allowed: probes must not depend on a list.
const ALWAYS: &str = "healthz";

/// How a client talks to the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ApiProtocol {
    /// HTTP/1.1 or HTTP/2 with JSON.
    Http,
    /// gRPC.
    Grpc,
}

impl fmt::Display for ApiProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Grpc => "grpc",
        })
    }
}

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiRule {
    pub(crate) name: String,
    /// In the first form of [`VERSIONS`].
    pub(crate) version: &'static str,
    pub(crate) protocol: ApiProtocol,
}

/// The parts of the Dapr API that are allowed.
///
/// As in daprd each protocol has lists of its own: what is denied is denied; of the rest all is
/// allowed, unless there is a list of what is allowed. It is about what others ask of the served
/// API, not about guests: those have grants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiAccess {
    pub(crate) allowed: Vec<ApiRule>,
    pub(crate) denied: Vec<ApiRule>,
}

impl ApiAccess {
    /// Whether calls of a group of endpoints, such as `state`, in a version of it, such as `v1` or
    /// `v1.0`, are allowed over a protocol. `healthz` always is.
    ///
    /// daprd answers one that is not with UNIMPLEMENTED "requested endpoint is not available" over
    /// gRPC, and over HTTP as if there were no such path.
    #[must_use]
    pub fn is_allowed(&self, protocol: ApiProtocol, group: &str, version: &str) -> bool {
        let version = VERSIONS.iter().find(|(plain, path)| version == *path || version == *plain);
        let version = version.map_or("", |(plain, _)| plain);
        let is_of = |rule: &&ApiRule| rule.protocol == protocol;
        let is_it = |rule: &ApiRule| rule.name == group && rule.version == version;
        if group == ALWAYS && protocol == ApiProtocol::Http {
            return true;
        }
        if self.denied.iter().filter(is_of).any(is_it) {
            return false;
        }
        let mut allowed = self.allowed.iter().filter(is_of).peekable();
        allowed.peek().is_none() || allowed.any(is_it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str, version: &'static str, protocol: ApiProtocol) -> ApiRule {
        ApiRule { name: name.to_owned(), version, protocol }
    }

    #[test]
    fn without_lists_all_is_allowed() {
        for group in GROUPS {
            for protocol in [ApiProtocol::Http, ApiProtocol::Grpc] {
                assert!(ApiAccess::default().is_allowed(protocol, group, "v1"), "{group}");
            }
        }
    }

    #[test]
    fn each_protocol_has_lists_of_its_own() {
        use ApiProtocol::{Grpc, Http};
        let access = ApiAccess {
            allowed: vec![rule("state", "v1", Http), rule("secrets", "v1", Http)],
            denied: vec![rule("secrets", "v1", Http), rule("invoke", "v1", Grpc)],
        };
        for (protocol, group, version, is_allowed) in [
            (Http, "state", "v1", true),
            (Http, "state", "v1.0", true),
            (Http, "state", "v1.0-alpha1", false),
            (Http, "secrets", "v1", false),
            (Http, "publish", "v1", false),
            (Http, "healthz", "v1", true),
            (Grpc, "state", "v1", true),
            (Grpc, "invoke", "v1", false),
            (Grpc, "invoke", "v1alpha1", true),
            (Http, "state", "v9", false),
        ] {
            let found = access.is_allowed(protocol, group, version);
            assert_eq!(found, is_allowed, "{protocol} {group} {version}");
        }
    }
}
