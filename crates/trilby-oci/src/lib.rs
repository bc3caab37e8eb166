//! Modules from OCI registries: the `oci:` references of WAGI.
//!
//! A module is one layer of an artifact in a registry. [`fetch`] turns a reference into a file
//! whose content is known to be what the registry's manifest names:
//!
//! 1. `reference` reads `HOST/REPOSITORY:TAG@DIGEST`;
//! 2. `credentials` looks the registry up in Docker's configuration, `identity` trades a login's
//!    identity token for an access token;
//! 3. `registry` asks for the manifest and the layer, and checks both;
//! 4. `manifest` picks the layer that is the module;
//! 5. `store` keeps the content under its own digest, and checks it at each read.
//!
//! A reference with a digest that the store has is served without any request. A tag is asked at
//! the registry at each fetch, for a tag may move; only if the registry cannot be reached is the
//! answer of an earlier fetch used. WAGI 0.8 never asks again and so never sees a moved tag.
//!
//! # Trust
//!
//! TLS is rustls with ring. The roots are those of the system; if `SSL_CERT_FILE` or
//! `SSL_CERT_DIR` is set, the certificates found there are used **instead**, so a file for a
//! private authority has to hold the public ones as well if both are needed. Plain HTTP is spoken
//! only to `localhost`, `127.0.0.1` and `[::1]`, and to [`Options::insecure_registries`].
//! `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are obeyed, except for the trade of an identity
//! token, which goes straight to the registry's token service.
//!
//! # Limits
//!
//! The size of a module, the time to connect, the time of a whole pull, the pulls at a time
//! ([`PULLS_MAX`]) and the time of a credential helper are bounded. `oci-client` reads a manifest, a
//! token and a refusal in one go, so only the time of a pull bounds them while they arrive; a
//! manifest of more than 4 MiB is refused afterwards.
//!
//! # Cancel safety
//!
//! Dropping a [`fetch`] leaves the store as it was, apart from content that is complete already.

mod classify;
mod credentials;
mod digest;
mod error;
mod fetch;
mod identity;
mod manifest;
mod reference;
mod registry;
mod store;

#[cfg(test)]
mod fake_registry;

pub use credentials::AuthFile;
pub use digest::Digest;
pub use error::Error;
pub use fetch::{CONNECT_TIMEOUT, Fetched, MODULE_BYTES_MAX, Options, PULL_TIMEOUT, fetch};
pub use reference::Reference;
pub use store::{PULLS_MAX, Store};
