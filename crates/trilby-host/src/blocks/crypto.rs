//! `dapr_crypto_v1`: encryption with keys that the guest never sees.

use trilby_dapr::Error;
use trilby_dapr::crypto::{Decrypt, Encrypt};
use trilby_dapr::stream::{ByteStream, whole};
use trilby_sandbox::State;
use wasmtime::Linker;

use crate::Host;
use crate::answer::Answer;
use crate::operation::{Ask, BodyCall, Call, Imports, Opened};
use crate::options::Options;
use crate::stream::{Head, Headers, Stream};

const HOW: &[&str] = &["algorithm", "cipher", "decryption-key", "omit-decryption-key"];

pub(super) fn link(linker: &mut Linker<State<Host>>) -> wasmtime::Result<()> {
    let mut imports = Imports::of(linker, "dapr_crypto_v1");
    imports.add("encrypt", HOW, encrypt)?;
    imports.add("decrypt", &[], decrypt)?;
    imports.add("encrypt_open", HOW, encrypt_open)?;
    imports.add("decrypt_open", &[], decrypt_open)
}

async fn encrypt(ask: Ask, call: BodyCall<2>) -> Result<Answer, Error> {
    let request = how_to_encrypt(&ask, call.names, call.options)?;
    let envelope = ask.blocks.encrypt(&ask.cx, request, whole(call.body)).await?;
    Ok(Answer::streamed(Headers::new(), Stream::begun(envelope)))
}

async fn encrypt_open(ask: Ask, call: Call<2>) -> Result<Opened, Error> {
    let request = how_to_encrypt(&ask, call.names, call.options)?;
    let component = request.component.clone();
    Ok(ask.open(&component, async move |ask: Ask, plain| {
        begun(ask.blocks.encrypt(&ask.cx, request, plain).await)
    }))
}

/// The key is always the one that the grant names: what the envelope says does not count.
async fn decrypt(ask: Ask, call: BodyCall<2>) -> Result<Answer, Error> {
    let request = how_to_decrypt(&ask, call.names)?;
    let plain = ask.blocks.decrypt(&ask.cx, request, whole(call.body)).await?;
    Ok(Answer::streamed(Headers::new(), Stream::begun(plain)))
}

async fn decrypt_open(ask: Ask, call: Call<2>) -> Result<Opened, Error> {
    let request = how_to_decrypt(&ask, call.names)?;
    let component = request.component.clone();
    Ok(ask.open(&component, async move |ask: Ask, envelope| {
        begun(ask.blocks.decrypt(&ask.cx, request, envelope).await)
    }))
}

fn begun(body: Result<ByteStream, Error>) -> Result<Head, Error> {
    Ok(Head { headers: Headers::new(), body: body? })
}

fn how_to_encrypt(ask: &Ask, names: [String; 2], mut options: Options) -> Result<Encrypt, Error> {
    let [component, key] = names;
    let algorithm = options.require("algorithm")?;
    let ciphers = [("aes-gcm", "aes-gcm"), ("chacha20-poly1305", "chacha20-poly1305")];
    let cipher = options.choice("cipher", &ciphers)?.map(str::to_owned);
    let omit_decryption_key = options.flag("omit-decryption-key")?.unwrap_or(false);
    let decryption_key = options.take("decryption-key").filter(|name| !name.is_empty());
    if omit_decryption_key && decryption_key.is_some() {
        return Err(Error::invalid(
            "the options `decryption-key` and `omit-decryption-key` exclude each other",
        ));
    }
    ask.access.encrypt(&component, &key)?;
    Ok(Encrypt { component, key, algorithm, cipher, decryption_key, omit_decryption_key })
}

fn how_to_decrypt(ask: &Ask, [component, key]: [String; 2]) -> Result<Decrypt, Error> {
    ask.access.decrypt(&component, &key)?;
    Ok(Decrypt { component, key })
}
