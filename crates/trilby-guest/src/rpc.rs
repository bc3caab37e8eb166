//! Any other unary rpc of Dapr, in protobuf.
//!
//! ```no_run
//! use trilby_guest::rpc;
//!
//! # fn main() -> trilby_guest::Result<()> {
//! // ListActorRemindersRequest { actor_type: "Cart" }
//! let answer = rpc::call("ListActorReminders", b"\x0a\x04Cart")?;
//! # let _ = answer;
//! # Ok(())
//! # }
//! ```

use crate::call::{Answer, Options};
use crate::{Result, raw};

/// Calls an rpc of `dapr.proto.runtime.v1.Dapr` by its name. Those that have a function of their
/// own in this crate are refused here, and so are streaming ones.
pub fn call(method: &str, request: impl AsRef<[u8]>) -> Result<Vec<u8>> {
    Call::new(method).send(request)
}

/// A call with metadata. Give each name once.
#[derive(Clone, Debug)]
#[must_use = "nothing is called before `send`"]
pub struct Call<'a> {
    method: &'a str,
    options: Options,
}

impl<'a> Call<'a> {
    /// A call without metadata.
    pub fn new(method: &'a str) -> Self {
        Self { method, options: Options::default() }
    }

    /// Adds metadata of gRPC.
    pub fn metadata(mut self, name: &str, value: &str) -> Self {
        self.options.push_metadata(name, value);
        self
    }

    /// Calls with the request's message, and gives the answer's.
    pub fn send(self, request: impl AsRef<[u8]>) -> Result<Vec<u8>> {
        Answer::open(raw::call(self.method, self.options.block()?, request))?.body()
    }
}
