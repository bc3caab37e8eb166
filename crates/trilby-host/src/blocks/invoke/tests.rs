use trilby_dapr::Code;

use super::*;
use crate::options;

fn parsed(text: &str) -> Options {
    options::parse(text, OPTIONS).expect("known")
}

#[test]
fn verbs_are_methods_in_capitals() {
    assert_eq!(verb(None), Ok(Method::POST));
    for name in ["GET", "DELETE", "PROPFIND", "M-SEARCH"] {
        assert_eq!(verb(Some(name.into())).map(|verb| verb.to_string()), Ok(name.into()));
    }
    for bad in ["", "get", "Get", "CONNECT", "G T", "GET\n"] {
        assert!(verb(Some(bad.into())).is_err(), "{bad:?}");
    }
}

#[test]
fn queries_are_as_they_stand_in_a_url() {
    assert_eq!(query(None), Ok(None));
    assert_eq!(query(Some(String::new())), Ok(None));
    for good in ["a=1&b=%20", "/?:@!$'()*+,;[]~", "?"] {
        assert_eq!(query(Some(good.into())), Ok(Some(good.into())));
    }
    for bad in ["a b", "a#b", "ä", "a\nb", "a\"b", "a\u{7f}"] {
        assert!(query(Some(bad.into())).is_err(), "{bad:?}");
    }
}

#[test]
fn headers_of_the_host_are_refused() {
    for name in REFUSED.iter().copied().chain(["dapr-app-id", "Dapr-Api-Token", "GRPC-timeout"]) {
        let error = headers(parsed(&format!("header.{name}: x"))).expect_err(name);
        assert_eq!(error.code, Code::InvalidArgument, "{name}");
        assert!(error.message.contains("for the host to set"), "{error}");
    }
    for bad in ["header.a b: x", "header.x: a\u{1}b", "header.ä: x"] {
        assert!(headers(parsed(bad)).is_err(), "{bad:?}");
    }
    assert!(headers(parsed("content-type: a/b\nheader.Content-Type: a/b")).is_err());
}

#[test]
fn other_headers_are_sent() {
    let headers = headers(parsed("content-type: a/b\nheader.Accept: ä\nheader.cookie: a=b"));
    let headers = headers.expect("valid");
    assert_eq!(headers.get("content-type").map(HeaderValue::as_bytes), Some(&b"a/b"[..]));
    assert_eq!(headers.get("accept").map(HeaderValue::as_bytes), Some("ä".as_bytes()));
    assert_eq!(headers.len(), 3);
}

#[test]
fn an_answer_has_its_status_and_all_headers() {
    let mut headers = HeaderMap::new();
    headers.append("set-cookie", HeaderValue::from_static("a"));
    headers.append("set-cookie", HeaderValue::from_static("b"));
    let reply = ServiceReply {
        status: http::StatusCode::IM_A_TEAPOT,
        headers,
        body: whole(bytes::Bytes::new()),
    };
    let seen = head(reply).headers;
    let expected = [("status", "418"), ("header.set-cookie", "a"), ("header.set-cookie", "b")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(seen, expected);
}
