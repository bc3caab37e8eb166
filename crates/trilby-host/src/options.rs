//! The option block: `name: value` lines, as in a CGI header.

use trilby_dapr::state::{Concurrency, Consistency};
use trilby_dapr::{Error, Metadata};

/// An operation's options, each known by the time it is used.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) etag: Option<String>,
    pub(crate) consistency: Consistency,
    pub(crate) concurrency: Concurrency,
    pub(crate) content_type: Option<String>,
    pub(crate) metadata: Metadata,
}

/// The option names, besides `metadata.NAME`, that an operation takes.
pub(crate) type Known = &'static [&'static str];

/// Reads an option block. Unknown and repeated names are errors: an option that is silently
/// ignored, such as a mistyped `etag`, costs data.
pub(crate) fn parse(text: &str, known: Known) -> Result<Options, Error> {
    let mut options = Options::default();
    let mut seen: Vec<&str> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| Error::invalid("an option line has no `:`; write `name: value`"))?;
        let (name, value) = (name.trim(), value.trim());
        if let Some(key) = name.strip_prefix("metadata.").filter(|key| !key.is_empty()) {
            if options.metadata.insert(key.to_owned(), value.to_owned()).is_some() {
                return Err(repeated(name));
            }
            continue;
        }
        if !known.contains(&name) {
            let known: String = known.iter().map(|known| format!("`{known}`, ")).collect();
            return Err(Error::invalid(format!(
                "unknown option `{}`; this operation knows {known}`metadata.NAME`",
                name.escape_debug()
            )));
        }
        if seen.contains(&name) {
            return Err(repeated(name));
        }
        seen.push(name);
        set(&mut options, name, value)?;
    }
    Ok(options)
}

fn set(options: &mut Options, name: &str, value: &str) -> Result<(), Error> {
    match (name, value) {
        ("etag", _) => options.etag = Some(value.to_owned()),
        ("content-type", _) => options.content_type = Some(value.to_owned()),
        ("consistency", "eventual") => options.consistency = Consistency::Eventual,
        ("consistency", "strong") => options.consistency = Consistency::Strong,
        ("concurrency", "first-write") => options.concurrency = Concurrency::FirstWrite,
        ("concurrency", "last-write") => options.concurrency = Concurrency::LastWrite,
        _ => {
            return Err(Error::invalid(format!(
                "option `{name}` does not take the value `{}`",
                value.escape_debug()
            )));
        }
    }
    Ok(())
}

fn repeated(name: &str) -> Error {
    Error::invalid(format!("option `{}` is given twice", name.escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: Known = &["etag", "consistency", "concurrency", "content-type"];

    #[test]
    fn every_option_is_read() {
        let options = parse(
            "etag: 7\r\nconsistency: strong\nconcurrency:first-write\n\
             content-type: application/json\nmetadata.ttlInSeconds: 60\n",
            SET,
        )
        .expect("valid");
        assert_eq!(options.etag.as_deref(), Some("7"));
        assert_eq!(options.consistency, Consistency::Strong);
        assert_eq!(options.concurrency, Concurrency::FirstWrite);
        assert_eq!(options.content_type.as_deref(), Some("application/json"));
        assert_eq!(options.metadata.get("ttlInSeconds").map(String::as_str), Some("60"));
    }

    #[test]
    fn the_empty_block_is_the_default() {
        assert_eq!(parse("", SET), Ok(Options::default()));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for text in [
            "nonsense",
            "etags: 7",
            "etag: 1\netag: 2",
            "metadata.a: 1\nmetadata.a: 2",
            "metadata.: x",
            "consistency: maybe",
            "concurrency: 1",
        ] {
            let error = parse(text, SET).expect_err(text);
            assert_eq!(error.code, trilby_dapr::Code::InvalidArgument, "{text}");
        }
        assert!(parse("etag: 1", &["consistency"]).is_err());
    }
}
