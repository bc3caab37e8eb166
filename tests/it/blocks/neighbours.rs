//! Two apps with one store: neither sees the other's keys, whatever it puts in a name.

use anyhow::Result;
use tempfile::TempDir;
use trilby_testkit::{Backend, Components, Options, Redis, app_id};

use super::probe::App;
use super::state::{etag, get, on_key, probe, set};

/// What both apps use.
struct Shared {
    backend: Backend,
    folder: TempDir,
    redis: Option<Redis>,
}

impl Shared {
    async fn start(backend: Backend) -> Result<Self> {
        let redis = match backend {
            Backend::DaprdRedis => Some(Redis::start(&std::env::var("TRILBY_TEST_REDIS")?).await?),
            _ => None,
        };
        Ok(Self { backend, folder: tempfile::tempdir()?, redis })
    }

    /// The app of this id. A store in a file is one app's at a time.
    async fn app(&self, id: &str) -> Result<App> {
        let options = Options { app_id: Some(id.to_owned()), ..Options::default() };
        let port = self.redis.as_ref().map(|redis| redis.port);
        let components = |_: Components, _: &std::path::Path| {
            Components::of(self.backend, port, self.folder.path())
        };
        probe().options(options).serve(self.backend, components).await
    }
}

async fn neither_sees_the_others_keys(backend: Backend) -> Result<()> {
    if backend.is_left_out() {
        return Ok(());
    }
    let shared = Shared::start(backend).await?;
    // The second id begins with the first.
    let first = app_id();
    let second = format!("{first}-b");
    let owner = shared.app(&second).await?;
    set(&owner, "key", &[], "of the second").await?.done();
    let owners_etag = etag(&owner, "key").await?;
    drop(owner);

    let other = shared.app(&first).await?;
    assert_eq!(get(&other, "key").await?.done().header("etag"), None);
    for key in [
        format!("{second}||key"),
        format!("||{second}||key"),
        "-b||key".to_owned(),
        "||key".to_owned(),
        "key||".to_owned(),
        format!("../{second}||key"),
    ] {
        get(&other, &key).await?.invalid("||");
        set(&other, &key, &[], "x").await?.invalid("||");
        on_key(&other, "delete", &key, &[], "").await?.invalid("||");
    }
    // Halves of the separator are parts of names.
    for key in [format!("{second}|"), "|key".to_owned(), "-b|key".to_owned()] {
        set(&other, &key, &[], "x").await?.done();
        on_key(&other, "delete", &key, &[], "").await?.done();
    }
    let theirs = on_key(&other, "delete", "key", &[("etag", &owners_etag)], "").await?;
    // To `state.redis`, nothing is deleted whatever the etag.
    let expected = if backend == Backend::DaprdRedis { "OK" } else { "ABORTED" };
    assert_eq!(theirs.code, expected, "{theirs:?}");
    set(&other, "key", &[("concurrency", "first-write")], "of the first").await?.done();
    on_key(&other, "delete", "key", &[], "").await?.done();
    drop(other);

    let owner = shared.app(&second).await?;
    assert_eq!(get(&owner, "key").await?.done().text(), "of the second");
    assert_eq!(etag(&owner, "key").await?, owners_etag);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_sees_the_others_keys_in_redis() -> Result<()> {
    neither_sees_the_others_keys(Backend::DaprdRedis).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_sees_the_others_keys_in_daprds_sqlite() -> Result<()> {
    neither_sees_the_others_keys(Backend::DaprdSqlite).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_sees_the_others_keys_in_the_embedded_sqlite() -> Result<()> {
    neither_sees_the_others_keys(Backend::EmbeddedSqlite).await
}
