//! What a guest is given: environment variables, folders and grants.

use std::collections::BTreeMap;
use std::path::Path;

use crate::Volume;
use crate::findings::{Findings, Problem, shown};
use crate::reader::{Field, Reader};

/// Variables that belong to CGI, or that a request or an event sets.
const REQUEST_VARIABLES: [&str; 29] = [
    "AUTH_TYPE",
    "BINDING_NAME",
    "GATEWAY_INTERFACE",
    "HTTPS",
    "JOB_NAME",
    "PATH_INFO",
    "PATH_TRANSLATED",
    "QUERY_STRING",
    "REDIRECT_URL",
    "REMOTE_ADDR",
    "REMOTE_HOST",
    "REMOTE_IDENT",
    "REMOTE_PORT",
    "REMOTE_USER",
    "REQUEST_ID",
    "REQUEST_METHOD",
    "REQUEST_URI",
    "SCRIPT_NAME",
    "SERVER_NAME",
    "SERVER_PORT",
    "SERVER_PROTOCOL",
    "SERVER_SOFTWARE",
    "TRACEPARENT",
    "TRACESTATE",
    "TRILBY_BULK_COUNT",
    "TRILBY_TRIGGER",
    "X_FULL_URL",
    "X_MATCHED_ROUTE",
    "X_RAW_PATH_INFO",
];

/// The same, by the beginning of their names.
const REQUEST_PREFIXES: [&str; 5] = ["HTTP_", "CONTENT_", "CE_", "CONFIGURATION_", "PATH_PARAM_"];

/// The keys of a volume that is a table.
pub(crate) const VOLUME_KEYS: [&str; 2] = ["host", "writable"];

pub(crate) use crate::granted::{GRANT_KEYS, grants};

/// The environment of a table: `base`, and the table's own variables over it.
pub(crate) fn env(
    table: &Reader<'_>,
    base: &BTreeMap<String, String>,
    found: &mut Findings,
) -> BTreeMap<String, String> {
    let mut env = base.clone();
    for field in table.fields() {
        let name = field.name;
        if name.is_empty() || name.contains(['=', '\0']) {
            let title = format!("`{}` cannot be the name of an environment variable", shown(name));
            let help = "a name is not empty, and has neither `=` nor NUL";
            found.error(Problem::new(field.key, title).help(help));
            continue;
        }
        if is_of_the_request(name) {
            let title =
                format!("`{}` belongs to the request, whose own value wins over this", shown(name));
            found.warn(Problem::new(field.key.clone(), title));
        }
        if let Some(value) = field.text("a string", found) {
            env.insert(name.to_owned(), value.text.to_owned());
        }
    }
    env
}

