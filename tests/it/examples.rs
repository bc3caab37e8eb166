//! The examples, as their READMEs tell, on every back end.

use anyhow::Result;
use http::Method;
use trilby_testkit::{Backend, Options, World, leave_out, repository, until};

matrix!(hello);

async fn hello(backend: Backend) -> Result<()> {
    let world = World::start(backend, "examples/hello", Options::default(), |c, _| c).await?;
    let http = &world.trilby.http;
    assert_eq!(http.get("/").await?.text(), "Oh hi world\n");
    assert_eq!(http.get("/hello").await?.text(), "hello world\n");
    assert_eq!(http.get("/nowhere").await?.status, 404);
    Ok(())
}

matrix!(guestbook);

async fn guestbook(backend: Backend) -> Result<()> {
    let world = World::start(backend, "examples/guestbook", Options::default(), |c, _| {
        c.add("prune", "bindings.cron", &[("schedule", "@every 1s"), ("direction", "input")])
    })
    .await?;
    let http = &world.trilby.http;
    let answer = http.post("/entries", "Nice place").await?;
    assert_eq!(answer.text(), r#"{"name":"anonymous","text":"Nice place"}"#);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let answer = http.send(Method::POST, "/entries", &form, "name=Ada&text=Hello").await?;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("location"), Some("/"));
    assert_eq!(
        http.get("/entries").await?.text(),
        r#"[{"name":"anonymous","text":"Nice place"},{"name":"Ada","text":"Hello"}]"#
    );
    until("both events to be counted", || async {
        http.get("/").await.ok().filter(|page| page.text().contains("2 entries, 2 ever added."))
    })
    .await?;
    // The pruner keeps the newest hundred.
    for number in 0..105 {
        assert_eq!(http.post("/entries", format!("entry {number}")).await?.status, 201);
    }
    until("the pruning", || async {
        let page = http.get("/").await.ok()?.text();
        page.contains("100 entries, 107 ever added.").then_some(())
    })
    .await
}

matrix!(counter_go);

async fn counter_go(backend: Backend) -> Result<()> {
    if counter_is_missing() {
        return Ok(());
    }
    let world = World::start(backend, "examples/counter-go", Options::default(), |c, _| c).await?;
    let http = &world.trilby.http;
    assert_eq!(http.get("/count").await?.text(), "0\n");
    let mut posts = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let http = http.clone();
        posts.spawn(async move {
            for _ in 0..5 {
                let answer = http.post("/count", "").await?;
                anyhow::ensure!(answer.status == 200, "{}", answer.text());
            }
            Ok(())
        });
    }
    while let Some(post) = posts.join_next().await {
        post??;
    }
    assert_eq!(http.get("/count").await?.text(), "20\n");
    Ok(())
}

/// Whether the Go guest could not be built, for want of Go; says so. With `CI` set, it must be.
pub(crate) fn counter_is_missing() -> bool {
    let module = repository().join("examples/counter-go/counter.wasm");
    let missing = !module.is_file();
    if missing {
        leave_out(&format!("{} (needs Go)", module.display()));
    }
    missing
}
