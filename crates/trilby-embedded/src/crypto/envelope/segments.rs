//! The data of a message, segment by segment.

use std::fmt;

use ring::aead::{Aad, LessSafeKey, Nonce};

use super::{Fault, NoncePrefix};

/// The data in each segment but the last.
pub(in crate::crypto) const SEGMENT_BYTES: usize = 64 << 10;

/// What encryption adds to each segment.
const TAG_BYTES: usize = 16;

/// Which way the data goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Encrypt,
    Decrypt,
}

/// Encrypts or decrypts the data of one message. It holds back one segment, because the last
/// segment differs and only the end of the data tells which that is.
pub(in crate::crypto) struct Segments {
    direction: Direction,
    key: LessSafeKey,
    nonce_prefix: NoncePrefix,
    pending: Vec<u8>,
    /// The number of the pending segment, or why there can be none.
    next: Result<u32, Fault>,
}

impl Segments {
    pub(super) fn new(direction: Direction, key: LessSafeKey, nonce_prefix: NoncePrefix) -> Self {
        Self { direction, key, nonce_prefix, pending: Vec::new(), next: Ok(0) }
    }

    /// Takes data in, and appends to `out` the segments that are now done. Nothing comes out of a
    /// segment that is not as it was encrypted, nor of any after it.
    pub(in crate::crypto) fn push(
        &mut self,
        mut data: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        let length = match self.direction {
            Direction::Encrypt => SEGMENT_BYTES,
            Direction::Decrypt => SEGMENT_BYTES + TAG_BYTES,
        };
        while !data.is_empty() {
            if self.pending.len() == length {
                self.segment(false, out)?;
            }
            let room = length.saturating_sub(self.pending.len());
            let (part, rest) = data.split_at(room.min(data.len()));
            self.pending.extend_from_slice(part);
            data = rest;
        }
        Ok(())
    }

    /// Appends the last segment to `out`. To be called once, at the end of the data.
    pub(in crate::crypto) fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Fault> {
        // Only a message without any data has no segment.
        if self.pending.is_empty() { self.next.clone().map(drop) } else { self.segment(true, out) }
    }

    fn segment(&mut self, last: bool, out: &mut Vec<u8>) -> Result<(), Fault> {
        let number = self.next.clone()?;
        let done = self.code(number, last, out);
        self.pending.clear();
        self.next = done.clone().and_then(|()| number.checked_add(1).ok_or(Fault::TooLarge));
        done
    }

    fn code(&mut self, number: u32, last: bool, out: &mut Vec<u8>) -> Result<(), Fault> {
        let nonce = self.nonce(number, last);
        match self.direction {
            Direction::Encrypt => {
                let sealed =
                    self.key.seal_in_place_append_tag(nonce, Aad::empty(), &mut self.pending);
                sealed.map_err(|_| Fault::TooLarge)?;
                out.extend_from_slice(&self.pending);
            }
            Direction::Decrypt => {
                let opened = self.key.open_in_place(nonce, Aad::empty(), &mut self.pending);
                out.extend_from_slice(opened.map_err(|_| Fault::Segment(number))?);
            }
        }
        Ok(())
    }

    fn nonce(&self, number: u32, last: bool) -> Nonce {
        let [a, b, c, d, e, f, g] = self.nonce_prefix.0;
        let [h, i, j, k] = number.to_be_bytes();
        Nonce::assume_unique_for_key([a, b, c, d, e, f, g, h, i, j, k, u8::from(last)])
    }
}

/// Shows nothing of the key or the data.
impl fmt::Debug for Segments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (direction, next) = (&self.direction, &self.next);
        f.debug_struct("Segments")
            .field("direction", direction)
            .field("next", next)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
impl Segments {
    /// As if so many segments had gone by.
    pub(super) fn skip_to(&mut self, number: u32) {
        self.next = Ok(number);
    }
}
