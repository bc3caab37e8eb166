//! Files of kind `Subscription`, as they should be and with every mistake.

use std::time::Duration;

use trilby_dapr::Condition;
use trilby_dapr::subscription::Bulk;

use super::*;

const V1: &str = "apiVersion: dapr.io/v1alpha1\nkind: Subscription\n";
const V2: &str = "apiVersion: dapr.io/v2alpha1\nkind: Subscription\n";

/// A subscription of the second version, but for the rest of its `spec`.
fn v2(spec: &str) -> String {
    format!("{V2}metadata: {{name: orders}}\nspec:\n  pubsubname: bus\n  topic: orders\n{spec}")
}

fn subscriptions(files: &[(&str, &str)]) -> Result<Vec<DeclaredSubscription>, String> {
    let folder = folder(files);
    let place = format!("{}/", folder.path().display());
    let found = load(&[folder.path().to_owned()], "app");
    let found = found.map_err(|error| error.to_string().replace(&place, ""))?;
    Ok(found.subscriptions)
}

fn one(text: &str) -> DeclaredSubscription {
    let mut found = subscriptions(&[("a.yaml", text)]).unwrap();
    assert_eq!(found.len(), 1, "{text}");
    found.remove(0)
}

#[test]
fn the_second_version_is_read() {
    let text = v2(r#"  routes:
    rules:
      - match: event.type == "placed"
        path: /placed
      - {match: ' event.data.amount > 10 ', path: large}
      - {path: any}
    default: other
  deadLetterTopic: dead
  bulkSubscribe: {enabled: true, maxMessagesCount: 5, maxAwaitDurationMs: 40}
  metadata: {rawPayload: true, depth: 3}
scopes: [app, web]
"#);
    let condition = |text| Condition::parse(text).unwrap();
    let mut found = one(&format!("# Orders.\n{text}"));
    assert!(found.file.ends_with("a.yaml"));
    found.file = PathBuf::new();
    let expected = DeclaredSubscription {
        name: "orders".to_owned(),
        file: PathBuf::new(),
        line: 2,
        pubsub: "bus".to_owned(),
        topic: "orders".to_owned(),
        rules: vec![
            (condition("event.type == \"placed\""), "/placed".to_owned()),
            (condition("event.data.amount > 10"), "/large".to_owned()),
            (condition(""), "/any".to_owned()),
        ],
        default: Some("/other".to_owned()),
        dead_letter_topic: Some("dead".to_owned()),
        bulk: Some(Bulk { max_messages: 5, max_await: Duration::from_millis(40) }),
        metadata: BTreeMap::from([
            ("depth".to_owned(), "3".to_owned()),
            ("rawPayload".to_owned(), "true".to_owned()),
        ]),
        scopes: vec!["app".to_owned(), "web".to_owned()],
    };
    assert_eq!(found, expected);
}

#[test]
fn the_first_version_is_read() {
    let text = format!(
        "{V1}metadata:\n  name: orders\nspec:\n  topic: orders\n  route: orders/new\n  \
         pubsubname: bus\n  deadLetterTopic: \"\"\n"
    );
    let found = one(&text);
    assert_eq!((found.pubsub.as_str(), found.topic.as_str()), ("bus", "orders"));
    assert_eq!((found.rules, found.default), (Vec::new(), Some("/orders/new".to_owned())));
    assert_eq!((found.dead_letter_topic, found.bulk), (None, None));
    assert!(found.metadata.is_empty() && found.scopes.is_empty());
}

#[test]
fn bulk_sizes_have_defaults() {
    let cases = [
        ("{}", None),
        ("{enabled: false, maxMessagesCount: 5}", None),
        ("{enabled: true}", Some((100, 1000))),
        ("{enabled: true, maxMessagesCount: 0, maxAwaitDurationMs: -1}", Some((100, 1000))),
        ("{enabled: true, maxMessagesCount: 2147483647}", Some((2_147_483_647, 1000))),
    ];
    for (text, expected) in cases {
        let found = one(&v2(&format!("  routes: {{default: /}}\n  bulkSubscribe: {text}\n"))).bulk;
        let found = found.map(|bulk| (bulk.max_messages, bulk.max_await.as_millis()));
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn documents_are_in_order_among_components_and_for_this_app() {
    let named = |name: &str, more: &str| {
        format!(
            "{V2}metadata: {{name: {name}}}\nspec: {{pubsubname: b, topic: t, routes: {{default: \
             /}}}}\n{more}---\n"
        )
    };
    let component = with_spec("  type: pubsub.in-memory\n");
    let others = named("others", "scopes: [web]\n");
    let first = format!("{}{others}{others}{component}", named("first", "scopes: [web, app]\n"));
    let second = named("second", "");
    let files = [("a.yaml", first.as_str()), ("b.yaml", second.as_str())];
    let names = subscriptions(&files).unwrap().into_iter().map(|found| found.name);
    assert_eq!(names.collect::<Vec<_>>(), ["first", "second"]);
    assert_eq!(components(&files).unwrap().len(), 1);

    // A subscription and a component may have one name; two subscriptions may not.
    let store = named("store", "");
    assert_eq!(subscriptions(&[("a.yaml", &component), ("b.yaml", &store)]).unwrap().len(), 1);
    assert_eq!(
        subscriptions(&[("a.yaml", &store), ("b.yaml", &store)]).unwrap_err(),
        "b.yaml:1: there is a subscription `store` already, at a.yaml:1; give one of them another \
         name"
    );
}

#[test]
fn mistakes_are_pointed_at() {
    let rules = |rules: &str| v2(&format!("  routes:\n    rules:\n{rules}"));
    let with_default = |more: &str| v2(&format!("  routes: {{default: /}}\n{more}"));
    let cases = [
        (
            V2.replace("Subscription", "Subscriptions"),
            "2: there is no kind `Subscriptions`; did you mean `Subscription`?",
        ),
        (
            V2.replace("v2alpha1", "v1"),
            "1: `apiVersion` must be dapr.io/v2alpha1 or dapr.io/v1alpha1; this is `dapr.io/v1`",
        ),
        (V2.to_owned(), "1: a subscription needs `metadata` with its `name`"),
        (format!("{V2}metadata: {{name: x}}\n"), "1: a subscription needs `spec`"),
        (
            format!("{V2}auth: {{secretStore: x}}\n"),
            "3: a subscription has no key `auth`; it may have `apiVersion`, `kind`, `metadata`, \
             `spec`, `scopes`",
        ),
        (
            format!("{V2}metadata: {{name: x}}\nspec:\n  pubsubName: x\n"),
            "5: `spec` has no key `pubsubName`; did you mean `pubsubname`?",
        ),
        (format!("{V2}metadata: {{name: x}}\nspec:\n  topic: x\n"), "5: `spec` needs `pubsubname`"),
        (format!("{V2}metadata: {{name: x}}\nspec:\n  pubsubname: x\n"), "5: `spec` needs `topic`"),
        (v2("  route: /x\n"), "7: `spec` has no key `route`; did you mean `routes`?"),
        (
            v2("  routes: {default: /}\n").replace("v2alpha1", "v1alpha1"),
            "7: `spec` has no key `routes`; did you mean `route`?",
        ),
        (v2("").replace("v2alpha1", "v1alpha1"), "5: `spec` needs `route`"),
        (
            v2(""),
            "5: `spec` needs `routes`, which needs `default`, a path, or `rules`, a list of \
             `match` and `path`",
        ),
        (
            v2("  routes: {default: \"\", rules: []}\n"),
            "7: `routes` needs `default`, a path, or `rules`, a list of `match` and `path`",
        ),
        (rules("      - match: event.x\n"), "9: a rule needs `path`"),
        (rules("      - mach: x\n"), "9: a rule has no key `mach`; did you mean `match`?"),
        (
            rules("      - path: /\n        match: event.type ==\n"),
            "10: in `match`: the rule is not valid at line 1, column 14: mismatched input '<EOF>'",
        ),
        (
            rules("      - path: /\n        match: event.type == \"x\" || data\n"),
            "10: in `match`: a rule knows only `event`, as in `event.type` or `event.data`, not \
             `data`",
        ),
        (
            with_default("  bulkSubscribe: {enabled: yes please}\n"),
            "8: `enabled` must be true or false; this is a text",
        ),
        (
            with_default("  bulkSubscribe: {maxMessageCount: 5}\n"),
            "8: `bulkSubscribe` has no key `maxMessageCount`; did you mean `maxMessagesCount`?",
        ),
        (
            with_default("  bulkSubscribe:\n    maxMessagesCount: \"5\"\n"),
            "9: `maxMessagesCount` must be a whole number up to 2147483647",
        ),
        (
            with_default("  bulkSubscribe: {maxAwaitDurationMs: 1.5}\n"),
            "8: `maxAwaitDurationMs` must be a whole number up to 2147483647",
        ),
        (with_default("  metadata: [x]\n"), "8: `metadata` must be a map; this is a list"),
        (with_default("  metadata: {x: [y]}\n"), "8: `x` must be a text; this is a list"),
        (
            with_default("  metadata: {rawpayload: true}\n"),
            "8: there is no metadata `rawpayload`; did you mean `rawPayload`?",
        ),
        (
            with_default("  metadata: {rawPayload: maybe}\n"),
            "8: `rawPayload` must be true or false; this is `maybe`",
        ),
        (
            with_default("  metadata:\n    a: 1\n    a: 2\n"),
            "10: the key `a` is here already; keep one",
        ),
        (
            with_default("  scopes: [app]\n"),
            "8: `spec` has no key `scopes`; it may have `pubsubname`, `topic`, `routes`, \
             `deadLetterTopic`, `bulkSubscribe`, `metadata`",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(
            subscriptions(&[("a.yaml", &text)]).unwrap_err(),
            format!("a.yaml:{expected}"),
            "{text}"
        );
    }
}
