//! Rules beside what daprd makes of them, and rules that are too much.

mod daprd;

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(members) = value else { panic!("{value} is no object") };
    members
}

fn event() -> Map<String, Value> {
    object(json!({
        "specversion": "1.0", "id": "a-1", "type": "order.placed", "source": "shop",
        "datacontenttype": "application/json", "time": "2026-01-02T03:04:05Z",
        "data": {
            "amount": 12.5, "count": 10, "big": 9_007_199_254_740_993_u64, "neg": -3,
            "name": "Ann", "empty": "", "text": "größe", "flag": true, "off": false, "none": null,
            "tags": ["a", "b"], "nums": [1, 2, 3], "map": {"k": 1}, "dotted.key": "d",
            "items": [{"sku": "x", "n": 1}, {"sku": "y", "n": 20}],
        },
    }))
}

fn asked(rule: &str, envelope: &Map<String, Value>) -> Result<bool, ConditionError> {
    Condition::parse(rule).unwrap_or_else(|error| panic!("{rule}: {error}")).matches(envelope)
}

fn refusal(rule: &str) -> ConditionError {
    Condition::parse(rule).err().unwrap_or_else(|| panic!("{rule} is read"))
}

#[test]
fn rules_are_told_as_by_daprd() {
    let event = event();
    for rule in daprd::TRUE {
        assert_eq!(asked(rule, &event), Ok(true), "{rule}");
    }
    for rule in daprd::FALSE {
        assert_eq!(asked(rule, &event), Ok(false), "{rule}");
    }
    for rule in daprd::ERROR {
        let told = asked(rule, &event);
        assert!(matches!(told, Err(ConditionError::Evaluation { .. })), "{rule}: {told:?}");
    }
    for rule in daprd::REFUSED {
        refusal(rule);
    }
}

#[test]
fn what_differs_from_daprd_differs_as_documented() {
    let event = event();
    for (rule, expected) in [
        ("1 == \"a\"", Ok(false)),
        ("1 == 1.0", Ok(true)),
        ("1 < 2.0", Ok(true)),
        ("string(1e6) == \"1000000\"", Ok(true)),
        ("1 + \"a\" == \"1a\"", Err(())),
        ("event.data.name in \"Ann\"", Err(())),
    ] {
        assert_eq!(asked(rule, &event).map_err(drop), expected, "{rule}");
    }
    for variable in ["foo", "true || foo.bar", "event.tags.all(a, b)", ".event.type"] {
        assert!(matches!(refusal(variable), ConditionError::UnknownVariable { .. }), "{variable}");
    }
    for function in [
        "foo()",
        "event.foo()",
        "timestamp(event.time) == event.x",
        "duration(\"1h\") == event.x",
        "google.protobuf.Duration{} == event.x",
        "event.type.lowerAscii() == \"x\"",
    ] {
        let refused = refusal(function);
        assert!(matches!(refused, ConditionError::UnknownFunction { .. }), "{function}");
    }
    for pattern in ["event.type.matches(\"(\")", "matches(event.type, r\"\\w{900}\")"] {
        assert!(matches!(refusal(pattern), ConditionError::Syntax { .. }), "{pattern}");
    }
}

#[test]
fn data_may_be_of_any_type_and_may_be_absent() {
    let rule = "event.type == \"x\" && has(event.data.n) && event.data.n > 1";
    for (data, expected) in [
        (json!({"type": "x", "data": {"n": 2}}), Ok(true)),
        (json!({"type": "x", "data": "n"}), Ok(false)),
        (json!({"type": "x", "data": null}), Ok(false)),
        (json!({"type": "y", "data_base64": "AA=="}), Ok(false)),
        (json!({"type": "x", "data_base64": "AA=="}), Err(())),
    ] {
        let envelope = object(data);
        assert_eq!(asked(rule, &envelope).map_err(drop), expected, "{envelope:?}");
    }
    let text = object(json!({"data": "n"}));
    assert_eq!(asked("event.data == \"n\" && event.data.size() == 1", &text), Ok(true));
    let binary = object(json!({"data_base64": "AA=="}));
    assert_eq!(asked("!has(event.data) && event.data_base64 == \"AA==\"", &binary), Ok(true));
}

