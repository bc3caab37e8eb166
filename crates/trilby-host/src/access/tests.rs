use super::*;

fn grants(texts: &[&str]) -> Vec<Grant> {
    texts.iter().map(|text| Grant::parse(text).expect("valid")).collect()
}

fn access() -> Access {
    Access::new(Grants {
        state: grants(&["orders/user-*"]),
        state_read: grants(&["orders/log"]),
        state_write: grants(&["orders/out"]),
        state_query: grants(&["orders", "other/part*"]),
        publish: grants(&["bus/placed"]),
        bindings: grants(&["mail/create"]),
        invoke: grants(&["shop/orders/*", "free"]),
        secrets: grants(&["vault/db"]),
        configuration: grants(&["settings/ui-*", "flags/a", "flags/b"]),
        lock: grants(&["locks/job-*"]),
        jobs: vec![Pattern::Prefix("nightly-".into())],
        encrypt: grants(&["keys/mine"]),
        decrypt: grants(&["keys/yours"]),
        conversation: vec!["llm".into()],
        actors: grants(&["Cart/u*"]),
        metadata: vec![MetadataGrant::Read],
        call: vec!["ListActorReminders".into()],
    })
}

type Check = fn(&Access, &str, &str) -> Checked;

/// For each grant: a check, what it allows, what it does not, and the line that would.
const TABLE: &[(Check, [&str; 2], [&str; 2], &str)] = &[
    (Access::state_read, ["orders", "user-1"], ["orders", "out"], r#"state-read = ["orders/out"]"#),
    (Access::state_read, ["orders", "log"], ["elsewhere", "x"], r#"state-read = ["elsewhere/x"]"#),
    (
        Access::state_write,
        ["orders", "user-1"],
        ["orders", "log"],
        r#"state-write = ["orders/log"]"#,
    ),
    (
        Access::state_write,
        ["orders", "out"],
        ["orders", "user"],
        r#"state-write = ["orders/user"]"#,
    ),
    (|a, s, _| a.state_query(s), ["orders", ""], ["other", ""], r#"state-query = ["other"]"#),
    (Access::publish, ["bus", "placed"], ["bus", "placed2"], r#"publish = ["bus/placed2"]"#),
    (Access::binding, ["mail", "create"], ["mail", "delete"], r#"bindings = ["mail/delete"]"#),
    (Access::invoke, ["shop", "orders/7"], ["shop", "Orders/7"], r#"invoke = ["shop/Orders/7"]"#),
    (Access::invoke, ["free", "any"], ["shop", "orders"], r#"invoke = ["shop/orders"]"#),
    (Access::secret, ["vault", "db"], ["vault", "DB"], r#"secrets = ["vault/DB"]"#),
    (|a, s, _| a.some_secrets(s), ["vault", ""], ["vaults", ""], r#"secrets = ["vaults"]"#),
    (
        Access::configuration,
        ["settings", "ui-x"],
        ["settings", "u"],
        r#"configuration = ["settings/u"]"#,
    ),
    (Access::lock, ["locks", "job-1"], ["locks", "user"], r#"lock = ["locks/user"]"#),
    (|a, n, _| a.job(n), ["nightly-1", ""], ["daily", ""], r#"jobs = ["daily"]"#),
    (Access::encrypt, ["keys", "mine"], ["keys", "yours"], r#"encrypt = ["keys/yours"]"#),
    (Access::decrypt, ["keys", "yours"], ["keys", "mine"], r#"decrypt = ["keys/mine"]"#),
    (|a, c, _| a.conversation(c), ["llm", ""], ["llm2", ""], r#"conversation = ["llm2"]"#),
    (Access::actor, ["Cart", "u1"], ["Cart", "v1"], r#"actors = ["Cart/v1"]"#),
    (|a, r, _| a.call(r), ["ListActorReminders", ""], ["Shutdown", ""], r#"call = ["Shutdown"]"#),
];

#[test]
fn each_grant_allows_what_it_names_and_a_refusal_names_the_line_to_add() {
    let access = access();
    for (check, [component, name], [other, other_name], line) in TABLE {
        assert_eq!(check(&access, component, name), Ok(()), "{line}");
        let error = check(&access, other, other_name).expect_err(line);
        assert_eq!(error.code, Code::PermissionDenied, "{line}");
        assert!(error.message.ends_with(&format!("grants = {{ {line} }}")), "{error}");
        let error = check(&Access::default(), component, name).expect_err("nothing is granted");
        assert_eq!(error.code, Code::PermissionDenied, "{line}");
    }
}

#[test]
fn the_runtimes_metadata_has_two_halves() {
    let access = access();
    assert_eq!(access.metadata(MetadataGrant::Read), Ok(()));
    let error = access.metadata(MetadataGrant::Write).expect_err("not granted");
    assert!(error.message.contains(r#"grants = { metadata = ["write"] }"#), "{error}");
}

#[test]
fn a_manifest_that_does_not_tell_halves_apart_is_told_the_whole() {
    let state = grants(&["orders/user-*"]);
    let access = Access::new(Grants { state, ..Grants::default() });
    let error = access.state_read("orders", "admin").expect_err("not granted");
    assert!(error.message.contains(r#"grants = { state = ["orders/admin"] }"#), "{error}");
}

#[test]
fn empty_names_are_no_names() {
    let all = |component: &str| grants(&[component]);
    let access = Access::new(Grants {
        state: all("s"),
        publish: all("s"),
        bindings: all("s"),
        invoke: all("s"),
        secrets: all("s"),
        configuration: all("s"),
        lock: all("s"),
        jobs: vec![Pattern::Prefix(String::new())],
        encrypt: all("s"),
        decrypt: all("s"),
        actors: all("s"),
        ..Grants::default()
    });
    let checks: [Check; 12] = [
        Access::state_read,
        Access::state_write,
        Access::publish,
        Access::binding,
        Access::invoke,
        Access::secret,
        Access::configuration,
        Access::lock,
        Access::encrypt,
        Access::decrypt,
        Access::actor,
        |access, _, name| access.job(name),
    ];
    for (number, check) in checks.iter().enumerate() {
        assert_eq!(check(&access, "s", "x"), Ok(()), "{number}");
        for (component, name) in [("s", ""), ("", "")] {
            let error = check(&access, component, name).expect_err("empty");
            assert_eq!(error.code, Code::InvalidArgument, "{number}");
        }
    }
}

#[test]
fn names_that_mean_more_to_dapr_are_refused() {
    let access = Access::new(Grants {
        state: grants(&["s"]),
        lock: grants(&["s"]),
        actors: grants(&["T", "T||x", "T/x"]),
        jobs: vec![Pattern::Prefix(String::new())],
        ..Grants::default()
    });
    let results = [
        access.state_read("s", "other||key"),
        access.state_write("s", "||"),
        access.lock("s", "a||b"),
        access.actor("T", "a||b"),
        access.actor("T||x", "a"),
        access.actor("T", ".."),
        access.actor("T", "x/../victim"),
        access.actor("T", "%2e%2e"),
        access.job("a||b"),
        access.job("x/../../admin"),
        access.job("x?y"),
        access.job("x\ny"),
        Access::within_actor("key", "a||b"),
        Access::within_actor("method", "../../x/method/m"),
        Access::within_actor("reminder", ""),
    ];
    for (number, result) in results.into_iter().enumerate() {
        assert_eq!(result.expect_err("refused").code, Code::InvalidArgument, "{number}");
    }
    for key in ["a|b", "a/../b", "..", "ä", "a b", "*"] {
        assert_eq!(access.state_read("s", key), Ok(()), "{key}");
    }
}

#[test]
fn configuration_keys_are_known_unless_a_prefix_is_granted() {
    let access = access();
    assert_eq!(access.configuration_keys("flags"), Ok(Some(vec!["a".into(), "b".into()])));
    assert_eq!(access.configuration_keys("settings"), Ok(None));
    assert_eq!(access.configuration_keys("x").map_err(|e| e.code), Err(Code::PermissionDenied));
}

#[test]
fn odd_names_do_not_spoil_the_message() {
    let error = Access::default().state_read("a\nb", &"x".repeat(500)).expect_err("not granted");
    assert!(error.message.contains(r"a\nb"));
    assert!(error.message.len() < 500);
}
