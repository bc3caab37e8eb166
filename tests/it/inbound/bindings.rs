//! Input bindings. daprd brings them over its app channel only.

use anyhow::Result;

use super::app::{App, Way};
use super::setup::Setup;

async fn serve(way: Way) -> Result<App> {
    let setup = Setup::new(&["binding = \"tick\""]);
    setup
        .serve_with(way, |components, _| {
            let every = [("schedule", "@every 1s"), ("direction", "input")];
            components.add("tick", "bindings.cron", &every)
        })
        .await
}

ways!(a_cron_binding_triggers_again_and_again: embedded Embedded, http Http, grpc Grpc);

async fn a_cron_binding_triggers_again_and_again(way: Way) -> Result<()> {
    let app = serve(way).await?;
    for trigger in app.came("tick", 2).await? {
        for (name, value) in
            [("TRILBY_TRIGGER", "binding"), ("BINDING_NAME", "tick"), ("REQUEST_METHOD", "POST")]
        {
            assert_eq!(trigger.variable(name), value, "{name}");
        }
        assert_eq!(trigger.text(), "");
        // What the component tells of its trigger.
        assert!(trigger.has("HTTP_READTIMEUTC"), "{trigger:?}");
    }
    Ok(())
}

ways!(a_binding_is_told_to_daprd: http Http, grpc Grpc);

/// With `direction` in doubt, daprd asks the app whether it wants a binding.
async fn a_binding_is_told_to_daprd(way: Way) -> Result<()> {
    let setup = Setup::new(&["binding = \"tick\""]);
    let app = setup
        .serve_with(way, |components, _| {
            let every = [("schedule", "@every 1s")];
            components.add("tick", "bindings.cron", &every).add("other", "bindings.cron", &every)
        })
        .await?;
    app.came("tick", 2).await?;
    assert_eq!(app.seen("other").len(), 0);
    Ok(())
}
