//! Whether a body is as long as the guest said.

use crate::OutputError;

/// Counts the bytes of a body against its `Content-Length`.
#[derive(Clone, Debug)]
pub struct BodyCheck {
    length: Option<u64>,
    written: u64,
}

impl BodyCheck {
    /// A check of a body of this length in bytes; of any length if `None`. It is meant for
    /// [`Head::content_length`](crate::Head::content_length).
    #[must_use]
    pub fn new(length: Option<u64>) -> Self {
        Self { length, written: 0 }
    }

    /// Counts the next `len` bytes.
    ///
    /// # Errors
    /// The body is longer than its length; these bytes must not be sent.
    pub fn check(&mut self, len: usize) -> Result<(), OutputError> {
        self.written = self.written.saturating_add(u64::try_from(len).unwrap_or(u64::MAX));
        match self.length {
            Some(length) if self.written > length => Err(OutputError::BodyTooLong { length }),
            _ => Ok(()),
        }
    }

    /// Says whether a body that ends here is complete.
    ///
    /// # Errors
    /// The body is shorter than its length.
    pub fn finish(&self) -> Result<(), OutputError> {
        match self.length {
            Some(length) if self.written < length => {
                Err(OutputError::BodyTooShort { length, written: self.written })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_as_long_as_announced() {
        let short = |written| Err(OutputError::BodyTooShort { length: 3, written });
        let long = Err(OutputError::BodyTooLong { length: 3 });
        let table: [(Option<u64>, &[usize], _); 7] = [
            (None, &[], Ok(())),
            (None, &[usize::MAX, usize::MAX], Ok(())),
            (Some(0), &[], Ok(())),
            (Some(3), &[1, 0, 2], Ok(())),
            (Some(3), &[], short(0)),
            (Some(3), &[2], short(2)),
            (Some(3), &[2, 2], long),
        ];
        for (length, chunks, expected) in table {
            let mut check = BodyCheck::new(length);
            let counted = chunks.iter().try_for_each(|len| check.check(*len));
            assert_eq!(counted.and_then(|()| check.finish()), expected, "{length:?} {chunks:?}");
        }
    }
}
