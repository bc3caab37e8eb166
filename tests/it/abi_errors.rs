//! Every error of the ABI, with the same code, reason and text on every back end.

use anyhow::Result;
use trilby_testkit::{Backend, Options, World};

use crate::probe::{self, call, set};

matrix!(errors_are_daprs);

async fn errors_are_daprs(backend: Backend) -> Result<()> {
    let world = probe::world(backend).await?;
    let http = &world.trilby.http;
    let empty = set(http, "", "", "x").await?;
    assert_eq!(empty.result, -3, "{empty:?}");
    let illegal = set(http, "a||b", "", "x").await?;
    assert_eq!(illegal.result, -3, "{illegal:?}");
    assert!(illegal.body.contains("a||b"), "{illegal:?}");

    let operation = call(http, "/binding", ["files", "frob"], "", "x").await?;
    assert_eq!(operation.result, -13, "{operation:?}");
    let text = "supported operations:create get list delete";
    assert!(operation.body.contains(text), "{operation:?}");

    let absent = call(http, "/secret", ["secrets", "absent"], "", "").await?;
    assert_eq!(absent.result, -13, "{absent:?}");
    Ok(())
}

matrix!(missing_components);

/// A component that is not there: known at load when embedded, at the call with a sidecar.
async fn missing_components(backend: Backend) -> Result<()> {
    let app = "tests/guests/probe/missing.toml";
    let world = World::start(backend, app, Options::default(), |components, _| {
        components.add("secrets", "secretstores.local.env", &[])
    })
    .await;
    if !backend.is_sidecar() {
        let error = world.err().map(|error| format!("{error:#}")).unwrap_or_default();
        assert!(error.contains("no component of type state is named `missing`"), "{error}");
        return Ok(());
    }
    let http = &world?.trilby.http;
    let cases = [
        ("/state/get", -3, "DAPR_STATE_NOT_FOUND", "state store missing is not found"),
        ("/state/set", -3, "DAPR_STATE_NOT_FOUND", "state store missing is not found"),
        ("/publish", -3, "DAPR_PUBSUB_NOT_FOUND", "pubsub missing is not found"),
        ("/binding", -13, "ERR_INVOKE_OUTPUT_BINDING", "couldn't find output binding missing"),
        ("/secret", -3, "", "failed finding secret store with key missing"),
    ];
    for (what, code, reason, text) in cases {
        let name = if what == "/publish" { "t" } else { "known" };
        let report = call(http, what, ["missing", name], "", "x").await?;
        assert_eq!(report.result, code, "{what}: {report:?}");
        assert!(report.body.contains(text), "{what}: {report:?}");
        assert_eq!(report.header("reason").unwrap_or(""), reason, "{what}: {report:?}");
    }
    Ok(())
}

matrix!(errors_of_the_host);

async fn errors_of_the_host(backend: Backend) -> Result<()> {
    let world = probe::world(backend).await?;
    let http = &world.trilby.http;

    // What the manifest does not grant never reaches Dapr, and the refusal names the line.
    let cases = [
        ("/state/get", ["elsewhere", "k"], r#"state = ["elsewhere/k"]"#),
        ("/publish", ["pubsub", "other"], r#"publish = ["pubsub/other"]"#),
        ("/binding", ["mail", "create"], r#"bindings = ["mail/create"]"#),
        ("/secret", ["secrets", "other"], r#"secrets = ["secrets/other"]"#),
    ];
    for (what, targets, line) in cases {
        let report = call(http, what, targets, "", "").await?;
        assert_eq!(report.result, -7, "{what}: {report:?}");
        assert_eq!(report.header("reason"), Some("TRILBY_NOT_GRANTED"));
        assert!(report.body.contains(line), "{what}: {report:?}");
    }

    // Options are never ignored.
    for options in ["etags: 1\n", "etag: 1\netag: 1\n", "no colon\n", "consistency: maybe\n"] {
        let report = set(http, "k", options, "x").await?;
        assert_eq!(report.result, -3, "{options:?}: {report:?}");
        assert_eq!(report.header("reason"), Some("TRILBY_INVALID_ARGUMENT"));
    }

    // Handles: 64 at once, unknown ones are an error.
    let answer = http.get("/handles?a=statestore").await?;
    assert_eq!(answer.text(), "opened 64 refused 2 unknown [-3, -3, -3]");
    Ok(())
}
