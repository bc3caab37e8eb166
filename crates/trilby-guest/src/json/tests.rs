use proptest::prelude::*;

use super::*;

#[test]
fn values_are_read_as_serde_json_reads_them() {
    let texts = [
        "null",
        " true ",
        "[false]",
        "-0.5e+10",
        "0",
        "12345678901234567890123",
        "[]",
        "{}",
        r#"{"a":[1,{"b":null}],"a b":"c"}"#,
        "[1 , 2\n,\t3\r]",
        r#""\u00e9\ud83d\ude00\/\b\f\n\r\t\"\\""#,
        "\"é\u{7f}\"",
    ];
    for text in texts {
        let ours = Json::parse(text).unwrap_or_else(|| panic!("{text}"));
        let theirs: serde_json::Value = serde_json::from_str(text).unwrap();
        let again: serde_json::Value = serde_json::from_str(&ours.to_json()).unwrap();
        assert_eq!(again, theirs, "{text}");
    }
}

#[test]
fn what_is_no_json_is_refused() {
    let texts = [
        "",
        " ",
        "nul",
        "nullx",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "+1",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{\"a\":1,}",
        "\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u+123\"",
        "\"a\nb\"",
        "'a'",
        "1 1",
        "\u{a0}1",
        "\"\\ué\"",
    ];
    for text in texts {
        assert_eq!(Json::parse(text), None, "{text}");
    }
}

#[test]
fn half_a_character_is_replaced() {
    let cases = [
        (r#""\ud800""#, "\u{fffd}"),
        (r#""\udc00x""#, "\u{fffd}x"),
        (r#""\ud800\n""#, "\u{fffd}\n"),
        (r#""\ud800A""#, "\u{fffd}A"),
        (r#""\ud800\ud83d\ude00""#, "\u{fffd}\u{1f600}"),
    ];
    for (text, expected) in cases {
        assert_eq!(Json::parse(text), Some(Json::Text(expected.to_owned())), "{text}");
    }
}

#[test]
fn depth_has_a_limit() {
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Json::parse(&nested(100)).is_some());
    assert!(Json::parse(&nested(101)).is_none());
    assert!(Json::parse(&"[".repeat(1_000_000)).is_none());
}

#[test]
fn the_last_of_two_members_counts() {
    let value = Json::parse(r#"{"a":1,"a":2}"#).unwrap();
    assert_eq!(value.get("a"), Some(&Json::Number("2".to_owned())));
    assert_eq!(value.get("b"), None);
    assert_eq!(Json::Null.get("a"), None);
}

fn any_value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        any::<i64>().prop_map(|number| Json::Number(number.to_string())),
        any::<String>().prop_map(Json::Text),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
            proptest::collection::vec((any::<String>(), inner), 0..4).prop_map(Json::Object),
        ]
    })
}

proptest! {
    #[test]
    fn a_value_comes_back(value in any_value()) {
        let text = value.to_json();
        prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", text);
        prop_assert_eq!(Json::parse(&text), Some(value));
    }

    #[test]
    fn any_text_is_judged_as_serde_json_does(text in r#"[\[\]{},:"\\0-9a-eu.+\- ntrl\n]{0,12}"#) {
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        // Two things differ on purpose: halves of characters, and numbers out of the range of f64.
        let halves = theirs.as_ref().is_err_and(|error| {
            let why = error.to_string();
            why.contains("surrogate") || why.contains("hex escape") || why.contains("out of range")
        });
        prop_assert!(halves || Json::parse(&text).is_some() == theirs.is_ok(), "{}", text);
    }
}
