//! What answers a route: a module in a file, a module in a registry, or a folder of files.

use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;

use crate::Target;
use crate::findings::{Findings, Problem, shown};
use crate::reader::Text;

/// Hexadecimal digits of a SHA-256 digest.
const SHA256_DIGITS: usize = 64;

/// A module of `trilby.toml`; a relative path starts at `root`. Whether the file is there is not
/// asked: it may be built later.
pub(crate) fn module(text: &Text<'_>, root: &Path, found: &mut Findings) -> Option<Target> {
    Some(match reference(text, found)? {
        Target::Module(path) => Target::Module(root.join(path)),
        other => other,
    })
}

/// A module of `modules.toml`: its file must be there.
pub(crate) fn module_wagi(text: &Text<'_>, root: &Path, found: &mut Findings) -> Option<Target> {
    let path = match reference(text, found)? {
        Target::Module(path) => path,
        other => return Some(other),
    };
    let file = beside_or_here(&path, root, Path::is_file);
    if file.is_none() {
        let label = format!("looked for {}", shown(&root.join(&path).to_string_lossy()));
        let title = match beside_or_here(&path, root, Path::is_dir) {
            Some(_) => "this module is a folder",
            None => "this module is missing",
        };
        found.error(Problem::new(text.span.clone(), title).label(label).help(
            "a relative path starts at the manifest's folder, or else at the working directory",
        ));
    }
    file.map(Target::Module)
}

/// A folder whose files are served.
pub(crate) fn files(text: &Text<'_>, root: &Path, found: &mut Findings) -> Option<Target> {
    let folder = root.join(text.text);
    if folder.is_dir() {
        return Some(Target::Files(folder));
    }
    let title = format!("there is no folder `{}` to serve", shown(text.text));
    found.error(
        Problem::new(text.span.clone(), title)
            .label(format!("looked for {}", shown(&folder.to_string_lossy())))
            .help("make the folder; a relative path starts at the manifest's folder"),
    );
    None
}

/// What a module reference means: a path, a `file:` URL, or an `oci:` reference.
fn reference(text: &Text<'_>, found: &mut Findings) -> Option<Target> {
    let given = shown(text.text);
    let (title, help) = match scheme(text.text) {
        None => return Some(Target::Module(PathBuf::from(text.text))),
        Some(("file", rest)) => match file_of_url(rest) {
            Some(path) => return Some(Target::Module(path)),
            None => (
                format!("`{given}` is not the URL of a file here"),
                "a file's URL is written `file:///folder/app.wasm`",
            ),
        },
        Some(("oci", rest)) => match oci_fault(rest) {
            None => return Some(Target::Registry(rest.to_owned())),
            Some(help) => (format!("`{given}` is not the reference of a module"), help),
        },
        Some((scheme, _)) => (
            format!("`{}:` modules are not supported", shown(scheme)),
            "a module is a file, or in an OCI registry (`oci:ghcr.io/owner/app:1.0`); a file whose \
             name has a `:` is written `./a:b.wasm`",
        ),
    };
    found.error(Problem::new(text.span.clone(), title).help(help));
    None
}

/// What is plainly wrong with an OCI reference, given what follows `oci:`. The rest is left to
/// whoever fetches it.
fn oci_fault(reference: &str) -> Option<&'static str> {
    let reference = reference.strip_prefix("//").unwrap_or(reference);
    if reference.is_empty() || reference.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Some(
            "write `oci:`, the registry, the repository and a tag: `oci:ghcr.io/owner/app:1.0`",
        );
    }
    let (name, digest) = reference.split_once('@')?;
    let digits = digest.strip_prefix("sha256:").unwrap_or_default();
    let is_digest = digits.len() == SHA256_DIGITS && digits.bytes().all(|c| c.is_ascii_hexdigit());
    (name.is_empty() || !is_digest)
        .then_some("after the repository and `@` stands `sha256:` and the 64 digits of a digest")
}

/// A URL's scheme, in lower case where it is one that we know, and what follows.
pub(crate) fn scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    let known = ["file", "oci"].into_iter().find(|known| scheme.eq_ignore_ascii_case(known));
    is_scheme.then_some((known.unwrap_or(scheme), rest))
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

    #[test]
    fn references_are_checked_as_far_as_plain_sight_goes() {
        let digest = format!("a/b@sha256:{}", "0a".repeat(32));
        let tagged = format!("//localhost:5000/a:1@sha256:{}", "AF".repeat(32));
        for good in ["a:1", "foo/bar", "//localhost:5000/a:1", &digest, &tagged] {
            assert_eq!(oci_fault(good), None, "{good}");
        }
        let short = &digest[..digest.len() - 1];
        let other = digest.replace("256", "512");
        for bad in ["", "//", "a b", " a", "a\u{1}", "a@", "a@latest", short, &other, &digest[3..]]
        {
            assert!(oci_fault(bad).is_some(), "{bad}");
        }
    }
}
