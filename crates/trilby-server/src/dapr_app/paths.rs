//! The paths of deliveries: what daprd is told, and what its requests mean.

use http::uri::PathAndQuery;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};
use trilby_dapr::delivery::{self, NOT_IN_PATH, NOT_IN_SEGMENT};

/// Below this path come topic events: the paths that `/dapr/subscribe` names.
const EVENTS: &str = "/dapr/events/";

/// The path at which events of a topic are delivered; those of a routing rule have one of their own,
/// made of the rule's condition. It is the same after every reload and in every process.
#[must_use]
pub fn topic_path(pubsub: &str, topic: &str, condition: Option<&str>) -> String {
    let encoded = |name| utf8_percent_encode(name, NON_ALPHANUMERIC);
    let path = format!("{EVENTS}{}/{}", encoded(pubsub), encoded(topic));
    match condition {
        None => path,
        Some(condition) => {
            const DIGEST_BYTES: usize = 8;
            let digest = Sha256::digest(condition.as_bytes());
            let hex = digest.iter().take(DIGEST_BYTES).map(|byte| format!("{byte:02x}"));
            format!("{path}/{}", hex.collect::<String>())
        }
    }
}

/// The path at which an input binding is delivered: its name, as Dapr has it.
#[must_use]
pub fn binding_path(name: &str) -> String {
    format!("/{}", utf8_percent_encode(name, NOT_IN_SEGMENT))
}

/// A path in which nothing is left that a URL cannot have. `None` for one that is too long.
pub(crate) fn path(text: &str) -> Option<String> {
    let slash = if text.starts_with('/') { "" } else { "/" };
    let path = format!("{slash}{}", utf8_percent_encode(text, NOT_IN_PATH));
    path.parse::<PathAndQuery>().is_ok().then_some(path)
}

/// What a path is to the app channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Events of a topic: the path as [`topic_path`] makes it.
    Topic(String),
    /// The job of this name.
    Job(String),
    /// A change of a key of a configuration store.
    Configuration(String, String),
    /// The trigger of a binding, if there is one of this name.
    Binding(String),
}

/// What a path is; `None` if it can be no binding's either.
pub(crate) fn kind(path: &str) -> Option<Kind> {
    if let Some(names) = path.strip_prefix(EVENTS) {
        return Some(Kind::Topic(encoded_anew(names).unwrap_or_else(|| path.to_owned())));
    }
    if let Some(name) = delivery::job_of(path) {
        return Some(Kind::Job(name));
    }
    if let Some((store, key)) = delivery::configuration_of(path) {
        return Some(Kind::Configuration(store, key));
    }
    decoded(path.strip_prefix('/')?).map(Kind::Binding)
}

/// The path of these names as [`topic_path`] encodes it: others may do it in their own way.
fn encoded_anew(names: &str) -> Option<String> {
    let names = names.split('/').map(decoded).collect::<Option<Vec<_>>>()?;
    let names = names.iter().map(|name| utf8_percent_encode(name, NON_ALPHANUMERIC).to_string());
    Some(format!("{EVENTS}{}", names.collect::<Vec<_>>().join("/")))
}

fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(|text| text.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ODD: [&str; 7] = ["placed", "a b/ü%2F#?", "..", ".", "a\"<>\\^b", "%", "*"];

    #[test]
    fn a_topics_path_leads_back_to_it() {
        for topic in ODD {
            for condition in [None, Some("event.type == 'x'"), Some("")] {
                let path = topic_path("b/s", topic, condition);
                assert!(path.is_ascii() && !path.contains(['?', '#', ' ']), "{path}");
                assert!(path.parse::<http::Uri>().is_ok(), "{path}");
                assert_eq!(kind(&path), Some(Kind::Topic(path.clone())));
            }
        }
        let escaped = kind("/dapr/events/b%73/a%2Db");
        assert_eq!(escaped, Some(Kind::Topic("/dapr/events/bs/a%2Db".to_owned())));
        let broken = "/dapr/events/b/%ff";
        assert_eq!(kind(broken), Some(Kind::Topic(broken.to_owned())));
    }

    #[test]
    fn rules_have_paths_of_their_own() {
        let path = |condition| topic_path("bus", "t", condition);
        assert_eq!(path(None), "/dapr/events/bus/t");
        // SHA-256 of `true` begins so.
        assert_eq!(path(Some("true")), "/dapr/events/bus/t/b5bea41b6c623f7c");
        assert_ne!(path(Some("false")), path(Some("true")));
    }

    #[test]
    fn a_bindings_path_leads_back_to_it() {
        for name in ODD {
            let path = binding_path(name);
            assert!(path.parse::<http::Uri>().is_ok(), "{path}");
            assert_eq!(kind(&path), Some(Kind::Binding(name.to_owned())));
        }
        // A component's name cannot lead to what is not a binding's.
        assert_eq!(kind(&binding_path("job/x")), Some(Kind::Binding("job/x".to_owned())));
    }

    #[test]
    fn paths_of_others_become_paths() {
        let table = [
            ("/orders", "/orders"),
            ("orders/a%20b", "/orders/a%20b"),
            ("a b?c#d", "/a%20b%3Fc%23d"),
            ("/ü", "/%C3%BC"),
            ("", "/"),
            ("../x", "/../x"),
        ];
        for (text, expected) in table {
            assert_eq!(path(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(path(&"x".repeat(70_000)), None);
    }

    #[test]
    fn jobs_and_configuration_have_their_names() {
        let job = |name: &str| Some(Kind::Job(name.to_owned()));
        assert_eq!(kind("/job/a%20b"), job("a b"));
        assert_eq!(kind("/job/.."), job(".."));
        assert_eq!(kind("/job/a/b"), job("a/b"));
        let change = Some(Kind::Configuration("s".to_owned(), "a/b".to_owned()));
        assert_eq!(kind("/configuration/s/a/b"), change);
    }

    proptest! {
        #[test]
        fn any_name_comes_back(pubsub in ".*", topic in ".*", condition in ".*") {
            let path = topic_path(&pubsub, &topic, Some(&condition));
            prop_assert!(path.parse::<http::Uri>().is_ok());
            prop_assert_eq!(kind(&path), Some(Kind::Topic(path)));
            let path = binding_path(&topic);
            prop_assert!(path.parse::<http::Uri>().is_ok());
            prop_assert_eq!(kind(&path), Some(Kind::Binding(topic)));
        }

        #[test]
        fn any_text_becomes_a_path(text in ".*") {
            let path = path(&text).expect("short");
            let uri: http::Uri = path.parse().expect("a path");
            prop_assert_eq!((uri.path(), uri.query()), (path.as_str(), None));
        }
    }
}
