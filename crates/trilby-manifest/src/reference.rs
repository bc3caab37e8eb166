//! Module references of WAGI's `modules.toml`.

use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;

use crate::findings::{Findings, Problem, shown};
use crate::reader::Text;

/// The file of a module reference: a path, or a `file:` URL.
pub(crate) fn file(text: &Text<'_>, root: &Path, found: &mut Findings) -> Option<PathBuf> {
    let path = match scheme(text.text) {
        None => PathBuf::from(text.text),
        Some(("file", rest)) => {
            let path = file_of_url(rest);
            if path.is_none() {
                let title = format!("`{}` is not the URL of a file here", shown(text.text));
                let help = "a file's URL is written `file:///folder/app.wasm`";
                found.error(Problem::new(text.span.clone(), title).help(help));
            }
            path?
        }
        Some((scheme, _)) => {
            let title =
                format!("`{scheme}:` modules are not supported: modules come from files only");
            let help = "fetch the module first, and name its file here";
            found.error(Problem::new(text.span.clone(), title).help(help));
            return None;
        }
    };
    let file = beside_or_here(&path, root, Path::is_file);
    if file.is_none() {
        let label = format!("looked for {}", shown(&root.join(&path).to_string_lossy()));
        found.error(Problem::new(text.span.clone(), "this module is missing").label(label).help(
            "a relative path starts at the manifest's folder, or else at the working directory",
        ));
    }
    file
}

/// A URL's scheme, in lower case where it is one that we know, and what follows.
fn scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    let known = if scheme.eq_ignore_ascii_case("file") { "file" } else { scheme };
    is_scheme.then_some((known, rest))
}

/// The path of a `file:` URL, given what follows the colon. It is always absolute.
fn file_of_url(rest: &str) -> Option<PathBuf> {
    let path = match rest.strip_prefix("//") {
        Some(rest) => {
            let (host, _) = rest.split_once('/')?;
            if !host.is_empty() && !host.eq_ignore_ascii_case("localhost") {
                return None;
            }
            rest.strip_prefix(host)?
        }
        None => rest,
    };
    let path = percent_decode_str(path.trim_start_matches('/')).decode_utf8().ok()?;
    (!path.is_empty() && !path.contains('\0')).then(|| Path::new("/").join(&*path))
}

/// The path beside the manifest, or, as in WAGI, from the working directory.
pub(crate) fn beside_or_here(
    path: &Path,
    root: &Path,
    is_there: fn(&Path) -> bool,
) -> Option<PathBuf> {
    [root.join(path), path.to_owned()].into_iter().find(|path| is_there(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_urls_lead_to_absolute_paths() {
        for (text, path) in [
            ("file:///a/b%20c.wasm", Some("/a/b c.wasm")),
            ("FILE://localhost/a.wasm", Some("/a.wasm")),
            ("file:/a.wasm", Some("/a.wasm")),
            ("file:a.wasm", Some("/a.wasm")),
            ("file://elsewhere/a.wasm", None),
            ("file://a.wasm", None),
            ("file:", None),
            ("file:///", None),
            ("file:///a%00b", None),
            ("file:///a%ff", None),
        ] {
            let (scheme, rest) = scheme(text).expect("has a scheme");
            assert_eq!(scheme, "file", "{text}");
            assert_eq!(file_of_url(rest), path.map(PathBuf::from), "{text}");
        }
    }

    #[test]
    fn a_path_has_no_scheme() {
        for path in ["a.wasm", "/a.wasm", "./b:c", "a/b:c", "1:2", ":a", ""] {
            assert_eq!(scheme(path), None, "{path}");
        }
        assert_eq!(scheme("oci:foo/bar:1"), Some(("oci", "foo/bar:1")));
        assert_eq!(scheme("bindle:foo/1.0"), Some(("bindle", "foo/1.0")));
    }

    #[test]
    fn the_working_directory_comes_second() {
        let folder = tempfile::tempdir().expect("can make a folder");
        let find = |path: &str| beside_or_here(Path::new(path), folder.path(), Path::is_file);
        assert_eq!(find("Cargo.toml"), Some("Cargo.toml".into()), "tests run beside it");
        assert_eq!(find("none.wasm"), None);
        std::fs::write(folder.path().join("Cargo.toml"), "").expect("can write");
        assert_eq!(find("Cargo.toml"), Some(folder.path().join("Cargo.toml")));
    }
}
