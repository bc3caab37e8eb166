//! A response body that a running guest writes.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::task::JoinHandle;
use trilby_cgi::{BodyCheck, OutputError};
use trilby_sandbox::{Ending, pipe};

use crate::body::CutOff;
use crate::outcome::Outcome;
use crate::record::Record;
use crate::respond::Running;

/// The body, and the guest at work on it. Dropping it ends the guest.
pub struct Streaming {
    guest: JoinHandle<Ending>,
    output: pipe::Reader,
    record: Arc<Record>,
    /// What the guest wrote before its head went out.
    rest: Bytes,
    /// The end of a body whose length is known, kept back until the guest has ended: HTTP/1.1 is
    /// done with a response at its last byte, and would end the guest with it.
    last: Option<Bytes>,
    check: BodyCheck,
    length: Option<u64>,
    state: State,
}

enum State {
    Running,
    /// The guest has ended, well or not; what it wrote may still lie in the pipe.
    Ended {
        well: bool,
    },
    Over,
}

impl Streaming {
    /// Lets the guest go on in a task of its own.
    pub(crate) fn start(guest: Running, rest: Bytes, length: Option<u64>) -> Self {
        let Running { run, output, record, turn, .. } = guest;
        let record = Arc::new(record);
        let recorded = Arc::clone(&record);
        let guest = tokio::spawn(async move {
            let ending = run.await;
            drop(turn);
            if ending != Ending::Done {
                // Now, and not when the client has read up to here: it may never do so.
                recorded.finish_sent(&ending.clone().into());
            }
            ending
        });
        let check = BodyCheck::new(length);
        Self { guest, output, record, rest, last: None, check, length, state: State::Running }
    }

    pub(crate) fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        let this = self.get_mut();
        if matches!(this.state, State::Over) {
            return Poll::Ready(None);
        }
        if let State::Running = this.state
            && let Poll::Ready(ending) = Pin::new(&mut this.guest).poll(cx)
        {
            this.state = State::Ended { well: matches!(ending, Ok(Ending::Done)) };
        }
        loop {
            let chunk = match this.next_chunk() {
                Some(chunk) => chunk,
                None => match this.state {
                    State::Ended { well } => return Poll::Ready(this.end(well)),
                    _ => ready!(this.output.poll_chunk(cx)),
                },
            };
            if let Err(error) = this.check.check(chunk.len()) {
                return Poll::Ready(Some(Err(this.fail(error))));
            }
            if !this.is_whole() {
                return Poll::Ready(Some(Ok(Frame::data(chunk))));
            }
            this.last = Some(chunk);
        }
    }

    /// Whether all that the guest's `Content-Length` promises has been written.
    fn is_whole(&self) -> bool {
        self.length.is_some() && self.check.finish().is_ok()
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }

    fn next_chunk(&mut self) -> Option<Bytes> {
        if !self.rest.is_empty() {
            return Some(std::mem::take(&mut self.rest));
        }
        self.output.try_read()
    }

    fn end(&mut self, well: bool) -> Option<Result<Frame<Bytes>, CutOff>> {
        self.state = State::Over;
        if !well {
            return Some(Err(CutOff));
        }
        if let Err(error) = self.check.finish() {
            return Some(Err(self.fail(error)));
        }
        // Recorded before the last bytes go out: HTTP/1.1 does not come back after them.
        self.record.finish_sent(&Outcome::Ok);
        self.last.take().map(|last| Ok(Frame::data(last)))
    }

    fn fail(&mut self, error: OutputError) -> CutOff {
        self.state = State::Over;
        self.guest.abort();
        self.record.finish_sent(&Outcome::BadOutput(error));
        CutOff
    }
}

impl Drop for Streaming {
    fn drop(&mut self) {
        // First of all: the guest may yet stumble over the end of its output.
        self.record.finish_gone();
        self.guest.abort();
    }
}
