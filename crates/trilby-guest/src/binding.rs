//! Invoke output bindings: mail, files, queues, other systems.
//!
//! ```no_run
//! use trilby_guest::binding::Invoke;
//!
//! # fn main() -> trilby_guest::Result<()> {
//! let reply = Invoke::new("files", "create", "hello").metadata("fileName", "a.txt").send()?;
//! assert!(reply.data.is_empty());
//! # Ok(())
//! # }
//! ```

use crate::call::{self, Answer, Options};
use crate::{Result, raw};

/// What a binding answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// The answer's data.
    pub data: Vec<u8>,
    /// What the component adds, as pairs of name and value.
    pub metadata: Vec<(String, String)>,
}

/// Invokes an operation without metadata.
pub fn invoke(binding: &str, operation: &str, data: impl AsRef<[u8]>) -> Result<Reply> {
    Invoke::new(binding, operation, data.as_ref()).send()
}

/// A call of a binding with metadata. Give each name once.
#[derive(Clone, Debug)]
#[must_use = "nothing is invoked before `send`"]
pub struct Invoke<'a> {
    binding: &'a str,
    operation: &'a str,
    data: &'a [u8],
    options: Options,
}

impl<'a> Invoke<'a> {
    /// A call without metadata.
    pub fn new(
        binding: &'a str,
        operation: &'a str,
        data: &'a (impl AsRef<[u8]> + ?Sized),
    ) -> Self {
        Self { binding, operation, data: data.as_ref(), options: Options::default() }
    }

    /// Passes metadata to the component.
    pub fn metadata(mut self, name: &str, value: &str) -> Self {
        self.options.push_metadata(name, value);
        self
    }

    /// Invokes.
    pub fn send(self) -> Result<Reply> {
        let options = self.options.block()?;
        let result = raw::binding_invoke(self.binding, self.operation, options, self.data);
        let answer = Answer::open(result)?;
        let metadata = call::with_prefix(&answer.headers()?, "metadata.");
        Ok(Reply { data: answer.body()?, metadata })
    }
}
