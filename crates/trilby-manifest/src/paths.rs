//! The paths that routes may have.

use std::collections::HashSet;

use crate::findings::{Findings, Problem, shown};
use crate::reader::Text;

/// Paths that Trilby answers itself.
const RESERVED: [&str; 2] = ["/healthz", "/readyz"];

/// Segments that a route's path may have: the table of routes goes no deeper.
const SEGMENTS_MAX: usize = 256;

/// What is wrong with a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// How the sentence goes on that begins with the path.
    pub(crate) title: String,
    /// What to write instead.
    pub(crate) help: String,
}

/// Checks a path of `trilby.toml`: exact, or a prefix that ends in `/...`; a segment that begins
/// with `:` is a parameter.
pub(crate) fn check(path: &Text<'_>, found: &mut Findings) -> Option<String> {
    accept(path, fault(path.text), found)
}

/// Checks a path of `modules.toml`. WAGI has no parameters, and takes every other character as it
/// is.
pub(crate) fn check_wagi(path: &Text<'_>, found: &mut Findings) -> Option<String> {
    accept(path, wagi_fault(path.text), found)
}

fn accept(path: &Text<'_>, fault: Option<Fault>, found: &mut Findings) -> Option<String> {
    let Some(Fault { title, help }) = fault else { return Some(path.text.to_owned()) };
    let title = format!("path `{}` {title}", shown(path.text));
    found.error(Problem::new(path.span.clone(), title).help(help));
    None
}

fn wrong(title: impl Into<String>, help: impl Into<String>) -> Option<Fault> {
    Some(Fault { title: title.into(), help: help.into() })
}

/// The path without its `/...`, and whether it has one.
pub(crate) fn split_prefix(path: &str) -> (&str, bool) {
    path.strip_suffix("/...").map_or((path, false), |base| (base, true))
}

/// Whether the segment is a parameter in a `trilby.toml`.
pub(crate) fn is_parameter(segment: &str) -> bool {
    segment.starts_with(':')
}

