//! The path of a route.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// What a prefix ends in, as the manifest writes it.
const PREFIX_MARK: &str = "/...";

/// The path of a route: exact, or a prefix when it ends in `/...`.
///
/// It is compared with the path as the client sends it: case matters, and neither
/// percent-encoding, dot segments nor doubled slashes are resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Without [`PREFIX_MARK`].
    path: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Exact,
    Prefix,
}

/// Why a text is not a route's path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// The text does not begin with a slash, or is empty.
    #[error("a path begins with `/`; write `/{}`", .path.escape_debug())]
    NoSlash {
        /// The text.
        path: String,
    },
    /// The text has a star, which other routers take for a wildcard.
    #[error("`*` matches nothing special; to match all paths below one, end it in `/...`")]
    Star,
    /// The text has a query or a fragment, which routes do not look at.
    #[error("a route has a path only; leave out `{mark}` and what follows it")]
    NotPath {
        /// `?` or `#`.
        mark: char,
    },
    /// A character that clients only send percent-encoded, so it would never match.
    #[error("clients send {character:?} in a path as `{encoded}`; write that")]
    NotEncoded {
        /// The character.
        character: char,
        /// How it is sent.
        encoded: String,
    },
    /// Three dots that do not make a prefix.
    #[error("`...` stands at the end, after a `/`, and nowhere else, as in `/files/...`")]
    Dots,
}

impl Pattern {
    /// Reads the path of a route.
    ///
    /// # Errors
    /// The text is not a path, or could never match one.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if !text.starts_with('/') {
            return Err(PatternError::NoSlash { path: text.to_owned() });
        }
        for character in text.chars() {
            match character {
                '*' => return Err(PatternError::Star),
                '?' | '#' => return Err(PatternError::NotPath { mark: character }),
                '!'..='~' => {}
                _ => {
                    let utf8 = character.to_string();
                    let encoded = utf8_percent_encode(&utf8, NON_ALPHANUMERIC).to_string();
                    return Err(PatternError::NotEncoded { character, encoded });
                }
            }
        }
        let (path, kind) = match text.strip_suffix(PREFIX_MARK) {
            Some(path) => (path, Kind::Prefix),
            None => (text, Kind::Exact),
        };
        if path.contains("...") {
            return Err(PatternError::Dots);
        }
        Ok(Self { path: path.to_owned(), kind })
    }

    /// The path without the mark of a prefix.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn matches(&self, path: &str) -> bool {
        match (self.kind, path.strip_prefix(&self.path)) {
            (Kind::Exact, rest) => rest == Some(""),
            (Kind::Prefix, Some(rest)) => rest.is_empty() || rest.starts_with('/'),
            (Kind::Prefix, None) => false,
        }
    }

    /// The start of a matching path that identifies the guest (RFC 3875 section 4.1.13); the rest
    /// is `PATH_INFO`.
    pub(crate) fn script_name<'a>(&self, path: &'a str) -> &'a str {
        let end = match self.kind {
            Kind::Exact => path.len(),
            Kind::Prefix => self.path.len(),
        };
        match path.get(..end) {
            // The RFC has the root's be empty: the slash is the path info's.
            Some("/") => "",
            script_name => script_name.unwrap_or(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_match_exactly_or_by_whole_segments() {
        let table = [
            ("/foo", "/foo", true),
            ("/foo", "/foo/", false),
            ("/foo", "/Foo", false),
            ("/foo", "/foo%20", false),
            ("/foo/...", "/foo", true),
            ("/foo/...", "/foo/", true),
            ("/foo/...", "/foo/a/b", true),
            ("/foo/...", "/foobar", false),
            ("/foo/...", "/", false),
            ("/...", "/", true),
            ("/...", "/a", true),
            ("/...", "//", true),
            ("/...", "*", false),
            ("/", "/", true),
            ("/", "//", false),
            ("/a//...", "/a/", true),
            ("/a//...", "/a", false),
        ];
        for (pattern, path, expected) in table {
            let parsed = Pattern::parse(pattern).unwrap();
            assert_eq!(parsed.matches(path), expected, "{pattern} on {path}");
        }
    }

    #[test]
    fn refusals_say_what_to_write() {
        let table = [
            ("", "a path begins with `/`; write `/`"),
            ("foo", "a path begins with `/`; write `/foo`"),
            ("...", "a path begins with `/`; write `/...`"),
            (
                "/foo/*",
                "`*` matches nothing special; to match all paths below one, end it in `/...`",
            ),
            ("/foo?x=1", "a route has a path only; leave out `?` and what follows it"),
            ("/foo#x", "a route has a path only; leave out `#` and what follows it"),
            ("/a b", "clients send ' ' in a path as `%20`; write that"),
            ("/gr\u{fc}n", "clients send 'ü' in a path as `%C3%BC`; write that"),
            ("/a\nb", "clients send '\\n' in a path as `%0A`; write that"),
            (
                "/foo...",
                "`...` stands at the end, after a `/`, and nowhere else, as in `/files/...`",
            ),
            (
                "/.../a",
                "`...` stands at the end, after a `/`, and nowhere else, as in `/files/...`",
            ),
            (
                "/.../...",
                "`...` stands at the end, after a `/`, and nowhere else, as in `/files/...`",
            ),
        ];
        for (text, message) in table {
            assert_eq!(Pattern::parse(text).unwrap_err().to_string(), message, "{text:?}");
        }
    }
}
