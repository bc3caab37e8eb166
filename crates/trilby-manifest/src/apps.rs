//! Other apps of this machine, for service invocation without a sidecar.

use std::collections::BTreeMap;

use crate::AllowedHost;
use crate::findings::{Findings, Problem, shown};
use crate::names::is_app_id;
use crate::reader::Reader;

/// The `apps` of `[dapr]`: `id = "http://host:port"`.
pub(crate) fn apps(dapr: &Reader<'_>, own: &str, found: &mut Findings) -> BTreeMap<String, String> {
    let mut apps = BTreeMap::new();
    let table = dapr.table("apps", "`apps`", found);
    for field in table.iter().flat_map(Reader::fields) {
        if !is_app_id(field.name) {
            let title = format!("`{}` cannot be the id of a Dapr app", shown(field.name));
            let help = "an id has letters, digits, `-`, `_` and `.`, and at most 64 of them";
            found.error(Problem::new(field.key.clone(), title).help(help));
            continue;
        }
        if field.name == own {
            let title = "this app's own id: calls of it go to its own routes";
            found.warn(Problem::new(field.key.clone(), title).help("leave it out"));
        }
        let Some(text) = field.filled_text(found) else { continue };
        match address(text.text) {
            Some(address) => {
                apps.insert(field.name.to_owned(), address);
            }
            None => {
                let title = format!("`{}` is not where an app can be", shown(text.text));
                let help = "write `http://HOST:PORT`, as in `http://127.0.0.1:4000`";
                found.error(Problem::new(text.span, title).help(help));
            }
        }
    }
    apps
}

/// The address without a trailing slash, if it is `http`, a host and maybe a port.
fn address(text: &str) -> Option<String> {
    let text = text.strip_suffix('/').unwrap_or(text);
    let is_address = text.starts_with("http://") && !text.contains('*');
    (is_address && AllowedHost::parse(text).is_ok()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use crate::testing::{loaded, report};

    fn manifest(apps: &str) -> String {
        format!("version = 1\n[dapr.apps]\n{apps}\n[[route]]\npath = \"/\"\nmodule = \"a.wasm\"\n")
    }

    #[test]
    fn apps_are_read() {
        let text = manifest("billing = \"http://127.0.0.1:4000/\"\n\"a.b\" = \"http://[::1]:1\"");
        let expected = [("a.b", "http://[::1]:1"), ("billing", "http://127.0.0.1:4000")];
        let expected = expected.map(|(id, address)| (id.into(), address.into()));
        assert_eq!(loaded(&text).app.apps, expected.into());
        assert_eq!(loaded(&manifest("x = \"http://x\"")).app.apps["x"], "http://x");
    }

    #[test]
    fn mistakes_are_refused() {
        for (line, expected) in [
            ("\"a/b\" = \"http://x\"", "`a/b` cannot be the id of a Dapr app"),
            ("a = 1", "`a` must be a string, found integer"),
            ("a = \"127.0.0.1:1\"", "`127.0.0.1:1` is not where an app can be"),
            ("a = \"https://x\"", "`https://x` is not where an app can be"),
            ("a = \"http://\"", "`http://` is not where an app can be"),
            ("a = \"http://x/y\"", "`http://x/y` is not where an app can be"),
            ("a = \"http://u@x\"", "`http://u@x` is not where an app can be"),
            ("a = \"http://x:\"", "`http://x:` is not where an app can be"),
            ("a = \"http://x:99999\"", "`http://x:99999` is not where an app can be"),
        ] {
            let report = report(&manifest(line));
            assert!(report.starts_with(&format!("error: {expected}\n")), "{line}: {report}");
        }
    }

    #[test]
    fn an_entry_for_itself_is_a_warning() {
        let warnings = loaded(&manifest("app = \"http://x\"")).warnings;
        assert!(warnings[0].contains("this app's own id"), "{warnings:?}");
    }
}
