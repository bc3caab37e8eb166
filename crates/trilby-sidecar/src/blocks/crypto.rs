//! Encryption and decryption over gRPC, with a stream each way at the same time.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::Fuse;
use futures_util::{FutureExt as _, Stream, StreamExt as _, future, stream};
use tokio::sync::oneshot;
use tokio::time::timeout_at;
use tonic::{Response, Status, Streaming};
use trilby_dapr::crypto::{Crypto, Decrypt, Encrypt};
use trilby_dapr::proto::common::v1::StreamPayload;
use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::stream::ByteStream;
use trilby_dapr::{CallContext, Error, Result};

use crate::Sidecar;
use crate::link::Link;
use crate::metrics::{Block, InFlight};

/// Bytes of one message. Dapr's envelope has segments of this size.
const PIECE_BYTES_MAX: usize = 64 << 10;

#[async_trait]
impl Crypto for Sidecar {
    async fn encrypt(
        &self,
        cx: &CallContext,
        request: Encrypt,
        plain: ByteStream,
    ) -> Result<ByteStream> {
        let options = runtime::EncryptRequestOptions {
            component_name: request.component,
            key_name: request.key,
            key_wrap_algorithm: request.algorithm,
            data_encryption_cipher: request.cipher.unwrap_or_default(),
            omit_decryption_key_name: request.omit_decryption_key,
            decryption_key_name: request.decryption_key.unwrap_or_default(),
        };
        let first = runtime::EncryptRequest { options: Some(options), payload: None };
        let (pieces, fault) = pieces(plain);
        let rest =
            pieces.map(|payload| runtime::EncryptRequest { options: None, payload: Some(payload) });
        let messages = stream::once(future::ready(first)).chain(rest);
        let request = self.link.stream(cx.traceparent.as_deref(), messages);
        let mut client = self.link.client();
        let call = client.encrypt_alpha1(request);
        answer(&self.link, cx, "encrypting", call, fault, |message| message.payload).await
    }

    async fn decrypt(
        &self,
        cx: &CallContext,
        request: Decrypt,
        envelope: ByteStream,
    ) -> Result<ByteStream> {
        let options = runtime::DecryptRequestOptions {
            component_name: request.component,
            key_name: request.key,
        };
        let first = runtime::DecryptRequest { options: Some(options), payload: None };
        let (pieces, fault) = pieces(envelope);
        let rest =
            pieces.map(|payload| runtime::DecryptRequest { options: None, payload: Some(payload) });
        let messages = stream::once(future::ready(first)).chain(rest);
        let request = self.link.stream(cx.traceparent.as_deref(), messages);
        let mut client = self.link.client();
        let call = client.decrypt_alpha1(request);
        answer(&self.link, cx, "decrypting", call, fault, |message| message.payload).await
    }
}

/// Why the body that is sent ended too early.
type Fault = Fuse<oneshot::Receiver<Error>>;

/// A body as numbered messages. One that fails has no end: daprd would take that for the whole, so
/// the call is broken off instead.
fn pieces(body: ByteStream) -> (impl Stream<Item = StreamPayload> + Send + 'static, Fault) {
    let (tell, fault) = oneshot::channel();
    let state = (body, Bytes::new(), 0, Some(tell));
    let pieces = stream::unfold(state, |(mut body, mut rest, seq, mut tell)| async move {
        while rest.is_empty() {
            match body.next().await? {
                Ok(bytes) => rest = bytes,
                Err(error) => {
                    if let Some(tell) = tell.take() {
                        // Nobody is there any more if it cannot be told.
                        let _ = tell.send(error);
                    }
                    future::pending::<()>().await;
                }
            }
        }
        let data = rest.split_to(rest.len().min(PIECE_BYTES_MAX));
        Some((StreamPayload { data, seq }, (body, rest, seq + 1, tell)))
    });
    (pieces, fault.fuse())
}

/// daprd tells where it looked for a key; a guest is not to learn the paths of its host.
fn without_path(mut error: Error) -> Error {
    if let Some(end) = error.message.find(": open ") {
        error.message.truncate(end);
    }
    error
}

/// Waits for the beginning of the answer, and gives its pieces as they come.
async fn answer<T: Send + 'static>(
    link: &Link,
    cx: &CallContext,
    what: &str,
    call: impl Future<Output = std::result::Result<Response<Streaming<T>>, Status>> + Send,
    mut fault: Fault,
    payload: impl Fn(T) -> Option<StreamPayload> + Send + 'static,
) -> Result<ByteStream> {
    let in_flight = InFlight::begin(link.counters(), Block::Crypto);
    let head = async {
        tokio::select! {
            biased;
            Ok(error) = &mut fault => Err(error),
            head = call => head.map_err(|status| without_path(link.error(&status))),
        }
    };
    let head = timeout_at(cx.deadline, head).await.unwrap_or_else(|_| Err(Error::deadline(what)));
    let messages = match head {
        Ok(head) => head.into_inner(),
        Err(error) => {
            let failed = Err(error);
            in_flight.end(&failed);
            return failed;
        }
    };
    let state = Some((messages, fault, in_flight, link.clone()));
    let pieces = stream::unfold((state, payload), |(state, payload)| async move {
        let (mut messages, mut fault, in_flight, link) = state?;
        loop {
            let message = tokio::select! {
                biased;
                Ok(error) = &mut fault => Err(error),
                message = messages.message() => message.map_err(|status| without_path(link.error(&status))),
            };
            let piece = match message {
                Ok(Some(message)) => Ok(payload(message).unwrap_or_default().data),
                Ok(None) => {
                    in_flight.end(&Ok(()));
                    return None;
                }
                Err(error) => Err(error),
            };
            match piece {
                Ok(data) if data.is_empty() => {}
                Ok(data) => {
                    return Some((Ok(data), (Some((messages, fault, in_flight, link)), payload)));
                }
                Err(error) => {
                    let failed = Err(error);
                    in_flight.end(&failed);
                    return Some((failed, (None, payload)));
                }
            }
        }
    });
    Ok(pieces.boxed())
}

#[cfg(test)]
mod tests {
    use trilby_dapr::Code;

    use super::*;

    #[test]
    fn no_path_of_the_host_is_told() {
        let text = "failed to load key 'k': open /keys/k: no such file or directory";
        let error = without_path(Error::new(Code::Internal, text));
        assert_eq!(error.message, "failed to load key 'k'");
    }
}
