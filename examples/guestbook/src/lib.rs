//! What the guestbook's three guests share: the records in the state store, and how to change one
//! without losing what another guest wrote meanwhile.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use trilby_guest::state::{self, Set};

/// The component that holds all state.
pub const STORE: &str = "statestore";
/// Its key for the list of entries, newest last.
pub const ENTRIES: &str = "entries";
/// Its key for the number of entries ever added.
pub const COUNT: &str = "count";

/// How often a change is tried before the guest gives up. Of several writers that meet, one gets on
/// in each round, and an unlucky one may wait for many rounds.
const ATTEMPTS_MAX: u32 = 100;

/// One entry of the guestbook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub name: String,
    pub text: String,
}

/// The number of events counted, and the ids of the last ones: a topic may deliver one twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    pub total: u64,
    pub recent: Vec<String>,
}

impl Count {
    /// Ids kept. A redelivery after this many other events is counted again.
    const RECENT_MAX: usize = 64;

    /// Counts an event. False if it was counted before.
    pub fn add(&mut self, id: &str) -> bool {
        if self.recent.iter().any(|seen| seen == id) {
            return false;
        }
        self.total += 1;
        self.recent.push(id.to_owned());
        keep_last(&mut self.recent, Self::RECENT_MAX);
        true
    }
}

/// Drops all items but the last ones. Returns how many it dropped.
pub fn keep_last<T>(items: &mut Vec<T>, count_max: usize) -> usize {
    items.drain(..items.len().saturating_sub(count_max)).count()
}

/// Why state could not be read or changed.
#[derive(Debug)]
pub enum Error {
    /// The host refused.
    Call(trilby_guest::Error),
    /// What the store holds is not what this guest wrote.
    Record(serde_json::Error),
}

impl Error {
    /// The status to answer with: for a topic or a binding, anything but 2xx asks for a retry.
    pub fn status(&self) -> u16 {
        match self {
            Self::Call(error) if error.is_conflict() || error.is_unavailable() => 503,
            Self::Call(error) if error.is_deadline() => 504,
            Self::Call(_) | Self::Record(_) => 500,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(error) => error.fmt(f),
            Self::Record(error) => write!(f, "unreadable record: {error}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<trilby_guest::Error> for Error {
    fn from(error: trilby_guest::Error) -> Self {
        Self::Call(error)
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Record(error)
    }
}

/// Reads a record; a missing one is its default.
pub fn load<T: DeserializeOwned + Default>(key: &str) -> Result<T, Error> {
    parse(&state::get(STORE, key)?)
}

/// Changes a record, again from the start when another guest was faster. `change` returns false
/// if there is nothing to write.
pub fn update<T>(key: &str, mut change: impl FnMut(&mut T) -> bool) -> Result<(), Error>
where
    T: Serialize + DeserializeOwned + Default,
{
    let mut attempt = 1;
    loop {
        let seen = state::get(STORE, key)?;
        let mut record: T = parse(&seen)?;
        if !change(&mut record) {
            return Ok(());
        }
        let data = serde_json::to_vec(&record)?;
        match Set::new(STORE, key, &data).unless_changed(&seen).send() {
            Err(error) if error.is_conflict() && attempt < ATTEMPTS_MAX => attempt += 1,
            outcome => return Ok(outcome?),
        }
    }
}

fn parse<T: DeserializeOwned + Default>(value: &state::Value) -> Result<T, Error> {
    match value.data.as_slice() {
        [] => Ok(T::default()),
        data => Ok(serde_json::from_slice(data)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_counted_once() {
        let mut count = Count::default();
        assert!(count.add("a"));
        assert!(!count.add("a"));
        for id in 0..100 {
            count.add(&id.to_string());
        }
        assert_eq!((count.total, count.recent.len()), (101, Count::RECENT_MAX));
    }
}
