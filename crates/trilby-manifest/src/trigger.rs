//! What starts a route: exactly one of `path`, `topic` and `binding`. A path may have `methods`
//! and a `host`.

use toml::Spanned;

use crate::findings::{Findings, Problem, shown};
use crate::reader::{Field, Reader, Text};
use crate::{TopicOptions, Trigger};
use crate::{http, paths};

/// The keys, of which a route has one.
pub(crate) const KEYS: [&str; 3] = ["path", "topic", "binding"];

/// The keys that go with `path` only.
pub(crate) const HTTP_KEYS: [&str; 2] = ["methods", "host"];

/// Reads a route's trigger. `meant` are the keys that the route has misspelt.
pub(crate) fn read(
    route: &Reader<'_>,
    meant: &[&str],
    found: &mut Findings,
) -> Option<Spanned<Trigger>> {
    let mut fields: Vec<_> = KEYS.iter().filter_map(|name| route.get(name)).collect();
    fields.sort_by_key(|field| field.key.start);
    let mut fields = fields.into_iter();
    let Some(first) = fields.next() else {
        if KEYS.iter().any(|name| meant.contains(name)) {
            return None;
        }
        let title = "a route needs one of `path`, `topic` and `binding`";
        let help = "add a line such as `path = \"/...\"`";
        found.error(Problem::new(route.span(), title).help(help));
        return None;
    };
    for other in fields {
        let title = format!("a route cannot have both `{}` and `{}`", first.name, other.name);
        found.error(
            Problem::new(other.key, title)
                .context(first.key.clone(), "the first one")
                .help("write one `[[route]]` for each; they may name the same module"),
        );
    }
    trigger(route, &first, found)
}

fn trigger(
    route: &Reader<'_>,
    field: &Field<'_>,
    found: &mut Findings,
) -> Option<Spanned<Trigger>> {
    let before = found.error_count();
    let (methods, host) = if field.name == "path" {
        (http::methods(route, found), http::host(route, found))
    } else {
        refuse_http_keys(route, field, found);
        (Vec::new(), None)
    };
    // What could not be read is not compared with other routes.
    let is_whole = found.error_count() == before;
    let text = field.filled_text(found)?;
    let trigger = match field.name {
        "path" => Trigger::Http { path: paths::check(&text, found)?, methods, host },
        "topic" => topic(&text, found)?,
        _ => binding(&text, found)?,
    };
    is_whole.then(|| Spanned::new(text.span, trigger))
}

fn refuse_http_keys(route: &Reader<'_>, trigger: &Field<'_>, found: &mut Findings) {
    for field in HTTP_KEYS.iter().filter_map(|name| route.get(name)) {
        let title = format!("`{}` means nothing without `path`", field.name);
        let help = format!("leave it out: Dapr alone starts the routes of a `{}`", trigger.name);
        found.error(Problem::new(field.key, title).help(help));
    }
}

/// `pubsub/topic`. Topics of some brokers have slashes; names of components have none.
fn topic(text: &Text<'_>, found: &mut Findings) -> Option<Trigger> {
    match text.text.split_once('/') {
        Some((pubsub, topic)) if !pubsub.is_empty() && !topic.is_empty() => Some(Trigger::Topic {
            pubsub: pubsub.to_owned(),
            topic: topic.to_owned(),
            options: TopicOptions::default(),
        }),
        _ => {
            let title =
                format!("topic `{}` does not name a component and a topic", shown(text.text));
            let help = "write the pub/sub component's name, `/`, and the topic: `pubsub/orders`";
            found.error(Problem::new(text.span.clone(), title).help(help));
            None
        }
    }
}

/// Dapr delivers a binding at the path `/NAME`, so the name must be a plain segment, and not one
/// that Trilby answers itself.
fn binding(text: &Text<'_>, found: &mut Findings) -> Option<Trigger> {
    let name = text.text;
    let is_odd = |c: char| c.is_control() || c.is_whitespace() || "/?#%".contains(c);
    let problem = if name.contains(is_odd) {
        "is not a component's name"
    } else if matches!(name, "healthz" | "readyz") {
        "is reserved: Trilby answers that path itself"
    } else {
        return Some(Trigger::Binding { name: name.to_owned() });
    };
    found.error(
        Problem::new(text.span.clone(), format!("binding `{}` {problem}", shown(name)))
            .help("write the input binding's `metadata.name`"),
    );
    None
}

