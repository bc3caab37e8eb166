//! Actors: call their methods, and for those that this very sidecar hosts, their state and timers.
//!
//! ```no_run
//! use trilby_guest::actor::Actor;
//!
//! # fn main() -> trilby_guest::Result<()> {
//! let cart = Actor::new("Cart", "ada");
//! let total = cart.invoke("total", "")?;
//! cart.reminder("abandoned").due_time("1h").register(r#"{"mail": true}"#)?;
//! # let _ = total;
//! # Ok(())
//! # }
//! ```

mod schedule;
mod state;

pub use schedule::{Reminder, ReminderInfo, Timer};
pub use state::Transaction;

use crate::call::{Answer, Options};
use crate::{Result, raw};

/// An actor, by its type and id. Nothing is called to make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor<'a> {
    kind: &'a str,
    id: &'a str,
}

impl<'a> Actor<'a> {
    /// The actor of this type with this id.
    #[must_use]
    pub fn new(kind: &'a str, id: &'a str) -> Self {
        Self { kind, id }
    }

    /// Calls a method, and gives what it answers.
    pub fn invoke(&self, method: &str, data: impl AsRef<[u8]>) -> Result<Vec<u8>> {
        self.call(method).send(data)
    }

    /// A call of a method with metadata.
    pub fn call(&self, method: &'a str) -> Invoke<'a> {
        Invoke { actor: *self, method, options: Options::default() }
    }

    /// Reads a key of the actor's state; empty if it is missing.
    pub fn get_state(&self, key: &str) -> Result<Vec<u8>> {
        Answer::open(raw::actor_get_state(self.kind, self.id, key, ""))?.body()
    }

    /// Changes of the actor's state.
    pub fn transaction(&self) -> Transaction<'a> {
        Transaction::new(*self)
    }

    /// A reminder: the actor is called at its time, even if it sleeps.
    pub fn reminder(&self, name: &'a str) -> Reminder<'a> {
        Reminder::new(*self, name)
    }

    /// A timer: the actor is called at its time, unless it sleeps by then.
    pub fn timer(&self, name: &'a str) -> Timer<'a> {
        Timer::new(*self, name)
    }
}

/// A call of an actor's method with metadata. Give each name once.
#[derive(Clone, Debug)]
#[must_use = "nothing is called before `send`"]
pub struct Invoke<'a> {
    actor: Actor<'a>,
    method: &'a str,
    options: Options,
}

impl Invoke<'_> {
    /// Passes metadata to the actor's host.
    pub fn metadata(mut self, name: &str, value: &str) -> Self {
        self.options.push_metadata(name, value);
        self
    }

    /// Calls, and gives what the method answers.
    pub fn send(self, data: impl AsRef<[u8]>) -> Result<Vec<u8>> {
        let (Actor { kind, id }, options) = (self.actor, self.options.block()?);
        Answer::open(raw::actor_invoke(kind, id, self.method, options, data))?.body()
    }
}
