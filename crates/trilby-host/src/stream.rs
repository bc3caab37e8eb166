//! A call that goes on while the guest writes its body or reads its answer.
//!
//! Until the answer begins, the call is a task, which ends when the handle is closed. From then on
//! whoever reads drives it. Nothing here knows time: callers bound each wait.

use std::collections::VecDeque;

use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio_util::task::AbortOnDropHandle;
use trilby_dapr::stream::ByteStream;
use trilby_dapr::{Code, Error};

mod input;

pub(crate) use input::{CHUNK_BYTES_MAX, Input, pair};

/// Names and values, in the order in which the guest sees them.
pub(crate) type Headers = Vec<(String, String)>;

/// The beginning of a streamed answer.
pub(crate) struct Head {
    pub(crate) headers: Headers,
    pub(crate) body: ByteStream,
}

/// A call whose answer has not begun.
pub(crate) type Opening = AbortOnDropHandle<Result<Head, Error>>;

/// A streamed body, both ways. It may hold secrets, so it has no `Debug`.
pub(crate) struct Stream {
    /// The body that the guest writes, until it has ended.
    input: Option<Input>,
    opening: Option<Opening>,
    /// The headers of an answer that has begun, until they are taken.
    headers: Headers,
    /// The answer's body, until it has ended.
    body: Option<ByteStream>,
    /// What has come of the body, and is not read yet.
    waiting: VecDeque<Bytes>,
    waiting_bytes: usize,
    failed: Option<Error>,
}

/// What a write meets while it waits.
enum Met {
    Unwanted,
    Opened(Result<Head, Error>),
    Piece(Option<Result<Bytes, Error>>),
}

impl Stream {
    /// A call that takes a body.
    pub(crate) fn opened(input: Input, opening: Opening) -> Self {
        Self { input: Some(input), opening: Some(opening), ..Self::empty() }
    }

    /// An answer that has begun already.
    pub(crate) fn begun(body: ByteStream) -> Self {
        Self { body: Some(body), ..Self::empty() }
    }

    fn empty() -> Self {
        Self {
            input: None,
            opening: None,
            headers: Headers::new(),
            body: None,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            failed: None,
        }
    }

    /// What the host holds of the answer's body.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// Breaks the call off; every later use tells why.
    pub(crate) fn fail(&mut self, error: Error) {
        *self = Self { failed: Some(error), ..Self::empty() };
    }

    fn check(&self) -> Result<(), Error> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    /// Whether the guest may write.
    pub(crate) fn check_writable(&mut self) -> Result<(), Error> {
        if let Some(opened) = self.opening.as_mut().and_then(|opening| opening.now_or_never()) {
            self.begin(joined(opened))?;
        }
        self.check()?;
        if self.input.is_some() {
            return Ok(());
        }
        let message = "nothing can be written to this handle, or its body has ended";
        Err(Error::new(Code::FailedPrecondition, message).with_reason("TRILBY_NOT_WRITABLE"))
    }

    /// Sends a piece of the body. While the other side is slower, up to `room` bytes of its answer
    /// are taken in: it may wait for that before it goes on.
    pub(crate) async fn put(&mut self, chunk: Bytes, room: usize) -> Result<(), Error> {
        loop {
            self.check_writable()?;
            let Some(input) = &self.input else { return Ok(()) };
            let has_room = self.waiting_bytes < room;
            let met = tokio::select! {
                biased;
                sent = input.reserve() => match sent {
                    Ok(permit) => {
                        permit.send(Ok(chunk));
                        return Ok(());
                    }
                    Err(_) => Met::Unwanted,
                },
                opened = opened(&mut self.opening) => Met::Opened(opened),
                piece = piece(&mut self.body), if has_room => Met::Piece(piece),
            };
            match met {
                Met::Unwanted => return self.unwanted(room).await,
                Met::Opened(opened) => self.begin(opened)?,
                Met::Piece(piece) => self.take_in(piece)?,
            }
        }
    }

    /// Nobody reads the body any more: the call has failed, or was answered without it. A failure
    /// may stand behind pieces that came before it.
    async fn unwanted(&mut self, room: usize) -> Result<(), Error> {
        self.wait_for_head().await?;
        while self.waiting_bytes < room
            && let Some(piece) = piece(&mut self.body).now_or_never()
        {
            self.take_in(piece)?;
        }
        self.input = None;
        let message = "the other side takes no more of the body; read its answer";
        Err(Error::new(Code::FailedPrecondition, message).with_reason("TRILBY_BODY_UNWANTED"))
    }

    /// Says that nothing more will be written.
    pub(crate) fn end(&mut self) -> Result<(), Error> {
        self.check_writable()?;
        if let Some(input) = self.input.take() {
            input.end();
        }
        Ok(())
    }

    /// Waits until the answer has begun. Its headers come out once.
    pub(crate) async fn head(&mut self) -> Result<Headers, Error> {
        self.wait_for_head().await?;
        Ok(std::mem::take(&mut self.headers))
    }

    async fn wait_for_head(&mut self) -> Result<(), Error> {
        if self.opening.is_some() {
            let opened = opened(&mut self.opening).await;
            self.begin(opened)?;
        }
        self.check()
    }

    /// Whether the next piece is there without waiting.
    pub(crate) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Waits for the next bytes of the answer, at most `count`; none at its end. The answer has
    /// begun.
    pub(crate) async fn read(&mut self, count: usize) -> Result<Bytes, Error> {
        self.check()?;
        while self.waiting.is_empty() && self.body.is_some() {
            let piece = piece(&mut self.body).await;
            self.take_in(piece)?;
        }
        let Some(front) = self.waiting.front_mut() else { return Ok(Bytes::new()) };
        let bytes = front.split_to(count.min(front.len()));
        if front.is_empty() {
            self.waiting.pop_front();
        }
        self.waiting_bytes -= bytes.len();
        Ok(bytes)
    }

    fn begin(&mut self, opened: Result<Head, Error>) -> Result<(), Error> {
        self.opening = None;
        match opened {
            Ok(head) => {
                self.headers = head.headers;
                self.body = Some(head.body);
                Ok(())
            }
            Err(error) => self.failing(error),
        }
    }

    fn take_in(&mut self, piece: Option<Result<Bytes, Error>>) -> Result<(), Error> {
        match piece {
            None => self.body = None,
            Some(Ok(bytes)) if bytes.is_empty() => {}
            Some(Ok(bytes)) => {
                self.waiting_bytes += bytes.len();
                self.waiting.push_back(bytes);
            }
            Some(Err(error)) => return self.failing(error),
        }
        Ok(())
    }

    fn failing(&mut self, error: Error) -> Result<(), Error> {
        self.fail(error.clone());
        Err(error)
    }
}

/// Waits for the beginning of the answer; for ever when it has begun.
async fn opened(opening: &mut Option<Opening>) -> Result<Head, Error> {
    match opening {
        Some(opening) => joined(opening.await),
        None => std::future::pending().await,
    }
}

fn joined(opened: Result<Result<Head, Error>, tokio::task::JoinError>) -> Result<Head, Error> {
    opened.unwrap_or_else(|error| {
        Err(Error::new(Code::Internal, format!("the call came to grief: {error}")))
    })
}

/// Waits for the next piece of the answer; for ever when there is no body.
async fn piece(body: &mut Option<ByteStream>) -> Option<Result<Bytes, Error>> {
    match body {
        Some(body) => body.next().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
