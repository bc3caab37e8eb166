//! What a guest was given, as the guest `show.wat` of [`wat`](crate::wat) answers it.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use trilby_testkit::Trilby;

use crate::raw;

/// An environment and arguments.
pub(crate) struct Shown {
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) args: Vec<String>,
}

impl Shown {
    /// Reads the guest's answer. A name must not occur twice.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let (lines, args) = text.split_once('\n').context("no environment")?;
        let mut env = BTreeMap::new();
        for line in lines.split_terminator('\0') {
            let (name, value) = line.split_once('=').context("no `=`")?;
            assert!(env.insert(name.to_owned(), value.to_owned()).is_none(), "{name} twice");
        }
        Ok(Self { env, args: args.split_terminator('\0').map(str::to_owned).collect() })
    }

    /// Asserts the values of variables; `None` for one that must not be there.
    #[track_caller]
    pub(crate) fn has(&self, expected: &[(&str, Option<&str>)]) {
        for (name, value) in expected {
            assert_eq!(self.env.get(*name).map(String::as_str), *value, "{name}: {:#?}", self.env);
        }
    }
}

/// Sends a request head with these lines after the first, and gives what the guest saw.
pub(crate) async fn shown(trilby: &Trilby, first: &str, lines: &[&str]) -> Result<Shown> {
    let head = [&[first], lines].concat().join("\r\n");
    let (head, body) = raw::request(trilby, &format!("{head}\r\n\r\n")).await?;
    assert_eq!(head.status, 200, "{first}: {body}");
    Shown::parse(&body)
}
