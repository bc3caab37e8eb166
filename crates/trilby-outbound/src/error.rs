//! Why a request was not answered.

use std::net::IpAddr;

/// Why a request was not answered.
///
/// Messages name the origin (`https://api.example.com`) and never more of a URL: paths and
/// queries may hold secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No rule of the route is for this URL, or for the one that an answer redirects to.
    #[error("`{origin}` is not allowed: add `\"{origin}\"` to the route's `allowed-hosts`")]
    NotAllowed {
        /// Scheme, host, and the port unless it is the scheme's own.
        origin: String,
    },
    /// The host is, or its name leads to, an address that is not public and that the route has
    /// not opened.
    #[error(
        "`{origin}` is at the private address {address}: add `\"{rule}\"` to the route's `{key}`"
    )]
    PrivateAddress {
        /// Scheme, host, and the port unless it is the scheme's own.
        origin: String,
        /// The address, the first if there are more.
        address: IpAddr,
        /// The rule that would open it.
        rule: String,
        /// The key of the manifest that the rule belongs to.
        key: &'static str,
    },
    /// The URL is not one of HTTP.
    #[error("this is no URL to call: {reason}")]
    InvalidUrl {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The method would make a tunnel, or send the request's own headers back.
    #[error("the method `{method}` is not for guests: use another, such as `GET`")]
    InvalidMethod {
        /// The method.
        method: String,
    },
    /// An answer over HTTPS redirects to plain HTTP.
    #[error(
        "the answer redirects from https to `{origin}`: call that itself if it is to be trusted"
    )]
    InsecureRedirect {
        /// Where it redirects to.
        origin: String,
    },
    /// The answers redirect again and again, typically in a circle.
    #[error("more than {redirects_max} redirects: call the URL that they should lead to")]
    TooManyRedirects {
        /// How many are followed.
        redirects_max: usize,
    },
    /// The time was over before the whole answer was there.
    #[error(
        "`{origin}` has not answered in time: raise the route's `limits.http-timeout` or \
         `limits.deadline` if it needs longer"
    )]
    Timeout {
        /// Scheme, host, and the port unless it is the scheme's own.
        origin: String,
    },
    /// The answer's body is larger than the route lets it be.
    #[error(
        "the answer of `{origin}` is larger than {bytes_max} bytes: raise the route's \
         `limits.http-body`"
    )]
    TooLarge {
        /// Scheme, host, and the port unless it is the scheme's own.
        origin: String,
        /// The bound, in bytes.
        bytes_max: usize,
    },
    /// There is nothing to check the certificates of servers with.
    #[error("no root certificates are installed: install them, or name a file in `SSL_CERT_FILE`")]
    NoRoots,
    /// The request failed on its way: no such name, no connection, a bad certificate, a broken
    /// answer.
    #[error("cannot call `{origin}`: {reason}")]
    Request {
        /// Scheme, host, and the port unless it is the scheme's own.
        origin: String,
        /// What the network says.
        reason: String,
    },
    /// The TLS library could not be set up.
    #[error("cannot set up TLS: {reason}")]
    Tls {
        /// What it says.
        reason: String,
    },
}
