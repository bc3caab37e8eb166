//! W3C Trace Context, level 1.

use http::HeaderMap;

/// The `traceparent` header, if it is valid; the standard wants any other treated as absent.
pub(crate) fn traceparent(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all("traceparent").iter();
    let text = values.next()?.to_str().ok()?;
    let only = values.next().is_none();
    (only && is_valid(text)).then_some(text)
}

fn is_valid(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut hex = |digits: usize| {
        parts.next().filter(|part| {
            part.len() == digits && part.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
        })
    };
    let (Some(version), Some(trace), Some(parent), Some(_flags)) =
        (hex(2), hex(32), hex(16), hex(2))
    else {
        return false;
    };
    let all_zero = |part: &str| part.bytes().all(|c| c == b'0');
    // Later versions may append fields; version 00 has none, and ff is no version.
    let ends = version != "00" || parts.next().is_none();
    ends && version != "ff" && !all_zero(trace) && !all_zero(parent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const PARENT: &str = "00f067aa0ba902b7";

    #[test]
    fn only_valid_parents_count() {
        let table = [
            (format!("00-{TRACE}-{PARENT}-01"), true),
            (format!("00-{TRACE}-{PARENT}-00"), true),
            (format!("cc-{TRACE}-{PARENT}-01-later"), true),
            (format!("cc-{TRACE}-{PARENT}-01later"), false),
            (format!("00-{TRACE}-{PARENT}-01-later"), false),
            (format!("ff-{TRACE}-{PARENT}-01"), false),
            (format!("00-{}-{PARENT}-01", TRACE.to_uppercase()), false),
            (format!("00-{}-{PARENT}-01", "0".repeat(32)), false),
            (format!("00-{TRACE}-{}-01", "0".repeat(16)), false),
            (format!("00-{TRACE}-{PARENT}"), false),
            (format!("00-{TRACE}{PARENT}-01"), false),
            (String::new(), false),
        ];
        for (text, valid) in table {
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", HeaderValue::from_str(&text).unwrap());
            assert_eq!(traceparent(&headers).is_some(), valid, "{text}");
        }
    }

    #[test]
    fn two_parents_are_none() {
        let value = HeaderValue::from_str(&format!("00-{TRACE}-{PARENT}-01")).unwrap();
        let mut headers = HeaderMap::new();
        headers.append("traceparent", value.clone());
        headers.append("traceparent", value);
        assert_eq!(traceparent(&headers), None);
    }
}
