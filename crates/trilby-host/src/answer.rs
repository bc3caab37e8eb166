//! Answers, kept for the guest to read by handle.

use bytes::Bytes;

use crate::stream::{Headers, Stream};

/// Answers that a guest may hold at once.
pub(crate) const HANDLES_MAX: usize = 64;

/// Bytes that all open answers of a request may have together: they are the host's memory, which
/// the guest's own limit does not cover.
pub(crate) const ANSWER_BYTES_MAX: usize = 16 << 20;

/// One answer: headers and a body that is read once, from front to back. It may hold secrets, so
/// it has no `Debug`.
pub(crate) struct Answer {
    headers: Headers,
    header_bytes: usize,
    pub(crate) body: Body,
}

/// The body of an answer.
pub(crate) enum Body {
    /// All of it is there.
    Whole {
        /// What the guest has not read yet.
        rest: Bytes,
        /// All that there was: the part holds the memory of the whole.
        size: usize,
    },
    /// It comes in pieces.
    Stream(Box<Stream>),
}

impl Answer {
    pub(crate) fn new(headers: Headers, body: Bytes) -> Self {
        let size = body.len();
        Self::of(headers, Body::Whole { rest: body, size })
    }

    pub(crate) fn streamed(headers: Headers, stream: Stream) -> Self {
        Self::of(headers, Body::Stream(Box::new(stream)))
    }

    fn of(headers: Headers, body: Body) -> Self {
        let mut answer = Self { headers: Headers::new(), header_bytes: 0, body };
        answer.add_headers(headers);
        answer
    }

    /// Adds the headers of an answer that has begun only now.
    pub(crate) fn add_headers(&mut self, headers: Headers) {
        self.header_bytes += headers.iter().map(|(n, v)| n.len() + v.len()).sum::<usize>();
        if self.headers.is_empty() {
            self.headers = headers;
        } else {
            self.headers.extend(headers);
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    fn held_bytes(&self) -> usize {
        let body = match &self.body {
            Body::Whole { size, .. } => *size,
            Body::Stream(stream) => stream.waiting_bytes(),
        };
        self.header_bytes + body
    }

    /// All headers as lines. A line break in a value would make a line of its own, so it becomes
    /// a space; `header` gives the value as it is.
    pub(crate) fn header_block(&self) -> String {
        let mut block = String::new();
        for (name, value) in &self.headers {
            block.push_str(&name.replace(['\r', '\n'], " "));
            block.push_str(": ");
            block.push_str(&value.replace(['\r', '\n'], " "));
            block.push('\n');
        }
        block
    }
}

/// The open answers of one request. Handle 0 does not exist: it means "done" in the ABI.
#[derive(Default)]
pub(crate) struct Answers {
    slots: Vec<Option<Answer>>,
}

/// Why an answer cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// As many answers are open as may be.
    Handles,
    /// Open answers have as many bytes as they may have.
    Bytes,
}

impl Answers {
    /// Whether another answer can be kept: asked before a call, so that one which takes effect
    /// does not end without an answer for want of a handle.
    pub(crate) fn has_room(&self) -> bool {
        self.free() < HANDLES_MAX
    }

    fn free(&self) -> usize {
        self.slots.iter().position(Option::is_none).unwrap_or(self.slots.len())
    }

    /// Bytes that the host holds for all open answers.
    fn held_bytes(&self) -> usize {
        self.slots.iter().flatten().map(Answer::held_bytes).sum()
    }

    /// Bytes that the host may hold beyond what it does.
    pub(crate) fn room_bytes(&self) -> usize {
        ANSWER_BYTES_MAX.saturating_sub(self.held_bytes())
    }

    /// Keeps an answer and gives its handle.
    pub(crate) fn open(&mut self, answer: Answer) -> Result<i32, Full> {
        let free = self.free();
        if free >= HANDLES_MAX {
            return Err(Full::Handles);
        }
        let held_bytes = self.held_bytes();
        // The only open answer may be as large as Dapr lets it be.
        if held_bytes > 0 && held_bytes.saturating_add(answer.held_bytes()) > ANSWER_BYTES_MAX {
            return Err(Full::Bytes);
        }
        match self.slots.get_mut(free) {
            Some(slot) => *slot = Some(answer),
            None => self.slots.push(Some(answer)),
        }
        i32::try_from(free + 1).map_err(|_| Full::Handles)
    }

    pub(crate) fn get(&mut self, handle: i32) -> Option<&mut Answer> {
        self.slots.get_mut(index(handle)?)?.as_mut()
    }

    pub(crate) fn close(&mut self, handle: i32) -> Option<Answer> {
        self.slots.get_mut(index(handle)?)?.take()
    }
}

fn index(handle: i32) -> Option<usize> {
    usize::try_from(handle).ok()?.checked_sub(1)
}

#[cfg(test)]
mod tests;
