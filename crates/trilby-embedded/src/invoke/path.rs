//! The path of a call: Dapr's "method".

use percent_encoding::{percent_decode_str, percent_encode};
use trilby_dapr::delivery::NOT_IN_SEGMENT;

/// The path, with its leading `/`, as daprd hands it on: percent-encodings are resolved first, also
/// those of `/`, and then segments of dots and empty ones, so that nothing below a path can lead
/// elsewhere. The error is daprd's text for what no path may hold.
pub(super) fn plain(path: &str) -> Result<String, String> {
    let decoded: Vec<u8> = percent_decode_str(path).collect();
    let shown = String::from_utf8_lossy(&decoded);
    let refused = |what: &str| {
        let refused = format!("invalid method: method contains {what}: {shown:?}");
        Err(format!("rpc error: code = InvalidArgument desc = {refused}"))
    };
    if decoded.iter().any(|byte| matches!(byte, b'#' | b'?' | 0)) {
        return refused("forbidden character");
    }
    if let Some(at) = decoded.iter().position(|byte| *byte < b' ' || *byte == 0x7f) {
        return refused(&format!("control character at position {at}"));
    }
    let mut segments: Vec<&[u8]> = Vec::new();
    for segment in decoded.split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let encoded = segments.iter().map(|segment| percent_encode(segment, NOT_IN_SEGMENT));
    let encoded: String = encoded.map(|segment| format!("/{segment}")).collect();
    Ok(if encoded.is_empty() { "/".to_owned() } else { encoded })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_elsewhere() {
        for (path, expected) in [
            ("", "/"),
            ("/", "/"),
            ("orders", "/orders"),
            ("/orders/7/", "/orders/7"),
            ("orders//7/./items", "/orders/7/items"),
            ("orders/../admin", "/admin"),
            ("orders/%2e%2E/admin", "/admin"),
            ("orders/..%2Fadmin", "/admin"),
            ("../../etc", "/etc"),
            ("..", "/"),
            ("...", "/..."),
            ("a%20b/%C3%BC/%25", "/a%20b/%C3%BC/%25"),
            ("ü", "/%C3%BC"),
            ("%ff", "/%FF"),
            ("a:b@c;d=e,f&g", "/a:b@c;d=e,f&g"),
        ] {
            assert_eq!(plain(path).as_deref(), Ok(expected), "{path}");
        }
    }

    #[test]
    fn what_no_path_may_hold_is_refused_with_daprds_words() {
        const START: &str = "rpc error: code = InvalidArgument desc = invalid method: method \
                             contains ";
        for (path, expected) in [
            ("a%23b", "forbidden character: \"a#b\""),
            ("a?b", "forbidden character: \"a?b\""),
            ("a%00", "forbidden character: \"a\\0\""),
            ("a%0d%0a", "control character at position 1: \"a\\r\\n\""),
        ] {
            assert_eq!(plain(path), Err(format!("{START}{expected}")), "{path}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_path_is_plain_and_stays_so(path in ".*") {
            if let Ok(plain_path) = plain(&path) {
                assert!(plain_path.starts_with('/'));
                assert!(!plain_path.split('/').skip(1).any(|s| s == ".." || s == "."));
                plain_path.parse::<http::uri::PathAndQuery>().unwrap();
                assert_eq!(plain(&plain_path).as_deref(), Ok(plain_path.as_str()));
            }
        }
    }
}
