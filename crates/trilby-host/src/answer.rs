//! Answers, kept for the guest to read by handle.

use bytes::Bytes;

/// Answers that a guest may hold at once.
pub(crate) const HANDLES_MAX: usize = 64;

/// Bytes that all open answers of a request may have together: they are the host's memory, which
/// the guest's own limit does not cover.
pub(crate) const ANSWER_BYTES_MAX: usize = 16 << 20;

/// One answer: headers and a body that is read once, from front to back. It may hold secrets, so
/// it has no `Debug`.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    pub(crate) size: usize,
}

impl Answer {
    pub(crate) fn new(headers: Vec<(String, String)>, body: Bytes) -> Self {
        let size = body.len();
        Self { headers, body, size }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    fn bytes(&self) -> usize {
        self.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() + self.size
    }

    /// All headers as lines. A line break in a value would make a line of its own, so it becomes
    /// a space; `header` gives the value as it is.
    pub(crate) fn header_block(&self) -> String {
        let mut block = String::new();
        for (name, value) in &self.headers {
            block.push_str(name);
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
    bytes: usize,
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

    /// Keeps an answer and gives its handle.
    pub(crate) fn open(&mut self, answer: Answer) -> Result<i32, Full> {
        let free = self.free();
        if free >= HANDLES_MAX {
            return Err(Full::Handles);
        }
        let bytes = self.bytes.saturating_add(answer.bytes());
        // The only open answer may be as large as Dapr lets it be.
        if bytes > ANSWER_BYTES_MAX && self.bytes > 0 {
            return Err(Full::Bytes);
        }
        self.bytes = bytes;
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
        let answer = self.slots.get_mut(index(handle)?)?.take()?;
        self.bytes = self.bytes.saturating_sub(answer.bytes());
        Some(answer)
    }
}

fn index(handle: i32) -> Option<usize> {
    usize::try_from(handle).ok()?.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_start_at_one_and_are_reused() {
        let mut answers = Answers::default();
        assert_eq!(answers.open(Answer::default()), Ok(1));
        assert_eq!(answers.open(Answer::default()), Ok(2));
        assert!(answers.close(1).is_some());
        assert!(answers.close(1).is_none());
        assert_eq!(answers.open(Answer::default()), Ok(1));
        for unknown in [i32::MIN, -1, 0, 3, i32::MAX] {
            assert!(answers.get(unknown).is_none(), "{unknown}");
        }
    }

    #[test]
    fn there_is_a_limit() {
        let mut answers = Answers::default();
        for _ in 0..HANDLES_MAX {
            assert!(answers.has_room());
            assert!(answers.open(Answer::default()).is_ok());
        }
        assert!(!answers.has_room());
        assert_eq!(answers.open(Answer::default()), Err(Full::Handles));
    }

    #[test]
    fn open_answers_share_a_limit_in_bytes() {
        let large = || Answer::new(Vec::new(), Bytes::from(vec![0; ANSWER_BYTES_MAX / 2 + 1]));
        let mut answers = Answers::default();
        assert_eq!(answers.open(large()), Ok(1));
        assert_eq!(answers.open(large()), Err(Full::Bytes));
        assert!(answers.close(1).is_some());
        assert_eq!(answers.open(large()), Ok(1));
        let whole = Answer::new(Vec::new(), Bytes::from(vec![0; ANSWER_BYTES_MAX + 1]));
        assert_eq!(Answers::default().open(whole), Ok(1));
    }

    #[test]
    fn a_header_value_cannot_forge_a_line() {
        let headers = vec![("a".to_owned(), "1\nb: 2".to_owned())];
        let answer = Answer::new(headers, Bytes::new());
        assert_eq!(answer.header_block(), "a: 1 b: 2\n");
        assert_eq!(answer.header("A"), Some("1\nb: 2"));
    }
}
