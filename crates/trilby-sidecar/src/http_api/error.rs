//! Failures as daprd's HTTP API tells them.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use trilby_dapr::{Code, Error};

use crate::status;

/// What a failed request said.
pub(crate) struct Failure {
    status: StatusCode,
    /// daprd's `errorCode`; empty if the body is none of daprd's.
    pub(crate) error_code: String,
    reason: Option<String>,
    message: String,
}

#[derive(Deserialize)]
struct Body {
    #[serde(rename = "errorCode")]
    error_code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    details: Vec<BTreeMap<String, Value>>,
}

/// Reads the body of a failed request.
pub(crate) fn failure(status: StatusCode, body: &[u8]) -> Failure {
    let Ok(body) = serde_json::from_slice::<Body>(body) else {
        let text: String = String::from_utf8_lossy(body).trim().chars().take(TEXT_MAX).collect();
        let message = if text.is_empty() {
            format!("the Dapr sidecar answered {status}")
        } else {
            format!("the Dapr sidecar answered {status}: {text}")
        };
        return Failure { status, error_code: String::new(), reason: None, message };
    };
    let reason = body.details.iter().find_map(|detail| {
        let kind = detail.get("@type").and_then(Value::as_str)?;
        let reason = detail.get("reason").and_then(Value::as_str)?;
        kind.ends_with("google.rpc.ErrorInfo").then(|| reason.to_owned())
    });
    Failure { status, error_code: body.error_code, reason, message: body.message }
}

/// Characters of an answer that is no error of daprd's JSON.
const TEXT_MAX: usize = 300;

impl Failure {
    /// The same failure as gRPC would tell it, as far as the status says.
    pub(crate) fn error(self) -> Error {
        if self.status == StatusCode::UNAUTHORIZED && self.message.contains("api token") {
            return status::wrong_token(&self.message);
        }
        let code = match self.status.as_u16() {
            400 => Code::InvalidArgument,
            401 => Code::Unauthenticated,
            403 => Code::PermissionDenied,
            404 => Code::NotFound,
            409 => Code::Aborted,
            // 413 is a body over daprd's `--max-body-size`.
            413 | 429 => Code::ResourceExhausted,
            501 => Code::Unimplemented,
            503 => Code::Unavailable,
            _ => Code::Internal,
        };
        Error::new(code, self.message).with_reason(self.reason.unwrap_or(self.error_code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_become_codes() {
        let table = [
            (400, Code::InvalidArgument),
            (401, Code::Unauthenticated),
            (403, Code::PermissionDenied),
            (404, Code::NotFound),
            (409, Code::Aborted),
            (413, Code::ResourceExhausted),
            (429, Code::ResourceExhausted),
            (500, Code::Internal),
            (501, Code::Unimplemented),
            (502, Code::Internal),
            (503, Code::Unavailable),
        ];
        for (status, code) in table {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(failure(status, b"").error().code, code, "{status}");
        }
    }

    #[test]
    fn reasons_are_those_of_grpc_where_daprd_has_them() {
        let basic = br#"{"errorCode":"ERR_X","message":"m"}"#;
        let rich = br#"{"errorCode":"ERR_X","message":"m","details":[{"@type":"a/google.rpc.Help"},
            {"@type":"type.googleapis.com/google.rpc.ErrorInfo","domain":"dapr.io","reason":"DAPR_X"}]}"#;
        for (body, reason) in [(&basic[..], "ERR_X"), (rich, "DAPR_X")] {
            let error = failure(StatusCode::BAD_REQUEST, body).error();
            assert_eq!((&*error.reason, &*error.message), (reason, "m"));
        }
        let error = failure(StatusCode::BAD_GATEWAY, b"<html>").error();
        assert_eq!(error.message, "the Dapr sidecar answered 502 Bad Gateway: <html>");
        let error = failure(StatusCode::UNAUTHORIZED, b"invalid api token").error();
        assert_eq!(error.reason, "TRILBY_SIDECAR_TOKEN");
    }
}
