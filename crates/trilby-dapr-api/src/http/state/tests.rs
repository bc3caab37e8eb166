//! The JSON of state.

use super::*;

#[test]
fn an_item_is_read_as_json_text() {
    let json = r#"[{"key":"k","value":{"b":1.50, "a":null},"etag":"7","metadata":{"a":"1"},
        "options":{"concurrency":"first-write","consistency":"strong"}},{"key":"n"},
        {"key":"s","value":"text","metadata":null,"options":null,"etag":null}]"#;
    let items: Vec<Item> = super::json(json.as_bytes()).unwrap();
    let of_all = Metadata::from([("a".to_owned(), "2".to_owned())]);
    let items = items.into_iter().map(|item| item.written(&of_all, true, "s").unwrap());
    let items: Vec<StateItem> = items.collect();
    assert_eq!(items[0].value, r#"{"b":1.50, "a":null}"#);
    assert_eq!(items[0].etag.as_deref(), Some("7"));
    assert_eq!(items[0].metadata["a"], "2");
    assert_eq!(items[0].metadata["contentType"], "application/json");
    assert_eq!(items[0].concurrency, Concurrency::FirstWrite);
    assert_eq!(items[0].consistency, Consistency::Strong);
    assert_eq!(items[1].value, "null");
    assert_eq!(items[2].value, r#""text""#);
}

#[test]
fn what_daprd_does_not_know_is_refused() {
    let item = |json: &str| super::json::<Item>(json.as_bytes()).unwrap();
    let json = r#"{"key":"k","options":{"concurrency":"bogus"}}"#;
    let error = item(json).written(&Metadata::new(), true, "s").unwrap_err();
    assert_eq!((error.code, &*error.reason), (Code::Internal, "ERR_STATE_SAVE"));
    let expected = "failed saving state in state store s: unrecognized concurrency model 'bogus'";
    assert_eq!(error.message, expected);
    let operation: Operation = super::json(br#"{"operation":"odd"}"#).unwrap();
    let error = operation.step(&Metadata::new(), "s").unwrap_err();
    assert_eq!(error.reason, "ERR_NOT_SUPPORTED_STATE_OPERATION");
}

#[test]
fn keys_are_told_as_daprd_does() {
    let found = |data: &'static str, etag: Option<&str>| BulkStateItem {
        key: "k".to_owned(),
        data: Bytes::from_static(data.as_bytes()),
        etag: etag.map(str::to_owned),
        ..BulkStateItem::default()
    };
    for (item, expected) in [
        (found("", None), r#"{"key":"k"}"#),
        (found(r#"{"a":1}"#, Some("1")), r#"{"key":"k","data":{"a":1},"etag":"1"}"#),
    ] {
        assert_eq!(serde_json::to_string(&told(&item)).unwrap(), expected);
    }
    assert!(told(&found("raw", Some("1"))).error.is_some());
}
