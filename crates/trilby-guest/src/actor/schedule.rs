//! Reminders and timers.

use super::Actor;
use crate::call::{self, Answer, Options};
use crate::{Result, raw};

/// A reminder of an actor. Name each option once.
#[derive(Clone, Debug)]
#[must_use = "nothing happens before `register`, `get` or `unregister`"]
pub struct Reminder<'a> {
    actor: Actor<'a>,
    name: &'a str,
    options: Options,
}

/// What a reminder was registered with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReminderInfo {
    /// When it comes first.
    pub due_time: Option<String>,
    /// The time between two.
    pub period: Option<String>,
    /// When it ends.
    pub ttl: Option<String>,
    /// Its data, in JSON.
    pub data: Vec<u8>,
}

/// A timer of an actor. Name each option once.
#[derive(Clone, Debug)]
#[must_use = "nothing happens before `register` or `unregister`"]
pub struct Timer<'a> {
    actor: Actor<'a>,
    name: &'a str,
    options: Options,
}

impl<'a> Reminder<'a> {
    pub(super) fn new(actor: Actor<'a>, name: &'a str) -> Self {
        Self { actor, name, options: Options::default() }
    }

    /// Whether it takes the place of a reminder of the same name.
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.options.push("overwrite", if overwrite { "true" } else { "false" });
        self
    }

    /// Registers the reminder. Its data is JSON, or empty.
    pub fn register(self, data: impl AsRef<[u8]>) -> Result<()> {
        let (Actor { kind, id }, options) = (self.actor, self.options.block()?);
        call::done(raw::actor_register_reminder(kind, id, self.name, options, data))
    }

    /// Reads what the reminder was registered with, whatever options are set here.
    pub fn get(self) -> Result<ReminderInfo> {
        let Actor { kind, id } = self.actor;
        let answer = Answer::open(raw::actor_get_reminder(kind, id, self.name, ""))?;
        let headers = answer.headers()?;
        let field = |name| call::find(&headers, name).map(str::to_owned);
        Ok(ReminderInfo {
            due_time: field("due-time"),
            period: field("period"),
            ttl: field("ttl"),
            data: answer.body()?,
        })
    }

    /// Removes the reminder, whatever options are set here.
    pub fn unregister(self) -> Result<()> {
        let Actor { kind, id } = self.actor;
        call::done(raw::actor_unregister_reminder(kind, id, self.name, ""))
    }
}

impl<'a> Timer<'a> {
    pub(super) fn new(actor: Actor<'a>, name: &'a str) -> Self {
        Self { actor, name, options: Options::default() }
    }

    /// The actor's method to call.
    pub fn callback(mut self, method: &str) -> Self {
        self.options.push("callback", method);
        self
    }

    /// Registers the timer. Its data is JSON, or empty.
    pub fn register(self, data: impl AsRef<[u8]>) -> Result<()> {
        let (Actor { kind, id }, options) = (self.actor, self.options.block()?);
        call::done(raw::actor_register_timer(kind, id, self.name, options, data))
    }

    /// Removes the timer, whatever options are set here.
    pub fn unregister(self) -> Result<()> {
        let Actor { kind, id } = self.actor;
        call::done(raw::actor_unregister_timer(kind, id, self.name, ""))
    }
}

macro_rules! times {
    ($($kind:ident)*) => {$(
        impl $kind<'_> {
            /// When it comes first: a duration such as `10s`, or a time as in RFC 3339.
            pub fn due_time(mut self, time: &str) -> Self {
                self.options.push("due-time", time);
                self
            }

            /// The time between two, in Go's or ISO 8601's notation.
            pub fn period(mut self, period: &str) -> Self {
                self.options.push("period", period);
                self
            }

            /// When it ends: a duration such as `10s`, or a time as in RFC 3339.
            pub fn ttl(mut self, time: &str) -> Self {
                self.options.push("ttl", time);
                self
            }
        }
    )*};
}

times!(Reminder Timer);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_written_as_the_abi_names_them() {
        let actor = Actor::new("T", "i");
        let reminder = actor.reminder("r").due_time("1s").period("2s").ttl("3s").overwrite(false);
        let expected = "due-time: 1s\nperiod: 2s\nttl: 3s\noverwrite: false\n";
        assert_eq!(reminder.options.block().unwrap(), expected);
        let timer = actor.timer("t").callback("tick").period("1s");
        assert_eq!(timer.options.block().unwrap(), "callback: tick\nperiod: 1s\n");
    }
}