/// The trigger as messages call it.
pub(crate) fn describe(trigger: &Trigger) -> String {
    match trigger {
        Trigger::Http { path, host: Some(host), .. } => {
            format!("path `{}` of host `{}`", shown(path), shown(host))
        }
        Trigger::Http { path, .. } => format!("path `{}`", shown(path)),
        Trigger::Topic { pubsub, topic, .. } => {
            format!("topic `{}/{}`", shown(pubsub), shown(topic))
        }
        Trigger::Binding { name } => format!("binding `{}`", shown(name)),
        Trigger::Job { pattern } => format!("job `{}`", shown(&pattern.to_string())),
        Trigger::Configuration { store, pattern } => {
            format!("configuration `{}/{}`", shown(store), shown(&pattern.to_string()))
        }
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::testing::{loaded, report};

    fn route(trigger: &str) -> String {
        format!("version = 1\n[[route]]\n{trigger}\nmodule = \"a.wasm\"\n")
    }

    #[test]
    fn each_kind_of_trigger_is_read() {
        let topic = |pubsub: &str, topic: &str| Trigger::Topic {
            pubsub: pubsub.into(),
            topic: topic.into(),
            options: TopicOptions::default(),
        };
        for (line, expected) in [
            (
                "path = \"/a/:id/...\"\nmethods = [\"GET\"]\nhost = \"A.de\"",
                Trigger::Http {
                    path: "/a/:id/...".into(),
                    methods: vec!["GET".into()],
                    host: Some("a.de".into()),
                },
            ),
            ("topic = \"bus/placed\"", topic("bus", "placed")),
            ("topic = \"bus/shop/placed\"", topic("bus", "shop/placed")),
            ("binding = \"tick\"", Trigger::Binding { name: "tick".into() }),
        ] {
            assert_eq!(loaded(&route(line)).app.routes[0].trigger, expected, "{line}");
        }
    }

    #[test]
    fn bad_triggers_are_refused() {
        for (line, expected) in [
            ("", "a route needs one of `path`, `topic` and `binding`"),
            ("path = 1", "`path` must be a string, found integer"),
            ("path = \"\"", "`path` must not be empty"),
            ("path = \"a\"", "path `a` does not start with `/`"),
            ("path = \"/healthz\"", "path `/healthz` is reserved"),
            ("path = \"/:a/:a\"", "path `/:a/:a` has the parameter `:a` twice"),
            ("topic = \"b/t\"\nmethods = [\"GET\"]", "`methods` means nothing without `path`"),
            ("host = \"a.de\"\nbinding = \"b\"", "`host` means nothing without `path`"),
            ("topic = \"bus\"", "topic `bus` does not name a component and a topic"),
            ("topic = \"/t\"", "topic `/t` does not name a component and a topic"),
            ("topic = \"bus/\"", "topic `bus/` does not name a component and a topic"),
            ("binding = \"a/b\"", "binding `a/b` is not a component's name"),
            (
                "binding = \"readyz\"",
                "binding `readyz` is reserved: Trilby answers that path itself",
            ),
            ("binding = \"a\\u0000\"", "`binding` must not contain a NUL character"),
        ] {
            let report = report(&route(line));
            assert!(report.starts_with(&format!("error: {expected}\n")), "{line}: {report}");
            assert_eq!(report.matches("error:").count(), 1, "{report}");
        }
    }

    #[test]
    fn a_route_with_two_triggers_is_shown() {
        insta::assert_snapshot!(report(&route("topic = \"bus/t\"\npath = \"/\"")), @r#"
        error: a route cannot have both `topic` and `path`
         --> trilby.toml:4:1
          |
        3 | topic = "bus/t"
          | ----- the first one
        4 | path = "/"
          | ^^^^
          |
          = help: write one `[[route]]` for each; they may name the same module
        "#);
    }
}
