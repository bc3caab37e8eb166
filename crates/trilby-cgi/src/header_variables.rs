//! Request headers as `HTTP_*` variables (RFC 3875 section 4.1.18).

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::env::Variable;

/// Appends a variable for each header that a guest may see, `Authorization` among them if it is
/// wanted. No name occurs twice.
pub(crate) fn append(headers: &HeaderMap, authorization: bool, variables: &mut Vec<Variable>) {
    if headers.len() == headers.keys_len() {
        // No header is repeated, as in most requests: no lookup is needed.
        for (header, value) in headers {
            if let Some(name) = variable_name(header, authorization) {
                variables.push((name, text(value).into_owned()));
            }
        }
        return;
    }
    for header in headers.keys() {
        if let Some(name) = variable_name(header, authorization) {
            // HTTP/2 clients send each cookie alone (RFC 9113 section 8.2.3).
            let separator = if header == http::header::COOKIE { "; " } else { ", " };
            variables.push((name, joined(headers, header, separator)));
        }
    }
}

/// The values of a header as one (RFC 9110 section 5.3).
pub(crate) fn joined(headers: &HeaderMap, header: &HeaderName, separator: &str) -> String {
    let mut all = String::new();
    for (place, value) in headers.get_all(header).iter().enumerate() {
        if place > 0 {
            all.push_str(separator);
        }
        all.push_str(&text(value));
    }
    all
}

/// A header's value; it has no NUL. Bytes that are not UTF-8 become U+FFFD.
pub(crate) fn text(value: &HeaderValue) -> Cow<'_, str> {
    String::from_utf8_lossy(value.as_bytes())
}

