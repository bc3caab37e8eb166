//! Encryption and decryption: any size, whole and in pieces, across back ends.

use anyhow::Result;
use bytes::Bytes;
use trilby_testkit::Backend;

use crate::blocks::probe::{App, Probe};

pub(super) const ALL: &str = "encrypt = [\"crypto\"], decrypt = [\"crypto\"]";

/// An application with the keys `aes` and `other`, the same ones in each.
pub(super) async fn serve(backend: Backend, grants: &str) -> Result<App> {
    let probe = Probe::granting("crypto", grants);
    probe.serve(backend, |components, folder| components.with_crypto(folder)).await
}

pub(super) const KEY: [(&str, &str); 2] = [("component", "crypto"), ("key", "aes")];
const A256KW: (&str, &str) = ("algorithm", "A256KW");

pub(super) async fn encrypt(app: &App, more: &[(&str, &str)], data: Bytes) -> Result<Bytes> {
    let parameters = [&KEY[..], &[A256KW], more].concat();
    Ok(app.ask("/crypto/encrypt", &parameters, data).await?.done().body)
}

async fn decrypt(app: &App, envelope: Bytes) -> Result<Bytes> {
    Ok(app.ask("/crypto/decrypt", &KEY, envelope).await?.done().body)
}

/// Bytes in which no piece is like another.
pub(super) fn data(size: usize) -> Bytes {
    (0..size).map(|at| u8::try_from((at ^ (at >> 8) ^ (at >> 16)) & 0xff).unwrap_or(0)).collect()
}

/// Nothing, a byte, about a segment of the scheme, and many.
const SIZES: [usize; 7] = [0, 1, 65_535, 65_536, 65_537, 1 << 20, 3 << 20];

both!(what_was_encrypted_is_decrypted);

async fn what_was_encrypted_is_decrypted(backend: Backend) -> Result<()> {
    let app = serve(backend, ALL).await?;
    for size in SIZES {
        let plain = data(size);
        let envelope = encrypt(&app, &[], plain.clone()).await?;
        assert!(envelope.starts_with(b"dapr.io/enc/v1\n"), "{size}");
        assert!(envelope.len() > size, "{size}: {}", envelope.len());
        assert!(decrypt(&app, envelope).await? == plain, "{size}");
    }
    // Neither the key of a message nor its start is used twice.
    let twice = [encrypt(&app, &[], data(100)).await?, encrypt(&app, &[], data(100)).await?];
    assert_ne!(twice[0], twice[1]);
    Ok(())
}

both!(each_cipher_and_each_name_of_the_algorithm);

async fn each_cipher_and_each_name_of_the_algorithm(backend: Backend) -> Result<()> {
    let app = serve(backend, ALL).await?;
    for (cipher, number) in [("aes-gcm", 1), ("chacha20-poly1305", 2)] {
        let envelope = encrypt(&app, &[("cipher", cipher)], data(100_000)).await?;
        let manifest = envelope.split(|byte| *byte == b'\n').nth(1).unwrap_or_default();
        let manifest: serde_json::Value = serde_json::from_slice(manifest)?;
        assert_eq!(manifest["cph"], number, "{cipher}: {manifest}");
        assert!(decrypt(&app, envelope).await? == data(100_000), "{cipher}");
    }
    let alias = [&KEY[..], &[("algorithm", "AES")]].concat();
    let envelope = app.ask("/crypto/encrypt", &alias, "text").await?.done().body;
    assert_eq!(decrypt(&app, envelope).await?, "text");
    Ok(())
}

both!(streams_take_and_give_pieces);

