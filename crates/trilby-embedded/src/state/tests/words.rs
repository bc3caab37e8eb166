//! daprd's words for what goes wrong, and what is done all the same.

use trilby_dapr::Metadata;

use super::*;

#[tokio::test]
async fn errors_have_daprds_words() {
    const TTL: &str = "error parsing TTL: incorrect value for metadata 'ttlInSeconds': ";
    const ATOI: &str = "strconv.Atoi: parsing \"soon\": invalid syntax";
    for type_name in STORES {
        let Fixture { store, .. } = open(type_name);
        store.save(&cx(), save(vec![item("key", "a")])).await.unwrap();
        let (mismatch, ttl) = match store.table {
            Table::Sqlite(_) | Table::Redis(_) => (
                MISMATCH.to_owned(),
                format!("{TTL}strconv.ParseInt: parsing \"soon\": invalid syntax"),
            ),
            Table::Memory(_) => {
                (format!("{MISMATCH}: item already exists and no etag was passed"), ATOI.to_owned())
            }
        };
        let first = || StateItem { concurrency: Concurrency::FirstWrite, ..item("key", "b") };
        let with = |name: &str, value: &str| StateItem {
            metadata: Metadata::from([(name.to_owned(), value.to_owned())]),
            ..item("key", "{")
        };
        let saving = "failed saving state in state store store";
        let cases = [
            (vec![first()], Code::Aborted, "ERR_STATE_SAVE", format!("{saving}: {mismatch}")),
            (
                vec![with("ttlInSeconds", "soon")],
                Code::Internal,
                "ERR_STATE_SAVE",
                format!("{saving}: {ttl}"),
            ),
            (
                vec![first(), item("other", "b"), first()],
                Code::Aborted,
                "ERR_STATE_SAVE",
                format!("{saving}: {MISMATCH}: {mismatch}\n{mismatch}"),
            ),
            (
                vec![with("ttlInSeconds", "soon"), first()],
                Code::Aborted,
                "ERR_STATE_SAVE",
                format!("{saving}: {ttl}\n{mismatch}"),
            ),
            (
                vec![item("", "b")],
                Code::InvalidArgument,
                "ERR_STATE_SAVE",
                "state key cannot be empty".to_owned(),
            ),
            (
                vec![item("a||b", "b")],
                Code::InvalidArgument,
                "DAPR_STATE_ILLEGAL_KEY",
                "input key/keyPrefix 'a||b' can't contain '||'".to_owned(),
            ),
            (
                vec![with("contentType", "application/json")],
                Code::Unknown,
                "",
                "unexpected end of JSON input".to_owned(),
            ),
        ];
        for (items, code, reason, message) in cases {
            let error = store.save(&cx(), save(items)).await.unwrap_err();
            assert_eq!(error, Error::new(code, message).with_reason(reason), "{type_name}");
        }
        let request =
            DeleteState { key: "no".into(), etag: Some("x".into()), ..Default::default() };
        let error = store.delete(&cx(), request).await.unwrap_err();
        let deleting = format!("failed deleting state with key no: {MISMATCH}");
        assert!(error.message.starts_with(&deleting), "{error}");
        assert_eq!((error.code, error.reason.as_ref()), (Code::Aborted, "ERR_STATE_DELETE"));
    }
}

#[tokio::test]
async fn saving_several_items_applies_the_good_ones() {
    for type_name in STORES {
        let Fixture { store, .. } = open(type_name);
        let bad = StateItem { etag: Some("wrong".to_owned()), ..item("bad", "1") };
        let items = vec![item("a", "1"), bad, item("b", "2")];
        let error = store.save(&cx(), save(items)).await.unwrap_err();
        assert!(error.is_conflict(), "{error}");
        for (key, value) in [("a", "1"), ("bad", ""), ("b", "2")] {
            assert_eq!(store.get(&cx(), get(key)).await.unwrap().data, value, "{type_name} {key}");
        }
        // A mistake in the request itself stops all of it.
        let items = vec![item("c", "1"), item("", "2")];
        store.save(&cx(), save(items)).await.unwrap_err();
        assert_eq!(store.get(&cx(), get("c")).await.unwrap().etag, None);
        store.save(&cx(), save(Vec::new())).await.unwrap();
    }
}

#[tokio::test]
async fn json_is_stored_in_daprds_form() {
    for type_name in STORES {
        let Fixture { store, .. } = open(type_name);
        let metadata = Metadata::from([("contentType".to_owned(), "application/json".to_owned())]);
        let item = StateItem { metadata, ..item("key", "{ \"b\": 1.0, \"a\": \"<\" }") };
        store.save(&cx(), save(vec![item])).await.unwrap();
        let value = store.get(&cx(), get("key")).await.unwrap();
        assert_eq!(value.data, "{\"a\":\"\\u003c\",\"b\":1}", "{type_name}");
    }
}
