//! From a running guest to a response: whole if the guest is quick, streamed if it is not.
//!
//! The guest runs on the task that polls these functions, which is the connection's own. What it
//! writes lies in a pipe and is read after each poll, so no other task has to be woken.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Response, header};
use http_body::{Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use trilby_cgi::{BodyCheck, Decoder, DecoderLimits, Head, OutputError, Progress};
use trilby_sandbox::{Ending, pipe};

use crate::body::{CutOff, ResponseBody};
use crate::outcome::Outcome;
use crate::record::Record;

/// A guest at work.
pub(crate) struct Guest {
    pub(crate) run: Pin<Box<dyn Future<Output = Ending> + Send>>,
    pub(crate) output: pipe::Reader,
    pub(crate) record: Record,
    /// The guest's turn: the next request may start when it is dropped.
    pub(crate) _turn: OwnedSemaphorePermit,
    /// Whether the body is not to be sent, as for HEAD. The guest still runs to its end.
    pub(crate) head_only: bool,
}

/// A response head that came while the guest was still running, or its whole answer.
enum Begun {
    Running { head: Head, rest: Bytes },
    Finished { head: Head, body: Bytes },
}

/// Runs the guest until its answer can begin.
pub(crate) async fn respond(mut guest: Guest) -> Response<ResponseBody> {
    match begin(&mut guest).await {
        Ok(Begun::Finished { head, body }) => {
            guest.record.finish(&Outcome::Ok, head.status);
            response(head, ResponseBody::whole(body))
        }
        Ok(Begun::Running { head, rest }) => {
            let check = BodyCheck::new(head.content_length);
            let length = head.content_length;
            guest.record.sent(head.status);
            let streaming = Streaming { guest, rest, check, length, ended: false };
            response(head, ResponseBody::Streaming(Box::new(streaming)))
        }
        Err(outcome) => {
            guest.record.finish(&outcome, outcome.status());
            refusal(&outcome)
        }
    }
}

/// The response for an outcome that is not the guest's own answer.
pub(crate) fn refusal(outcome: &Outcome) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::whole(outcome.public_text()));
    *response.status_mut() = outcome.status();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if matches!(outcome, Outcome::Busy | Outcome::Draining) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

fn response(head: Head, body: ResponseBody) -> Response<ResponseBody> {
    let mut response = Response::new(body);
    *response.status_mut() = head.status;
    *response.headers_mut() = head.headers;
    response
}

async fn begin(guest: &mut Guest) -> Result<Begun, Outcome> {
    let mut decoder = Decoder::new(DecoderLimits::default());
    let mut begun: Option<(Head, Bytes)> = None;
    let mut late = BytesMut::new();
    let mut dropped_bytes = 0;
    loop {
        let ended = poll_fn(|cx| match guest.run.as_mut().poll(cx) {
            Poll::Ready(ending) => Poll::Ready(Some(ending)),
            // Whatever the guest wrote before it had to wait must be looked at.
            Poll::Pending => match guest.output.has_chunk() {
                true => Poll::Ready(None),
                false => Poll::Pending,
            },
        })
        .await;
        while let Some(chunk) = guest.output.try_read() {
            match &begun {
                None => match decoder.push(chunk).map_err(Outcome::BadOutput)? {
                    Progress::NeedMore => {}
                    Progress::Head(head, rest) => begun = Some((head, rest)),
                },
                Some(_) => late.extend_from_slice(&chunk),
            }
            if drops_body(guest, begun.as_ref()) {
                dropped_bytes += late.len();
                late.clear();
            }
        }
        match ended {
            Some(Ending::Done) if guest.head_only => {
                return head_finished(decoder, begun, dropped_bytes);
            }
            Some(Ending::Done) => return finished(decoder, begun, late),
            Some(ending) => return Err(ending.into()),
            None if drops_body(guest, begun.as_ref()) => {}
            None => {
                if let Some((head, rest)) = begun.take() {
                    let rest = joined(rest, late);
                    return Ok(Begun::Running { head, rest });
                }
            }
        }
    }
}

/// Whether what the guest writes after its head goes nowhere: for HEAD, and for a status that has
/// no body (RFC 9110 sections 15.3.5 and 15.4.5). The guest then runs to its end before the answer
/// goes out, so that a failure still shows in the status.
fn drops_body(guest: &Guest, begun: Option<&(Head, Bytes)>) -> bool {
    begun.is_some_and(|(head, _)| guest.head_only || !head.body_allowed())
}

fn finished(
    decoder: Decoder,
    begun: Option<(Head, Bytes)>,
    late: BytesMut,
) -> Result<Begun, Outcome> {
    let Some((head, rest)) = begun else {
        return Err(Outcome::BadOutput(decoder.finish()));
    };
    if !head.body_allowed() {
        return Ok(Begun::Finished { head, body: Bytes::new() });
    }
    let body = joined(rest, late);
    let mut check = BodyCheck::new(head.content_length);
    check.check(body.len()).and_then(|()| check.finish()).map_err(Outcome::BadOutput)?;
    Ok(Begun::Finished { head, body })
}

/// The answer to HEAD: the headers that GET would get, the body's length among them
/// (RFC 9110 section 9.3.2).
fn head_finished(
    decoder: Decoder,
    begun: Option<(Head, Bytes)>,
    dropped_bytes: usize,
) -> Result<Begun, Outcome> {
    let Some((mut head, rest)) = begun else {
        return Err(Outcome::BadOutput(decoder.finish()));
    };
    let body_bytes = rest.len() + dropped_bytes;
    if head.body_allowed() && body_bytes > 0 {
        let length = HeaderValue::from(body_bytes);
        head.headers.entry(header::CONTENT_LENGTH).or_insert(length);
    }
    Ok(Begun::Finished { head, body: Bytes::new() })
}

fn joined(first: Bytes, late: BytesMut) -> Bytes {
    if late.is_empty() {
        return first;
    }
    let mut all = BytesMut::from(first);
    all.extend_from_slice(&late);
    all.freeze()
}

/// A response body that a running guest writes.
pub struct Streaming {
    guest: Guest,
    rest: Bytes,
    check: BodyCheck,
    length: Option<u64>,
    ended: bool,
}

impl Streaming {
    pub(crate) fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        let this = self.get_mut();
        loop {
            if let Some(chunk) = this.next_chunk() {
                return match this.check.check(chunk.len()) {
                    Ok(()) => Poll::Ready(Some(Ok(Frame::data(chunk)))),
                    Err(error) => Poll::Ready(Some(Err(this.fail(error)))),
                };
            }
            if this.ended {
                return Poll::Ready(None);
            }
            match this.guest.run.as_mut().poll(cx) {
                Poll::Pending if this.guest.output.has_chunk() => {}
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ending::Done) => {
                    this.ended = true;
                    if this.guest.output.has_chunk() {
                        continue;
                    }
                    if let Err(error) = this.check.finish() {
                        return Poll::Ready(Some(Err(this.fail(error))));
                    }
                    this.guest.record.finish_sent(&Outcome::Ok);
                }
                Poll::Ready(ending) => {
                    this.ended = true;
                    this.guest.record.finish_sent(&ending.into());
                    return Poll::Ready(Some(Err(CutOff)));
                }
            }
        }
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }

    fn next_chunk(&mut self) -> Option<Bytes> {
        if !self.rest.is_empty() {
            return Some(std::mem::take(&mut self.rest));
        }
        self.guest.output.try_read()
    }

    fn fail(&mut self, error: OutputError) -> CutOff {
        self.ended = true;
        self.guest.record.finish_sent(&Outcome::BadOutput(error));
        CutOff
    }
}
