//! Every mistake in a file, with the exact text that a person sees.

use super::*;

#[test]
fn mistakes_in_the_shape_are_pointed_at() {
    let cases = [
        ("a: [1\nb: 2\n", "2: this is not valid YAML: illegal placement of ':' indicator"),
        ("- a\n", "1: a component must be a map; this is a list"),
        ("\n\na: b\n", "3: this is no Dapr resource: it needs `kind`, such as `kind: Component`"),
        ("a: b\nkind: component\n", "2: there is no kind `component`; did you mean `Component`?"),
        (
            "apiVersion: dapr.io/v1\nkind: Component\n",
            "1: `apiVersion` must be dapr.io/v1alpha1; this is `dapr.io/v1`",
        ),
        (
            &format!("{HEAD}metdata: {{}}\n"),
            "3: a component has no key `metdata`; did you mean `metadata`?",
        ),
        (
            &format!("{HEAD}x: {{}}\n"),
            "3: a component has no key `x`; it may have `apiVersion`, `kind`, `metadata`, `spec`, \
             `auth`, `scopes`",
        ),
        (
            &format!("{HEAD}kind: Component\n"),
            "3: the key `kind` is here already, on line 2; keep one",
        ),
        (HEAD, "1: a component needs `metadata` with its `name`"),
        (&format!("{HEAD}metadata: {{labels: {{}}}}\n"), "3: `metadata` needs `name`"),
        (&format!("{HEAD}metadata: {{name: x}}\n"), "1: a component needs `spec`"),
        (&with_spec("  version: v1\n"), "6: `spec` needs `type`"),
        (&with_spec("  tpye: x\n"), "6: `spec` has no key `tpye`; did you mean `type`?"),
        (&with_spec("  type: [x]\n"), "6: `type` must be a text; this is a list"),
        (
            &with_spec("  type: state.in-memory\n  metadata: x\n"),
            "7: `metadata` must be a list; this is a text",
        ),
        (
            &with_spec("  type: state.in-memory\n  ignoreErrors: maybe\n"),
            "7: `ignoreErrors` must be true or false; this is a text",
        ),
        (
            &with_spec("  type: state.in-memory\n  version: v2\n"),
            "7: state.in-memory has the version v1, not `v2`",
        ),
        (&with_item("    - value: x\n"), "9: a metadata item needs `name`"),
        (
            &with_item("    - name: url\n      valeu: x\n"),
            "10: a metadata item has no key `valeu`; did you mean `value`?",
        ),
        (
            &with_item("    - {name: url, value: x, envRef: X}\n"),
            "9: `url` must have only one of `value`, `secretKeyRef`, `envRef`",
        ),
        (
            &with_item("    - {name: url, value: x}\n    - {name: URL, value: y}\n"),
            "10: `URL` is here already, on line 9; keep one",
        ),
        (
            &with_item("    - {name: conectionString, value: x}\n"),
            "9: state.sqlite has no metadata `conectionString`; did you mean `connectionString`?",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(error(text), format!("a.yaml:{expected}"), "{text}");
    }
}

#[test]
fn an_unknown_type_is_told_what_there_is() {
    let names: Vec<String> = types::names().iter().map(|name| format!("`{name}`")).collect();
    assert!(names.is_sorted() && names.contains(&"`state.redis`".to_owned()));
    let help = format!(
        "\n  = help: it has {}\n  = help: a daprd sidecar has the other types and reads this file \
         as it is",
        names.join(", ")
    );
    assert_eq!(
        error(&with_spec("  type: state.postgresql\n")),
        format!("a.yaml:6: the embedded runtime has no type `state.postgresql`{help}")
    );
    assert_eq!(
        error(&with_spec("  type: state.sqllite\n")),
        format!(
            "a.yaml:6: the embedded runtime has no type `state.sqllite`; did you mean \
             `state.sqlite`?{help}"
        )
    );
}

#[test]
fn references_that_lead_nowhere_are_pointed_at() {
    let secret = |auth: &str, reference: &str| {
        with_item(&format!("    - name: url\n      secretKeyRef: {reference}\n{auth}"))
    };
    let auth = "auth:\n  secretStore: vault\n";
    let cases = [
        (
            secret("", "{name: db}"),
            "10: `secretKeyRef` needs to know where the secret is; add at the top level of this \
             component:\nauth:\n  secretStore: NAME-OF-A-SECRET-STORE",
        ),
        (
            secret("auth:\n  secretStore: safe\n", "{name: db}"),
            "12: there is no secret store `safe`; add a component of that name with the type \
             secretstores.local.file or secretstores.local.env",
        ),
        (
            secret(auth, "{name: db, key: user}"),
            "10: the secret store `vault` has no secret `db` with the key `user`",
        ),
        (secret(auth, "{key: user}"), "10: `secretKeyRef` needs `name`"),
        (
            with_item("    - {name: url, envRef: TOWN}\n"),
            "9: the environment has no `TOWN`; set it, or use `value`",
        ),
        (
            with_item("    - {name: url, envRef: dapr_api_token}\n"),
            "9: `envRef` may not name `dapr_api_token`: it belongs to the runtime; use another",
        ),
        (
            with_item("    - {name: url, value: \"{podName}\"}\n"),
            "9: `url` has {podName}, but the environment has no `POD_NAME`; set it",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(error(&text), format!("a.yaml:{expected}"), "{text}");
    }
}

#[test]
fn a_name_that_is_taken_is_told_with_both_places() {
    let one = with_spec("  type: state.in-memory\n");
    let two = format!("# Again.\n{}", with_spec("  type: pubsub.in-memory\n"));
    assert_eq!(
        components(&[("a.yaml", &one), ("b.yaml", &two)]).err().unwrap(),
        "b.yaml:2: there is a component `store` already, at a.yaml:1; give one of them another name"
    );
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = folder(&[]);
    let missing = folder.path().join("missing");
    let error = load(std::slice::from_ref(&missing), "app").err().unwrap().to_string();
    assert!(error.starts_with(&format!("cannot read {}: ", missing.display())), "{error}");

    let dangling = folder.path().join("link.yaml");
    std::os::unix::fs::symlink(&missing, &dangling).unwrap();
    let error = load(&[folder.path().to_owned()], "app").err().unwrap().to_string();
    assert!(error.starts_with(&format!("cannot read {}: ", dangling.display())), "{error}");
    fs::remove_file(&dangling).unwrap();

    let bytes = folder.path().join("bytes.yaml");
    fs::write(&bytes, b"a: b\nc: \xff\n").unwrap();
    let error = load(&[folder.path().to_owned()], "app").err().unwrap().to_string();
    assert!(
        error.ends_with("bytes.yaml:2: this is not UTF-8 text; save the file as UTF-8"),
        "{error}"
    );
    fs::write(&bytes, vec![b'#'; (1 << 20) + 1]).unwrap();
    let error = load(&[folder.path().to_owned()], "app").err().unwrap().to_string();
    assert!(error.contains("larger than 1 MiB"), "{error}");
}
