//! What an answer is to whoever brought the request.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};
use tonic::Code;
use trilby_dapr::delivery::Verdict;
use trilby_dapr::proto::runtime::v1::topic_event_response::TopicEventResponseStatus;

use crate::body::{ResponseBody, whole};

/// Bytes of an answer that is a verdict: a status and a few words for each event.
pub(crate) const VERDICT_BYTES_MAX: usize = 1 << 20;

/// What a guest's answer is to whoever brought its request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// What it is.
    Itself,
    /// A verdict, which is to be seen from the status alone.
    Verdict,
    /// A verdict on each of several events with these ids.
    EachOf(Vec<String>),
}

impl Meaning {
    /// The answer in the form in which everybody takes it the same. daprd looks at no body when a job
    /// was delivered, and wants a status for each of several events.
    pub(crate) async fn of(&self, response: Response<ResponseBody>) -> Response<ResponseBody> {
        if *self == Self::Itself || !response.status().is_success() {
            return response;
        }
        let (mut head, body) = whole(response, VERDICT_BYTES_MAX).await.into_parts();
        let body = match self {
            Self::EachOf(ids) if head.status.is_success() => {
                let statuses = statuses(head.status, &body, ids);
                set_json(&mut head.headers);
                // Some, such as 204, have no body.
                head.status = StatusCode::OK;
                statuses
            }
            Self::Verdict => {
                head.status = match Verdict::of(head.status, &body) {
                    Verdict::Ack => head.status,
                    Verdict::Drop => StatusCode::NOT_FOUND,
                    Verdict::Retry => StatusCode::INTERNAL_SERVER_ERROR,
                };
                body
            }
            Self::Itself | Self::EachOf(_) => body,
        };
        Response::from_parts(head, ResponseBody::whole(body))
    }
}

fn set_json(headers: &mut HeaderMap) {
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
}

/// Dapr's JSON for what an answer means for each of several events.
fn statuses(status: StatusCode, body: &[u8], ids: &[String]) -> Bytes {
    let verdicts = Verdict::of_each(status, body, ids.iter().map(String::as_str));
    let each = ids.iter().zip(verdicts);
    let each = each.map(|(id, verdict)| json!({"entryId": id, "status": verdict.word()}));
    json!({"statuses": each.collect::<Value>()}).to_string().into()
}

/// A verdict in gRPC.
pub(crate) fn topic_status(verdict: Verdict) -> TopicEventResponseStatus {
    match verdict {
        Verdict::Ack => TopicEventResponseStatus::Success,
        Verdict::Retry => TopicEventResponseStatus::Retry,
        Verdict::Drop => TopicEventResponseStatus::Drop,
    }
}

/// The gRPC code of an HTTP status, by daprd's table: it makes these of an HTTP app's answers when
/// the caller speaks gRPC.
pub(crate) fn code(status: StatusCode) -> Code {
    match status {
        status if status.is_success() => Code::Ok,
        StatusCode::BAD_REQUEST => Code::Internal,
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::FORBIDDEN => Code::PermissionDenied,
        StatusCode::NOT_FOUND => Code::NotFound,
        StatusCode::REQUEST_TIMEOUT => Code::Cancelled,
        StatusCode::CONFLICT => Code::AlreadyExists,
        StatusCode::TOO_MANY_REQUESTS => Code::ResourceExhausted,
        StatusCode::NOT_IMPLEMENTED => Code::Unimplemented,
        StatusCode::SERVICE_UNAVAILABLE => Code::Unavailable,
        StatusCode::GATEWAY_TIMEOUT => Code::DeadlineExceeded,
        _ => Code::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, body: &str) -> Response<ResponseBody> {
        let mut response = Response::new(ResponseBody::whole(body.to_owned()));
        *response.status_mut() = StatusCode::from_u16(status).expect("a status");
        response
    }

    #[tokio::test]
    async fn a_verdict_shows_in_the_status() {
        let table = [
            (200, "", 200),
            (204, "", 204),
            (200, "hello", 200),
            (200, r#"{"status":"SUCCESS"}"#, 200),
            (200, r#"{"status":"RETRY"}"#, 500),
            (200, r#"{"status":"DROP"}"#, 404),
            (404, "", 404),
            (503, r#"{"status":"SUCCESS"}"#, 503),
        ];
        for (status, body, expected) in table {
            let answer = Meaning::Verdict.of(response(status, body)).await;
            assert_eq!(answer.status(), expected, "{status} {body}");
            let answer = Meaning::Itself.of(response(status, body)).await;
            assert_eq!(answer.status(), status, "{body}");
        }
    }

    #[tokio::test]
    async fn every_event_has_its_status() {
        let both = |first: &str, second: &str| {
            let status = |id: &str, status: &str| json!({"entryId": id, "status": status});
            json!({"statuses": [status("1", first), status("2", second)]}).to_string()
        };
        let table = [
            (200, "", both("SUCCESS", "SUCCESS")),
            (204, "thanks", both("SUCCESS", "SUCCESS")),
            (200, r#"{"status":"DROP"}"#, both("DROP", "DROP")),
            (200, r#"{"statuses":[{"entryId":"2","status":"DROP"}]}"#, both("RETRY", "DROP")),
            (200, r#"{"statuses":[]}"#, both("RETRY", "RETRY")),
            (404, "gone", "gone".to_owned()),
            (500, "", String::new()),
        ];
        for (status, body, expected) in table {
            let meaning = Meaning::EachOf(vec!["1".to_owned(), "2".to_owned()]);
            let answer = meaning.of(response(status, body)).await;
            assert_eq!(answer.status(), if status < 300 { 200 } else { status });
            assert_eq!(whole(answer, 1000).await.into_body(), expected, "{status} {body}");
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_too_long_is_no_verdict() {
        let long = "x".repeat(VERDICT_BYTES_MAX + 1);
        assert_eq!(Meaning::Verdict.of(response(200, &long)).await.status(), 500);
    }

    #[test]
    fn codes_are_daprs() {
        let table = [
            (200, Code::Ok),
            (299, Code::Ok),
            (302, Code::Unknown),
            (400, Code::Internal),
            (401, Code::Unauthenticated),
            (403, Code::PermissionDenied),
            (404, Code::NotFound),
            (408, Code::Cancelled),
            (409, Code::AlreadyExists),
            (413, Code::Unknown),
            (429, Code::ResourceExhausted),
            (500, Code::Unknown),
            (501, Code::Unimplemented),
            (502, Code::Unknown),
            (503, Code::Unavailable),
            (504, Code::DeadlineExceeded),
        ];
        for (status, expected) in table {
            assert_eq!(code(StatusCode::from_u16(status).expect("a status")), expected, "{status}");
        }
    }
}
