//! The commands that the READMEs tell a newcomer to type, with the answers that they promise.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;
use trilby_testkit::{Launch, repository, until};

use crate::examples::{counter_is_missing, is_missing};

/// Serves an example as its README says, with its own components, and types the commands.
async fn follow(readme: &str, example: &str, commands: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let trilby = Launch::new(repository().join(example), folder.path()).start().await?;
    let text = std::fs::read_to_string(repository().join(readme))?;
    let serve = format!("$ cargo run --release -- serve {example}\n");
    let (_, rest) = text.split_once(&serve).context("the README does not say how to serve")?;
    let transcript: Vec<(String, String)> = transcript(rest);
    ensure!(transcript.len() == commands, "{} commands: {transcript:?}", transcript.len());
    for (command, promised) in transcript {
        let command = command.replace("localhost:3000", &trilby.address);
        // An event may be on its way still; only what changes nothing can be typed again.
        let changes = [" -d ", " -X "].iter().any(|flag| command.contains(flag));
        if changes {
            assert_eq!(run(&command, folder.path()).await?, promised, "{command}");
        } else {
            until(&format!("{promised:?} from {command}"), || async {
                run(&command, folder.path()).await.ok().filter(|output| *output == promised)
            })
            .await?;
        }
    }
    Ok(())
}

/// The commands that talk to the server, each with its output.
fn transcript(markdown: &str) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for block in markdown.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default();
        for part in block.split("$ ").filter(|part| part.contains("localhost:3000")) {
            let (command, output) = part.split_once('\n').unwrap_or((part, ""));
            all.push((command.to_owned(), output.trim_end().to_owned()));
        }
    }
    all
}

async fn run(command: &str, folder: &Path) -> Result<String> {
    let output = Command::new("sh").args(["-c", command]).current_dir(folder).output().await?;
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

#[tokio::test]
async fn the_readme_keeps_its_word() -> Result<()> {
    follow("README.md", "examples/guestbook", 3).await
}

#[tokio::test]
async fn the_readme_of_hello_keeps_its_word() -> Result<()> {
    follow("examples/hello/README.md", "examples/hello", 3).await
}

#[tokio::test]
async fn the_readme_of_guestbook_keeps_its_word() -> Result<()> {
    follow("examples/guestbook/README.md", "examples/guestbook", 4).await
}

#[tokio::test]
async fn the_readme_of_orders_keeps_its_word() -> Result<()> {
    follow("examples/orders/README.md", "examples/orders", 3).await
}

#[tokio::test]
async fn the_readme_of_orders_go_keeps_its_word() -> Result<()> {
    if is_missing("examples/orders-go/place.wasm", "Go") {
        return Ok(());
    }
    follow("examples/orders-go/README.md", "examples/orders-go", 4).await
}

#[tokio::test]
async fn the_readme_of_orders_c_keeps_its_word() -> Result<()> {
    if is_missing("examples/orders-c/place.wasm", "ziglang") {
        return Ok(());
    }
    follow("examples/orders-c/README.md", "examples/orders-c", 4).await
}

#[tokio::test]
async fn the_readme_of_counter_zig_keeps_its_word() -> Result<()> {
    if is_missing("examples/counter-zig/counter.wasm", "ziglang") {
        return Ok(());
    }
    follow("examples/counter-zig/README.md", "examples/counter-zig", 4).await
}

#[tokio::test]
async fn the_readme_of_counter_assemblyscript_keeps_its_word() -> Result<()> {
    if is_missing("examples/counter-assemblyscript/counter.wasm", "npm") {
        return Ok(());
    }
    follow("examples/counter-assemblyscript/README.md", "examples/counter-assemblyscript", 4).await
}

#[tokio::test]
async fn the_readme_of_counter_go_keeps_its_word() -> Result<()> {
    if counter_is_missing() {
        return Ok(());
    }
    follow("examples/counter-go/README.md", "examples/counter-go", 4).await
}
