//! Streams of crypto: both ways at once, errors in the middle, readers that do not read.

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use tokio::sync::mpsc;
use tonic::Status;
use trilby_dapr::crypto::{Crypto, Decrypt, Encrypt};
use trilby_dapr::proto::common::v1::StreamPayload;
use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::state::State;
use trilby_dapr::stream::{ByteStream, whole};
use trilby_dapr::{Code, Error, Result};

use super::fake::pair;
use super::{read, within};

/// What the fake makes of a message: options become text, `fail` fails, all else capitals.
pub(super) fn transformed(
    message: runtime::EncryptRequest,
) -> std::result::Result<Option<StreamPayload>, Status> {
    if let Some(options) = message.options {
        let text = format!("{}/{}:", options.component_name, options.key_name);
        return Ok(Some(StreamPayload { data: text.into(), seq: 0 }));
    }
    let mut payload = message.payload.unwrap_or_default();
    if payload.data == "fail" {
        return Err(Status::internal("failed to perform operation: open /keys/x: no"));
    }
    assert!(payload.data.len() <= 64 << 10, "larger than a segment");
    payload.data = format!("{}={}", payload.seq, payload.data.to_ascii_uppercase().len()).into();
    Ok(Some(payload))
}

pub(super) fn endless()
-> impl Stream<Item = std::result::Result<runtime::DecryptResponse, Status>> + Send {
    let data = Bytes::from(vec![7; 64 << 10]);
    let payload = Some(StreamPayload { data, seq: 0 });
    stream::repeat_with(move || Ok(runtime::DecryptResponse { payload: payload.clone() }))
}

fn request() -> Encrypt {
    Encrypt { component: "c".into(), key: "k".into(), ..Encrypt::default() }
}

/// A body that is written piece by piece.
fn written() -> (mpsc::Sender<Result<Bytes>>, ByteStream) {
    let (sender, mut receiver) = mpsc::channel(1);
    (sender, stream::poll_fn(move |cx| receiver.poll_recv(cx)).boxed())
}

#[tokio::test]
async fn answers_come_while_the_body_is_still_written() {
    let (_fake, sidecar, _daemon) = pair(&[]).await;
    let (body, plain) = written();
    let mut answer = sidecar.encrypt(&within(10), request(), plain).await.expect("begins");
    assert_eq!(answer.next().await, Some(Ok("c/k:".into())));
    for (seq, piece) in ["a", "bc"].into_iter().enumerate() {
        body.send(Ok(piece.into())).await.expect("is read");
        let expected = format!("{seq}={}", piece.len());
        assert_eq!(answer.next().await, Some(Ok(expected.into())));
    }
    drop(body);
    assert_eq!(answer.next().await, None);
    let metrics = sidecar.metrics();
    assert_eq!(metrics.in_flight, 0);
    assert_eq!((metrics.calls[0].block, metrics.calls[0].code), ("crypto", "OK"));
}

#[tokio::test]
async fn large_pieces_are_cut() {
    let (_fake, sidecar, _daemon) = pair(&[]).await;
    let plain = whole(vec![1; (64 << 10) + 5].into());
    let answer = sidecar.encrypt(&within(10), request(), plain).await.expect("begins");
    let pieces: Vec<_> = answer.map(|piece| piece.expect("encrypted")).collect().await;
    assert_eq!(pieces, ["c/k:", "0=65536", "1=5"]);
}

#[tokio::test]
async fn errors_come_where_they_happen() {
    let (fake, sidecar, _daemon) = pair(&[]).await;
    let pieces = [Ok("a".into()), Ok("fail".into()), Ok("b".into())];
    let answer = sidecar.encrypt(&within(10), request(), stream::iter(pieces).boxed()).await;
    let pieces: Vec<_> = answer.expect("begins").collect().await;
    assert_eq!(pieces.len(), 3, "{pieces:?}");
    let error = pieces[2].clone().expect_err("failed");
    assert_eq!((error.code, &*error.message), (Code::Internal, "failed to perform operation"));

    fake.will_fail(Status::invalid_argument("crypto provider c not found"));
    let answer = sidecar.encrypt(&within(10), request(), whole("a".into())).await;
    assert_eq!(answer.err().map(|error| error.code), Some(Code::InvalidArgument));
}

#[tokio::test]
async fn a_body_that_fails_is_no_whole_body() {
    let (_fake, sidecar, _daemon) = pair(&[]).await;
    let gone = Error::new(Code::DataLoss, "the guest is gone");
    let pieces = [Ok("a".into()), Err(gone.clone())];
    let answer = sidecar.encrypt(&within(10), request(), stream::iter(pieces).boxed()).await;
    let end = match answer {
        Ok(answer) => answer.collect::<Vec<_>>().await.pop().expect("something"),
        Err(error) => Err(error),
    };
    assert_eq!(end, Err(gone));
}

#[tokio::test]
async fn readers_that_do_not_read_stall_nobody() {
    let (_fake, sidecar, _daemon) = pair(&[]).await;
    let decrypt = || Decrypt { component: "c".into(), key: "k".into() };
    let mut slow = Vec::new();
    for _ in 0..100 {
        let answer = sidecar.decrypt(&within(60), decrypt(), whole("x".into())).await;
        slow.push(answer.expect("begins"));
    }
    for answer in &mut slow {
        answer.next().await.expect("endless").expect("a piece");
    }
    for _ in 0..20 {
        sidecar.get_state(&within(10), read("k")).await.expect("is not stalled");
    }
    assert_eq!(sidecar.metrics().in_flight, 100);
    assert_eq!(sidecar.metrics().connects, 1);
}
