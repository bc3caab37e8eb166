//! What starts a route: exactly one of `path`, `topic`, `binding`, `job` and `configuration`. A path
//! may have `methods` and a `host`; the keys of a topic are in `topic`.

use toml::Spanned;

use crate::findings::{Findings, Problem, shown};
use crate::reader::{Field, Reader, Text};
use crate::{Grant, Pattern, Trigger, topic};
use crate::{http, paths};

/// The keys, of which a route has one.
pub(crate) const KEYS: [&str; 5] = ["path", "topic", "binding", "job", "configuration"];

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
        let title = "a route needs one of `path`, `topic`, `binding`, `job` and `configuration`";
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
    if field.name != "topic" {
        topic::refuse_topic_keys(route, found);
    }
    // What could not be read is not compared with other routes.
    let is_whole = found.error_count() == before;
    let text = field.filled_text(found)?;
    let trigger = match field.name {
        "path" => Trigger::Http { path: paths::check(&text, found)?, methods, host },
        "topic" => topic::topic(route, &text, found)?,
        "job" => job(&text, found)?,
        "configuration" => configuration(&text, found)?,
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

/// Dapr delivers a binding at the path `/NAME`, so the name must be a plain segment, and not one
/// that Trilby answers itself.
fn binding(text: &Text<'_>, found: &mut Findings) -> Option<Trigger> {
    let name = text.text;
    let is_odd = |c: char| c.is_control() || c.is_whitespace() || "/?#%".contains(c);
    let problem = if name.contains(is_odd) {
        "is not a component's name"
    } else if matches!(name, "healthz" | "readyz" | "dapr") {
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

/// A job's name, or its beginning and `*`. Dapr's scheduler takes no name with one of these
/// characters.
fn job(text: &Text<'_>, found: &mut Findings) -> Option<Trigger> {
    match Pattern::parse(text.text).filter(|_| !text.text.contains(['/', '\\', '#', '?'])) {
        Some(pattern) => Some(Trigger::Job { pattern }),
        None => {
            let title = format!("job `{}` is not the name of a job", shown(text.text));
            let help = "write a name without `/`, `\\`, `#` and `?`; a `*` stands only at the end";
            found.error(Problem::new(text.span.clone(), title).help(help));
            None
        }
    }
}

/// `store`, `store/key` or `store/prefix*`.
fn configuration(text: &Text<'_>, found: &mut Findings) -> Option<Trigger> {
    match Grant::parse(text.text) {
        Some(Grant { component, pattern }) => {
            Some(Trigger::Configuration { store: component, pattern })
        }
        None => {
            let title =
                format!("configuration `{}` does not name a component and a key", shown(text.text));
            let help = "write `store`, `store/key` or `store/prefix*`";
            found.error(Problem::new(text.span.clone(), title).help(help));
            None
        }
    }
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
    use crate::TopicOptions;
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
            ("job = \"a b\"", Trigger::Job { pattern: Pattern::Exact("a b".into()) }),
            ("job = \"nightly-*\"", Trigger::Job { pattern: Pattern::Prefix("nightly-".into()) }),
            (
                "configuration = \"c/k/l\"",
                Trigger::Configuration { store: "c".into(), pattern: Pattern::Exact("k/l".into()) },
            ),
            (
                "configuration = \"c\"",
                Trigger::Configuration { store: "c".into(), pattern: Pattern::Prefix("".into()) },
            ),
            ("binding = \"tick\"", Trigger::Binding { name: "tick".into() }),
        ] {
            assert_eq!(loaded(&route(line)).app.routes[0].trigger, expected, "{line}");
        }
    }

    #[test]
    fn bad_triggers_are_refused() {
        for (line, expected) in [
            ("", "a route needs one of `path`, `topic`, `binding`, `job` and `configuration`"),
            ("job = \"a/b\"", "job `a/b` is not the name of a job"),
            ("job = \"a*b\"", "job `a*b` is not the name of a job"),
            ("job = \"a\"\nmethods = [\"GET\"]", "`methods` means nothing without `path`"),
            ("configuration = \"/k\"", "configuration `/k` does not name a component and a key"),
            ("binding = \"dapr\"", "binding `dapr` is reserved: Trilby answers that path itself"),
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
