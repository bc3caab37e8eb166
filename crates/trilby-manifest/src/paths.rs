//! The paths that routes may have.

use crate::findings::{Findings, Problem, shown};
use crate::reader::Text;

/// Paths that Trilby answers itself.
const RESERVED: [&str; 2] = ["/healthz", "/readyz"];

/// Checks a route's path: exact, or a prefix that ends in `/...`.
pub(crate) fn check(path: &Text<'_>, found: &mut Findings) -> Option<String> {
    match fault(path.text) {
        None => Some(path.text.to_owned()),
        Some((title, help)) => {
            let title = format!("path `{}` {title}", shown(path.text));
            found.error(Problem::new(path.span.clone(), title).help(help));
            None
        }
    }
}

/// What is wrong with a path, and what to write instead.
fn fault(path: &str) -> Option<(&'static str, &'static str)> {
    if !path.starts_with('/') {
        return Some(("does not start with `/`", "a path is written `/orders`, or `/orders/...`"));
    }
    let (base, is_prefix) = match path.strip_suffix("/...") {
        Some(base) => (base, true),
        None => (path, false),
    };
    if base.contains("...") {
        return Some((
            "has `...` before its end",
            "`...` can only be the last segment: `/orders/...`",
        ));
    }
    if base.contains('*') {
        return Some(("has a `*`", "all paths below `/orders` are written `/orders/...`"));
    }
    if base.contains(['?', '#']) {
        return Some(("has a query or a fragment", "a route is chosen by the path alone"));
    }
    // Clients send every other character percent-encoded, so it would never match.
    if !base.chars().all(|c| c.is_ascii_graphic()) {
        return Some((
            "has a character that a URL cannot have",
            "write it percent-encoded, as clients send it: a blank is `%20`",
        ));
    }
    if RESERVED.contains(&base) {
        return Some(("is reserved", "`/healthz` and `/readyz` are answered by Trilby itself"));
    }
    if base.starts_with("/dapr/") || (base == "/dapr" && is_prefix) {
        return Some(("is reserved", "all paths below `/dapr/` belong to Dapr's app channel"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_paths_pass() {
        for path in
            ["/", "/...", "/a", "/a/", "/a/b/...", "/dapr", "/daprs/x", "/healthz/x", "/a%20b"]
        {
            assert_eq!(fault(path), None, "{path}");
        }
    }

    #[test]
    fn bad_paths_are_told_why() {
        for (path, why) in [
            ("", "start"),
            ("a", "start"),
            ("...", "start"),
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
            ("/healthz", "reserved"),
            ("/healthz/...", "reserved"),
            ("/readyz", "reserved"),
            ("/dapr/", "reserved"),
            ("/dapr/...", "reserved"),
            ("/dapr/subscribe", "reserved"),
        ] {
            let (title, _) = fault(path).unwrap_or_else(|| panic!("{path} passes"));
            assert!(title.contains(why), "{path}: {title}");
        }
    }
}
