//! The body that a guest writes, on its way to whoever takes it.

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use trilby_dapr::stream::ByteStream;
use trilby_dapr::{Code, Error};

/// Bytes of one piece; larger writes are cut.
pub(crate) const CHUNK_BYTES_MAX: usize = 64 << 10;

/// Pieces on their way: enough that writer and reader need not take turns.
const CHUNKS_MAX: usize = 4;

type Piece = Result<Bytes, Error>;

/// The guest's end. Dropped without [`end`](Self::end), it breaks the body off: what was cut short
/// must not look whole.
pub(crate) struct Input {
    pieces: mpsc::Sender<Piece>,
    whole: oneshot::Sender<()>,
}

/// A body that is written piece by piece.
pub(crate) fn pair() -> (Input, ByteStream) {
    let (pieces, incoming) = mpsc::channel(CHUNKS_MAX);
    let (whole, is_whole) = oneshot::channel();
    let body = futures_util::stream::unfold(Some((incoming, is_whole)), |state| async {
        let (mut incoming, mut is_whole): (mpsc::Receiver<Piece>, oneshot::Receiver<()>) = state?;
        match incoming.recv().await {
            Some(piece) => Some((piece, Some((incoming, is_whole)))),
            None if is_whole.try_recv().is_ok() => None,
            None => Some((Err(broken_off()), None)),
        }
    });
    (Input { pieces, whole }, Box::pin(body))
}

impl Input {
    /// Waits for room for a piece.
    pub(crate) async fn reserve(
        &self,
    ) -> Result<mpsc::Permit<'_, Piece>, mpsc::error::SendError<()>> {
        self.pieces.reserve().await
    }

    /// The body is whole.
    pub(crate) fn end(self) {
        // Nobody may be there to hear it: the call was answered without the body.
        let _ = self.whole.send(());
    }
}

fn broken_off() -> Error {
    Error::new(Code::Cancelled, "the guest closed the handle before the end of its body")
}