async fn streams_take_and_give_pieces(backend: Backend) -> Result<()> {
    let app = serve(backend, ALL).await?;
    for (size, chunk) in [(0, "1"), (10, "1"), (200_000, "7777"), (3 << 20, "1000000")] {
        let plain = data(size);
        let open = [&KEY[..], &[A256KW, ("chunk", chunk)]].concat();
        let told = app.ask("/crypto/encrypt_open", &open, plain.clone()).await?;
        let envelope = told.done().body;
        assert!(decrypt(&app, envelope.clone()).await? == plain, "{size}");
        let open = [&KEY[..], &[("chunk", chunk)]].concat();
        let told = app.ask("/crypto/decrypt_open", &open, envelope).await?;
        assert!(told.done().body == plain, "{size}");
    }
    Ok(())
}

/// The answer comes while the rest of the data is still to be written.
#[tokio::test]
async fn a_stream_gives_before_it_has_all() -> Result<()> {
    for backend in [Backend::EmbeddedMemory, Backend::DaprdMemory] {
        if backend.is_left_out() {
            continue;
        }
        let app = serve(backend, ALL).await?;
        // A segment and a bit, then a look, then the end.
        let steps = "fill 65536;fill 100;read 14;size;end;read 1;write x;close";
        let parameters =
            [("a", "crypto"), ("b", "aes"), ("options", "algorithm: A256KW"), ("steps", steps)];
        let told = app.ask("/crypto/steps/encrypt_open", &parameters, "").await?.done().text();
        let lines: Vec<&str> = told.lines().collect();
        let wanted = [
            "fill 65536 = 65536 ",
            "fill 100 = 100 ",
            "read 14 = 14 dapr.io/enc/v1",
            "size = -9 ",
            "end = 0 ",
            "read 1 = 1 ",
        ];
        for (line, wanted) in lines.iter().zip(wanted) {
            assert_eq!(line.trim_end(), wanted.trim_end(), "{told}");
        }
        assert!(told.contains("write x = -9"), "{told}");
        assert!(told.ends_with("close = 0\n"), "{told}");
    }
    Ok(())
}

/// One scheme: what the embedded runtime has encrypted, daprd decrypts, and the reverse.
#[tokio::test]
async fn envelopes_cross_between_the_embedded_runtime_and_daprd() -> Result<()> {
    if Backend::DaprdMemory.is_left_out() {
        return Ok(());
    }
    let embedded = serve(Backend::EmbeddedMemory, ALL).await?;
    let daprd = serve(Backend::DaprdMemory, ALL).await?;
    for cipher in ["aes-gcm", "chacha20-poly1305"] {
        for size in SIZES {
            let cipher = [("cipher", cipher)];
            let envelope = encrypt(&embedded, &cipher, data(size)).await?;
            assert!(decrypt(&daprd, envelope).await? == data(size), "to daprd: {size}");
            let envelope = encrypt(&daprd, &cipher, data(size)).await?;
            assert!(decrypt(&embedded, envelope).await? == data(size), "from daprd: {size}");
        }
    }
    Ok(())
}

both!(the_envelope_names_the_key_that_it_is_told_to);

async fn the_envelope_names_the_key_that_it_is_told_to(backend: Backend) -> Result<()> {
    let app = serve(backend, ALL).await?;
    let name = |envelope: &Bytes| -> Result<Option<String>> {
        let manifest = envelope.split(|byte| *byte == b'\n').nth(1).unwrap_or_default();
        let manifest: serde_json::Value = serde_json::from_slice(manifest)?;
        Ok(manifest["k"].as_str().map(str::to_owned))
    };
    let plain = encrypt(&app, &[], data(10)).await?;
    assert_eq!(name(&plain)?.as_deref(), Some("aes"));
    let renamed = encrypt(&app, &[("decryption-key", "other")], data(10)).await?;
    assert_eq!(name(&renamed)?.as_deref(), Some("other"));
    let omitted = encrypt(&app, &[("omit-decryption-key", "true")], data(10)).await?;
    assert_eq!(name(&omitted)?, None);
    // The key of the call counts, whatever the envelope says.
    for envelope in [plain, renamed, omitted] {
        assert_eq!(decrypt(&app, envelope).await?, data(10));
    }
    Ok(())
}
