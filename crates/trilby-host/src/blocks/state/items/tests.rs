use trilby_dapr::Error;

use super::*;

fn steps(body: &str) -> Result<Vec<StateOperation>, Error> {
    records::read(body.as_bytes(), |_, step: Step| step.operation())
}

#[test]
fn all_fields_of_a_step_are_read() {
    let steps = steps(
        r#"{"operation":"upsert","key":"a","value":"1","etag":"7","concurrency":"first-write",
            "consistency":"strong","content-type":"application/json","metadata":{"ttlInSeconds":"5"}}
           {"operation":"delete","key":"b","etag":"","concurrency":"last-write","consistency":"eventual"}"#
            .replace("\n            ", "")
            .as_str(),
    );
    let metadata = [("contentType", "application/json"), ("ttlInSeconds", "5")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let upsert = StateOperation::Upsert(StateItem {
        key: "a".into(),
        value: "1".into(),
        etag: Some("7".into()),
        metadata: metadata.into(),
        concurrency: Concurrency::FirstWrite,
        consistency: Consistency::Strong,
    });
    let delete = StateOperation::Delete(StateKey {
        key: "b".into(),
        etag: None,
        concurrency: Concurrency::LastWrite,
        consistency: Consistency::Eventual,
        metadata: Metadata::new(),
    });
    assert_eq!(steps, Ok(vec![upsert, delete]));
}

#[test]
fn wrong_steps_are_told() {
    for (step, what) in [
        (r#"{"key":"a","value":"1"}"#, "missing field `operation`"),
        (r#"{"operation":"insert","key":"a"}"#, "expected `upsert` or `delete`"),
        (r#"{"operation":"delete","key":"a","value":"1"}"#, "unknown field `value`"),
        (r#"{"operation":"upsert","key":"a"}"#, "neither `value` nor `value-base64`"),
        (r#"{"operation":"upsert","key":"a","value":"","concurrency":"x"}"#, "`first-write`"),
        (r#"{"operation":"upsert","key":"a","value":"","metadata":{"a":1}}"#, "a string"),
    ] {
        let error = steps(step).expect_err(step);
        assert!(error.message.starts_with("record 1: "), "{error}");
        assert!(error.message.contains(what), "{error}");
    }
}

#[test]
fn what_was_found_is_told_from_what_is_missing() {
    let of = |item: BulkStateItem| serde_json::to_string(&Found::of(&item)).expect("plain");
    let item = |data: &'static [u8], etag: Option<&str>| BulkStateItem {
        key: "k".into(),
        data: data.into(),
        etag: etag.map(str::to_owned),
        ..BulkStateItem::default()
    };
    assert_eq!(of(item(b"v", Some("1"))), r#"{"key":"k","value":"v","etag":"1"}"#);
    assert_eq!(of(item(b"\xff", None)), r#"{"key":"k","value-base64":"/w=="}"#);
    assert_eq!(of(item(b"", Some("1"))), r#"{"key":"k","value":"","etag":"1"}"#);
    assert_eq!(of(item(b"", None)), r#"{"key":"k"}"#);
    let failed = BulkStateItem { error: Some("no".into()), ..item(b"", None) };
    assert_eq!(of(failed), r#"{"key":"k","error":"no"}"#);
}
