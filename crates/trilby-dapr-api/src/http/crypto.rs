//! Encryption and decryption over HTTP. Unlike in daprd, the answer is a stream: it is not held in
//! memory as a whole, and an error after its beginning breaks it off.

use std::sync::Arc;

use futures_util::StreamExt as _;
use http::{HeaderValue, Response, header};
use tonic::body::Body;
use trilby_dapr::Error;
use trilby_dapr::crypto::{Decrypt, Encrypt};
use trilby_dapr::stream::ByteStream;

use super::asked::{Answered, Asked, OrTell as _};
use super::invoke::{incoming, outgoing};
use crate::api::Shared;
use crate::fault::{About, Block};

pub(super) async fn encrypt(shared: Arc<Shared>, asked: Asked) -> Answered {
    let about = About::new(Block::Crypto, asked.param(0));
    for name in ["dapr-key-name", "dapr-key-wrap-algorithm"] {
        if asked.header(name).is_empty() {
            return Err(missing(name)).or_tell(&shared, &about);
        }
    }
    let given = |name: &str| Some(asked.header(name).to_owned()).filter(|text| !text.is_empty());
    let request = Encrypt {
        component: asked.param(0).to_owned(),
        key: asked.header("dapr-key-name").to_owned(),
        algorithm: asked.header("dapr-key-wrap-algorithm").to_owned(),
        cipher: given("dapr-data-encryption-cipher"),
        decryption_key: given("dapr-decryption-key-name"),
        omit_decryption_key: is_truthy(asked.header("dapr-omit-decryption-key-name")),
    };
    let cx = asked.cx.clone();
    let made = shared.backend.blocks.encrypt(&cx, request, incoming(asked.body)).await;
    begun(made.or_tell(&shared, &about)?).await.or_tell(&shared, &about)
}

pub(super) async fn decrypt(shared: Arc<Shared>, asked: Asked) -> Answered {
    let about = About::new(Block::Crypto, asked.param(0));
    let request = Decrypt {
        component: asked.param(0).to_owned(),
        key: asked.header("dapr-key-name").to_owned(),
    };
    let cx = asked.cx.clone();
    let made = shared.backend.blocks.decrypt(&cx, request, incoming(asked.body)).await;
    begun(made.or_tell(&shared, &about)?).await.or_tell(&shared, &about)
}

/// The answer, once its first piece is there: what fails before has a status.
async fn begun(made: ByteStream) -> Result<Response<Body>, Error> {
    let mut made = made.peekable();
    if let Some(Err(error)) = std::pin::Pin::new(&mut made).peek().await {
        return Err(error.clone());
    }
    let mut response = Response::new(outgoing(made.boxed()));
    let content_type = HeaderValue::from_static("application/octet-stream");
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    Ok(response)
}

fn missing(name: &str) -> Error {
    let text = format!("invalid request: missing header '{name}'");
    Error::new(trilby_dapr::Code::InvalidArgument, text)
}

/// Dapr's notation for true.
fn is_truthy(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "y" | "yes" | "true" | "t" | "on" | "1")
}
