//! The path of a route.

mod error;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

pub use error::PatternError;

/// What a prefix ends in, as the manifest writes it.
const PREFIX_MARK: &str = "/...";
/// What a parameter begins with.
const PARAMETER_MARK: char = ':';
/// A lookup walks a route's segments by recursion; no sensible path is this deep.
const SEGMENTS_MAX: usize = 256;

/// The path of a route: exact, or a prefix when it ends in `/...`. In a `trilby.toml` a segment
/// that begins with `:` is a parameter.
///
/// It is compared with the path as the client sends it: case matters, and neither
/// percent-encoding, dot segments nor doubled slashes are resolved. A parameter matches exactly
/// one segment, whatever it is unless it is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    segments: Vec<Segment>,
    kind: Kind,
    /// How long the path is without the mark of a prefix; `None` if that depends on parameters.
    /// It spares most requests a second walk through their path.
    literal_bytes: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Exact,
    Prefix,
}

/// What stands between two slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    Literal(Box<str>),
    /// Its name, without the `:`.
    Parameter(Box<str>),
}

impl Pattern {
    /// Reads the path of a route of a `trilby.toml`.
    ///
    /// # Errors
    /// The text is not a path, could never match one, or has a bad parameter.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        check_characters(text, |character| match character {
            '*' => Err(PatternError::Star),
            '!'..='~' => Ok(()),
            _ => Err(not_encoded(character)),
        })?;
        let (path, kind) = split_mark(text);
        if path.contains("...") {
            return Err(PatternError::Dots);
        }
        let segments = segments(path).map(segment).collect::<Result<Vec<_>, _>>()?;
        let is_literal = segments.iter().all(|segment| segment.parameter().is_none());
        let pattern = Self { segments, kind, literal_bytes: is_literal.then_some(path.len()) };
        pattern.check_depth()?;
        pattern.check_names()?;
        Ok(pattern)
    }

    /// Reads the path of a route of WAGI's `modules.toml`: a `:` is an ordinary character, and so
    /// is all else that some client could send.
    ///
    /// # Errors
    /// The text could never match a path.
    pub fn parse_wagi(text: &str) -> Result<Self, PatternError> {
        check_characters(text, |character| match character {
            // Some clients send such characters as they are, and the server takes them.
            '!'..='~' | '\u{80}'.. => Ok(()),
            _ => Err(not_encoded(character)),
        })?;
        let (path, kind) = split_mark(text);
        let segments = segments(path).map(|text| Segment::Literal(text.into())).collect();
        let pattern = Self { segments, kind, literal_bytes: Some(path.len()) };
        pattern.check_depth()?;
        Ok(pattern)
    }

    /// Whether both match the same paths: they differ in the names of parameters at most.
    #[must_use]
    pub fn same_paths(&self, other: &Self) -> bool {
        let same = |(one, two): (&Segment, &Segment)| match (one, two) {
            (Segment::Parameter(_), Segment::Parameter(_)) => true,
            (one, two) => one == two,
        };
        self.kind == other.kind
            && self.segments.len() == other.segments.len()
            && self.segments.iter().zip(&other.segments).all(same)
    }

    /// The names of the parameters, without their `:`, from the left.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(Segment::parameter)
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The start of a matching path that identifies the guest (RFC 3875 section 4.1.13); the rest
    /// is `PATH_INFO`.
    pub(crate) fn script_name<'a>(&self, path: &'a str) -> &'a str {
        let end = match (self.kind, self.literal_bytes) {
            (Kind::Exact, _) => None,
            (Kind::Prefix, Some(bytes)) => Some(bytes),
            // The slash after the last segment of the prefix, if there is one.
            (Kind::Prefix, None) => {
                path.match_indices('/').nth(self.segments.len()).map(|(end, _)| end)
            }
        };
        let script_name = end.and_then(|end| path.get(..end)).unwrap_or(path);
        // The RFC has the root's be empty: the slash is the path info's.
        if script_name == "/" { "" } else { script_name }
    }

    /// The parameters of a matching path: names, and values as the client sent them.
    pub(crate) fn values<'a>(&'a self, path: &'a str) -> Vec<(&'a str, &'a str)> {
        if self.literal_bytes.is_some() {
            return Vec::new();
        }
        self.segments
            .iter()
            .zip(segments(path))
            .filter_map(|(segment, text)| Some((segment.parameter()?, text)))
            .collect()
    }

    fn check_depth(&self) -> Result<(), PatternError> {
        if self.segments.len() > SEGMENTS_MAX {
            return Err(PatternError::TooDeep { segments_max: SEGMENTS_MAX });
        }
        Ok(())
    }

    fn check_names(&self) -> Result<(), PatternError> {
        for (place, second) in self.parameters().enumerate() {
            let variable = variable_name(second);
            let mut earlier = self.parameters().take(place);
            if let Some(first) = earlier.find(|first| variable_name(first) == variable) {
                let (first, second) = (first.to_owned(), second.to_owned());
                return Err(PatternError::SameParameter { first, second, variable });
            }
        }
        Ok(())
    }
}

impl Segment {
    fn parameter(&self) -> Option<&str> {
        match self {
            Self::Parameter(name) => Some(name),
            Self::Literal(_) => None,
        }
    }
}

/// A parameter's name as the end of a variable's name.
pub(crate) fn variable_name(parameter: &str) -> String {
    let upper = |c: char| if c == '-' { '_' } else { c.to_ascii_uppercase() };
    parameter.chars().map(upper).collect()
}

/// The segments of a path; of the empty path there are none.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').into_iter().flat_map(|path| path.split('/'))
}

fn check_characters(
    text: &str,
    mut check: impl FnMut(char) -> Result<(), PatternError>,
) -> Result<(), PatternError> {
    if !text.starts_with('/') {
        return Err(PatternError::NoSlash { path: text.to_owned() });
    }
    text.chars().try_for_each(|character| match character {
        '?' | '#' => Err(PatternError::NotPath { mark: character }),
        // The server refuses a request whose path has one of these as it is.
        '<' | '>' | '`' => Err(not_encoded(character)),
        _ => check(character),
    })
}

fn not_encoded(character: char) -> PatternError {
    let utf8 = character.to_string();
    let encoded = utf8_percent_encode(&utf8, NON_ALPHANUMERIC).to_string();
    PatternError::NotEncoded { character, encoded }
}

fn split_mark(text: &str) -> (&str, Kind) {
    match text.strip_suffix(PREFIX_MARK) {
        Some(path) => (path, Kind::Prefix),
        None => (text, Kind::Exact),
    }
}

fn segment(text: &str) -> Result<Segment, PatternError> {
    let Some(name) = text.strip_prefix(PARAMETER_MARK) else {
        return Ok(Segment::Literal(text.into()));
    };
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !begins || !name.chars().all(legal) {
        return Err(PatternError::BadParameter { name: name.to_owned() });
    }
    Ok(Segment::Parameter(name.into()))
}

#[cfg(test)]
mod tests;
