//! Encryption that goes wrong: changed envelopes, other keys, wrong words, no grants.

use anyhow::Result;
use bytes::Bytes;
use trilby_testkit::Backend;

use super::crypto::{ALL, KEY, data, encrypt, serve};
use crate::blocks::probe::App;

/// Asserts that no way of decrypting gives anything.
async fn refused(app: &App, envelope: &Bytes, part: &str) -> Result<()> {
    for path in ["/crypto/decrypt", "/crypto/decrypt_open"] {
        let told = app.ask(path, &KEY, envelope.clone()).await?;
        assert_eq!(told.code, "INTERNAL", "{path} of {} bytes: {}", envelope.len(), told.text());
        told.refused("INTERNAL", "", part);
    }
    Ok(())
}

fn changed(envelope: &Bytes, at: usize) -> Bytes {
    let mut bytes = envelope.to_vec();
    bytes[at] ^= 1;
    bytes.into()
}

both!(a_changed_envelope_is_refused);

async fn a_changed_envelope_is_refused(backend: Backend) -> Result<()> {
    let app = serve(backend, ALL).await?;
    let envelope = encrypt(&app, &[], data(200_000)).await?;
    let body = envelope.len() - 200_000 - 4 * 16;
    let (last, segment) = (envelope.len() - 1, 65_536 + 16);
    for (at, part) in [
        (0, "invalid header: unsupported scheme"),
        (body, "error processing segment 0: failed to decrypt segment"),
        (body + segment, "error processing segment 1: failed to decrypt segment"),
        (last, "error processing segment 3: failed to decrypt segment"),
    ] {
        refused(&app, &changed(&envelope, at), part).await?;
    }
    // Anywhere in the head, too.
    for at in (15..body).step_by(11) {
        refused(&app, &changed(&envelope, at), "failed to perform operation: ").await?;
    }
    Ok(())
}

both!(a_cut_envelope_is_refused);

async fn a_cut_envelope_is_refused(backend: Backend) -> Result<()> {
    let app = serve(backend, ALL).await?;
    let envelope = encrypt(&app, &[], data(200_000)).await?;
    let body = envelope.len() - 200_000 - 4 * 16;
    // In the head, before and within a segment, and where a segment ends.
    for length in [0, 10, 100, body + 100, body + 65_552, envelope.len() - 1] {
        refused(&app, &envelope.slice(..length), "failed to perform operation: ").await?;
    }
    // Dapr's scheme cannot tell an envelope that ends after its head from one of nothing.
    let told = app.ask("/crypto/decrypt", &KEY, envelope.slice(..body)).await?;
    assert_eq!((told.code.as_str(), told.text().as_str()), ("OK", ""));
    let mut swapped = envelope[..body].to_vec();
    swapped.extend_from_slice(&envelope[body + 65_552..body + 2 * 65_552]);
    swapped.extend_from_slice(&envelope[body..body + 65_552]);
    swapped.extend_from_slice(&envelope[body + 2 * 65_552..]);
    refused(&app, &swapped.into(), "error processing segment 0").await?;
    let longer = [&envelope[..], b"x"].concat();
    refused(&app, &longer.into(), "failed to perform operation: ").await
}

both!(another_key_is_refused);

async fn another_key_is_refused(backend: Backend) -> Result<()> {
    let app = serve(backend, ALL).await?;
    let envelope = encrypt(&app, &[], data(100)).await?;
    let other = [("component", "crypto"), ("key", "other")];
    let told = app.ask("/crypto/decrypt", &other, envelope).await?;
    told.refused("INTERNAL", "", "failed to perform operation: ");
    Ok(())
}

both!(wrong_words_are_told);

