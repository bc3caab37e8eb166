//! A stream of bytes that goes through the segments of an envelope.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;
use trilby_dapr::stream::ByteStream;

use super::envelope::{SEGMENT_BYTES, Segments};
use super::refusals;

/// The other side of `input`. Holds at most one segment of each side, beyond the piece of `input`
/// that it is at.
pub(super) struct Coded {
    /// Coded already, and not yet given out.
    out: Vec<u8>,
    codec: Segments,
    /// What is left of a piece of `input`.
    piece: Bytes,
    /// Absent once it has ended or the codec has failed.
    input: Option<ByteStream>,
}

impl Coded {
    /// Gives out `first`, and then what `codec` makes of `piece` and `input`.
    pub(super) fn new(first: Vec<u8>, codec: Segments, piece: Bytes, input: ByteStream) -> Self {
        Self { out: first, codec, piece, input: Some(input) }
    }

    /// Ends the stream in an error.
    fn fail(&mut self, error: trilby_dapr::Error) -> Poll<Option<<Self as Stream>::Item>> {
        self.input = None;
        self.piece = Bytes::new();
        Poll::Ready(Some(Err(error)))
    }
}

impl Stream for Coded {
    type Item = trilby_dapr::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if !this.out.is_empty() {
                return Poll::Ready(Some(Ok(std::mem::take(&mut this.out).into())));
            }
            // Not more than a segment at a time, which gives not more than a segment.
            let part = this.piece.split_to(this.piece.len().min(SEGMENT_BYTES));
            if !part.is_empty() {
                if let Err(fault) = this.codec.push(&part, &mut this.out) {
                    return this.fail(refusals::operation(fault));
                }
                continue;
            }
            let Some(input) = &mut this.input else { return Poll::Ready(None) };
            match ready!(input.as_mut().poll_next(context)) {
                Some(Ok(piece)) => this.piece = piece,
                Some(Err(error)) => return this.fail(error),
                None => {
                    this.input = None;
                    if let Err(fault) = this.codec.finish(&mut this.out) {
                        return this.fail(refusals::operation(fault));
                    }
                }
            }
        }
    }
}
