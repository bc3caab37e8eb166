//! Publish, output bindings and secrets, function by function, on every back end.

use anyhow::Result;
use trilby_testkit::Backend;

use crate::probe::{self, call};

matrix!(output_bindings);

async fn output_bindings(backend: Backend) -> Result<()> {
    let world = probe::world(backend).await?;
    let http = &world.trilby.http;
    let file = "metadata.fileName: notes/a.txt\n";
    let created = call(http, "/binding", ["files", "create"], file, "hello").await?;
    assert_eq!(created.result, 1, "{created:?}");
    assert_eq!(std::fs::read_to_string(world.path("files/notes/a.txt"))?, "hello");
    let read = call(http, "/binding", ["files", "get"], file, "").await?;
    assert_eq!(read.body, "hello");
    let listed = call(http, "/binding", ["files", "list"], "", "").await?;
    assert!(listed.body.contains("notes/a.txt"), "{listed:?}");

    // A name cannot lead out of the folder.
    let outside = "metadata.fileName: ../../outside.txt\n";
    call(http, "/binding", ["files", "create"], outside, "x").await?;
    assert!(!world.path("outside.txt").exists());
    assert!(!world.path("../outside.txt").exists());

    let deleted = call(http, "/binding", ["files", "delete"], file, "").await?;
    assert!(deleted.result >= 0, "{deleted:?}");
    assert!(!world.path("files/notes/a.txt").exists());
    let gone = call(http, "/binding", ["files", "get"], file, "").await?;
    assert_eq!(gone.result, -13, "{gone:?}");
    Ok(())
}

matrix!(secrets);

async fn secrets(backend: Backend) -> Result<()> {
    let mut world = probe::world(backend).await?;
    let secret = call(&world.trilby.http, "/secret", ["secrets", "known"], "", "").await?;
    assert_eq!((secret.result, &*secret.body), (1, "s3cr3t"), "{secret:?}");
    assert_eq!(secret.header("value.known"), Some("s3cr3t"));
    world.trilby.http.get("/stderr?a=mark").await?;
    world.trilby.logged("mark").await?;
    assert!(!world.trilby.output().contains("s3cr3t"), "a secret is in the log");
    Ok(())
}
