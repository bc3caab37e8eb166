//! Grants: what a route's guest may ask of Dapr. Everything else is refused.

/// A component and the names within it that are granted.
///
/// Written `component/pattern`; a pattern is one exact name, or a prefix followed by `*`. The
/// component alone means all its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The component's name, always exact.
    pub component: String,
    /// Which names.
    pub pattern: Pattern,
}

/// Which names of a component are granted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pattern {
    /// One name.
    Exact(String),
    /// All names with this prefix; the empty prefix means all names.
    Prefix(String),
}

/// What may be done with the runtime's metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataGrant {
    /// Reading all of it.
    Read,
    /// Adding to the extended part.
    Write,
}

impl std::fmt::Display for MetadataGrant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
        })
    }
}

/// All grants of a route, by building block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// State stores and keys, to read and to write.
    pub state: Vec<Grant>,
    /// State stores and keys, to read only.
    pub state_read: Vec<Grant>,
    /// State stores and keys, to write only.
    pub state_write: Vec<Grant>,
    /// State stores to query, with all their keys.
    pub state_query: Vec<Grant>,
    /// Pub/sub components and topics to publish to.
    pub publish: Vec<Grant>,
    /// Output bindings and operations.
    pub bindings: Vec<Grant>,
    /// Apps to call and their methods.
    pub invoke: Vec<Grant>,
    /// Secret stores and secrets.
    pub secrets: Vec<Grant>,
    /// Configuration stores and keys.
    pub configuration: Vec<Grant>,
    /// Lock stores and resources.
    pub lock: Vec<Grant>,
    /// The app's jobs, by name.
    pub jobs: Vec<Pattern>,
    /// Crypto components and keys to encrypt with.
    pub encrypt: Vec<Grant>,
    /// Crypto components and keys to decrypt with.
    pub decrypt: Vec<Grant>,
    /// Conversation components.
    pub conversation: Vec<String>,
    /// Actor types and ids.
    pub actors: Vec<Grant>,
    /// What may be done with the runtime's metadata.
    pub metadata: Vec<MetadataGrant>,
    /// Rpcs of Dapr that have no function of their own in the guest ABI.
    pub call: Vec<String>,
}

impl Grant {
    /// Reads `component` or `component/pattern`. `None` when the component is empty, the pattern
    /// is empty, or a `*` stands anywhere but at the end.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (component, pattern) = text.split_once('/').unwrap_or((text, "*"));
        if component.is_empty() || component.contains('*') {
            return None;
        }
        let pattern = Pattern::parse(pattern)?;
        Some(Self { component: component.into(), pattern })
    }

    /// Whether this grant covers `name` of `component`. Names are compared byte for byte.
    #[must_use]
    pub fn allows(&self, component: &str, name: &str) -> bool {
        self.component == component && self.pattern.allows(name)
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
        }
    }
}

impl Pattern {
    /// Reads one exact name, or a prefix followed by `*`. `None` when it is empty, or when a `*`
    /// stands anywhere but at the end.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (prefix, any) = match text.strip_suffix('*') {
            Some(prefix) => (prefix, true),
            None => (text, false),
        };
        if text.is_empty() || prefix.contains('*') {
            return None;
        }
        Some(if any { Self::Prefix(prefix.into()) } else { Self::Exact(prefix.into()) })
    }

    /// Whether this covers `name`. Names are compared byte for byte.
    #[must_use]
    pub fn allows(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == name,
            Self::Prefix(prefix) => name.starts_with(prefix.as_str()),
        }
    }
}

impl std::fmt::Display for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.pattern {
            Pattern::Exact(name) => write!(f, "{}/{name}", self.component),
            Pattern::Prefix(prefix) if prefix.is_empty() => f.write_str(&self.component),
            Pattern::Prefix(prefix) => write!(f, "{}/{prefix}*", self.component),
        }
    }
}

impl Grants {
    /// Whether nothing is granted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_covers_what_it_names_and_no_more() {
        let grant = Grant::parse("orders/user-*").expect("valid");
        assert!(grant.allows("orders", "user-7"));
        assert!(!grant.allows("orders", "admin"));
        assert!(!grant.allows("order", "user-7"));
        let all = Grant::parse("orders").expect("valid");
        assert!(all.allows("orders", ""));
        let exact = Grant::parse("bus/placed").expect("valid");
        assert!(exact.allows("bus", "placed"));
        assert!(!exact.allows("bus", "placed2"));
    }

    #[test]
    fn malformed_grants_are_refused() {
        for text in ["", "/x", "a/", "*", "a/*b", "a*/b", "a/b**"] {
            assert_eq!(Grant::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_grant_prints_as_it_is_written() {
        for text in ["a", "a/b", "a/b*"] {
            assert_eq!(Grant::parse(text).map(|g| g.to_string()).as_deref(), Some(text));
        }
    }
}
