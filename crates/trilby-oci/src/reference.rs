//! What stands after `oci:`, read into registry, repository, tag and digest.

use std::fmt;
use std::net::Ipv6Addr;

use crate::{Digest, Error};

/// The longest repository name that registries take, with its slashes.
const REPOSITORY_BYTES_MAX: usize = 255;
/// The longest tag (OCI distribution spec, pulling manifests).
const TAG_BYTES_MAX: usize = 128;
/// The registry of a reference without a host, as in Docker.
const DEFAULT_REGISTRY: &str = "docker.io";

/// A module in a registry.
///
/// `Display` gives the full form, `HOST[:PORT]/REPOSITORY[:TAG][@sha256:HEX]`, with `//` before a
/// host that would not be taken for one. [`Reference::parse`] gives the same reference again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// Reads what stands after `oci:` in a module reference.
    ///
    /// `repo:tag`, `host[:port]/repo:tag` and `//host[:port]/repo:tag` are understood, each also
    /// with `@sha256:<64 hex digits>` in place of the tag or after it. After `//` the first part is
    /// always the host. Without `//` it is the host if it has a dot or a port or is `localhost`,
    /// and else the registry is `docker.io`, where a name of one part is in `library/`: Docker's
    /// rules, which WAGI follows. Without tag and digest the tag is `latest`.
    ///
    /// # Errors
    ///
    /// One of the `Reference…` variants, if the text has another form.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.starts_with("docker:") || text.contains("://") {
            return Err(Error::ReferenceScheme);
        }
        let (name, digest) = match text.rsplit_once('@') {
            Some((name, digest)) => (name, Some(parse_digest(text, name, digest)?)),
            None => (text, None),
        };
        let (host, path) = split_host(name);
        let registry = match host {
            Some(host) => parse_host(text, host)?,
            None => DEFAULT_REGISTRY.to_owned(),
        };
        let (repository, tag) = match path.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
            _ => (path, None),
        };
        let repository = parse_repository(text, &registry, repository)?;
        let tag = match tag {
            Some(tag) => Some(parse_tag(text, tag)?),
            None if digest.is_none() => Some("latest".to_owned()),
            None => None,
        };
        Ok(Self { registry, repository, tag, digest })
    }

    /// The registry's host, with its port if one is given.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository within the registry.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag; `None` only if there is a digest.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest of the manifest to which the reference is pinned.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// Whether the registry is on this machine, where plain HTTP is the custom.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = match self.registry.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => host,
            _ => &self.registry,
        };
        matches!(host, "localhost" | "127.0.0.1" | "[::1]")
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slashes = if looks_like_host(&self.registry) { "" } else { "//" };
        write!(f, "{slashes}{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

fn parse_digest(text: &str, name: &str, digest: &str) -> Result<Digest, Error> {
    // What is not a digest may be a host after `user:password@`: such text is not to be repeated.
    if name.contains('@') || !digest.starts_with("sha") || digest.contains('/') {
        return Err(Error::ReferenceAt);
    }
    Digest::parse(digest)
        .ok_or_else(|| Error::ReferenceDigest { text: text.to_owned(), digest: digest.to_owned() })
}

fn split_host(name: &str) -> (Option<&str>, &str) {
    if let Some(rest) = name.strip_prefix("//") {
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        return (Some(host), path);
    }
    match name.split_once('/') {
        Some((host, path)) if looks_like_host(host) => (Some(host), path),
        _ => (None, name),
    }
}

/// Whether the first part of a reference is a host and not a user of Docker Hub.
fn looks_like_host(part: &str) -> bool {
    part.eq_ignore_ascii_case("localhost") || part.contains(['.', ':', '['])
}

fn parse_host(text: &str, registry: &str) -> Result<String, Error> {
    let (host, port) = match registry.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (registry, None),
    };
    let port_is_right =
        port.is_none_or(|port| port.parse::<u16>().is_ok_and(|number| number.to_string() == port));
    if !is_host(host) || !port_is_right || port == Some("0") {
        return Err(Error::ReferenceHost { text: text.to_owned(), host: registry.to_owned() });
    }
    let registry = registry.to_ascii_lowercase();
    // Docker Hub under its other name.
    Ok(if registry == "index.docker.io" { DEFAULT_REGISTRY.to_owned() } else { registry })
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    host.split('.').all(|label| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

fn parse_repository(text: &str, registry: &str, repository: &str) -> Result<String, Error> {
    if repository.is_empty() {
        return Err(Error::ReferenceIncomplete { text: text.to_owned() });
    }
    if repository.len() > REPOSITORY_BYTES_MAX || !repository.split('/').all(is_component) {
        return Err(Error::ReferenceRepository {
            text: text.to_owned(),
            repository: repository.to_owned(),
        });
    }
    if registry == DEFAULT_REGISTRY && !repository.contains('/') {
        return Ok(format!("library/{repository}"));
    }
    Ok(repository.to_owned())
}

/// Whether this is one part of a repository's name (OCI distribution spec, pulling manifests):
/// runs of small letters and digits with `.`, `_`, `__` or hyphens between them.
fn is_component(component: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    component.starts_with(alphanumeric)
        && component.ends_with(alphanumeric)
        && component.split(alphanumeric).all(|between| {
            matches!(between, "." | "_" | "__") || between.bytes().all(|b| b == b'-')
        })
}

fn parse_tag(text: &str, tag: &str) -> Result<String, Error> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let right = tag.len() <= TAG_BYTES_MAX
        && tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'));
    if right {
        Ok(tag.to_owned())
    } else {
        Err(Error::ReferenceTag { text: text.to_owned(), tag: tag.to_owned() })
    }
}

#[cfg(test)]
mod tests;
