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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// One name.
    Exact(String),
    /// All names with this prefix; the empty prefix means all names.
    Prefix(String),
}

/// All grants of a route, by building block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// State stores and keys.
    pub state: Vec<Grant>,
    /// Pub/sub components and topics to publish to.
    pub publish: Vec<Grant>,
    /// Output bindings and operations.
    pub bindings: Vec<Grant>,
    /// Secret stores and secrets.
    pub secrets: Vec<Grant>,
}

impl Grant {
    /// Reads `component` or `component/pattern`. `None` when the component is empty, the pattern
    /// is empty, or a `*` stands anywhere but at the end.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (component, pattern) = text.split_once('/').unwrap_or((text, "*"));
        let (prefix, any) = match pattern.strip_suffix('*') {
            Some(prefix) => (prefix, true),
            None => (pattern, false),
        };
        if component.is_empty() || pattern.is_empty() || component.contains('*') {
            return None;
        }
        if prefix.contains('*') {
            return None;
        }
        let pattern =
            if any { Pattern::Prefix(prefix.into()) } else { Pattern::Exact(prefix.into()) };
        Some(Self { component: component.into(), pattern })
    }

    /// Whether this grant covers `name` of `component`. Names are compared byte for byte.
    #[must_use]
    pub fn allows(&self, component: &str, name: &str) -> bool {
        self.component == component
            && match &self.pattern {
                Pattern::Exact(exact) => exact == name,
                Pattern::Prefix(prefix) => name.starts_with(prefix.as_str()),
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
        self.state.is_empty()
            && self.publish.is_empty()
            && self.bindings.is_empty()
            && self.secrets.is_empty()
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
