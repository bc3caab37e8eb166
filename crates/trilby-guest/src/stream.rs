//! Calls that go on while the guest writes their body and reads their answer.

use std::io::{self, Read, Write};

use crate::Result;
use crate::call::Answer;

/// A call whose body is being written.
///
/// What is written goes on its way at once. Reading waits for the other side, which may answer
/// before the body has ended, or not: [`end`](Self::end) the body before reading unless it does.
/// Dropped before its end, the call is broken off.
#[derive(Debug)]
pub struct Stream {
    answer: Answer,
}

impl Stream {
    pub(crate) fn open(result: i32) -> Result<Self> {
        Ok(Self { answer: Answer::open(result)? })
    }

    /// Says that the body is complete. Writing more is an error.
    pub fn end(&mut self) -> Result<()> {
        self.answer.end()
    }

    /// Ends the body and gives what is left of the answer.
    pub fn finish(mut self) -> Result<Vec<u8>> {
        self.end()?;
        self.answer.rest()
    }

    pub(crate) fn answer(&self) -> &Answer {
        &self.answer
    }

    pub(crate) fn into_answer(self) -> Answer {
        self.answer
    }
}

/// Writes to the body that is sent.
impl Write for Stream {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        Ok(self.answer.write(data)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads the body of the answer.
impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        Ok(self.answer.read(buf)?)
    }
}
