//! Paths as daprd reads them: cleaned in the way of Go's `path.Clean`.

/// A path without `//`, `.`, `..` and a `/` at its end.
pub(super) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_as_go_does() {
        for (path, expected) in [
            ("/", "/"),
            ("", "/"),
            ("//v1.0//state/s/", "/v1.0/state/s"),
            ("/v1.0/state/s/../t/./k", "/v1.0/state/t/k"),
            ("/../..", "/"),
            ("/a/%2e%2e/b", "/a/%2e%2e/b"),
        ] {
            assert_eq!(clean(path), expected, "{path}");
        }
    }
}
