//! Why a module did not come out of a registry.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::Digest;

/// The cause below an error, from a library whose types are not part of this crate's interface.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a reference cannot be read or its module cannot be had.
///
/// Each message names the reference, the file or the registry, and says what to do. Messages and
/// `Debug` never hold a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The reference is a URL of a registry.
    #[error(
        "a module reference has no scheme after `oci:`: write `oci://HOST/REPOSITORY:TAG`, \
         without `https:` or `docker:`"
    )]
    ReferenceScheme,
    /// `@` without a digest after it. The text is not repeated, for it may hold a password.
    #[error(
        "after `@` a module reference has `sha256:` and 64 hex digits. Credentials are not read \
         from it: use `docker login HOST`"
    )]
    ReferenceAt,
    /// The reference ends before the repository.
    #[error("`oci:{text}` names no repository: write `oci:HOST/REPOSITORY:TAG`")]
    ReferenceIncomplete {
        /// The reference as it was written.
        text: String,
    },
    /// The host or its port is not one.
    #[error(
        "`{host}` is not a host in `oci:{text}`: write a name or an address, `[…]` around IPv6, \
         and a port from 1 to 65535 after `:`"
    )]
    ReferenceHost {
        /// The reference as it was written.
        text: String,
        /// The part of it that should be the host.
        host: String,
    },
    /// The repository has characters that no registry takes.
    #[error(
        "`{repository}` is not a repository in `oci:{text}`: its parts are small letters and \
         digits with `.`, `_` or `-` between them"
    )]
    ReferenceRepository {
        /// The reference as it was written.
        text: String,
        /// The part of it that should be the repository.
        repository: String,
    },
    /// The tag has characters that no registry takes.
    #[error(
        "`{tag}` is not a tag in `oci:{text}`: write 1 to 128 letters, digits, `_`, `.` and \
         `-`, not beginning with `.` or `-`"
    )]
    ReferenceTag {
        /// The reference as it was written.
        text: String,
        /// The part of it that should be the tag.
        tag: String,
    },
    /// The digest is not a SHA-256 in small hex digits.
    #[error(
        "`{digest}` is not a digest in `oci:{text}`: write `sha256:` and 64 digits of `0-9a-f`"
    )]
    ReferenceDigest {
        /// The reference as it was written.
        text: String,
        /// The part of it that should be the digest.
        digest: String,
    },

    /// The folder or a file of the store cannot be read or written.
    #[error(
        "cannot use `{path}` of the module store: check the folder's owner, its mode and the \
         space on its disk"
    )]
    Store {
        /// The file or the folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },

    /// The file with the credentials cannot be read.
    #[error(
        "cannot read registry credentials from `{file}`: check its owner and its mode, or name \
         another file in `REGISTRY_AUTH_FILE`"
    )]
    AuthFileUnreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file with the credentials is not what Docker writes.
    #[error(
        "`{file}` is not a Docker configuration, {problem}: mend it or name another file in \
         `REGISTRY_AUTH_FILE`"
    )]
    AuthFileInvalid {
        /// The file.
        file: PathBuf,
        /// What is wrong with it, without its content.
        problem: String,
    },
    /// The entry of one registry is not usable.
    #[error(
        "the entry of `{registry}` in `{file}` is broken, {problem}: log in again with `docker \
         login {registry}`"
    )]
    AuthEntry {
        /// The registry.
        registry: String,
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The credential helper does not answer as it should.
    #[error(
        "the credential helper that `{file}` names for `{registry}` {problem}: try `echo \
         {registry} | docker-credential-NAME get`"
    )]
    AuthHelper {
        /// The registry.
        registry: String,
        /// The file that names the helper.
        file: PathBuf,
        /// What it did.
        problem: String,
    },

    /// The HTTP client cannot be built, mostly because there are no certificates to trust.
    #[error(
        "cannot set up TLS for registries: install the system's CA certificates or set \
         `SSL_CERT_FILE`"
    )]
    Client {
        /// The cause.
        source: Cause,
    },
    /// The registry is not reached, or the connection breaks.
    #[error(
        "cannot reach registry `{registry}` for `oci:{reference}`: check the name, the network \
         and `HTTPS_PROXY`"
    )]
    Unreachable {
        /// The reference.
        reference: String,
        /// The registry.
        registry: String,
        /// The cause.
        source: Cause,
    },
    /// TLS with the registry fails on its certificate.
    #[error(
        "the certificate of registry `{registry}` is not trusted, for `oci:{reference}`: set \
         `SSL_CERT_FILE` to the certificates of its authority"
    )]
    Certificate {
        /// The reference.
        reference: String,
        /// The registry.
        registry: String,
        /// The cause.
        source: Cause,
    },
    /// The registry is there, but does not serve now (429 or 5xx).
    #[error(
        "registry `{registry}` does not serve `oci:{reference}` now, status {status}: try again \
         later"
    )]
    Unavailable {
        /// The reference.
        reference: String,
        /// The registry.
        registry: String,
        /// The HTTP status.
        status: u16,
    },
    /// The whole pull took too long.
    #[error(
        "pulling `oci:{reference}` took longer than {after:?}: check the network or raise the \
         limit"
    )]
    TimedOut {
        /// The reference.
        reference: String,
        /// The time that a pull may take.
        after: Duration,
    },
    /// The registry wants credentials, and there are none.
    #[error(
        "registry `{registry}` wants credentials for `oci:{reference}`, or has no such \
         repository: use `docker login {registry}`"
    )]
    CredentialsMissing {
        /// The reference.
        reference: String,
        /// The registry.
        registry: String,
    },
    /// The registry refuses the credentials that there are.
    #[error(
        "registry `{registry}` refuses the credentials from `{file}` for `oci:{reference}`: log \
         in again with `docker login {registry}`, as a user who may pull"
    )]
    CredentialsRefused {
        /// The reference.
        reference: String,
        /// The registry.
        registry: String,
        /// The file with the credentials.
        file: PathBuf,
    },
    /// There is no such repository, tag or digest.
    #[error("registry `{registry}` has no `oci:{reference}`: check the repository and the tag")]
    NotFound {
        /// The reference.
        reference: String,
        /// The registry.
        registry: String,
    },
    /// The registry answers with something that is no use.
    #[error(
        "registry `{registry}` does not answer as a registry should for `oci:{reference}`: \
         {problem}"
    )]
    Answer {
        /// The reference.
        reference: String,
        /// The registry.
        registry: String,
        /// What it said or did, in one line.
        problem: String,
    },

    /// The manifest is not one, or not of a kind that can hold a module.
    #[error("the manifest of `oci:{reference}` cannot be used: {problem}")]
    Manifest {
        /// The reference.
        reference: String,
        /// What is wrong with it.
        problem: String,
    },
    /// No layer of the artifact is a module.
    #[error(
        "`oci:{reference}` holds no module: it has {found}, and a module is a layer of \
         `application/vnd.wasm.content.layer.v1+wasm` or `application/wasm`"
    )]
    NoModule {
        /// The reference.
        reference: String,
        /// The media types of the layers that there are.
        found: String,
    },
    /// The content is not what its digest says.
    #[error(
        "the {what} of `oci:{reference}` has the digest `{found}` instead of `{expected}`: do \
         not run it, and ask whoever runs the registry"
    )]
    Mismatch {
        /// The reference.
        reference: String,
        /// `manifest` or `layer`.
        what: &'static str,
        /// The digest that was asked for.
        expected: Digest,
        /// The digest of what came.
        found: String,
    },
    /// The module is larger than allowed.
    #[error(
        "the module of `oci:{reference}` is larger than {bytes_max} bytes: raise the limit if \
         this is meant"
    )]
    TooLarge {
        /// The reference.
        reference: String,
        /// The limit.
        bytes_max: u64,
    },
}

impl Error {
    /// Whether the registry did not answer, so that an earlier answer may stand in. An answer that
    /// refuses is not such a case: a tag that is gone, or a login that is revoked, has to be seen.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Certificate { .. }
                | Self::Unavailable { .. }
                | Self::TimedOut { .. }
        )
    }
}

#[cfg(test)]
mod tests;