/// The path with all parameters alike: two routes of one shape match the same paths.
pub(crate) fn shape(path: &str) -> String {
    let segments = path.split('/').map(|segment| if is_parameter(segment) { ":" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

/// What is wrong with a path of a `trilby.toml`.
pub(crate) fn fault(path: &str) -> Option<Fault> {
    let (base, _) = split_prefix(path);
    if path.starts_with('/') {
        if base.contains("...") {
            let help = "`...` can only be the last segment: `/orders/...`";
            return wrong("has `...` before its end", help);
        }
        if base.contains(['{', '}']) {
            let help = "a parameter is written `/users/:id`";
            return wrong("has `{` or `}`, which clients send encoded", help);
        }
        if base.contains('*') {
            return wrong("has a `*`", "all paths below `/orders` are written `/orders/...`");
        }
    }
    wagi_fault(path).or_else(|| {
        if !base.is_ascii() {
            return not_encoded();
        }
        parameter_fault(base)
    })
}

fn wagi_fault(path: &str) -> Option<Fault> {
    if !path.starts_with('/') {
        let help = "a path is written `/orders`, or `/orders/...`";
        return wrong("does not start with `/`", help);
    }
    let (base, is_prefix) = split_prefix(path);
    if base.contains(['?', '#']) {
        return wrong("has a query or a fragment", "a route is chosen by the path alone");
    }
    // The server takes what is not ASCII as it is, and some clients send it so.
    let is_sent =
        |c: char| !c.is_ascii() || (c.is_ascii_graphic() && !matches!(c, '<' | '>' | '`'));
    if !base.chars().all(is_sent) {
        return not_encoded();
    }
    if base.matches('/').count() > SEGMENTS_MAX {
        let help = format!("a path has at most {SEGMENTS_MAX} segments");
        return wrong("is too deep", help);
    }
    if RESERVED.contains(&base) {
        return wrong("is reserved", "`/healthz` and `/readyz` are answered by Trilby itself");
    }
    if base.starts_with("/dapr/") || (base == "/dapr" && is_prefix) {
        return wrong("is reserved", "all paths below `/dapr/` belong to Dapr's app channel");
    }
    None
}

/// Clients send such a character percent-encoded, so it would never match.
fn not_encoded() -> Option<Fault> {
    wrong(
        "has a character that a URL cannot have",
        "write it percent-encoded, as clients send it: a blank is `%20`",
    )
}

/// The names become `PATH_PARAM_NAME`, in capitals and with `_` for `-`, so names that differ in
/// no more than that are one name.
fn parameter_fault(base: &str) -> Option<Fault> {
    let mut names = HashSet::new();
    for name in base.split('/').filter_map(|segment| segment.strip_prefix(':')) {
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if !starts_well || !name.chars().all(is_name) {
            return wrong(
                format!("has `:{}`, which is not a parameter", shown(name)),
                "a parameter is a whole segment such as `:id`: a letter or `_`, and then letters, \
                 digits, `_` and `-`",
            );
        }
        if !names.insert(name.to_ascii_uppercase().replace('-', "_")) {
            return wrong(
                format!("has the parameter `:{}` twice", shown(name)),
                "give each its own name; case, and `-` or `_`, do not tell names apart",
            );
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_paths_pass() {
        for path in [
            "/",
            "/...",
            "/a",
            "/a/",
            "/a/b/...",
            "/dapr",
            "/daprs/x",
            "/healthz/x",
            "/a%20b",
            "/:id",
            "/users/:user-id/orders/:_2/...",
            "/:a/...",
            "/a:b",
            "/a:/b",
        ] {
            assert_eq!(fault(path), None, "{path}");
            assert_eq!(wagi_fault(path), None, "{path}");
        }
    }

    #[test]
    fn wagi_takes_more() {
        for path in ["/:", "/:1/:1", "/a*", "/a...", "/.../a", "/.../...", "/....", "/é"] {
            assert!(fault(path).is_some(), "{path}");
            assert_eq!(wagi_fault(path), None, "{path}");
        }
    }

    #[test]
    fn bad_paths_are_told_why() {
        let deep = "/a".repeat(257);
        assert_eq!(fault(&deep[2..]), None);
        for (path, why) in [
            ("", "start"),
            ("a", "start"),
            ("...", "start"),
            (":id", "start"),
            ("/.../a", "before its end"),
            ("/.../...", "before its end"),
            ("/a...", "before its end"),
            ("/....", "before its end"),
            ("/a/*", "`*`"),
            ("/a?b", "query"),
            ("/a#b", "fragment"),
            ("/a b", "a URL cannot have"),
            ("/a\u{7f}", "a URL cannot have"),
            ("/\u{e9}", "a URL cannot have"),
            ("/a<b", "a URL cannot have"),
            (&deep, "too deep"),
            ("/healthz", "reserved"),
            ("/healthz/...", "reserved"),
            ("/readyz", "reserved"),
            ("/dapr/", "reserved"),
            ("/dapr/...", "reserved"),
            ("/dapr/subscribe", "reserved"),
            ("/dapr/:id", "reserved"),
            ("/:", "has `:`, which is not a parameter"),
            ("/:/a", "has `:`, which is not a parameter"),
            ("/:1", "has `:1`, which is not a parameter"),
            ("/:a.b/c", "has `:a.b`, which is not a parameter"),
            ("/:a:b", "has `:a:b`, which is not a parameter"),
            ("/:id/:id", "has the parameter `:id` twice"),
            ("/:user-id/x/:User_ID/...", "has the parameter `:User_ID` twice"),
        ] {
            let fault = fault(path).unwrap_or_else(|| panic!("{path} passes"));
            assert!(fault.title.contains(why), "{path}: {fault:?}");
        }
    }

    #[test]
    fn a_shape_forgets_names_only() {
        for (a, b, same) in [
            ("/u/:id", "/u/:name", true),
            ("/u/:id/...", "/u/:x/...", true),
            ("/u/:id", "/u/:id/...", false),
            ("/u/:id", "/u/id", false),
            ("/u/:id", "/u/:id/", false),
            ("/a:b", "/a:c", false),
        ] {
            assert_eq!(shape(a) == shape(b), same, "{a} {b}");
        }
    }
}
