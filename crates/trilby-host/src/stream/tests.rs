use std::sync::Arc;

use futures_util::stream;
use tokio::sync::Notify;

use super::*;

const ROOM: usize = 1 << 20;

fn opening(call: impl Future<Output = Result<Head, Error>> + Send + 'static) -> Opening {
    AbortOnDropHandle::new(tokio::spawn(call))
}

fn head(body: ByteStream) -> Head {
    Head { headers: vec![("status".into(), "200".into())], body }
}

fn lost() -> Error {
    Error::new(Code::Unavailable, "the connection is lost")
}

/// A call that answers with its body as it comes.
fn echo() -> Stream {
    let (input, body) = pair();
    Stream::opened(input, opening(async move { Ok(head(body)) }))
}

async fn rest(stream: &mut Stream) -> Result<Vec<u8>, Error> {
    let mut all = Vec::new();
    stream.head().await?;
    loop {
        let bytes = stream.read(3).await?;
        if bytes.is_empty() {
            return Ok(all);
        }
        all.extend_from_slice(&bytes);
    }
}

#[tokio::test]
async fn a_body_goes_and_comes_in_order() {
    let mut stream = echo();
    for chunk in ["one ", "two ", "three"] {
        stream.put(chunk.into(), ROOM).await.expect("goes");
    }
    stream.end().expect("once");
    assert_eq!(rest(&mut stream).await.as_deref(), Ok(&b"one two three"[..]));
    assert_eq!(stream.read(1).await, Ok(Bytes::new()), "the end stays");
    assert_eq!(stream.waiting_bytes(), 0);
    assert_eq!(stream.end().map_err(|e| e.code), Err(Code::FailedPrecondition));
    let late = stream.put("x".into(), ROOM).await;
    assert_eq!(late.map_err(|e| e.code), Err(Code::FailedPrecondition));
}

#[tokio::test]
async fn what_a_slow_guest_does_not_read_yet_is_taken_in_while_it_writes() {
    let mut stream = echo();
    for _ in 0..100 {
        stream.put(vec![0; 1000].into(), ROOM).await.expect("goes");
    }
    stream.end().expect("once");
    assert!(stream.waiting_bytes() > 50_000);
    assert_eq!(rest(&mut stream).await.map(|all| all.len()), Ok(100_000));
}

#[tokio::test(start_paused = true)]
async fn no_more_is_taken_in_than_there_is_room_for() {
    let mut stream = echo();
    let writing = async {
        loop {
            stream.put(vec![0; 1000].into(), 3000).await.expect("goes");
        }
    };
    let wait = tokio::time::timeout(std::time::Duration::from_secs(60), writing).await;
    assert!(wait.is_err(), "the write waits");
    assert_eq!(stream.waiting_bytes(), 3000);
}

#[tokio::test]
async fn an_early_answer_can_be_read_though_the_body_is_unwanted() {
    let (input, body) = pair();
    let answer = async move {
        drop(body);
        Ok(head(stream::iter([Ok("no".into())]).boxed()))
    };
    let mut stream = Stream::opened(input, opening(answer));
    stream.wait_for_head().await.expect("it is there");
    let error = stream.put("x".into(), ROOM).await.expect_err("unwanted");
    assert_eq!(error.reason, "TRILBY_BODY_UNWANTED");
    assert_eq!(stream.head().await.map(|headers| headers.len()), Ok(1));
    assert_eq!(rest(&mut stream).await.as_deref(), Ok(&b"no"[..]));
}

#[tokio::test]
async fn a_call_that_fails_says_so_at_each_use() {
    let (input, body) = pair();
    let answer = async move {
        drop(body);
        Err(lost())
    };
    let mut stream = Stream::opened(input, opening(answer));
    assert_eq!(stream.head().await, Err(lost()));
    assert_eq!(stream.head().await, Err(lost()));
    assert_eq!(stream.put("x".into(), ROOM).await, Err(lost()));
    assert_eq!(stream.read(1).await, Err(lost()));
    assert_eq!(stream.end(), Err(lost()));
}

#[tokio::test]
async fn a_failure_behind_what_came_before_it_is_noticed_by_a_write() {
    let (input, body) = pair();
    let answer = async move {
        drop(body);
        Ok(head(stream::iter([Ok("some".into()), Err(lost())]).boxed()))
    };
    let mut stream = Stream::opened(input, opening(answer));
    stream.wait_for_head().await.expect("it is there");
    assert_eq!(stream.put("x".into(), ROOM).await, Err(lost()));
    assert_eq!(stream.read(1).await, Err(lost()));
}

#[tokio::test]
async fn a_call_that_fails_is_noticed_by_a_write_that_waits() {
    let (input, body) = pair();
    let fail = Arc::new(Notify::new());
    let told = Arc::clone(&fail);
    let answer = async move {
        told.notified().await;
        // The body is held by somebody else, and never read.
        std::mem::forget(body);
        Err(lost())
    };
    let mut stream = Stream::opened(input, opening(answer));
    let writing = async {
        loop {
            if let Err(error) = stream.put("x".into(), ROOM).await {
                return error;
            }
            fail.notify_one();
        }
    };
    assert_eq!(writing.await, lost());
}

#[tokio::test]
async fn an_error_in_the_middle_comes_after_what_was_good() {
    let body = stream::iter([Ok("good".into()), Err(lost()), Ok("never".into())]).boxed();
    let mut stream = Stream::begun(body);
    assert_eq!(stream.read(9).await, Ok("good".into()));
    assert_eq!(stream.read(9).await, Err(lost()));
    assert_eq!(stream.read(9).await, Err(lost()));
}

#[tokio::test]
async fn a_body_that_is_not_ended_is_not_whole() {
    let (input, mut body) = pair();
    input.reserve().await.expect("room").send(Ok("half".into()));
    drop(input);
    assert_eq!(body.next().await, Some(Ok("half".into())));
    assert_eq!(
        body.next().await.map(|piece| piece.map_err(|e| e.code)),
        Some(Err(Code::Cancelled))
    );
    assert_eq!(body.next().await, None);
}

#[tokio::test]
async fn closing_ends_the_call() {
    let (input, body) = pair();
    let (held, dropped) = tokio::sync::oneshot::channel::<()>();
    let answer = async move {
        let _held = (held, body);
        std::future::pending().await
    };
    let mut stream = Stream::opened(input, opening(answer));
    stream.put("x".into(), ROOM).await.expect("goes");
    drop(stream);
    assert!(dropped.await.is_err(), "what the call held is dropped");
}

#[tokio::test]
async fn a_call_that_panics_is_an_error() {
    let (input, _body) = pair();
    let mut stream = Stream::opened(input, opening(async { panic!("on purpose") }));
    assert_eq!(stream.head().await.map_err(|e| e.code), Err(Code::Internal));
}

#[tokio::test]
async fn headers_come_out_once_and_wait_for_the_answer() {
    let mut stream = echo();
    assert_eq!(stream.head().await.map(|headers| headers.len()), Ok(1));
    assert_eq!(stream.head().await, Ok(Headers::new()));
}
