//! What the guests share: their records in the state store, and what an error means to a caller.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trilby_guest::cgi::Response;

/// The component that holds all state.
pub const STORE: &str = "statestore";
/// Its key for the tally.
pub const TALLY: &str = "tally";
/// The type of the event that tells of a new order.
pub const PLACED: &str = "order.placed";

/// An order, as a client sends it and as its event carries it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub item: String,
    pub count: u32,
}

/// How many of each item were ordered, and the events counted last: a topic may deliver one twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub items: BTreeMap<String, u64>,
    recent: Vec<String>,
}

impl Tally {
    /// Ids kept. A redelivery after this many other events is counted again.
    const RECENT_MAX: usize = 64;

    /// Counts an order. False if its event was counted before.
    pub fn add(&mut self, event_id: &str, order: &Order) -> bool {
        if self.recent.iter().any(|seen| seen == event_id) {
            return false;
        }
        *self.items.entry(order.item.clone()).or_default() += u64::from(order.count);
        self.recent.push(event_id.to_owned());
        self.recent.drain(..self.recent.len().saturating_sub(Self::RECENT_MAX));
        true
    }
}

/// Any error of a guest. A record that cannot be read counts as one.
pub type Error = Box<dyn std::error::Error>;

/// The answer when something went wrong. For events, anything but 2xx and 404 asks for a retry.
pub fn failed(error: &Error) -> Response {
    eprintln!("{error}");
    match error.downcast_ref::<trilby_guest::Error>() {
        Some(error) if error.is_conflict() || error.is_unavailable() => Response::retry(),
        Some(error) if error.is_deadline() => Response::new(504),
        _ => Response::new(500),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_counted_once() {
        let (mut tally, order) = (Tally::default(), Order { item: "tea".to_owned(), count: 2 });
        assert!(tally.add("a", &order));
        assert!(!tally.add("a", &order));
        assert!(tally.add("b", &order));
        assert_eq!(tally.items, BTreeMap::from([("tea".to_owned(), 4)]));
    }
}
