//! The `grants` of a route.

use crate::findings::{Findings, Problem, shown};
use crate::reader::{Reader, Text};
use crate::{Grant, Grants, MetadataGrant, Pattern};

/// The keys of `grants`.
pub(crate) const GRANT_KEYS: [&str; 17] = [
    "state",
    "state-read",
    "state-write",
    "state-query",
    "publish",
    "bindings",
    "invoke",
    "secrets",
    "configuration",
    "lock",
    "jobs",
    "encrypt",
    "decrypt",
    "conversation",
    "actors",
    "metadata",
    "call",
];

/// Bytes of the name of an rpc.
const RPC_BYTES_MAX: usize = 100;

/// The grants of a route.
pub(crate) fn grants(table: &Reader<'_>, found: &mut Findings) -> Grants {
    table.refuse_unknown(&GRANT_KEYS, found);
    Grants {
        state: list(table, "state", found, of_component),
        state_read: list(table, "state-read", found, of_component),
        state_write: list(table, "state-write", found, of_component),
        state_query: list(table, "state-query", found, whole),
        publish: list(table, "publish", found, of_component),
        bindings: list(table, "bindings", found, of_component),
        invoke: list(table, "invoke", found, of_app),
        secrets: list(table, "secrets", found, of_component),
        configuration: list(table, "configuration", found, of_component),
        lock: list(table, "lock", found, of_component),
        jobs: list(table, "jobs", found, job),
        encrypt: list(table, "encrypt", found, of_component),
        decrypt: list(table, "decrypt", found, of_component),
        conversation: list(table, "conversation", found, component),
        actors: list(table, "actors", found, of_actor),
        metadata: list(table, "metadata", found, metadata),
        call: list(table, "call", found, rpc),
    }
}

/// What an item of a list stands for, or how it is written.
type Item<T> = Result<T, &'static str>;

fn list<T>(
    table: &Reader<'_>,
    name: &str,
    found: &mut Findings,
    read: fn(&str) -> Item<T>,
) -> Vec<T> {
    let mut grants = Vec::new();
    for Text { text, span } in table.texts(name, found) {
        match read(text) {
            Ok(grant) => grants.push(grant),
            Err(help) => {
                let title = format!("`{}` is not a grant of `{name}`", shown(text));
                found.error(Problem::new(span, title).help(help));
            }
        }
    }
    grants
}

fn of_component(text: &str) -> Item<Grant> {
    Grant::parse(text).ok_or(
        "write `component`, `component/name` or `component/prefix*`; a `*` stands only at the end",
    )
}

/// A query looks at all keys of a store.
fn whole(text: &str) -> Item<Grant> {
    Grant::parse(text)
        .filter(|grant| grant.pattern.allows(""))
        .ok_or("write the store's name alone: a query looks at all of its keys")
}

fn of_app(text: &str) -> Item<Grant> {
    let has_slash = text.split_once('/').is_some_and(|(_, method)| method.starts_with('/'));
    Grant::parse(text).filter(|_| !has_slash).ok_or(
        "write `app`, `app/method` or `app/orders/*`: a Dapr app id, and the path at that app \
         without its leading `/`",
    )
}

fn of_actor(text: &str) -> Item<Grant> {
    Grant::parse(text)
        .ok_or("write `Type`, `Type/id` or `Type/prefix*`; a `*` stands only at the end")
}

fn job(text: &str) -> Item<Pattern> {
    Pattern::parse(text)
        .filter(|_| !text.contains('/'))
        .ok_or("write a job's name, or its beginning and `*`: jobs are the app's own")
}

fn component(text: &str) -> Item<String> {
    match text.contains(['/', '*']) {
        true => Err("write the component's name alone"),
        false => Ok(text.to_owned()),
    }
}

fn metadata(text: &str) -> Item<MetadataGrant> {
    match text {
        "read" => Ok(MetadataGrant::Read),
        "write" => Ok(MetadataGrant::Write),
        _ => Err("write `read` or `write`"),
    }
}

fn rpc(text: &str) -> Item<String> {
    let is_name = text.len() <= RPC_BYTES_MAX && text.bytes().all(|b| b.is_ascii_alphanumeric());
    match is_name && text.starts_with(|c: char| c.is_ascii_uppercase()) {
        true => Ok(text.to_owned()),
        false => Err("write the name of an rpc of Dapr, such as `ListActorReminders`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{loaded, report};

    fn route(grants: &str) -> String {
        format!("version = 1\n[[route]]\npath = \"/\"\nmodule = \"a.wasm\"\ngrants.{grants}\n")
    }

    #[test]
    fn every_key_is_read() {
        let grant = |text| vec![Grant::parse(text).expect("valid")];
        let none = Grants::default;
        for (line, expected) in [
            ("state = [\"s/k*\"]", Grants { state: grant("s/k*"), ..none() }),
            ("state-read = [\"s\"]", Grants { state_read: grant("s"), ..none() }),
            ("state-write = [\"s/k\"]", Grants { state_write: grant("s/k"), ..none() }),
            ("state-query = [\"s\"]", Grants { state_query: grant("s"), ..none() }),
            ("publish = [\"p/t\"]", Grants { publish: grant("p/t"), ..none() }),
            ("bindings = [\"b/get\"]", Grants { bindings: grant("b/get"), ..none() }),
            ("invoke = [\"a/v1/*\"]", Grants { invoke: grant("a/v1/*"), ..none() }),
            ("secrets = [\"s/k\"]", Grants { secrets: grant("s/k"), ..none() }),
            ("configuration = [\"c/k\"]", Grants { configuration: grant("c/k"), ..none() }),
            ("lock = [\"l/r-*\"]", Grants { lock: grant("l/r-*"), ..none() }),
            ("jobs = [\"j-*\"]", Grants { jobs: vec![Pattern::Prefix("j-".into())], ..none() }),
            ("encrypt = [\"c/k\"]", Grants { encrypt: grant("c/k"), ..none() }),
            ("decrypt = [\"c/k\"]", Grants { decrypt: grant("c/k"), ..none() }),
            ("conversation = [\"echo\"]", Grants { conversation: vec!["echo".into()], ..none() }),
            ("actors = [\"Cart/1\"]", Grants { actors: grant("Cart/1"), ..none() }),
            (
                "metadata = [\"read\", \"write\"]",
                Grants { metadata: vec![MetadataGrant::Read, MetadataGrant::Write], ..none() },
            ),
            (
                "call = [\"ListActorReminders\"]",
                Grants { call: vec!["ListActorReminders".into()], ..none() },
            ),
        ] {
            assert_eq!(loaded(&route(line)).app.routes[0].grants, expected, "{line}");
        }
    }

    #[test]
    fn what_is_no_grant_is_refused_with_what_to_write() {
        for (line, help) in [
            ("state = [\"a*/b\"]", "write `component`, `component/name`"),
            ("state-query = [\"s/k*\"]", "write the store's name alone"),
            ("invoke = [\"app//orders\"]", "without its leading `/`"),
            ("jobs = [\"a/b\"]", "write a job's name"),
            ("conversation = [\"a/b\"]", "write the component's name alone"),
            ("actors = [\"/id\"]", "write `Type`, `Type/id`"),
            ("metadata = [\"all\"]", "write `read` or `write`"),
            ("call = [\"/dapr/GetState\"]", "write the name of an rpc"),
            ("secret = []", "did you mean `secrets`?"),
            ("topics = []", "known keys: state, state-read"),
        ] {
            let report = report(&route(line));
            assert!(report.contains(help), "{line}: {report}");
            assert_eq!(report.matches("error:").count(), 1, "{report}");
        }
    }
}
