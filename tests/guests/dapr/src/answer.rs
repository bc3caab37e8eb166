//! What the probe answers.

use serde_json::Value;
use trilby_guest::Error;
use trilby_guest::cgi::Response;

/// What came of an operation.
pub type Outcome = Result<Answer, Failure>;

/// What an operation gave.
#[derive(Debug, Default)]
pub struct Answer {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// Why an operation gave nothing.
#[derive(Debug)]
pub enum Failure {
    /// The host refused.
    Call(Error),
    /// The request is not one for the probe.
    Asked(String),
}

impl Failure {
    /// The request is not one for the probe.
    pub fn asked(why: impl Into<String>) -> Self {
        Self::Asked(why.into())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

/// Streams give the host's error in one of their own.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match Error::of_stream(&error) {
            Some(error) => Self::Call(error.clone()),
            None => Self::Asked(error.to_string()),
        }
    }
}

impl From<()> for Answer {
    fn from((): ()) -> Self {
        Self::default()
    }
}

impl From<Vec<u8>> for Answer {
    fn from(body: Vec<u8>) -> Self {
        Self { body, ..Self::default() }
    }
}

impl From<String> for Answer {
    fn from(body: String) -> Self {
        body.into_bytes().into()
    }
}

impl From<&str> for Answer {
    fn from(body: &str) -> Self {
        body.as_bytes().to_vec().into()
    }
}

impl Answer {
    /// Records as JSON lines.
    pub fn lines(records: impl IntoIterator<Item = Value>) -> Self {
        records.into_iter().map(|record| format!("{record}\n")).collect::<String>().into()
    }

    /// Adds a header `X-Answer-NAME`. What HTTP does not allow there is written as `%XX`.
    pub fn header(self, name: &str, value: impl Into<String>) -> Self {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&'*+-.^_`|~".contains(&byte);
        let name = escape(name, is_token);
        let value = escape(&value.into(), |byte| !byte.is_ascii_control());
        self.plain_header(&format!("X-Answer-{name}"), value)
    }

    /// Adds a header, if there is a value.
    pub fn maybe(self, name: &str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.header(name, value),
            None => self,
        }
    }

    /// Adds headers, with this before their names.
    pub fn all(self, prefix: &str, pairs: &[(String, String)]) -> Self {
        pairs
            .iter()
            .fold(self, |answer, (name, value)| answer.header(&format!("{prefix}{name}"), value))
    }

    pub(crate) fn plain_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

fn escape(text: &str, plain: impl Fn(u8) -> bool) -> String {
    if text.bytes().all(&plain) {
        return text.to_owned();
    }
    let mut escaped = String::new();
    for byte in text.bytes() {
        if plain(byte) && byte.is_ascii() {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// The response that tells an outcome.
pub fn answer(outcome: Outcome) -> Response {
    match outcome {
        Ok(Answer { headers, body }) => {
            let response = Response::new(200).header("Content-Type", "application/octet-stream");
            let add = |response: Response, (name, value)| response.header(name, value);
            headers.into_iter().fold(response, add).body(body)
        }
        Err(Failure::Call(Error { code, reason, message, .. })) => {
            let reason = reason.unwrap_or_else(|| "-".to_owned());
            Response::text(418, format!("{} {reason}\n{message}", code.name()))
        }
        Err(Failure::Asked(why)) => Response::text(400, why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_and_values_make_headers_all_the_same() {
        let odd = Answer::from("x").header("value.a b:é", "1\n2").header("plain", "100% é");
        let mut out = Vec::new();
        answer(Ok(odd)).write_to(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("\nX-Answer-value.a%20b%3A%C3%A9: 1%0A2\n"), "{text}");
        assert!(text.contains("\nX-Answer-plain: 100% é\n"), "{text}");
    }

    #[test]
    fn an_error_tells_code_and_reason() {
        let refused = |error| {
            let mut out = Vec::new();
            answer(Err(Failure::Call(error))).write_to(&mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let mut error = Error::new(trilby_guest::Code::Aborted, "lost");
        assert!(refused(error.clone()).ends_with("\n\nABORTED -\nlost"));
        error.reason = Some("ERR_STATE_SAVE".to_owned());
        let text = refused(error);
        assert!(text.starts_with("Status: 418\n"), "{text}");
        assert!(text.ends_with("\n\nABORTED ERR_STATE_SAVE\nlost"), "{text}");
    }
}
