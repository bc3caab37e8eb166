//! Answers, kept for the guest to read by handle.

use bytes::Bytes;

/// Answers that a guest may hold at once.
pub(crate) const HANDLES_MAX: usize = 64;

/// One answer: headers and a body that is read once, from front to back.
#[derive(Debug, Default)]
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
}

impl Answers {
    /// Keeps an answer; `None` when too many are open.
    pub(crate) fn open(&mut self, answer: Answer) -> Option<i32> {
        let free = self.slots.iter().position(Option::is_none).unwrap_or(self.slots.len());
        if free >= HANDLES_MAX {
            return None;
        }
        match self.slots.get_mut(free) {
            Some(slot) => *slot = Some(answer),
            None => self.slots.push(Some(answer)),
        }
        i32::try_from(free + 1).ok()
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
mod tests {
    use super::*;

    #[test]
    fn handles_start_at_one_and_are_reused() {
        let mut answers = Answers::default();
        assert_eq!(answers.open(Answer::default()), Some(1));
        assert_eq!(answers.open(Answer::default()), Some(2));
        assert!(answers.close(1).is_some());
        assert!(answers.close(1).is_none());
        assert_eq!(answers.open(Answer::default()), Some(1));
        for unknown in [i32::MIN, -1, 0, 3, i32::MAX] {
            assert!(answers.get(unknown).is_none(), "{unknown}");
        }
    }

    #[test]
    fn there_is_a_limit() {
        let mut answers = Answers::default();
        for _ in 0..HANDLES_MAX {
            assert!(answers.open(Answer::default()).is_some());
        }
        assert_eq!(answers.open(Answer::default()), None);
    }

    #[test]
    fn a_header_value_cannot_forge_a_line() {
        let headers = vec![("a".to_owned(), "1\nb: 2".to_owned())];
        let answer = Answer::new(headers, Bytes::new());
        assert_eq!(answer.header_block(), "a: 1 b: 2\n");
        assert_eq!(answer.header("A"), Some("1\nb: 2"));
    }
}
