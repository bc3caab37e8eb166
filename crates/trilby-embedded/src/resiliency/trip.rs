//! When a circuit breaker opens: an expression on its counts.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};
use trilby_dapr::{Condition, ConditionError};

use super::breaker::Counts;
use crate::load::types::nearest;

/// The counts that an expression may name (daprd's).
const NAMES: [&str; 5] =
    ["requests", "totalSuccesses", "totalFailures", "consecutiveSuccesses", "consecutiveFailures"];

/// A name that stands by itself. Expressions on counts have no texts in which one could stand.
static NAME: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[.A-Za-z_][A-Za-z0-9_]*").ok());

/// When a breaker opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trip {
    /// daprd's default: at the sixth failure in a row.
    Default,
    /// What an expression says, in CEL: `consecutiveFailures >= 5`.
    When(Condition),
}

impl Trip {
    /// Reads an expression; an empty one is the default. The error says what is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::Default);
        }
        if let Some(quote) = ['"', '\''].into_iter().find(|quote| text.contains(*quote)) {
            return Err(format!("`{quote}` begins a text, and counts are numbers"));
        }
        let Some(name) = NAME.as_ref() else {
            return Err("it cannot be read".to_owned());
        };
        // Conditions know one variable, an event; its members are the counts, which are integers.
        let text = name.replace_all(text, |found: &regex::Captures<'_>| {
            let name = found.get(0).map_or("", |name| name.as_str());
            match name {
                _ if NAMES.contains(&name) => format!("int(event.{name})"),
                "event" => "not_a_count".to_owned(),
                _ => name.to_owned(),
            }
        });
        Condition::parse(&text).map(Self::When).map_err(|error| match error {
            ConditionError::UnknownVariable { name } => {
                let hint = nearest(&name, &NAMES).map_or_else(
                    || format!("there are {}", NAMES.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                format!("there is no count `{name}`; {hint}")
            }
            other => other.to_string(),
        })
    }

    /// Whether a breaker with these counts opens. As in daprd, it does not when the expression
    /// cannot be told, as when it divides by zero.
    pub(super) fn is_due(&self, counts: &Counts) -> bool {
        match self {
            Self::Default => counts.consecutive_failures > 5,
            Self::When(condition) => condition.matches(&members(counts)).unwrap_or(false),
        }
    }
}

fn members(counts: &Counts) -> Map<String, Value> {
    let values = [
        counts.requests,
        counts.total_successes,
        counts.total_failures,
        counts.consecutive_successes,
        counts.consecutive_failures,
    ];
    NAMES.map(str::to_owned).into_iter().zip(values.map(Value::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_about_the_counts() {
        let counts = Counts {
            requests: 10,
            total_successes: 6,
            total_failures: 4,
            consecutive_successes: 0,
            consecutive_failures: 3,
        };
        for (text, is_due) in [
            ("", false),
            ("consecutiveFailures >= 3", true),
            ("consecutiveFailures > 3", false),
            ("requests >= 10 && totalFailures * 2 > 7", true),
            ("totalFailures / requests > 0.1", false),
            ("double(totalFailures) / double(requests) >= 0.4", true),
            ("totalSuccesses == 6 && consecutiveSuccesses == 0", true),
            ("totalFailures / consecutiveSuccesses > 1", false),
            ("requests", false),
            ("true", true),
        ] {
            assert_eq!(Trip::parse(text).unwrap().is_due(&counts), is_due, "{text}");
        }
        let six = Counts { consecutive_failures: 6, ..counts };
        assert!(Trip::Default.is_due(&six));
    }

    #[test]
    fn what_cannot_be_told_is_refused() {
        for (text, expected) in [
            (
                "consecutiveFailure > 5",
                "there is no count `consecutiveFailure`; did you mean `consecutiveFailures`?",
            ),
            (
                "event.type == 1",
                "there is no count `not_a_count`; there are requests, totalSuccesses",
            ),
            ("failures > 5", "there is no count `failures`; there are requests, "),
            ("requests > '5'", "`'` begins a text, and counts are numbers"),
            ("requests >", "the rule is not valid at line 1"),
            ("fail(requests)", "a rule cannot call `fail`"),
        ] {
            let error = Trip::parse(text).unwrap_err();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }
}
