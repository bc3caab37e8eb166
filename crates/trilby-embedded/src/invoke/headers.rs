//! What of the headers passes from one app to the other.

use http::header::{CONTENT_LENGTH, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue};
use trilby_dapr::invoke::drop_hop_by_hop;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const CALLER: HeaderName = HeaderName::from_static("dapr-caller-app-id");
const CALLER_NAMESPACE: HeaderName = HeaderName::from_static("dapr-caller-namespace");
const CALLEE: HeaderName = HeaderName::from_static("dapr-callee-app-id");

/// Addressed to a daprd, which does not hand them on, or shows them to its own app only.
const FOR_DAPR: [HeaderName; 2] =
    [HeaderName::from_static("dapr-app-id"), HeaderName::from_static("dapr-api-token")];

/// Who calls whom. As in daprd, another app is told, and this app itself is not.
pub(super) struct Callers<'a> {
    pub(super) caller: &'a str,
    pub(super) callee: &'a str,
    pub(super) namespace: &'a str,
}

/// The headers that go to an app.
///
/// `Host` is the app's own, and `Content-Length` that of the body, or what follows could pass for
/// another request. Who calls is said here and not by the caller.
pub(super) fn outgoing(
    mut headers: HeaderMap,
    callers: Option<Callers<'_>>,
    traceparent: Option<&str>,
    size: Option<usize>,
) -> Result<HeaderMap, String> {
    drop_hop_by_hop(&mut headers);
    let ours = [HOST, CONTENT_LENGTH, EXPECT, CALLER, CALLER_NAMESPACE, CALLEE];
    for name in ours.iter().chain(&FOR_DAPR) {
        headers.remove(name);
    }
    let mut set = |name: HeaderName, value: &str| {
        let value = HeaderValue::from_str(value)
            .map_err(|_| format!("`{}` is no value for a header", value.escape_debug()))?;
        let set = headers.try_insert(name, value).map(|_| ());
        set.map_err(|_| "there are too many headers".to_owned())
    };
    if let Some(Callers { caller, callee, namespace }) = callers {
        set(CALLER, caller)?;
        set(CALLEE, callee)?;
        set(CALLER_NAMESPACE, namespace)?;
    }
    if let Some(traceparent) = traceparent {
        set(TRACEPARENT, traceparent)?;
    }
    if let Some(size) = size.filter(|size| *size > 0) {
        set(CONTENT_LENGTH, &size.to_string())?;
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
        });
        pairs.collect()
    }

    #[test]
    fn more_headers_than_there_can_be_are_refused() {
        let mut many = HeaderMap::new();
        let mut names = (0..).map(|n| format!("h{n}").parse::<HeaderName>().unwrap());
        while many.try_insert(names.next().unwrap(), HeaderValue::from_static("")).is_ok() {}
        let error = outgoing(many, None, Some("00-0"), None).unwrap_err();
        assert_eq!(error, "there are too many headers");
    }

    #[test]
    fn what_is_about_a_connection_or_the_caller_does_not_pass() {
        let sent = headers(&[
            ("accept", "text/plain"),
            ("connection", "x-one, close"),
            ("x-one", "1"),
            ("te", "trailers"),
            ("proxy-authorization", "secret"),
            ("host", "elsewhere"),
            ("content-length", "7"),
            ("expect", "100-continue"),
            ("dapr-caller-app-id", "somebody"),
            ("dapr-api-token", "secret"),
            ("traceparent", "00-0"),
        ]);
        let callers = Callers { caller: "me", callee: "you", namespace: "default" };
        let got = outgoing(sent.clone(), Some(callers), Some("00-1"), Some(3)).unwrap();
        let expected = [
            ("accept", "text/plain"),
            ("content-length", "3"),
            ("dapr-caller-app-id", "me"),
            ("dapr-callee-app-id", "you"),
            ("dapr-caller-namespace", "default"),
            ("traceparent", "00-1"),
        ];
        assert_eq!(got, headers(&expected));
        let own = outgoing(sent, None, None, Some(0)).unwrap();
        assert_eq!(own, headers(&[("accept", "text/plain"), ("traceparent", "00-0")]));
    }
}