fn is_of_the_request(name: &str) -> bool {
    REQUEST_VARIABLES.contains(&name)
        || REQUEST_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// The folders of a route: `guest = "host"`, or `guest = { host = "…", writable = true }`.
pub(crate) fn volumes(table: &Reader<'_>, root: &Path, found: &mut Findings) -> Vec<Volume> {
    table.fields().iter().filter_map(|field| volume(field, root, found)).collect()
}

fn volume(field: &Field<'_>, root: &Path, found: &mut Findings) -> Option<Volume> {
    let guest = guest_path(field, found);
    let (text, writable) = match field.table("a volume") {
        Some(table) => {
            let meant = table.refuse_unknown(&VOLUME_KEYS, found);
            let text = table.required("host", "host = \"data\"", &meant, found);
            let writable = match table.get("writable") {
                Some(writable) => writable.boolean(found)?,
                None => false,
            };
            (text?, writable)
        }
        None => {
            let wanted = "a folder, or a table such as { host = \"data\", writable = true }";
            (field.text(wanted, found)?, false)
        }
    };
    let host = root.join(text.text);
    if text.text.is_empty() || !host.is_dir() {
        let title = format!("there is no folder `{}` to give to the guest", shown(text.text));
        let label = format!("looked for {}", shown(&host.to_string_lossy()));
        found.error(
            Problem::new(text.span, title)
                .label(label)
                .help("make the folder; a relative path starts at the manifest's folder"),
        );
        return None;
    }
    Some(Volume { guest: guest?, host, writable })
}

/// The path at which a guest sees a volume: the field's name.
pub(crate) fn guest_path(field: &Field<'_>, found: &mut Findings) -> Option<String> {
    if field.name.is_empty() || field.name.contains('\0') {
        let title = format!("`{}` cannot be a path of the guest", shown(field.name));
        found.error(Problem::new(field.key.clone(), title).help("write a path such as `/data`"));
        return None;
    }
    Some(field.name.to_owned())
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::Pattern;
    use crate::testing::{loaded, report};

    fn route(lines: &str) -> String {
        format!("version = 1\n[[route]]\npath = \"/\"\nmodule = \"a.wasm\"\n{lines}\n")
    }

    #[test]
    fn a_route_has_nothing_unless_it_is_given() {
        let route = &loaded(&route("")).app.routes[0];
        assert!(route.env.is_empty() && route.volumes.is_empty() && route.grants.is_empty());
    }

    #[test]
    fn a_routes_variables_stand_over_the_apps() {
        let text = "version = 1\nenv = { A = \"1\", B = \"2\" }\n[[route]]\npath = \"/\"\n\
                    module = \"a.wasm\"\nenv = { B = \"\", \"c d\" = \"3\" }\n";
        let env = loaded(text).app.routes[0].env.clone();
        let expected = [("A", "1"), ("B", ""), ("c d", "3")];
        assert_eq!(env, expected.map(|(name, value)| (name.into(), value.into())).into());
    }

    #[test]
    fn a_variable_of_the_request_is_a_warning() {
        let text = "version = 1\n[env]\nREQUEST_METHOD = \"FAKE\"\nHTTP_HOST = \"x\"\n\
                    HTTP = \"x\"\n[[route]]\npath = \"/\"\nmodule = \"a.wasm\"\nenv = { CONTENT_TYPE = \"x\" }\n";
        let at = [("3:1", "REQUEST_METHOD"), ("4:1", "HTTP_HOST"), ("9:9", "CONTENT_TYPE")];
        let said = "belongs to the request, whose own value wins over this";
        let expected = at.map(|(place, name)| format!("trilby.toml:{place}: `{name}` {said}"));
        assert_eq!(loaded(text).warnings, expected);
    }

    #[test]
    fn volumes_are_read_only_unless_they_say_otherwise() {
        let text = route(
            "[route.volumes]\n\"/c\" = \"data\"\n\"/b\" = { host = \"data\" }\n\
             \"/a\" = { host = \"data\", writable = true }",
        );
        let volume =
            |guest: &str, writable| Volume { guest: guest.into(), host: "data".into(), writable };
        let expected = [volume("/c", false), volume("/b", false), volume("/a", true)];
        assert_eq!(loaded(&text).app.routes[0].volumes, expected);
    }

    #[test]
    fn grants_are_read_by_building_block() {
        let text = route(
            "grants = { state = [\"s/k*\", \"t\"], publish = [\"p/t\"], bindings = [\"b\"], \
             secrets = [] }",
        );
        let grants = loaded(&text).app.routes[0].grants.clone();
        assert_eq!(grants.state.len(), 2);
        assert_eq!(grants.state[0].pattern, Pattern::Prefix("k".into()));
        assert_eq!(grants.publish[0].pattern, Pattern::Exact("t".into()));
        assert_eq!(grants.bindings[0].component, "b");
        assert!(grants.secrets.is_empty());
    }

    #[test]
    fn what_a_guest_cannot_be_given_is_refused() {
        for (lines, expected) in [
            ("env = 1", "`env` must be a table, found integer"),
            ("env = { A = 1 }", "`A` must be a string, found integer"),
            ("env = { \"\" = \"x\" }", "`` cannot be the name of an environment variable"),
            ("env = { \"A=B\" = \"x\" }", "`A=B` cannot be the name of an environment variable"),
            (
                "env = { \"A\\u0000\" = \"x\" }",
                "`A\\u{0}` cannot be the name of an environment variable",
            ),
            ("env = { A = \"\\u0000\" }", "`A` must not contain a NUL character"),
            ("volumes = []", "`volumes` must be a table, found array"),
            ("volumes = { \"\" = \"data\" }", "`` cannot be a path of the guest"),
            ("volumes = { \"/a\" = \"\" }", "there is no folder `` to give to the guest"),
            (
                "volumes = { \"/a\" = \"a.wasm\" }",
                "there is no folder `a.wasm` to give to the guest",
            ),
            (
                "volumes = { \"/a\" = true }",
                "`/a` must be a folder, or a table such as { host = \"data\", writable = true }, \
                 found boolean",
            ),
            ("volumes = { \"/a\" = {} }", "a volume needs `host`"),
            ("volumes = { \"/a\" = { hots = \"data\" } }", "unknown key `hots` in a volume"),
            (
                "volumes = { \"/a\" = { host = \"data\", writeable = true } }",
                "unknown key `writeable` in a volume",
            ),
            (
                "volumes = { \"/a\" = { host = \"data\", writable = \"yes\" } }",
                "`writable` must be `true` or `false`, found string",
            ),
            ("grants = []", "`grants` must be a table, found array"),
            ("grants = { state = \"s\" }", "`state` must be an array of strings, found string"),
            ("grants = { state = [1] }", "`state` must hold strings only, found integer"),
            ("grants = { secret = [] }", "unknown key `secret` in `grants`"),
        ] {
            let report = report(&route(lines));
            assert!(report.starts_with(&format!("error: {expected}\n")), "{lines}: {report}");
            assert_eq!(report.matches("error:").count(), 1, "{report}");
        }
    }

    #[test]
    fn a_bad_grant_and_a_missing_folder_are_shown() {
        let text = route("grants = { state = [\"s\", \"s/*x\"] }\nvolumes.\"/a\" = \"nowhere\"");
        insta::assert_snapshot!(report(&text), @r#"
        error: `s/*x` is not a grant of `state`
         --> trilby.toml:5:26
          |
        5 | grants = { state = ["s", "s/*x"] }
          |                          ^^^^^^
          |
          = help: write `component`, `component/name` or `component/prefix*`; a `*` stands only at the end

        error: there is no folder `nowhere` to give to the guest
         --> trilby.toml:6:16
          |
        6 | volumes."/a" = "nowhere"
          |                ^^^^^^^^^ looked for nowhere
          |
          = help: make the folder; a relative path starts at the manifest's folder
        "#);
    }
}
