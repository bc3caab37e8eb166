//! Locks: between owners, for a time.

use anyhow::Result;
use trilby_testkit::{Backend, Options, Redis, until};

use crate::blocks::probe::{App, Probe};

async fn serve(backend: Backend, grants: &str) -> Result<Option<App>> {
    if backend.is_sidecar() && Redis::is_left_out() {
        return Ok(None);
    }
    let options = Options { redis: backend.is_sidecar(), ..Options::default() };
    let probe = Probe::granting("lock", grants).options(options);
    let app = probe.serve(backend, |components, _| {
        if backend.is_sidecar() {
            components.with_lock()
        } else {
            components.add("lock", "lock.in-memory", &[])
        }
    });
    app.await.map(Some)
}

const ALL: &str = "lock = [\"lock\"]";

/// Takes a lock through the SDK: `taken` or `held`.
async fn take(app: &App, how: &str, resource: &str, owner: &str, expiry: &str) -> Result<String> {
    let parameters =
        [("store", "lock"), ("resource", resource), ("owner", owner), ("expiry", expiry)];
    Ok(app.ask(&format!("/lock/{how}"), &parameters, "").await?.done().text())
}

fn of<'a>(resource: &'a str, owner: &'a str) -> [(&'static str, &'a str); 3] {
    [("a", "lock"), ("b", resource), ("c", owner)]
}

both!(a_lock_is_held_by_one_owner_until_it_is_given_back);

async fn a_lock_is_held_by_one_owner_until_it_is_given_back(backend: Backend) -> Result<()> {
    let Some(app) = serve(backend, ALL).await? else { return Ok(()) };
    assert_eq!(take(&app, "try_lock", "r", "me", "60").await?, "taken");
    assert_eq!(take(&app, "try_lock", "r", "you", "60").await?, "held");
    assert_eq!(take(&app, "try_lock", "other", "you", "60").await?, "taken");
    // Not even its owner takes it twice.
    assert_eq!(take(&app, "try_lock", "r", "me", "60").await?, "held");
    let again = [&of("r", "me")[..], &[("options", "expiry: 60")]].concat();
    let held = app.ask("/lock/raw/try_lock", &again, "").await?;
    held.refused("ABORTED", "TRILBY_LOCK_HELD", "somebody holds the lock");

    let others = app.ask("/lock/raw/unlock", &of("r", "you"), "").await?;
    others.refused("ABORTED", "TRILBY_LOCK_OF_OTHERS", "somebody else holds the lock");
    app.ask("/lock/raw/unlock", &of("r", "me"), "").await?.done();
    let missing = app.ask("/lock/raw/unlock", &of("r", "me"), "").await?;
    missing.refused("NOT_FOUND", "TRILBY_LOCK_MISSING", "nobody holds the lock");
    assert_eq!(take(&app, "try_lock", "r", "you", "60").await?, "taken");
    Ok(())
}

both!(the_sdk_gives_a_lock_back_when_it_is_dropped);

async fn the_sdk_gives_a_lock_back_when_it_is_dropped(backend: Backend) -> Result<()> {
    let Some(app) = serve(backend, ALL).await? else { return Ok(()) };
    assert_eq!(take(&app, "guard", "r", "me", "60").await?, "taken");
    assert_eq!(take(&app, "try_lock", "r", "you", "60").await?, "taken");
    assert_eq!(take(&app, "guard", "r", "me", "60").await?, "held");
    Ok(())
}

both!(a_lock_is_free_when_its_time_is_over);

async fn a_lock_is_free_when_its_time_is_over(backend: Backend) -> Result<()> {
    let Some(app) = serve(backend, ALL).await? else { return Ok(()) };
    assert_eq!(take(&app, "try_lock", "r", "me", "1").await?, "taken");
    until("the lock to be free", || async {
        let took = take(&app, "try_lock", "r", "you", "60").await.ok()?;
        (took == "taken").then_some(())
    })
    .await?;
    let late = app.ask("/lock/raw/unlock", &of("r", "me"), "").await?;
    late.refused("ABORTED", "TRILBY_LOCK_OF_OTHERS", "");
    Ok(())
}

