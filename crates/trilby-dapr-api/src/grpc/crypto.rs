//! Encryption and decryption over gRPC, with a stream each way at the same time.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tonic::codegen::BoxStream;
use tonic::{Request, Status, Streaming};
use trilby_dapr::crypto::{Decrypt, Encrypt};
use trilby_dapr::proto::common::v1::StreamPayload;
use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::stream::ByteStream;
use trilby_dapr::{Code, Error};

use super::opened;
use crate::api::Shared;
use crate::fault::{About, Block};

/// How long the first message may take to come, as with daprd.
const FIRST_WITHIN: Duration = Duration::from_secs(5);

/// How long a later one may.
const NEXT_WITHIN: Duration = Duration::from_secs(60);

pub(super) async fn encrypt(
    shared: &Arc<Shared>,
    request: Request<Streaming<runtime::EncryptRequest>>,
) -> Result<BoxStream<runtime::EncryptResponse>, Status> {
    let place = request.extensions().get::<Arc<OwnedSemaphorePermit>>().cloned();
    let (cx, mut messages) = opened(request);
    let teller = Arc::clone(shared);
    let tell = move |error: &Error| told(&teller, error);
    let first = first(&mut messages).await.map_err(|error| tell(&error))?;
    let options = first.options.ok_or_else(|| tell(&no_options()))?;
    for (name, value) in
        [("keyName", &options.key_name), ("keyWrapAlgorithm", &options.key_wrap_algorithm)]
    {
        if value.is_empty() {
            return Err(tell(&bad(&format!("missing property '{name}' in the options message"))));
        }
    }
    let request = Encrypt {
        component: options.component_name,
        key: options.key_name,
        algorithm: options.key_wrap_algorithm,
        cipher: given(options.data_encryption_cipher),
        decryption_key: given(options.decryption_key_name),
        omit_decryption_key: options.omit_decryption_key_name,
    };
    let later = messages.map_ok(|message| (message.options.is_some(), message.payload));
    let plain = pieces(first.payload, later);
    let begun = shared.backend.blocks.encrypt(&cx, request, plain).await;
    let envelope = begun.map_err(|error| tell(&error))?;
    Ok(answers(envelope, tell, place, |payload| runtime::EncryptResponse { payload }))
}

pub(super) async fn decrypt(
    shared: &Arc<Shared>,
    request: Request<Streaming<runtime::DecryptRequest>>,
) -> Result<BoxStream<runtime::DecryptResponse>, Status> {
    let place = request.extensions().get::<Arc<OwnedSemaphorePermit>>().cloned();
    let (cx, mut messages) = opened(request);
    let teller = Arc::clone(shared);
    let tell = move |error: &Error| told(&teller, error);
    let first = first(&mut messages).await.map_err(|error| tell(&error))?;
    let options = first.options.ok_or_else(|| tell(&no_options()))?;
    let request = Decrypt { component: options.component_name, key: options.key_name };
    let later = messages.map_ok(|message| (message.options.is_some(), message.payload));
    let envelope = pieces(first.payload, later);
    let begun = shared.backend.blocks.decrypt(&cx, request, envelope).await;
    let plain = begun.map_err(|error| tell(&error))?;
    Ok(answers(plain, tell, place, |payload| runtime::DecryptResponse { payload }))
}

/// The message with the options.
async fn first<T>(messages: &mut Streaming<T>) -> Result<T, Error> {
    match timeout(FIRST_WITHIN, messages.message()).await {
        Ok(Ok(Some(message))) => Ok(message),
        Ok(Ok(None)) => Err(failed("error receiving the first message: EOF")),
        Ok(Err(status)) => Err(failed(&format!("error receiving the first message: {status}"))),
        Err(_) => Err(bad("error waiting for first message: context deadline exceeded")),
    }
}

/// The pieces of a body, which must come in their order.
fn pieces(
    first: Option<StreamPayload>,
    later: impl Stream<Item = Result<(bool, Option<StreamPayload>), Status>> + Send + 'static,
) -> ByteStream {
    let all = stream::iter([Ok((false, first))]).chain(later).boxed();
    let state = Some((all, 0));
    let pieces = stream::unfold(state, |state| async move {
        let (mut all, expected) = state?;
        let message = match timeout(NEXT_WITHIN, all.next()).await {
            Ok(message) => message?,
            Err(_) => return Some((Err(failed("no message came in time")), None)),
        };
        let (has_options, payload) = match message {
            Ok(message) => message,
            Err(status) => {
                let why = format!("error receiving message: {}", status.message());
                return Some((Err(failed(&why)), None));
            }
        };
        if has_options {
            return Some((Err(failed("options found in non-leading message")), None));
        }
        let Some(StreamPayload { data, seq }) = payload else {
            return Some((Ok(bytes::Bytes::new()), Some((all, expected))));
        };
        if seq != expected {
            let why = format!("invalid sequence number received: {seq} (expected: {expected})");
            return Some((Err(failed(&why)), None));
        }
        Some((Ok(data), Some((all, expected + 1))))
    });
    pieces.try_filter(|piece| std::future::ready(!piece.is_empty())).boxed()
}

/// What was made, in numbered messages. daprd's first error ends it, and so does this.
fn answers<T: Send + 'static>(
    made: ByteStream,
    tell: impl Fn(&Error) -> Status + Send + 'static,
    place: Option<Arc<OwnedSemaphorePermit>>,
    message: impl Fn(Option<StreamPayload>) -> T + Send + 'static,
) -> BoxStream<T> {
    let numbered = stream::unfold((made, 0), |(mut made, seq)| async move {
        let piece = made.next().await?;
        Some((piece.map(|data| StreamPayload { data, seq }), (made, seq + 1)))
    });
    Box::pin(numbered.map(move |piece| {
        // Held until the stream is dropped.
        let _held = &place;
        piece.map(|payload| message(Some(payload))).map_err(|error| tell(&error))
    }))
}

fn given(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn no_options() -> Error {
    bad("first message does not contain the required options")
}

fn bad(why: &str) -> Error {
    Error::new(Code::InvalidArgument, format!("invalid request: {why}"))
}

fn failed(why: &str) -> Error {
    Error::new(Code::Internal, format!("failed to perform operation: {why}"))
}

fn told(shared: &Shared, error: &Error) -> Status {
    shared.teller().status(error, &About::new(Block::Crypto, ""))
}
