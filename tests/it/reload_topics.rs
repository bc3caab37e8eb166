//! Reloads and topics: what subscribes, and what has ended to do so.

use anyhow::Result;
use rustix::process::Signal;
use trilby_testkit::Trilby;

use crate::folder::Folder;
use crate::script::{HEAD, Step, count, counted, module};

const PUBSUB: &str = "\
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: bus
spec:
  type: pubsub.in-memory
  version: v1
  metadata: []
";

const EVENTS: usize = 40;

/// Two paths that publish, and these topics.
fn manifest(topics: &[&str]) -> String {
    let mut text = "version = 1\nname = \"app\"\n".to_owned();
    for path in ["one", "two"] {
        text += &format!(
            "[[route]]\npath = \"/{path}\"\nmodule = \"{path}.wat\"\n\
             grants.publish = [\"bus/{path}\"]\n"
        );
    }
    for topic in topics {
        text += &format!("[[route]]\ntopic = \"bus/{topic}\"\nmodule = \"took.wat\"\n");
    }
    text
}

fn app(topics: &[&str]) -> Result<Folder> {
    let publish = |topic| module(&[Step::Publish("bus", topic, "an event"), HEAD]);
    Folder::new()?
        .with("components/bus.yaml", PUBSUB)?
        .with("trilby.toml", manifest(topics))?
        .with("one.wat", publish("one"))?
        .with("two.wat", publish("two"))?
        .with("took.wat", module(&[Step::Read, Step::Err("took it\n", 1), HEAD]))
}

fn took(topic: &str) -> String {
    format!("trilby::guest: took it route=\"bus/{topic}\"")
}

async fn reload(trilby: &mut Trilby, number: usize) -> Result<()> {
    trilby.process().signal(Signal::HUP)?;
    counted(trilby, "trilby::reload: reloaded trilby.toml", number).await
}

/// An event is for those who subscribe when it is published. At the end all have been delivered, so
/// none can be on its way any more.
#[tokio::test]
async fn subscriptions_follow_the_manifest() -> Result<()> {
    let folder = app(&["two"])?;
    let mut trilby = folder.launch().start().await?;
    for (number, topics) in [&["one", "two"][..], &["two"], &["two", "one"], &[]].iter().enumerate()
    {
        assert_eq!(trilby.http.get("/one").await?.status, 200);
        assert_eq!(trilby.http.get("/two").await?.status, 200);
        counted(&trilby, &took("two"), number + 1).await?;
        std::fs::write(folder.path("trilby.toml"), manifest(topics))?;
        reload(&mut trilby, number + 1).await?;
    }
    for path in ["/one", "/two"] {
        assert_eq!(trilby.http.get(path).await?.status, 200);
    }
    trilby.process().signal(Signal::TERM)?;
    assert_eq!(trilby.process().ended().await?.code(), Some(0));
    let counts = ["one", "two"].map(|topic| count(&trilby, &took(topic)));
    assert_eq!(counts, [2, 4], "{}", trilby.output());
    Ok(())
}

/// What was accepted for a topic is delivered, though a reload has taken its route away meanwhile: the
/// receiver is so slow that most events wait.
#[tokio::test]
async fn accepted_events_outlive_their_route() -> Result<()> {
    let slow = module(&[Step::Read, Step::Compute(3_000_000), Step::Err("took it\n", 1), HEAD]);
    let folder = app(&["one"])?.with("took.wat", slow)?;
    let mut trilby = folder.launch().start().await?;
    for _ in 0..EVENTS {
        assert_eq!(trilby.http.get("/one").await?.status, 200);
    }
    std::fs::write(folder.path("trilby.toml"), manifest(&["two"]))?;
    reload(&mut trilby, 1).await?;
    counted(&trilby, &took("one"), EVENTS).await?;
    assert_eq!(count(&trilby, "outcome=\"no_route\""), 0, "{}", trilby.output());
    Ok(())
}

/// A version that cannot be served takes no subscription away, and adds none.
#[tokio::test]
async fn a_bad_version_leaves_the_subscriptions() -> Result<()> {
    let folder = app(&["two"])?;
    let mut trilby = folder.launch().start().await?;
    let bad = manifest(&["one"]).replace("took.wat", "none.wat");
    std::fs::write(folder.path("trilby.toml"), bad)?;
    trilby.process().signal(Signal::HUP)?;
    trilby.logged("not reloaded, the old version serves on").await?;
    // A pubsub that is nowhere is found out before anything is changed, too.
    std::fs::write(folder.path("trilby.toml"), manifest(&["one"]).replace("bus/one", "none/one"))?;
    trilby.process().signal(Signal::HUP)?;
    counted(&trilby, "not reloaded, the old version serves on", 2).await?;
    trilby.http.get("/one").await?;
    trilby.http.get("/two").await?;
    counted(&trilby, &took("two"), 1).await?;
    std::fs::write(folder.path("trilby.toml"), manifest(&["one", "two"]))?;
    reload(&mut trilby, 1).await?;
    trilby.http.get("/one").await?;
    counted(&trilby, &took("one"), 1).await?;
    assert_eq!(count(&trilby, &took("two")), 1, "{}", trilby.output());
    Ok(())
}

/// daprd asks for the topics once, so other ones are nothing that a reload could bring about.
#[tokio::test]
async fn with_a_sidecar_new_topics_are_warned_of() -> Result<()> {
    let folder = app(&["two"])?;
    let port = trilby_testkit::free_port()?.to_string();
    let mut trilby = folder.launch().env("DAPR_GRPC_PORT", port).start().await?;
    let warned = "daprd asked for topics and bindings when it started";
    reload(&mut trilby, 1).await?;
    assert_eq!(count(&trilby, warned), 0, "{}", trilby.output());
    std::fs::write(folder.path("trilby.toml"), manifest(&["two", "one"]))?;
    reload(&mut trilby, 2).await?;
    assert!(trilby.logged(warned).await?.contains("WARN"));
    assert_eq!(trilby.http.post("/dapr/events/bus/one", "{}").await?.status, 200);
    Ok(())
}
