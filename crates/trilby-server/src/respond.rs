//! From a running guest to a response: whole if the guest is quick, streamed if it is not.
//!
//! The guest starts on the task that polls [`respond`], which is the connection's own: what it
//! writes lies in a pipe and is read after each poll, so no other task has to be woken. A guest that
//! is still at work when its head goes out moves to a task of its own. From then on the connection
//! is polled only as fast as the client reads, and the guest's deadline must not depend on that.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Response, header};
use tokio::time::{Sleep, sleep};
use trilby_cgi::{BodyCheck, Decoder, DecoderLimits, Head, Progress};
use trilby_sandbox::{Ending, pipe};

use crate::admit::Turn;
use crate::body::ResponseBody;
use crate::outcome::Outcome;
use crate::record::Record;
use crate::streaming::Streaming;

/// How long a guest may run after its head when the client wants no more than that: long enough for
/// most to end, so that a failure and the body's length still show. A stream has no end.
const GRACE: Duration = Duration::from_secs(1);

/// A guest at work.
pub(crate) struct Running {
    pub(crate) run: Pin<Box<dyn Future<Output = Ending> + Send>>,
    pub(crate) output: pipe::Reader,
    pub(crate) record: Record,
    /// The guest's turn: the next request may start when it is dropped.
    pub(crate) turn: Turn,
    /// Whether the body is not to be sent, as for HEAD. The guest still runs to its end.
    pub(crate) head_only: bool,
    /// The bound of the header block.
    pub(crate) head_bytes_max: usize,
    /// Whether a local redirect is followed.
    pub(crate) follows: bool,
}

/// What came of a guest.
pub(crate) enum Responded {
    /// Its answer, or the beginning of it.
    Response(Response<ResponseBody>),
    /// It wants the answer of this path and query instead.
    LocalRedirect(String),
    /// It failed; the record is still open.
    Refused(Record, Outcome),
}

/// A response head that came while the guest was still running, or its whole answer.
enum Begun {
    Running { head: Head, rest: Bytes },
    Finished { head: Head, body: Bytes },
}

/// Runs the guest until its answer can begin.
pub(crate) async fn respond(mut guest: Running) -> Responded {
    match begin(&mut guest).await {
        Ok(Begun::Finished { head, body }) => {
            guest.record.finish(&Outcome::Ok, head.status);
            if let Some(to) = head.local_redirect().filter(|_| guest.follows) {
                return Responded::LocalRedirect(to.to_owned());
            }
            Responded::Response(response(head, ResponseBody::whole(body)))
        }
        Ok(Begun::Running { head, rest }) => {
            guest.record.sent(head.status);
            let body = Streaming::start(guest, rest, head.content_length);
            Responded::Response(response(head, ResponseBody::Streaming(Box::new(body))))
        }
        Err(outcome) => Responded::Refused(guest.record, outcome),
    }
}

/// The response for an outcome that is not the guest's own answer. With the request's id it also
/// says why, which is for the module's author only.
pub(crate) fn refusal(outcome: &Outcome, explain_to: Option<&Arc<str>>) -> Response<ResponseBody> {
    let text = outcome.public_text();
    let body = match explain_to {
        None => Bytes::from_static(text.as_bytes()),
        Some(id) => format!("{text}\nreason: {}\nrequest: {id}\n", outcome.reason()).into(),
    };
    let mut response = Response::new(ResponseBody::whole(body));
    *response.status_mut() = outcome.status();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if matches!(outcome, Outcome::Busy | Outcome::Draining) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    if let Outcome::MethodNotAllowed { allow } = outcome
        && let Ok(allow) = HeaderValue::try_from(allow)
    {
        headers.insert(header::ALLOW, allow);
    }
    response
}

fn response(head: Head, body: ResponseBody) -> Response<ResponseBody> {
    let mut response = Response::new(body);
    *response.status_mut() = head.status;
    *response.headers_mut() = head.headers;
    response
}

async fn begin(guest: &mut Running) -> Result<Begun, Outcome> {
    let limits =
        DecoderLimits { header_bytes_max: guest.head_bytes_max, ..DecoderLimits::default() };
    let mut decoder = Decoder::new(limits);
    let mut begun: Option<(Head, Bytes)> = None;
    let mut late = BytesMut::new();
    let mut dropped_bytes = 0;
    // Made when it is needed: a timer costs more than most guests.
    let mut grace: Option<Pin<Box<Sleep>>> = None;
    loop {
        let ended = poll_fn(|cx| match guest.run.as_mut().poll(cx) {
            Poll::Ready(ending) => Poll::Ready(Some(ending)),
            // Whatever the guest wrote before it had to wait must be looked at.
            Poll::Pending if guest.output.has_chunk() => Poll::Ready(None),
            Poll::Pending => match &mut grace {
                Some(grace) => grace.as_mut().poll(cx).map(|()| None),
                None => Poll::Pending,
            },
        })
        .await;
        if grace.as_ref().is_some_and(|grace| grace.is_elapsed())
            && let Some((head, _)) = begun.take()
        {
            return Ok(Begun::Finished { head, body: Bytes::new() });
        }
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
            None if drops_body(guest, begun.as_ref()) => {
                if guest.head_only && begun.is_some() {
                    grace.get_or_insert_with(|| Box::pin(sleep(GRACE)));
                }
            }
            None if is_whole(begun.as_ref(), late.len())? => {}
            None => {
                if let Some((head, rest)) = begun.take() {
                    let rest = joined(rest, late);
                    return Ok(Begun::Running { head, rest });
                }
            }
        }
    }
}

/// Whether the guest has written all that its `Content-Length` promises. The answer then waits for
/// the guest's end: HTTP is done with a response at its last byte, and would end the guest with it.
fn is_whole(begun: Option<&(Head, Bytes)>, late_bytes: usize) -> Result<bool, Outcome> {
    let Some((head, rest)) = begun else { return Ok(false) };
    let mut check = BodyCheck::new(head.content_length);
    check.check(rest.len() + late_bytes).map_err(Outcome::BadOutput)?;
    Ok(head.content_length.is_some() && check.finish().is_ok())
}

/// Whether what the guest writes after its head goes nowhere: for HEAD, for a status that has no
/// body (RFC 9110 sections 15.3.5 and 15.4.5), and for a local redirect. The guest then runs to its
/// end before the answer goes out, but for HEAD not for long, so that a failure still shows in the
/// status.
fn drops_body(guest: &Running, begun: Option<&(Head, Bytes)>) -> bool {
    begun.is_some_and(|(head, _)| {
        guest.head_only
            || !head.body_allowed()
            || (guest.follows && head.local_redirect().is_some())
    })
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
    // A local redirect is one by having nothing beside its `Location`.
    if head.body_allowed() && body_bytes > 0 && head.local_redirect().is_none() {
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
