//! Bodies that are not in memory as a whole.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};

use crate::Result;

/// A body in pieces, of which none is empty. It ends at the first error.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// A body that is there already.
#[must_use]
pub fn whole(body: Bytes) -> ByteStream {
    stream::iter((!body.is_empty()).then_some(Ok(body))).boxed()
}
