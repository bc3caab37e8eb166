use proptest::prelude::*;
use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Item {
    key: String,
    value: Option<String>,
    value_base64: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Written<'a> {
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_base64: Option<String>,
}

fn items(body: &[u8]) -> Result<Vec<(String, Bytes)>, Error> {
    read(body, |_, item: Item| Ok((item.key, bytes("value", item.value, item.value_base64)?)))
}

#[test]
fn each_line_is_a_record() {
    let body = b"{\"key\":\"a\",\"value\":\"1\"}\r\n\n \n{\"key\":\"b\",\"value-base64\":\"/w==\"}";
    let expected = vec![("a".into(), Bytes::from("1")), ("b".into(), Bytes::from(vec![0xff]))];
    assert_eq!(items(body), Ok(expected));
    assert_eq!(items(b""), Ok(Vec::new()));
}

#[test]
fn what_is_wrong_is_told_with_the_records_number() {
    let good = r#"{"key":"a","value":"1"}"#;
    for (bad, what) in [
        ("x", "expected value at column 1"),
        (r#"{"key":"a","value":"1","etags":"1"}"#, "unknown field `etags`"),
        (r#"{"value":"1"}"#, "missing field `key`"),
        (r#"{"key":"a"}"#, "neither `value` nor `value-base64`"),
        (r#"{"key":"a","value":"1","value-base64":""}"#, "both `value` and `value-base64`"),
        (r#"{"key":"a","value-base64":"?"}"#, "`value-base64` is not base64"),
        (r#"{"key":"a","key":"b","value":"1"}"#, "duplicate field `key`"),
        (r#"{"key":"a","value":1}"#, "invalid type"),
        (r#"{"key":"a","value":"1"} {}"#, "trailing characters"),
        ("[]", "invalid length"),
    ] {
        let error = items(format!("{good}\n\n{bad}\n").as_bytes()).expect_err(bad);
        assert_eq!(error.code, Code::InvalidArgument, "{bad}");
        assert!(error.message.starts_with("record 2: "), "{error}");
        assert!(error.message.contains(what), "{error}");
    }
}

#[test]
fn a_list_has_a_limit() {
    let of = |count| "{\"key\":\"a\",\"value\":\"\"}\n".repeat(count);
    assert_eq!(items(of(RECORDS_MAX).as_bytes()).map(|list| list.len()), Ok(RECORDS_MAX));
    let error = items(of(RECORDS_MAX + 1).as_bytes()).expect_err("too many");
    assert_eq!(error.code, Code::ResourceExhausted);
}

#[test]
fn a_record_does_not_spoil_its_message() {
    let bad = format!(r#"{{"key":"a","value":"","{}\n":1}}"#, "x".repeat(5000));
    let error = items(bad.as_bytes()).expect_err("unknown");
    assert!(error.message.len() < 500 && !error.message.contains('\n'), "{error}");
}

proptest! {
    #[test]
    fn reading_never_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = items(&body);
    }

    #[test]
    fn what_is_written_is_read(
        list in proptest::collection::vec((".{0,10}", proptest::collection::vec(any::<u8>(), 0..20)), 0..5),
    ) {
        let written = write(list.iter().map(|(key, value)| {
            let (value, value_base64) = fields(value);
            Written { key, value, value_base64 }
        }));
        let expected: Vec<_> = list.iter().map(|(k, v)| (k.clone(), Bytes::from(v.clone()))).collect();
        prop_assert_eq!(items(&written.expect("plain data")), Ok(expected));
    }
}

#[test]
fn a_list_has_its_bound() {
    let large = "x".repeat(1 << 20);
    assert!(write(std::iter::repeat_n(&large, 10)).is_ok());
    let error = write(std::iter::repeat_n(&large, 100)).expect_err("too large");
    assert_eq!((error.code, &*error.reason), (Code::ResourceExhausted, "TRILBY_TOO_LARGE"));
}
