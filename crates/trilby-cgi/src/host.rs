//! The host of a route.

use std::borrow::Cow;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::authority::Authority;

/// RFC 1035 section 2.3.4, without the dot at the end.
const NAME_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;

/// The host of a route: one name or address, or all names below one (`*.example.com`).
///
/// Case does not matter. `*` stands for one or more labels, so `*.example.com` matches
/// `a.example.com` and `a.b.example.com`, but not `example.com`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPattern {
    /// In lower case and without the `*.`; an IPv6 address in brackets.
    name: String,
    wildcard: bool,
}

/// Why a text is not a route's host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The text is empty or a mere star.
    #[error("a host is a name such as `api.example.com`; to match any host leave it out")]
    Any,
    /// A star that is not the first label.
    #[error("`*` stands at the start, before a `.`, and nowhere else, as in `*.example.com`")]
    Star,
    /// A whole URL, or something else with a slash.
    #[error("a host has neither scheme nor path; write the name only, as in `api.example.com`")]
    Url,
    /// A port, which routes do not look at.
    #[error("a host has no port here; leave out `:{port}`")]
    Port {
        /// What follows the `:`.
        port: String,
    },
    /// A character that clients do not send in a host.
    #[error(
        "a host has letters, digits, `-`, `_` and `.`, not {character:?}; an international name \
         is written as clients send it, as in `xn--mnchen-3ya.de`"
    )]
    Character {
        /// The character.
        character: char,
    },
    /// The name is too long, or one of its labels is, or is empty.
    #[error(
        "a host is at most 253 characters long, and each part between dots has 1 to 63; \
         `{name}` is not"
    )]
    Length {
        /// The name, without `*.`.
        name: String,
    },
    /// Neither a name nor an address.
    #[error("`{name}` is not an IP address; write one as in `192.0.2.1` or `2001:db8::1`")]
    Address {
        /// The text, without `*.`.
        name: String,
    },
}

impl HostPattern {
    /// Reads the host of a route.
    ///
    /// # Errors
    /// The text is not a host, or could never match one.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        if matches!(text, "" | "*" | "*.") {
            return Err(HostError::Any);
        }
        if text.contains('/') {
            return Err(HostError::Url);
        }
        if let Some(name) = ipv6(text)? {
            return Ok(Self { name, wildcard: false });
        }
        let (name, wildcard) = match text.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (text, false),
        };
        check_name(name, wildcard)?;
        Ok(Self { name: name.to_ascii_lowercase(), wildcard })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn is_wildcard(&self) -> bool {
        self.wildcard
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.wildcard { "*." } else { "" })?;
        f.write_str(&self.name)
    }
}

/// An IPv6 address with or without brackets, in brackets and in its canonical form.
fn ipv6(text: &str) -> Result<Option<String>, HostError> {
    let bare = match text.strip_prefix('[') {
        Some(inner) => match inner.split_once(']') {
            Some((bare, "")) => bare,
            Some((_, port)) if port.starts_with(':') => return Err(port_of(port)),
            _ => return Err(HostError::Address { name: text.to_owned() }),
        },
        // One colon comes before a port; an IPv6 address has at least two.
        None if text.matches(':').count() > 1 => text,
        None => return Ok(None),
    };
    match bare.parse::<Ipv6Addr>() {
        Ok(address) => Ok(Some(format!("[{address}]"))),
        Err(_) => Err(HostError::Address { name: text.to_owned() }),
    }
}

fn port_of(rest: &str) -> HostError {
    HostError::Port { port: rest.trim_start_matches(':').to_owned() }
}

fn check_name(name: &str, wildcard: bool) -> Result<(), HostError> {
    if let Some(at) = name.find(':') {
        return Err(port_of(name.get(at..).unwrap_or_default()));
    }
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match name.chars().find(|c| !legal(*c)) {
        Some('*') => return Err(HostError::Star),
        Some(character) => return Err(HostError::Character { character }),
        None => {}
    }
    let fits = |label: &str| (1..=LABEL_BYTES_MAX).contains(&label.len());
    if name.len() > NAME_BYTES_MAX || !name.split('.').all(fits) {
        return Err(HostError::Length { name: name.to_owned() });
    }
    // No name ends in a number (RFC 3696 section 2), so it must be an address, and addresses have
    // nothing below them.
    let last = name.rsplit('.').next().unwrap_or_default();
    let numeric = last.bytes().all(|c| c.is_ascii_digit());
    if numeric && (wildcard || name.parse::<Ipv4Addr>().is_err()) {
        return Err(HostError::Address { name: name.to_owned() });
    }
    Ok(())
}

/// The host of an authority as a [`HostPattern`] has it; `None` if there is none that could match.
pub(crate) fn normal(authority: &str) -> Option<Cow<'_, str>> {
    let name = Authority::parse(authority)?.name;
    if let Some(inner) = name.strip_prefix('[') {
        let address: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
        return Some(Cow::Owned(format!("[{address}]")));
    }
    // A dot at the end says that the name is complete, which it is here anyway.
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.len() > NAME_BYTES_MAX {
        return None;
    }
    if name.bytes().any(|c| c.is_ascii_uppercase()) {
        return Some(Cow::Owned(name.to_ascii_lowercase()));
    }
    Some(Cow::Borrowed(name))
}

#[cfg(test)]
mod tests;
