//! Transcripts without what differs from run to run.

use std::path::Path;

use regex::Regex;

/// Replaces ids, times, addresses and folders by their kind.
pub(super) struct Normal {
    /// Texts of this run, longest first.
    literal: Vec<(String, &'static str)>,
    patterns: Vec<(Regex, &'static str)>,
}

impl Normal {
    pub(super) fn new(app_id: &str, folder: &Path) -> Self {
        const PATTERNS: [(&str, &str); 9] = [
            (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uuid>"),
            (
                r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d| [+-]\d{4} UTC)?",
                "<time>",
            ),
            (r"(127\.0\.0\.1|localhost|\[::1\]):\d+", "<address>"),
            (r"\b00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\b", "<traceparent>"),
            (r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", "<date>"),
            // Which of the two comes is a matter of the network around the test.
            (r"timeout waiting for address for app id (\w+)", "couldn't find service: ${1}"),
            (r"read (tcp|unix) \S+->\S+", "read <connection>"),
            (r#"port("?): ?\d+"#, "port${1}: <port>"),
            (r"(?i)(user-agent:? )\S+", "${1}<agent>"),
        ];
        let literal =
            vec![(folder.display().to_string(), "<folder>"), (app_id.to_owned(), "<app>")];
        let patterns = PATTERNS
            .iter()
            .filter_map(|(pattern, name)| Some((Regex::new(pattern).ok()?, *name)))
            .collect();
        Self { literal, patterns }
    }

    /// The text of any run.
    pub(super) fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (literal, name) in &self.literal {
            text = text.replace(literal, name);
        }
        for (pattern, name) in &self.patterns {
            text = pattern.replace_all(&text, *name).into_owned();
        }
        text
    }
}

/// Bytes as one line of text: what is not printable is escaped.
pub(super) fn shown(bytes: &[u8]) -> String {
    const MANY: usize = 2_000;
    if bytes.len() > MANY {
        return format!("<{} bytes>", bytes.len());
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.replace('\r', "\\r").replace('\n', "\\n"),
        Err(_) => bytes.escape_ascii().to_string(),
    }
}

/// JSON with its members in one order. Lists of objects are sorted if `any_order` says that their
/// order means nothing.
pub(super) fn json(bytes: &[u8], any_order: bool) -> String {
    let Ok(mut value) = serde_json::from_slice::<serde_json::Value>(bytes) else {
        return shown(bytes);
    };
    if any_order {
        sort(&mut value);
    }
    value.to_string()
}

fn sort(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Array(items) => {
            items.iter_mut().for_each(sort);
            items.sort_by_key(ToString::to_string);
        }
        serde_json::Value::Object(members) => members.values_mut().for_each(sort),
        _ => {}
    }
}

/// A map as text, in the order of its keys.
pub(super) fn map<'a, V: AsRef<str> + 'a>(
    entries: impl IntoIterator<Item = (&'a String, &'a V)>,
) -> String {
    let mut entries: Vec<_> =
        entries.into_iter().map(|(name, value)| format!("{name}={:?}", value.as_ref())).collect();
    entries.sort();
    format!("{{{}}}", entries.join(", "))
}

/// Replaces a case's own word, wherever it stands.
pub(super) fn fill(text: &str, word: &str) -> String {
    text.replace('$', word)
}
