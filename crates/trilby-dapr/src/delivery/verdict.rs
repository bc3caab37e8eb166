//! What an answer means for the event: Dapr's contract with HTTP apps.

use http::StatusCode;
use serde_json::{Deserializer, Map, Value};

/// What becomes of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is done.
    Ack,
    /// It is to come again.
    Retry,
    /// It is of no use, and is not to come again.
    Drop,
}

impl Verdict {
    /// A 2xx acknowledges, unless its body is a JSON object whose `status` says otherwise; 404
    /// drops; everything else is a retry.
    ///
    /// As in daprd, the body's first JSON value counts, the name `status` in any case, and a
    /// status that is no text is none.
    #[must_use]
    pub fn of(status: StatusCode, body: &[u8]) -> Self {
        if status == StatusCode::NOT_FOUND {
            return Self::Drop;
        }
        if !status.is_success() {
            return Self::Retry;
        }
        let first = Deserializer::from_slice(body).into_iter::<Map<String, Value>>().next();
        let Some(Ok(answer)) = first else { return Self::Ack };
        let said = answer.iter().find(|(name, _)| name.eq_ignore_ascii_case("status"));
        match said.map(|(_, value)| value) {
            Some(Value::String(said)) => Self::said(said),
            _ => Self::Ack,
        }
    }

    /// What a status in Dapr's words means.
    pub(super) fn said(status: &str) -> Self {
        match status {
            "" | "SUCCESS" => Self::Ack,
            "DROP" => Self::Drop,
            // `RETRY`, and what no one knows.
            _ => Self::Retry,
        }
    }

    /// The status in Dapr's words.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ack => "SUCCESS",
            Self::Retry => "RETRY",
            Self::Drop => "DROP",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Verdict::{Ack, Drop, Retry};
    use super::*;

    #[test]
    fn answers_mean_what_they_mean_to_daprd() {
        let table = [
            (200, "", Ack),
            (204, "", Ack),
            (200, "thanks", Ack),
            (200, "{}", Ack),
            (200, "[]", Ack),
            (200, "null", Ack),
            (200, r#""RETRY""#, Ack),
            (200, r#"{"status":"SUCCESS"}"#, Ack),
            (200, r#"{"status":""}"#, Ack),
            (200, r#"{"status":null}"#, Ack),
            (200, r#"{"status":5}"#, Ack),
            (200, r#"{"status":"RETRY"}"#, Retry),
            (299, r#"{"Status":"RETRY","x":[1]} and more"#, Retry),
            (200, r#"{"status":"DROP"}"#, Drop),
            (200, r#"{"status":"drop"}"#, Retry),
            (200, r#"{"status":"unheard of"}"#, Retry),
            (404, "", Drop),
            (404, r#"{"status":"SUCCESS"}"#, Drop),
            (302, "", Retry),
            (400, r#"{"status":"SUCCESS"}"#, Retry),
            (403, "", Retry),
            (429, "", Retry),
            (500, r#"{"status":"DROP"}"#, Retry),
            (503, "", Retry),
        ];
        for (status, body, expected) in table {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(Verdict::of(status, body.as_bytes()), expected, "{status} {body}");
        }
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = Verdict::of(StatusCode::OK, &body);
        }
    }
}
