//! The block `dapr_crypto_v1`. See the crate's documentation for the operations.

use std::io::Write;

use dapr_probe::{Arguments, Failure, Outcome, Query, run};
use trilby_guest::crypto::{self, Cipher, Encrypt, Stream};
use trilby_guest::raw;

fn main() -> std::io::Result<()> {
    run("crypto", operations, imports)
}

fn operations(name: &str, query: &Query) -> Option<Outcome> {
    Some(match name {
        "encrypt" => encrypt(query),
        "encrypt_open" => encrypt_open(query),
        "decrypt" => decrypt(query),
        "decrypt_open" => decrypt_open(query),
        _ => return None,
    })
}

fn imports(name: &str, with: &Arguments) -> Option<i32> {
    let Arguments { a, b, options, body, .. } = with;
    Some(match name {
        "encrypt" => raw::crypto_encrypt(a, b, options, body),
        "encrypt_open" => raw::crypto_encrypt_open(a, b, options),
        "decrypt" => raw::crypto_decrypt(a, b, options, body),
        "decrypt_open" => raw::crypto_decrypt_open(a, b, options),
        _ => return None,
    })
}

fn call(query: &Query) -> Result<Encrypt<'_>, Failure> {
    let (component, key) = (query.need("component")?, query.need("key")?);
    let mut call = Encrypt::new(component, key, query.need("algorithm")?);
    match query.get("cipher") {
        None => {}
        Some("aes-gcm") => call = call.cipher(Cipher::AesGcm),
        Some("chacha20-poly1305") => call = call.cipher(Cipher::ChaCha20Poly1305),
        Some(_) => return Err(Failure::asked("cipher is `aes-gcm` or `chacha20-poly1305`")),
    }
    if let Some(key) = query.get("decryption-key") {
        call = call.decryption_key(key);
    }
    if query.get("omit-decryption-key") == Some("true") {
        call = call.omit_decryption_key();
    }
    Ok(call)
}

fn encrypt(query: &Query) -> Outcome {
    Ok(call(query)?.send(query.body())?.into())
}

fn encrypt_open(query: &Query) -> Outcome {
    through(query, || call(query)?.open().map_err(Failure::from))
}

fn decrypt(query: &Query) -> Outcome {
    Ok(crypto::decrypt(query.need("component")?, query.need("key")?, query.body())?.into())
}

fn decrypt_open(query: &Query) -> Outcome {
    through(query, || Ok(crypto::decrypt_open(query.need("component")?, query.need("key")?)?))
}

fn through(query: &Query, open: impl FnOnce() -> Result<Stream, Failure>) -> Outcome {
    let chunk = query.parse("chunk")?.unwrap_or(1024).max(1);
    let mut stream = open()?;
    for piece in query.body().chunks(chunk) {
        stream.write_all(piece)?;
    }
    Ok(stream.finish()?.into())
}