/// The variable of a header; `None` if guests do not see it.
fn variable_name(header: &HeaderName, authorization: bool) -> Option<Cow<'static, str>> {
    let common = match header.as_str() {
        // The client's password or token, which not every guest need know.
        "authorization" if authorization => "HTTP_AUTHORIZATION",
        "authorization" => return None,
        // Credentials that the server answers for, never the guest.
        "proxy-authorization" | "dapr-api-token" => return None,
        // HTTP clients take HTTP_PROXY for their own setting ("httpoxy").
        "proxy" => return None,
        // These have variables of their own.
        "content-type" | "content-length" => return None,
        // About the connection, which ends at the server. Headers that `Connection` names stay: a
        // client must not be able to remove what a proxy in front added.
        "connection" | "keep-alive" | "proxy-connection" | "te" | "trailer"
        | "transfer-encoding" | "upgrade" => return None,
        "accept" => "HTTP_ACCEPT",
        "accept-encoding" => "HTTP_ACCEPT_ENCODING",
        "accept-language" => "HTTP_ACCEPT_LANGUAGE",
        "cache-control" => "HTTP_CACHE_CONTROL",
        "cookie" => "HTTP_COOKIE",
        "forwarded" => "HTTP_FORWARDED",
        "host" => "HTTP_HOST",
        "if-modified-since" => "HTTP_IF_MODIFIED_SINCE",
        "if-none-match" => "HTTP_IF_NONE_MATCH",
        "origin" => "HTTP_ORIGIN",
        "priority" => "HTTP_PRIORITY",
        "referer" => "HTTP_REFERER",
        "sec-fetch-dest" => "HTTP_SEC_FETCH_DEST",
        "sec-fetch-mode" => "HTTP_SEC_FETCH_MODE",
        "sec-fetch-site" => "HTTP_SEC_FETCH_SITE",
        "traceparent" => "HTTP_TRACEPARENT",
        "tracestate" => "HTTP_TRACESTATE",
        "upgrade-insecure-requests" => "HTTP_UPGRADE_INSECURE_REQUESTS",
        "user-agent" => "HTTP_USER_AGENT",
        "x-forwarded-for" => "HTTP_X_FORWARDED_FOR",
        "x-forwarded-host" => "HTTP_X_FORWARDED_HOST",
        "x-forwarded-proto" => "HTTP_X_FORWARDED_PROTO",
        "x-real-ip" => "HTTP_X_REAL_IP",
        "x-request-id" => "HTTP_X_REQUEST_ID",
        // It would be taken for its namesake with dashes, which a proxy may vouch for.
        other if other.contains('_') => return None,
        other => {
            let mut name = String::with_capacity("HTTP_".len() + other.len());
            name.push_str("HTTP_");
            let upper = |c: char| if c == '-' { '_' } else { c.to_ascii_uppercase() };
            name.extend(other.chars().map(upper));
            return Some(Cow::Owned(name));
        }
    };
    Some(Cow::Borrowed(common))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header;

    fn check(sent: &[(&str, &[u8])], expected: &[(&str, &str)]) {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        let mut variables = Vec::new();
        append(&headers, false, &mut variables);
        variables.sort();
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (name.as_ref(), value.as_str())).collect();
        assert_eq!(variables, expected);
    }

    #[test]
    fn names_are_upper_case_with_underscores() {
        check(
            &[("Accept", b"*/*"), ("x-My-HEADER", b"1"), ("x.y", b"2")],
            &[("HTTP_ACCEPT", "*/*"), ("HTTP_X.Y", "2"), ("HTTP_X_MY_HEADER", "1")],
        );
    }

    #[test]
    fn repeated_headers_are_joined() {
        check(
            &[("x-a", b"1"), ("cookie", b"a=1"), ("x-a", b"2"), ("cookie", b"b=2"), ("host", b"h")],
            &[("HTTP_COOKIE", "a=1; b=2"), ("HTTP_HOST", "h"), ("HTTP_X_A", "1, 2")],
        );
    }

    #[test]
    fn some_headers_stay_outside() {
        let hidden: [&str; 15] = [
            "Authorization",
            "Proxy-Authorization",
            "dapr-api-token",
            "Proxy",
            "Content-Type",
            "Content-Length",
            "Connection",
            "Keep-Alive",
            "Proxy-Connection",
            "TE",
            "Trailer",
            "Transfer-Encoding",
            "Upgrade",
            "x_real_ip",
            "content_type",
        ];
        for name in hidden {
            check(&[(name, b"1")], &[]);
            check(&[(name, b"1"), (name, b"2")], &[]);
        }
    }

    #[test]
    fn authorization_is_shown_where_it_is_wanted() {
        let mut headers = HeaderMap::new();
        for name in ["authorization", "proxy-authorization", "dapr-api-token"] {
            headers.insert(name, HeaderValue::from_static("Bearer t"));
        }
        let mut variables = Vec::new();
        append(&headers, true, &mut variables);
        assert_eq!(variables, [(Cow::Borrowed("HTTP_AUTHORIZATION"), "Bearer t".to_owned())]);
    }

    #[test]
    fn values_are_text() {
        check(&[("x-a", b"gr\xc3\xbcn")], &[("HTTP_X_A", "grün")]);
        check(&[("x-a", b"gr\xfcn\t")], &[("HTTP_X_A", "gr\u{fffd}n\t")]);
    }

    #[test]
    fn the_table_of_common_names_has_no_slip() {
        let standard = [
            header::ACCEPT,
            header::ACCEPT_ENCODING,
            header::ACCEPT_LANGUAGE,
            header::CACHE_CONTROL,
            header::COOKIE,
            header::FORWARDED,
            header::HOST,
            header::IF_MODIFIED_SINCE,
            header::IF_NONE_MATCH,
            header::ORIGIN,
            header::REFERER,
            header::UPGRADE_INSECURE_REQUESTS,
            header::USER_AGENT,
        ];
        let others = [
            "priority",
            "sec-fetch-dest",
            "sec-fetch-mode",
            "sec-fetch-site",
            "traceparent",
            "tracestate",
            "x-forwarded-for",
            "x-forwarded-host",
            "x-forwarded-proto",
            "x-real-ip",
            "x-request-id",
        ];
        for name in standard.into_iter().chain(others.map(HeaderName::from_static)) {
            let expected = format!("HTTP_{}", name.as_str().to_uppercase().replace('-', "_"));
            let variable = variable_name(&name, false);
            assert!(matches!(variable, Some(Cow::Borrowed(_))), "{name}");
            assert_eq!(variable.as_deref(), Some(expected.as_str()));
        }
    }
}
