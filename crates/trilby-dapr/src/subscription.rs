//! What an app wants to be told of, whoever tells it.

use std::time::Duration;

use crate::{Condition, Metadata};

/// Where something is delivered in the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The path of a URL, percent-encoded, with its leading `/`.
    pub path: String,
    /// How long its receiver runs at most, and at most waits before that. A delivery that takes
    /// even longer is broken off.
    pub deadline: Duration,
}

/// A topic whose events are delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The pub/sub component.
    pub pubsub: String,
    /// The topic; one that ends in `*` stands for all that begin so, where the broker has that.
    pub topic: String,
    /// The first whose condition is true gets the event.
    pub rules: Vec<Rule>,
    /// Who gets an event that no rule wants; nobody if `None`.
    pub default: Option<Target>,
    /// The topic for events that could not be delivered.
    pub dead_letter_topic: Option<String>,
    /// Whether several events may come at once.
    pub bulk: Option<Bulk>,
    /// Such as `rawPayload`.
    pub metadata: Metadata,
}

/// A routing rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Whose events.
    pub condition: Condition,
    /// Where they go.
    pub target: Target,
}

/// Several events at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bulk {
    /// How many at most; Dapr's default is 100.
    pub max_messages: u32,
    /// How long to wait for more; Dapr's default is a second.
    pub max_await: Duration,
}

impl Default for Bulk {
    fn default() -> Self {
        Self { max_messages: 100, max_await: Duration::from_secs(1) }
    }
}

/// An input binding whose triggers are delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputBinding {
    /// The component.
    pub name: String,
    /// Where its triggers go.
    pub target: Target,
}

/// Keys of a configuration store whose changes are delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigurationWatch {
    /// The component.
    pub store: String,
    /// The one key, or else all: whoever receives the changes looks at the key.
    pub key: Option<String>,
    /// How long a receiver of a change runs at most.
    pub deadline: Duration,
}