async fn wrong_words_are_told(backend: Backend) -> Result<()> {
    let app = serve(backend, ALL).await?;
    let algorithm = [&KEY[..], &[("algorithm", "NOPE")]].concat();
    let told = app.ask("/crypto/encrypt", &algorithm, "x").await?;
    told.refused("INTERNAL", "", "algorithm NOPE is not supported");
    let absent = [("component", "crypto"), ("key", "absent"), ("algorithm", "A256KW")];
    let told = app.ask("/crypto/encrypt", &absent, "x").await?;
    told.refused("INTERNAL", "", "absent");

    let names = [("a", "crypto"), ("b", "aes")];
    for (options, part) in [
        ("", "algorithm"),
        ("algorithm: A256KW\ncipher: rot13", "cipher"),
        ("algorithm: A256KW\nomit-decryption-key: maybe", "omit-decryption-key"),
        ("algorithm: A256KW\nkey: other", "key"),
    ] {
        let parameters = [&names[..], &[("options", options)]].concat();
        for function in ["encrypt", "encrypt_open"] {
            let told = app.ask(&format!("/crypto/raw/{function}"), &parameters, "x").await?;
            told.invalid(part);
        }
    }
    let parameters = [&names[..], &[("options", "algorithm: A256KW")]].concat();
    app.ask("/crypto/raw/decrypt", &parameters, "x").await?.invalid("algorithm");
    for (component, key) in [("", "aes"), ("crypto", "")] {
        let parameters = [("a", component), ("b", key), ("options", "algorithm: A256KW")];
        app.ask("/crypto/raw/encrypt", &parameters, "x").await?.invalid("empty");
    }
    Ok(())
}

both!(a_key_cannot_lead_out_of_its_folder);

/// Whatever a name is, it is no way to a file that is none of the keys.
async fn a_key_cannot_lead_out_of_its_folder(backend: Backend) -> Result<()> {
    let app = serve(backend, ALL).await?;
    std::fs::write(app.world.path("outside"), "VHJpbGJ5J3MgdGVzdHMgZW5jcnlwdCB3aXRoIHRoaXM=")?;
    for key in ["../outside", "..", ".", "x/../../outside", "/etc/hostname", "aes\0", "AES"] {
        let parameters = [("a", "crypto"), ("b", key), ("options", "algorithm: A256KW")];
        let told = app.ask("/crypto/raw/encrypt", &parameters, "x").await?;
        assert!(["INTERNAL", "INVALID_ARGUMENT"].contains(&&*told.code), "{key}: {told:?}");
    }
    Ok(())
}

both!(each_direction_has_grants_of_its_own);

async fn each_direction_has_grants_of_its_own(backend: Backend) -> Result<()> {
    let grants = "encrypt = [\"crypto/aes\"], decrypt = [\"crypto/other\"]";
    let app = serve(backend, grants).await?;
    let envelope = encrypt(&app, &[], data(10)).await?;
    let other = [("component", "crypto"), ("key", "other"), ("algorithm", "A256KW")];
    for path in ["/crypto/decrypt", "/crypto/decrypt_open"] {
        let told = app.ask(path, &KEY, envelope.clone()).await?;
        told.not_granted("decrypt = [\"crypto/aes\"]");
    }
    for path in ["/crypto/encrypt", "/crypto/encrypt_open"] {
        app.ask(path, &other, "x").await?.not_granted("encrypt = [\"crypto/other\"]");
    }
    Ok(())
}

#[tokio::test]
async fn daprd_tells_of_a_component_that_is_not_there() -> Result<()> {
    if Backend::DaprdMemory.is_left_out() {
        return Ok(());
    }
    let app =
        serve(Backend::DaprdMemory, "encrypt = [\"missing\"], decrypt = [\"missing\"]").await?;
    let key = [("component", "missing"), ("key", "aes")];
    let encrypting = [&key[..], &[("algorithm", "A256KW")]].concat();
    for (path, parameters) in [
        ("/crypto/encrypt", &encrypting[..]),
        ("/crypto/encrypt_open", &encrypting),
        ("/crypto/decrypt", &key),
        ("/crypto/decrypt_open", &key),
    ] {
        let told = app.ask(path, parameters, "x").await?;
        told.refused("INVALID_ARGUMENT", "", "crypto provider missing not found");
    }
    Ok(())
}
