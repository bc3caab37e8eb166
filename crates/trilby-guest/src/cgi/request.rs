//! The request: environment variables and a body.

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::{Entry, Envelope, Trigger, form};

/// A request, whatever brought it.
#[derive(Clone, Debug, Default)]
pub struct Request {
    variables: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Request {
    /// Reads the request that the host gives to this process, with its body to the end.
    pub fn read() -> io::Result<Self> {
        let mut body = Vec::new();
        io::stdin().lock().read_to_end(&mut body)?;
        let variables = std::env::vars_os().map(|(name, value)| {
            (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())
        });
        Ok(Self::new(variables, body))
    }

    /// A request from variables as in CGI: what a test of a guest starts from.
    ///
    /// ```
    /// use trilby_guest::cgi::Request;
    ///
    /// let request = Request::new([("QUERY_STRING", "name=Ada+L"), ("HTTP_X_ID", "7")], "");
    /// assert_eq!(request.query("name").as_deref(), Some("Ada L"));
    /// assert_eq!(request.header("X-Id"), Some("7"));
    /// assert_eq!(request.method(), "GET");
    /// ```
    pub fn new<N: Into<String>, V: Into<String>>(
        variables: impl IntoIterator<Item = (N, V)>,
        body: impl Into<Vec<u8>>,
    ) -> Self {
        let variables =
            variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { variables, body: body.into() }
    }

    /// The method, in capitals; `GET` if the host gave none.
    #[must_use]
    pub fn method(&self) -> &str {
        self.variable("REQUEST_METHOD").unwrap_or("GET")
    }

    /// The path after the part that the route matched, percent-decoded. Empty on an exact route.
    #[must_use]
    pub fn path_info(&self) -> &str {
        self.variable("PATH_INFO").unwrap_or_default()
    }

    /// The first query parameter of this name, decoded.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<String> {
        form::field(self.variable("QUERY_STRING")?, name)
    }

    /// All query parameters in order, decoded.
    pub fn queries(&self) -> impl Iterator<Item = (String, String)> {
        form::fields(self.variable("QUERY_STRING").unwrap_or_default())
    }

    /// The first field of this name in a form body, decoded; `None` if the body is no form.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        let media_type = self.content_type()?.split(';').next()?.trim();
        if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return None;
        }
        form::field(std::str::from_utf8(&self.body).ok()?, name)
    }

    /// A header, its name in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let name = name.to_ascii_uppercase().replace('-', "_");
        match name.as_str() {
            "CONTENT_TYPE" => self.content_type(),
            "CONTENT_LENGTH" => self.variable("CONTENT_LENGTH"),
            _ => self.variable(&format!("HTTP_{name}")),
        }
    }

    /// The body's media type with its parameters.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.variable("CONTENT_TYPE").filter(|value| !value.is_empty())
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// An environment variable: one of CGI, or one that the manifest sets.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// What brought the request.
    #[must_use]
    pub fn trigger(&self) -> Trigger {
        Trigger::of(self)
    }

    /// The whole CloudEvent of a route with `envelope = true`; `None` if the body is none.
    #[must_use]
    pub fn envelope(&self) -> Option<Envelope> {
        Envelope::parse(&self.body)
    }

    /// The events of a route with `bulk`; `None` if the body is no list of them.
    #[must_use]
    pub fn entries(&self) -> Option<Vec<Entry>> {
        Entry::parse_all(&self.body)
    }

    pub(super) fn owned(&self, name: &str) -> String {
        self.variable(name).unwrap_or_default().to_owned()
    }

    /// All variables whose names begin with `prefix`, without it.
    pub(super) fn variables_of<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let named = move |(name, value): (&'a String, &'a String)| {
            Some((name.strip_prefix(prefix)?, value.as_str()))
        };
        self.variables.iter().filter_map(named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_only_if_it_says_so() {
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        let request = Request::new([("CONTENT_TYPE", form)], "text=a%20b");
        assert_eq!(request.field("text").as_deref(), Some("a b"));
        let request = Request::new([("CONTENT_TYPE", "text/plain")], "text=a%20b");
        assert_eq!(request.field("text"), None);
    }
}
