//! The kinds of component that the embedded runtime has.

use std::fmt;

/// What a component is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A state store.
    State,
    /// A publish/subscribe broker.
    Pubsub,
    /// A binding that guests invoke.
    OutputBinding,
    /// A binding that triggers guests.
    InputBinding,
    /// A secret store.
    SecretStore,
    /// A configuration store.
    Configuration,
    /// A lock store.
    Lock,
    /// A provider of encryption.
    Crypto,
    /// A partner for conversations.
    Conversation,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::State => "state",
            Self::Pubsub => "pubsub",
            Self::OutputBinding => "output binding",
            Self::InputBinding => "input binding",
            Self::SecretStore => "secret store",
            Self::Configuration => "configuration",
            Self::Lock => "lock",
            Self::Crypto => "crypto",
            Self::Conversation => "conversation",
        })
    }
}
