//! The parameters of a request, and which of them were of use.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::str::FromStr;

use trilby_guest::cgi::Request;

use crate::Failure;

/// A request to the probe.
#[derive(Debug)]
pub struct Query {
    request: Request,
    /// Names and values, decoded, which need not be UTF-8.
    fields: Vec<(String, Vec<u8>)>,
    used: RefCell<BTreeSet<String>>,
}

impl Query {
    /// Takes the parameters out of a request.
    pub fn new(request: Request) -> Self {
        let encoded = request.variable("QUERY_STRING").unwrap_or_default();
        let fields = encoded.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (String::from_utf8_lossy(&decode(name)).into_owned(), decode(value))
        });
        Self { fields: fields.collect(), request, used: RefCell::default() }
    }

    pub(crate) fn path(&self) -> &str {
        self.request.path_info()
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        self.request.body()
    }

    /// The body as text.
    pub fn text(&self) -> Result<&str, Failure> {
        std::str::from_utf8(self.body()).map_err(|_| Failure::asked("the body is not UTF-8"))
    }

    /// The bytes of a parameter.
    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.used.borrow_mut().insert(name.to_owned());
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_slice())
    }

    /// A parameter that may be left out. What is not UTF-8 is for `raw` only.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.bytes(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// A parameter that must be there.
    pub fn need(&self, name: &str) -> Result<&str, Failure> {
        self.get(name).ok_or_else(|| Failure::asked(format!("no parameter {name:?}")))
    }

    /// A parameter of another type, which may be left out.
    pub fn parse<T: FromStr>(&self, name: &str) -> Result<Option<T>, Failure> {
        let wrong = |_| Failure::asked(format!("parameter {name:?} is no value of its type"));
        self.get(name).map(|value| value.parse().map_err(wrong)).transpose()
    }

    /// The parameters whose names begin with `prefix`, without it.
    pub fn all(&self, prefix: &str) -> Vec<(&str, &str)> {
        let mut found = Vec::new();
        for (name, value) in &self.fields {
            let Some(rest) = name.strip_prefix(prefix) else { continue };
            self.used.borrow_mut().insert(name.clone());
            if let Ok(value) = std::str::from_utf8(value) {
                found.push((rest, value));
            }
        }
        found
    }

    /// The parameters `metadata.NAME`.
    pub fn metadata(&self) -> Vec<(&str, &str)> {
        self.all("metadata.")
    }

    /// Parameters that nothing asked for.
    pub(crate) fn unused(&self) -> Vec<&str> {
        let used = self.used.borrow();
        let names = self.fields.iter().map(|(name, _)| name.as_str());
        names.filter(|name| !used.contains(*name)).collect()
    }
}

/// Decodes `+` and `%XX` to bytes.
fn decode(encoded: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = encoded.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let escape = tail
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        match escape {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => bytes.push(if *first == b'+' { b' ' } else { *first }),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_bytes_and_unknown_ones_are_found() {
        let query = Query::new(Request::new([("QUERY_STRING", "a=%ff+x&b=%7C%7C&c&m.d=1")], ""));
        assert_eq!(query.bytes("a"), Some(&b"\xff x"[..]));
        assert_eq!(query.get("a"), None);
        assert_eq!(query.get("b"), Some("||"));
        assert_eq!(query.unused(), ["c", "m.d"]);
        assert_eq!(query.all("m."), [("d", "1")]);
        assert_eq!(query.need("c").unwrap(), "");
        assert!(query.unused().is_empty());
    }
}
