//! The options of an operation: lines of `name: value`, as in CGI.

use std::str::FromStr;
use std::time::Duration;

use trilby_dapr::event::duration;
use trilby_dapr::state::{Concurrency, Consistency};
use trilby_dapr::{Error, Metadata};

/// The option names that an operation takes.
pub(crate) type Known = &'static [&'static str];

/// Stands for all options whose names begin with `metadata.`.
pub(crate) const METADATA: &str = "metadata.NAME";

/// Stands for all options whose names begin with `header.`.
pub(crate) const HEADER: &str = "header.NAME";

/// An operation's options. Each operation takes out those that it knows.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    given: Vec<(&'static str, String)>,
    /// `header.NAME`, without `header.`.
    pub(crate) headers: Vec<(String, String)>,
    /// `metadata.NAME`, without `metadata.`.
    pub(crate) metadata: Metadata,
}

/// Reads an option block. Unknown and repeated names are errors: an option that is silently
/// ignored, such as a mistyped `etag`, costs data.
pub(crate) fn parse(text: &str, known: Known) -> Result<Options, Error> {
    let mut options = Options::default();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| Error::invalid("an option line has no `:`; write `name: value`"))?;
        options.add(name.trim(), value.trim().to_owned(), known)?;
    }
    Ok(options)
}

impl Options {
    fn add(&mut self, name: &str, value: String, known: Known) -> Result<(), Error> {
        let of_family = |family: &'static str| {
            let rest = name.strip_prefix(family.strip_suffix("NAME")?)?;
            (known.contains(&family) && !rest.is_empty()).then(|| rest.to_owned())
        };
        if let Some(key) = of_family(METADATA) {
            return match self.metadata.insert(key, value) {
                Some(_) => Err(repeated(name)),
                None => Ok(()),
            };
        }
        if let Some(header) = of_family(HEADER) {
            if self.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(&header)) {
                return Err(repeated(name));
            }
            self.headers.push((header, value));
            return Ok(());
        }
        let is_family = name == METADATA || name == HEADER;
        let Some(name) = known.iter().find(|known| **known == name && !is_family) else {
            return Err(unknown(name, known));
        };
        if self.given.iter().any(|(given, _)| given == name) {
            return Err(repeated(name));
        }
        self.given.push((name, value));
        Ok(())
    }

    /// Takes an option out, as it was written.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        let index = self.given.iter().position(|(given, _)| *given == name)?;
        Some(self.given.swap_remove(index).1)
    }

    /// Takes an option that must be there, and not be empty.
    pub(crate) fn require(&mut self, name: &str) -> Result<String, Error> {
        let value = self.take(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| Error::invalid(format!("option `{name}` must be there")))
    }

    /// Takes an option that has one of a few values.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        name: &str,
        values: &[(&str, T)],
    ) -> Result<Option<T>, Error> {
        let Some(value) = self.take(name) else { return Ok(None) };
        match values.iter().find(|(known, _)| *known == value) {
            Some((_, meaning)) => Ok(Some(*meaning)),
            None => {
                let known: Vec<_> = values.iter().map(|(known, _)| format!("`{known}`")).collect();
                Err(bad_value(name, &value, &known.join(" or ")))
            }
        }
    }

    /// Takes an option that is `true` or `false`.
    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>, Error> {
        self.choice(name, &[("true", true), ("false", false)])
    }

    /// Takes an option that is a whole number.
    pub(crate) fn number<T: FromStr>(
        &mut self,
        name: &str,
        takes: &str,
    ) -> Result<Option<T>, Error> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let is_decimal = value.bytes().all(|byte| byte.is_ascii_digit());
        let number = value.parse().ok().filter(|_| is_decimal);
        number.map(Some).ok_or_else(|| bad_value(name, &value, takes))
    }

    /// Takes an option that is a duration in Go's form.
    pub(crate) fn duration(&mut self, name: &str) -> Result<Option<Duration>, Error> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let duration = duration::parse(&value).and_then(|duration| duration.try_into().ok());
        duration.map(Some).ok_or_else(|| bad_value(name, &value, "a duration such as `1m30s`"))
    }

    /// Takes `consistency`.
    pub(crate) fn consistency(&mut self) -> Result<Consistency, Error> {
        let values = [("eventual", Consistency::Eventual), ("strong", Consistency::Strong)];
        Ok(self.choice("consistency", &values)?.unwrap_or_default())
    }

    /// Takes `concurrency`.
    pub(crate) fn concurrency(&mut self) -> Result<Concurrency, Error> {
        let values =
            [("first-write", Concurrency::FirstWrite), ("last-write", Concurrency::LastWrite)];
        Ok(self.choice("concurrency", &values)?.unwrap_or_default())
    }

    /// Takes `etag`; an empty one is none.
    pub(crate) fn etag(&mut self) -> Option<String> {
        self.take("etag").filter(|etag| !etag.is_empty())
    }
}

/// The error that an option has a value which it does not take.
pub(crate) fn bad_value(name: &str, value: &str, takes: &str) -> Error {
    let value = crate::shown(value);
    Error::invalid(format!("option `{name}` takes {takes}, not `{value}`"))
}

fn unknown(name: &str, known: Known) -> Error {
    let name = crate::shown(name);
    let known: Vec<_> = known.iter().map(|known| format!("`{known}`")).collect();
    let known = if known.is_empty() { "no options".to_owned() } else { known.join(", ") };
    Error::invalid(format!("unknown option `{name}`; this operation knows {known}"))
}

fn repeated(name: &str) -> Error {
    Error::invalid(format!("option `{}` is given twice", crate::shown(name)))
}

#[cfg(test)]
mod tests;
