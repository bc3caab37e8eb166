//! What the manifest says about Dapr is checked before anything is served, by `trilby check` and
//! `trilby serve` alike.

use anyhow::Result;

use crate::folder::{EMPTY, Folder, MANIFEST};

/// The first line after [`MANIFEST`], which ends within its route.
const LINE: usize = 7;

/// Both commands refuse the manifest with the same words, which are given.
async fn refused(manifest: &str) -> Result<String> {
    let folder = Folder::with_app()?.with("a.wat", EMPTY)?.with("trilby.toml", manifest)?;
    let ended = folder.ends(folder.trilby(&["check"])?).await?;
    let seen = (ended.code, ended.stdout.as_str());
    assert_eq!(seen, (Some(64), ""), "{manifest}\n{}", ended.stderr);
    assert_eq!(folder.refused().await?, ended.stderr);
    Ok(ended.stderr)
}

/// Asserts that the manifest with these lines added is refused: at which line, and with which
/// words.
async fn refuses(lines: &str, line: usize, words: &[&str]) -> Result<()> {
    let text = refused(&format!("{MANIFEST}{lines}\n")).await?;
    let place = format!("--> trilby.toml:{line}:");
    assert!(text.contains(&place), "no `{place}` for {lines}:\n{text}");
    for word in words {
        assert!(text.contains(word), "no `{word}` for {lines}:\n{text}");
    }
    Ok(())
}