both!(only_one_of_many_gets_a_lock);

async fn only_one_of_many_gets_a_lock(backend: Backend) -> Result<()> {
    let Some(app) = serve(backend, ALL).await? else { return Ok(()) };
    let app = std::sync::Arc::new(app);
    let tries: Vec<_> = (0..20)
        .map(|number| {
            let app = std::sync::Arc::clone(&app);
            let owner = format!("owner {number}");
            tokio::spawn(async move { take(&app, "try_lock", "r", &owner, "60").await })
        })
        .collect();
    let mut taken = 0;
    for one in tries {
        taken += usize::from(one.await?? == "taken");
    }
    assert_eq!(taken, 1);
    Ok(())
}

both!(wrong_arguments_are_told);

async fn wrong_arguments_are_told(backend: Backend) -> Result<()> {
    let Some(app) = serve(backend, ALL).await? else { return Ok(()) };
    for expiry in ["", "expiry: 0", "expiry: -1", "expiry: 1s", "expiry: 1.5", "expiry: 9999999999"]
    {
        let parameters = [&of("r", "me")[..], &[("options", expiry)]].concat();
        app.ask("/lock/raw/try_lock", &parameters, "").await?.invalid("seconds");
    }
    for (resource, owner) in [("", "me"), ("r", ""), ("a||b", "me")] {
        let parameters = [&of(resource, owner)[..], &[("options", "expiry: 1")]].concat();
        app.ask("/lock/raw/try_lock", &parameters, "").await?.invalid("");
        app.ask("/lock/raw/unlock", &of(resource, owner), "").await?.invalid("");
    }
    let unknown = [&of("r", "me")[..], &[("options", "expiry: 1\nttl: 2")]].concat();
    app.ask("/lock/raw/try_lock", &unknown, "").await?.invalid("ttl");
    assert_eq!(take(&app, "try_lock", "r", "me", "1").await?, "taken");
    Ok(())
}

both!(grants_name_resources);

async fn grants_name_resources(backend: Backend) -> Result<()> {
    let grants = "lock = [\"lock/mine-*\", \"lock/one\"]";
    let Some(app) = serve(backend, grants).await? else { return Ok(()) };
    for resource in ["mine-a", "one"] {
        assert_eq!(take(&app, "try_lock", resource, "me", "60").await?, "taken");
    }
    for (store, resource) in [("lock", "yours"), ("lock", "one more"), ("elsewhere", "one")] {
        let line = format!("lock = [\"{store}/{resource}\"]");
        let names = [("a", store), ("b", resource), ("c", "me")];
        let with_expiry = [&names[..], &[("options", "expiry: 1")]].concat();
        app.ask("/lock/raw/try_lock", &with_expiry, "").await?.not_granted(&line);
        app.ask("/lock/raw/unlock", &names, "").await?.not_granted(&line);
    }
    Ok(())
}

#[tokio::test]
async fn daprd_tells_of_a_store_that_is_not_there() -> Result<()> {
    if Backend::DaprdMemory.is_left_out() {
        return Ok(());
    }
    let grants = "lock = [\"lock\", \"missing\"]";
    let Some(app) = serve(Backend::DaprdMemory, grants).await? else { return Ok(()) };
    let names = [("a", "missing"), ("b", "r"), ("c", "me")];
    let with_expiry = [&names[..], &[("options", "expiry: 1")]].concat();
    let missing = app.ask("/lock/raw/try_lock", &with_expiry, "").await?;
    missing.refused("INVALID_ARGUMENT", "", "lock store missing not found");
    let missing = app.ask("/lock/raw/unlock", &names, "").await?;
    missing.refused("INVALID_ARGUMENT", "", "lock store missing not found");
    Ok(())
}