#[test]
fn the_first_rule_that_applies_decides_and_an_error_ends_the_search() {
    let event = event();
    let rules = |texts: &[&'static str]| -> Vec<(Condition, &'static str)> {
        texts.iter().map(|&text| (Condition::parse(text).unwrap(), text)).collect()
    };
    let cases: [(&[&'static str], _, _); 8] = [
        (&[], None, Ok(None)),
        (&[], Some("default"), Ok(Some("default"))),
        (&["false"], None, Ok(None)),
        (&["false"], Some("default"), Ok(Some("default"))),
        (&["false", "true", "1 == 1"], Some("default"), Ok(Some("true"))),
        (&["false", "", "true"], Some("default"), Ok(Some(""))),
        (&["true", "event.missing"], None, Ok(Some("true"))),
        (&["event.missing", "true"], Some("default"), Err(())),
    ];
    for (texts, default, expected) in cases {
        let rules = rules(texts);
        let pairs = rules.iter().map(|(condition, target)| (condition, target));
        let found = Condition::route(pairs, default.as_ref(), &event);
        assert_eq!(found.map(|found| found.copied()).map_err(drop), expected, "{texts:?}");
    }
}

#[test]
fn messages_say_what_and_where_and_no_value_of_the_event() {
    let event = object(json!({"type": "x", "data": {"password": "hunter2", "n": 1, "list": []}}));
    for (rule, expected) in [
        ("event.data.m == 1", "it has no `m`; ask `has(...)` first"),
        ("event.data[event.data.password] == 1", "a map lacks a key"),
        ("event.data.list[0] == 1", "a list has no such index"),
        ("event.data.password < 1", "`_<_` does not go with the types (string, int)"),
        ("event.data.password", "its result is of type string, not true or false"),
        ("event.data.password + 1 == 2", "an operator does not go with the types it was given"),
        ("int(event.data.password) == 1", "`int` cannot work on what it was given"),
        (
            "\"x\".matches(\"(\" + event.data.password)",
            "`matches` cannot work on what it was given",
        ),
    ] {
        let error = asked(rule, &event).unwrap_err().to_string();
        let expected = format!("the rule `{rule}` cannot be told for this event: {expected}");
        assert_eq!(error, expected);
    }
    let long = format!("event.type ==\n\"{}\" || 1", "x".repeat(100));
    let error = asked(&long, &event).unwrap_err().to_string();
    assert!(error.starts_with("the rule `event.type == \"xxx"), "{error}");
    assert!(error.contains("x…` cannot"), "{error}");
    assert_eq!(
        refusal("event.type == 1 &&\n  event.x = 1").to_string(),
        "the rule is not valid at line 2, column 11: token recognition error at: '= '"
    );
    assert_eq!(
        refusal("data.n > 1").to_string(),
        "a rule knows only `event`, as in `event.type` or `event.data`, not `data`"
    );
}

#[test]
fn texts_are_bounded_in_length_and_depth() {
    let long = format!("event.type == \"{}\"", "x".repeat(TEXT_BYTES_MAX));
    assert_eq!(refusal(&long), ConditionError::TooLong { bytes: long.len() });
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{1:", "}"),
        ("event[", "]"),
        ("size(", ")"),
        ("1+", ""),
        ("1*(", ")"),
        ("true?true:", ""),
        ("[].all(a,", ")"),
    ] {
        let times = TEXT_BYTES_MAX / (open.len() + close.len()) - 8;
        let deep = format!("{}true{}", open.repeat(times), close.repeat(times));
        assert!(matches!(refusal(&deep), ConditionError::TooDeep { .. }), "{open}");
        refusal(&open.repeat(times));
    }
    let longest = format!("{}event.x", "!".repeat(2 * (TEXT_BYTES_MAX / 2 - 8)));
    assert_eq!(asked(&longest, &object(json!({"x": true}))), Ok(true));
    let alternatives = format!("{}true", "event.x == 1 || ".repeat(400));
    assert_eq!(asked(&alternatives, &object(json!({"x": 2}))), Ok(true));
}

#[test]
fn work_is_bounded() {
    let list: Vec<Value> = (0..2000).map(|n| json!(format!("tag{n}"))).collect();
    let envelope = object(json!({"data": {"list": list, "text": "x".repeat(2 << 20)}}));
    for sensible in [
        "event.data.list.exists(tag, tag == \"tag1999\")",
        "event.data.list.filter(tag, tag.startsWith(\"tag\")).size() == 2000",
        "event.data.list.map(tag, tag + \"a\").exists_one(tag, tag == \"tag1999a\")",
        "event.data.text.matches(\"^x+$\")",
    ] {
        assert_eq!(asked(sensible, &envelope), Ok(true), "{sensible}");
    }
    for costly in [
        "event.data.list.all(a, event.data.list.all(b, a != b + \"x\"))",
        "[event.data.list].all(l, l.all(a, l.all(b, a != b + \"x\")))",
        "[event.data.list].all(l, l.map(a, l.filter(b, a != b)).size() > 0)",
        "[event.data.list].all(l, l.exists_one(a, l.exists_one(b, a == b)))",
        "event.data.list.all(tag, tag.matches(\"^tag\"))",
        "event.data.list.all(tag, !event.data.text.contains(tag))",
        "[event.data.text].all(t, [1, 2, 3].all(n, event.data.list.all(a, !t.contains(a))))",
        "!event.data.list.exists(tag, event.data.text.matches(tag))",
    ] {
        let told = asked(costly, &envelope);
        assert!(matches!(told, Err(ConditionError::TooMuchWork { .. })), "{costly}: {told:?}");
    }
}

#[test]
fn conditions_are_shared_and_compared_by_their_texts() {
    fn shared<T: Send + Sync + Clone + 'static>(_: &T) {}
    let rule = Condition::parse(" event.type == \"x\"\n").unwrap();
    shared(&rule);
    assert_eq!(rule.text(), "event.type == \"x\"");
    assert_eq!(rule, Condition::parse(rule.text()).unwrap());
    assert_ne!(rule, Condition::parse("event.type == 'x'").unwrap());
    assert_eq!(format!("{rule:?}"), r#"Condition("event.type == \"x\"")"#);
    assert_eq!(asked(" \n", &Map::new()), Ok(true));
}

/// Pieces of rules, so that arbitrary ones get past the parser now and then.
fn rules() -> impl Strategy<Value = String> {
    let pieces = [
        "event",
        ".data",
        ".type",
        ".list",
        "[0]",
        "[",
        "]",
        "(",
        ")",
        " == ",
        " && ",
        " || ",
        "!",
        "-",
        "1",
        "1.5",
        "\"x\"",
        "true",
        " ? ",
        " : ",
        " in ",
        "has(event.x)",
        ".size()",
        ".all(a, a)",
        ".exists(a, a == 1)",
        ".map(a, [a])",
        ".matches(\"x\")",
        ", ",
        "{",
        "}",
        "a",
        "type(",
        "string(",
        "null",
        " % ",
        " / 0",
        "b'x'",
        "0u",
    ];
    let piece = prop_oneof![9 => proptest::sample::select(pieces.to_vec()).prop_map(str::to_owned),
        1 => "\\PC{0,3}"];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn arbitrary_texts_are_told_or_refused_in_one_line(text in prop_oneof![rules(), ".{0,40}"]) {
        let event = object(json!({"type": "x", "data": {"list": [1, "x", [null]], "x": 1}}));
        let told = Condition::parse(&text).and_then(|condition| condition.matches(&event));
        if let Err(error) = told {
            let message = error.to_string();
            prop_assert!(!message.contains('\n') && !message.contains("write it otherwise"));
        }
    }
}
