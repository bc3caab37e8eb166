use super::*;
use crate::testing::{loaded, report};

fn routes(routes: &[&str]) -> String {
    let tables = routes.iter().map(|lines| format!("\n[[route]]\n{lines}\nmodule = \"a.wasm\"\n"));
    format!("version = 1\n{}", tables.collect::<String>())
}

fn options(lines: &[&str]) -> Vec<TopicOptions> {
    let app = loaded(&routes(lines)).app;
    let options = app.routes.into_iter().filter_map(|route| match route.trigger {
        Trigger::Topic { options, .. } => Some(options),
        _ => None,
    });
    options.collect()
}

#[test]
fn every_key_is_read() {
    let bulk = |messages_max, seconds| {
        Some(BulkOptions { messages_max, await_max: Duration::from_secs(seconds) })
    };
    for (lines, expected) in [
        ("", TopicOptions::default()),
        (
            "match = 'event.type == \"a\"'\nenvelope = true",
            TopicOptions {
                condition: Some("event.type == \"a\"".into()),
                envelope: true,
                ..TopicOptions::default()
            },
        ),
        (
            "dead-letter = \"u/v\"\nraw-payload = true",
            TopicOptions {
                dead_letter_topic: Some("u/v".into()),
                raw_payload: true,
                ..TopicOptions::default()
            },
        ),
        ("bulk = true", TopicOptions { bulk: bulk(100, 1), ..TopicOptions::default() }),
        ("bulk = false", TopicOptions::default()),
        (
            "bulk = { max-messages = 7 }",
            TopicOptions { bulk: bulk(7, 1), ..TopicOptions::default() },
        ),
        (
            "bulk = { max-await = \"2s\" }",
            TopicOptions { bulk: bulk(100, 2), ..TopicOptions::default() },
        ),
    ] {
        assert_eq!(options(&[&format!("topic = \"p/t\"\n{lines}")]), [expected], "{lines}");
    }
}

#[test]
fn mistakes_are_refused() {
    for (lines, expected) in [
        ("match = \"\"", "`match` must not be empty"),
        ("match = 1", "`match` must be a string, found integer"),
        ("dead-letter = \"t\"", "`dead-letter` is the route's own topic"),
        ("dead-letter = \"\"", "`dead-letter` must not be empty"),
        ("bulk = 1", "`bulk` must be `true`, `false` or a table, found integer"),
        ("bulk = { max = 1 }", "unknown key `max` in `bulk`"),
        ("bulk = { max-messages = 0 }", "`max-messages` must be between 1 and 10000"),
        ("bulk = { max-await = \"61s\" }", "`max-await` must not be longer than 1m"),
        ("bulk = { max-await = \"0s\" }", "`max-await` must not be zero"),
        ("raw-payload = 1", "`raw-payload` must be `true` or `false`, found integer"),
        ("envelope = true\nraw-payload = true", "`envelope` means nothing with `raw-payload`"),
        ("envelope = true\nbulk = true", "`envelope` means nothing with `bulk`"),
    ] {
        let report = report(&routes(&[&format!("topic = \"p/t\"\n{lines}")]));
        assert!(report.starts_with(&format!("error: {expected}\n")), "{lines}: {report}");
        assert_eq!(report.matches("error:").count(), 1, "{report}");
    }
    let long = format!("topic = \"p/t\"\nmatch = \"{}\"", "x".repeat(MATCH_BYTES_MAX + 1));
    assert!(report(&routes(&[&long])).contains("`match` has more than 8192 bytes"));
    for key in ["match = \"a\"", "dead-letter = \"a\"", "bulk = true", "envelope = true"] {
        for trigger in ["path = \"/\"", "binding = \"b\"", "job = \"j\""] {
            let report = report(&routes(&[&format!("{trigger}\n{key}")]));
            assert!(report.contains("means nothing without `topic`"), "{report}");
        }
    }
}

#[test]
fn routes_of_a_topic_share_its_subscription() {
    let all = options(&[
        "topic = \"p/t\"\nmatch = \"a\"\ndead-letter = \"d\"",
        "topic = \"p/t\"\nbulk = true",
        "topic = \"p/u\"",
    ]);
    for options in &all[..2] {
        assert_eq!(options.dead_letter_topic.as_deref(), Some("d"));
        assert_eq!(options.bulk, Some(BULK));
    }
    assert_eq!(all[2], TopicOptions::default());
    assert_eq!((all[0].condition.as_deref(), &all[1].condition), (Some("a"), &None));
}

#[test]
fn routes_of_a_topic_must_not_contradict_each_other() {
    for (one, other, expected) in [
        ("match = \"a\"", "match = \"a\"", "topic `p/t` has two routes, on lines 4 and 9"),
        ("", "", "topic `p/t` has two routes, on lines 4 and 9"),
        (
            "match = \"a\"\ndead-letter = \"x\"",
            "dead-letter = \"y\"",
            "two routes of a topic differ in `dead-letter`",
        ),
        (
            "match = \"a\"\nbulk = true",
            "bulk = { max-messages = 1 }",
            "two routes of a topic differ in `bulk`",
        ),
    ] {
        let text =
            routes(&[&format!("topic = \"p/t\"\n{one}"), &format!("topic = \"p/t\"\n{other}")]);
        let report = report(&text);
        let (title, _) = expected.split_once(", on lines").unwrap_or((expected, ""));
        assert!(report.starts_with(&format!("error: {title}")), "{one} {other}: {report}");
    }
}
