//! The examples, as their READMEs tell, on every back end.

use anyhow::{Context, Result};
use http::Method;
use trilby_testkit::{Backend, Launch, Options, World, leave_out, repository, until};

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

#[tokio::test]
async fn orders_reports_when_its_job_is_due() -> Result<()> {
    let folder = tempfile::tempdir()?;
    // Where the example's component looks for it, from the working directory.
    let settings = folder.path().join("examples/orders/settings.json");
    std::fs::create_dir_all(settings.parent().context("has one")?)?;
    std::fs::write(&settings, r#"{"report": "@every 1h"}"#)?;
    let app = repository().join("examples/orders");
    let trilby = Launch::new(app, folder.path()).start().await?;
    let http = &trilby.http;
    let order = r#"{"item":"tea","count":2}"#;
    assert_eq!(http.post("/orders", order).await?.text(), format!("{order}\n"));
    assert_eq!(http.post("/report", "").await?.status, 202);
    assert_eq!(http.get("/report").await?.text(), "no report yet\n");
    std::fs::write(&settings, r#"{"report": "@every 1s"}"#)?;
    until("a report", || async {
        http.get("/report").await.ok().filter(|report| report.text() == "tea: 2\n")
    })
    .await?;
    Ok(())
}

matrix!(orders_go);

async fn orders_go(backend: Backend) -> Result<()> {
    if is_missing("examples/orders-go/place.wasm", "Go") {
        return Ok(());
    }
    shipped(backend, "examples/orders-go").await
}

matrix!(orders_c);

async fn orders_c(backend: Backend) -> Result<()> {
    if is_missing("examples/orders-c/place.wasm", "ziglang") {
        return Ok(());
    }
    shipped(backend, "examples/orders-c").await
}

/// Places an order, which another module ships.
async fn shipped(backend: Backend, example: &str) -> Result<()> {
    let world = World::start(backend, example, Options::default(), |c, _| c).await?;
    let http = &world.trilby.http;
    let placed = http.post("/orders", "tea").await?;
    assert_eq!(placed.text(), "{\"id\":\"1\",\"item\":\"tea\",\"status\":\"new\"}\n");
    assert_eq!(http.get("/orders/7").await?.status, 404);
    until("the order to be shipped", || async {
        let order = http.get("/orders/1").await.ok()?;
        order.text().contains("\"status\":\"shipped\"").then_some(())
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
    is_missing("examples/counter-go/counter.wasm", "Go")
}

/// Whether a module could not be built, for want of its compiler; says so.
pub(crate) fn is_missing(module: &str, needs: &str) -> bool {
    let module = repository().join(module);
    let missing = !module.is_file();
    if missing {
        leave_out(&format!("{} (needs {needs})", module.display()));
    }
    missing
}