#[tokio::test]
async fn a_grant_of_a_component_that_is_not_there_is_found() -> Result<()> {
    for (grants, kind) in [
        (r#"state = ["missing/k"]"#, "state"),
        (r#"state-read = ["missing"]"#, "state"),
        (r#"state-write = ["missing"]"#, "state"),
        (r#"state-query = ["missing"]"#, "state"),
        (r#"publish = ["missing/t"]"#, "pubsub"),
        (r#"bindings = ["missing/create"]"#, "output binding"),
        (r#"secrets = ["missing/k"]"#, "secret store"),
        (r#"configuration = ["missing/k"]"#, "configuration"),
        (r#"lock = ["missing/r"]"#, "lock"),
        (r#"encrypt = ["missing/k"]"#, "crypto"),
        (r#"decrypt = ["missing/k"]"#, "crypto"),
        (r#"conversation = ["missing"]"#, "conversation"),
    ] {
        let words = [&format!("no component of type {kind} is named `missing`")[..]];
        refuses(&format!("grants = {{ {grants} }}"), LINE, &words).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_component_of_another_block_is_none_of_this_one() -> Result<()> {
    // The default store of state is no secret store.
    let grants = r#"grants = { state = ["statestore"], secrets = ["statestore/k"] }"#;
    refuses(grants, LINE, &["no component of type secret store is named `statestore`"]).await
}

#[tokio::test]
async fn a_trigger_of_a_component_that_is_not_there_is_found() -> Result<()> {
    for (trigger, kind) in [
        (r#"topic = "missing/t""#, "pubsub"),
        (r#"binding = "missing""#, "input binding"),
        (r#"configuration = "missing/k""#, "configuration"),
        (r#"configuration = "missing""#, "configuration"),
    ] {
        let route = format!("\n[[route]]\n{trigger}\nmodule = \"a.wat\"");
        let words = [&format!("no component of type {kind} is named `missing`")[..]];
        refuses(&route, LINE + 2, &words).await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_rpc_that_has_a_function_is_not_granted_as_a_call() -> Result<()> {
    for (rpc, grant) in
        [("GetState", "state-read"), ("InvokeService", "invoke"), ("ScheduleJobAlpha1", "jobs")]
    {
        let grants = format!("grants = {{ call = [\"{rpc}\"] }}");
        refuses(&grants, LINE, &[&format!("`{rpc}`"), &format!("`{grant}`")]).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_grant_that_can_never_be_used_is_found() -> Result<()> {
    for (grants, words) in [
        (r#"state = [""]"#, &["state"][..]),
        (r#"state = ["a/*b"]"#, &["a/*b"]),
        (r#"state-query = ["statestore/k"]"#, &["state-query"]),
        (r#"invoke = ["other//x"]"#, &["other//x"]),
        (r#"metadata = ["all"]"#, &["read", "write"]),
        (r#"call = ["Get State"]"#, &["Get State"]),
        (r#"conversation = ["a/b"]"#, &["a/b"]),
        (r#"topics = ["pubsub/t"]"#, &["topics", "publish"]),
        (r#"secret = ["a/b"]"#, &["secret", "`secrets`"]),
    ] {
        refuses(&format!("grants = {{ {grants} }}"), LINE, words).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_condition_that_is_no_expression_is_found() -> Result<()> {
    for condition in ["event.type ==", "event.type = 'a'", "", "(", "'unclosed", "event..type"] {
        let route =
            format!("\n[[route]]\ntopic = \"pubsub/t\"\nmatch = {condition:?}\nmodule = \"a.wat\"");
        refuses(&route, LINE + 3, &["match"]).await?;
    }
    // What daprd takes is taken.
    for condition in ["event.type == 'a'", "event.data.amount > 10", "has(event.data.x)"] {
        let route = format!(
            "\n[[route]]\ntopic = \"pubsub/t\"\nmatch = {condition:?}\nmodule = \"a.wat\"\n"
        );
        let folder = Folder::with_app()?.with("a.wat", EMPTY)?;
        let folder = folder.with("trilby.toml", format!("{MANIFEST}{route}"))?;
        let ended = folder.ends(folder.trilby(&["check"])?).await?;
        assert_eq!(ended.code, Some(0), "{condition}: {}", ended.stderr);
    }
    Ok(())
}

#[tokio::test]
async fn a_module_that_needs_what_its_route_does_not_grant_is_found() -> Result<()> {
    let import = |module: &str, name: &str, parameters: usize| {
        let parameters = "i32 ".repeat(parameters);
        format!(
            r#"(module (import "{module}" "{name}" (func (param {parameters}) (result i32)))
                (memory (export "memory") 1) (func (export "_start")))"#
        )
    };
    for (module, name, parameters, line) in [
        ("dapr_state_v1", "get", 6, "state = "),
        ("dapr_pubsub_v1", "publish_bulk", 8, "publish = "),
        ("dapr_binding_v1", "invoke", 8, "bindings = "),
        ("dapr_invoke_v1", "open", 6, "invoke = "),
        ("dapr_secret_v1", "get_bulk", 4, "secrets = "),
        ("dapr_configuration_v1", "get", 6, "configuration = "),
        ("dapr_lock_v1", "unlock", 8, "lock = "),
        ("dapr_jobs_v1", "list", 2, "jobs = "),
        ("dapr_crypto_v1", "encrypt_open", 6, "encrypt = "),
        ("dapr_conversation_v1", "converse", 6, "conversation = "),
        ("dapr_actor_v1", "invoke", 10, "actors = "),
        ("dapr_metadata_v1", "get", 2, "metadata = "),
        ("dapr_v1", "call", 6, "call = "),
    ] {
        let folder = Folder::with_app()?.with("a.wat", import(module, name, parameters))?;
        let ended = folder.ends(folder.trilby(&["check"])?).await?;
        assert_eq!(ended.code, Some(64), "{module}: {}", ended.stderr);
        assert_eq!(folder.refused().await?, ended.stderr);
        for words in [module, &format!("grants = {{ {line}["), "--> trilby.toml:4:"] {
            assert!(ended.stderr.contains(words), "{module}: no `{words}`:\n{}", ended.stderr);
        }
    }
    // To read answers needs no grant.
    let folder = Folder::with_app()?.with("a.wat", import("dapr_v1", "close", 1))?;
    let ended = folder.ends(folder.trilby(&["check"])?).await?;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    Ok(())
}
