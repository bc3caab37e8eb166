//! What a call says of its caller: its token, its deadline and its trace.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use trilby_dapr::CallContext;

/// The header, or metadata, with the token of the API.
pub(crate) const TOKEN: &str = "dapr-api-token";

/// How long a call may take that brings no deadline: what Dapr's SDKs wait at most by default.
const CALL_WITHIN: Duration = Duration::from_secs(60);

/// The longest that a caller may ask for.
const CALL_WITHIN_MAX: Duration = Duration::from_secs(60 * 60);

/// From where a connection comes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    /// Whether it comes over a loopback address or a Unix socket.
    pub(crate) is_local: bool,
}

/// What the building blocks are told of a call.
pub(crate) fn context(headers: &HeaderMap) -> CallContext {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let within = text("grpc-timeout").and_then(timeout).unwrap_or(CALL_WITHIN);
    let mut cx = CallContext::within(within.min(CALL_WITHIN_MAX));
    cx.traceparent = text("traceparent").filter(|text| is_traceparent(text)).map(Arc::from);
    cx
}

/// gRPC's notation for a timeout: at most eight digits and a unit.
fn timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(count.saturating_mul(3600))),
        "M" => Some(Duration::from_secs(count.saturating_mul(60))),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

/// W3C trace context, version 00, with a trace in it.
fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let is_hex = |part: &&str| part.bytes().all(|digit| digit.is_ascii_hexdigit());
    let named = parts.get(1).is_some_and(|id| id.bytes().any(|digit| digit != b'0'));
    lengths == [2, 32, 16, 2] && parts.iter().all(is_hex) && named
}

/// Whether a call brings the token, where one is asked for. The time that this takes tells nothing of
/// the token but its length.
pub(crate) fn is_authentic(expected: Option<&str>, headers: &HeaderMap) -> bool {
    let Some(expected) = expected else { return true };
    let Some(given) = headers.get(TOKEN) else { return false };
    let (expected, given) = (expected.as_bytes(), given.as_bytes());
    expected.len() == given.len()
        && expected.iter().zip(given).fold(0, |all, (one, other)| all | (one ^ other)) == 0
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())])
    }

    #[tokio::test(start_paused = true)]
    async fn a_callers_deadline_is_taken_over_within_bounds() {
        for (text, seconds) in [
            ("5S", 5),
            ("2M", 120),
            ("1H", 3600),
            ("99999999H", 3600),
            ("3000m", 3),
            ("999999999S", 60),
            ("S", 60),
            ("5", 60),
            ("-5S", 60),
            ("", 60),
            ("ü", 60),
        ] {
            let cx = context(&HeaderMap::from_iter([(
                "grpc-timeout".parse().unwrap(),
                http::HeaderValue::from_bytes(text.as_bytes()).unwrap(),
            )]));
            assert_eq!(cx.deadline - Instant::now(), Duration::from_secs(seconds), "{text}");
        }
    }

    #[tokio::test]
    async fn a_trace_is_taken_over_if_it_is_one() {
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let cx = context(&headers("traceparent", trace));
        assert_eq!(cx.traceparent.as_deref(), Some(trace));
        for none in [
            "00-00000000000000000000000000000000-0000000000000000-00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e473x-00f067aa0ba902b7-01",
            "",
        ] {
            assert_eq!(context(&headers("traceparent", none)).traceparent, None, "{none}");
        }
    }

    #[test]
    fn only_the_token_opens() {
        for (expected, given, is_open) in [
            (None, None, true),
            (None, Some("x"), true),
            (Some("secret"), Some("secret"), true),
            (Some("secret"), Some("Secret"), false),
            (Some("secret"), Some("secre"), false),
            (Some("secret"), None, false),
        ] {
            let headers = given.map(|value| headers(TOKEN, value)).unwrap_or_default();
            assert_eq!(is_authentic(expected, &headers), is_open, "{expected:?} {given:?}");
        }
    }
}
