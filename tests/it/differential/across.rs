//! What one side writes and the other reads: SQLite files, and what was encrypted.

use anyhow::{Context, Result, ensure};
use trilby_testkit::{Backend, World};

use super::case::{Protocol, Step, steps};
use super::groups::{Setup, app, world};
use super::run::transcript;
use super::session::Session;
use super::steps::{decrypt, delete, encrypt, get, gone, item, remove, save, transact, upsert};

/// What is done at one side and then looked at from both.
struct Across {
    name: &'static str,
    written: Vec<Box<dyn Step>>,
    read: Vec<Box<dyn Step>>,
}

fn across(name: &'static str, written: Vec<Box<dyn Step>>, read: Vec<Box<dyn Step>>) -> Across {
    Across { name, written, read }
}

/// Both sides have the store `shared`, in one file.
fn cases() -> Vec<Across> {
    const S: &str = "shared";
    let old = || save(S, [item("$", "\"old\"")]);
    vec![
        across("text", steps![save(S, [item("$", "\"text\"")])], steps![get(S, "$")]),
        across("JSON", steps![save(S, [item("$", "{\"a\": [1, 2]}")])], steps![get(S, "$")]),
        across("null", steps![save(S, [item("$", "null")])], steps![get(S, "$")]),
        across("unicode", steps![save(S, [item("$ü", "\"grüße\"")])], steps![get(S, "$ü")]),
        across(
            "a ttl",
            steps![save(S, [item("$", "1").with("ttlInSeconds", "100")])],
            steps![get(S, "$")],
        ),
        across(
            "an item that expires",
            steps![save(S, [item("$", "1").with("ttlInSeconds", "1")])],
            steps![gone(S, "$"), save(S, [item("$", "2").first_write()]), get(S, "$")],
        ),
        across(
            "an overwritten item",
            steps![old(), save(S, [item("$", "\"new\"")])],
            steps![get(S, "$")],
        ),
        across("a deleted item", steps![old(), delete(S, item("$", ""))], steps![get(S, "$")]),
        across(
            "a transaction",
            steps![old(), transact(S, [remove(item("$", "")), upsert(item("$b", "1"))])],
            steps![get(S, "$"), get(S, "$b")],
        ),
        across("an etag of the other side", steps![old()], {
            let current = item("$", "2").etag("@e");
            let stale = item("$", "3").etag("@e");
            steps![get(S, "$").keep("e"), save(S, [current]), save(S, [stale]), get(S, "$")]
        }),
        across("a first write after the other side's", steps![old()], {
            steps![save(S, [item("$", "2").first_write()]), get(S, "$")]
        }),
        across("an overwritten item of the other side", steps![old()], {
            steps![save(S, [item("$", "\"new\"")]), get(S, "$")]
        }),
        across("a delete of the other side's item", steps![old()], {
            steps![get(S, "$").keep("e"), delete(S, item("$", "").etag("@e")), get(S, "$")]
        }),
    ]
}

/// Runs steps at one side and gives their lines.
async fn told(
    world: &World,
    word: &str,
    protocol: Protocol,
    steps: &[Box<dyn Step>],
) -> Result<Vec<String>> {
    let mut session = session(world, word)?;
    Ok(transcript(world, &mut session, protocol, steps).await)
}

fn session(world: &World, word: &str) -> Result<Session> {
    Session::new(world.api.as_ref().context("this world serves no API")?, word.to_owned())
}

/// Each case, written by one side and read by the other, tells what it tells when daprd does both.
pub(super) async fn files(setup: &Setup) -> Result<()> {
    let app = app()?;
    let daprd = world(setup, Backend::DaprdMemory, &app, 0).await?;
    let ours = world(setup, Backend::EmbeddedMemory, &app, 0).await?;
    let mut reports = Vec::new();
    for (number, case) in cases().iter().enumerate() {
        for protocol in Protocol::ALL {
            let mut seen = Vec::new();
            let sides = [(&daprd, &daprd), (&daprd, &ours), (&ours, &daprd)];
            for (turn, (writer, reader)) in sides.into_iter().enumerate() {
                let word = format!("x{number}{}{turn}", protocol.name());
                let written = told(writer, &word, protocol, &case.written).await?;
                let read = told(reader, &word, protocol, &case.read).await?;
                seen.push([written, read].concat().join("\n    ").replace(&word, "<word>"));
            }
            if seen.windows(2).any(|pair| pair.first() != pair.last()) {
                let (name, over) = (case.name, protocol.name());
                let [alone, from_daprd, from_ours] = &seen[..] else { continue };
                reports.push(format!(
                    "{name} over {over}\n  daprd alone:\n    {alone}\n  daprd wrote, trilby \
                     read:\n    \
                     {from_daprd}\n  trilby wrote, daprd read:\n    {from_ours}\n"
                ));
            }
        }
    }
    ensure!(reports.is_empty(), "{} cases differ\n{}", reports.len(), reports.join("\n"));
    Ok(())
}

/// Encryption by one side, decryption by the other, over either protocol.
pub(super) async fn envelopes(setup: &Setup) -> Result<()> {
    let app = app()?;
    let daprd = world(setup, Backend::DaprdMemory, &app, 0).await?;
    let ours = world(setup, Backend::EmbeddedMemory, &app, 0).await?;
    let long = "x".repeat(200_000);
    for text in ["", "some text", &long] {
        for cipher in ["aes-gcm", "chacha20-poly1305"] {
            for (from, to) in [(&daprd, &ours), (&ours, &daprd)] {
                for over in Protocol::ALL {
                    let steps = steps![encrypt("aes", "A256KW", text.to_owned()).cipher(cipher)];
                    let mut writer = session(from, "w")?;
                    let wrote = transcript(from, &mut writer, over, &steps).await;
                    let mut reader = session(to, "w")?;
                    reader.keep("envelope", writer.kept("envelope").context("no envelope")?);
                    let steps = steps![decrypt("aes", "@envelope")];
                    let read = transcript(to, &mut reader, over, &steps).await.join("\n");
                    let plain = super::normal::shown(text.as_bytes());
                    ensure!(read.ends_with(&plain), "{cipher}: {wrote:?}: {read}");
                    let is_done = read.contains(" OK ") || read.contains(" 200");
                    ensure!(is_done, "{cipher}: {wrote:?}: {read}");
                }
            }
        }
    }
    Ok(())
}
