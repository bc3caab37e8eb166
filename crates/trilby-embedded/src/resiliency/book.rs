//! All policies by name, and those that apply by default.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::breaker::Settings;
use super::declared::{DeclaredResiliency, Name, PolicyNames};
use super::retry::{BackOff, Retry};
use crate::Error;
use crate::load::{mistake, nearest};

/// daprd's own retries, which a file may set otherwise. Those of actors have no effect here: there
/// are none.
const BUILT_IN: [(&str, Retry); 5] = [
    ("DaprBuiltInServiceRetries", constant(3)),
    ("DaprBuiltInActorRetries", constant(3)),
    ("DaprBuiltInActorReminderRetries", growing(60, 15 * 60, None)),
    ("DaprBuiltInInitializationRetries", growing(1, 10, Some(3))),
    (PROTECTED, constant(5)),
];

/// The one that daprd does not let a file set.
const PROTECTED: &str = "DaprBuiltInActorNotFoundRetries";

/// The fewest retries that daprd lets a file give a policy of its own.
const BUILT_IN_RETRIES_MIN: u32 = 3;

const fn constant(retries_max: u32) -> Retry {
    let back_off = BackOff::Constant(Duration::from_secs(1));
    Retry { back_off, retries_max: Some(retries_max), http: None }
}

const fn growing(wait_max_s: u64, elapsed_max_s: u64, retries_max: Option<u32>) -> Retry {
    let back_off = BackOff::Exponential {
        initial: Duration::from_millis(500),
        wait_max: Duration::from_secs(wait_max_s),
        elapsed_max: Some(Duration::from_secs(elapsed_max_s)),
    };
    Retry { back_off, retries_max, http: None }
}

/// The policies of all files. As in daprd they share one set of names, and the last of a name is
/// in force.
pub(super) struct Book {
    timeouts: BTreeMap<String, Duration>,
    retries: BTreeMap<String, Arc<Retry>>,
    breakers: BTreeMap<String, Settings>,
}

/// The policies that some names stand for.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub(super) timeout: Option<Duration>,
    pub(super) retry: Option<Arc<Retry>>,
    pub(super) breaker: Option<Settings>,
}

impl Found {
    pub(super) fn is_empty(&self) -> bool {
        self.timeout.is_none() && self.retry.is_none() && self.breaker.is_none()
    }
}

impl Book {
    pub(super) fn of(all: &[DeclaredResiliency]) -> Self {
        let built_in = BUILT_IN.map(|(name, retry)| (name.to_owned(), Arc::new(retry)));
        let mut book = Self {
            timeouts: BTreeMap::new(),
            retries: BTreeMap::from(built_in),
            breakers: BTreeMap::new(),
        };
        for declared in all {
            for (name, timeout) in &declared.timeouts {
                note_double(
                    declared,
                    name,
                    book.timeouts.insert(name.text.clone(), *timeout).is_some(),
                );
            }
            for (name, retry) in &declared.retries {
                book.add_retry(declared, name, retry.clone());
            }
            for (name, settings) in &declared.breakers {
                let old = book.breakers.insert(name.text.clone(), settings.clone());
                note_double(declared, name, old.is_some());
            }
        }
        book
    }

    fn add_retry(&mut self, declared: &DeclaredResiliency, name: &Name, mut retry: Retry) {
        let (file, line, policy) = (declared.file.display(), name.line, &name.text);
        if policy == PROTECTED {
            tracing::warn!(%file, line, policy, "no file may set this policy; it has no effect");
            return;
        }
        let is_built_in = BUILT_IN.iter().any(|(known, _)| known == policy);
        if is_built_in && retry.retries_max.is_none_or(|max| max < BUILT_IN_RETRIES_MIN) {
            tracing::warn!(%file, line, policy, "it has {BUILT_IN_RETRIES_MIN} retries at least");
            retry.retries_max = Some(BUILT_IN_RETRIES_MIN);
        }
        let old = self.retries.insert(policy.clone(), Arc::new(retry));
        note_double(declared, name, old.is_some() && !is_built_in);
    }

    /// What names stand for, which must all be there.
    pub(super) fn find(&self, file: &Path, names: &PolicyNames) -> Result<Found, Error> {
        Ok(Found {
            timeout: named(file, "timeout", names.timeout.as_ref(), &self.timeouts)?,
            retry: named(file, "retry", names.retry.as_ref(), &self.retries)?,
            breaker: named(file, "circuit breaker", names.breaker.as_ref(), &self.breakers)?,
        })
    }

    /// What applies to a target that no file names, by daprd's levels of names: for `Component` as
    /// in `DefaultComponentRetryPolicy`. The level of all targets is looked at last.
    pub(super) fn default(&self, levels: &[String]) -> Found {
        fn first<T: Clone>(
            all: &BTreeMap<String, T>,
            levels: &[String],
            policy: &str,
        ) -> Option<T> {
            let levels = levels.iter().map(String::as_str).chain([""]);
            levels
                .filter_map(|level| all.get(&format!("Default{level}{policy}Policy")))
                .next()
                .cloned()
        }
        Found {
            timeout: first(&self.timeouts, levels, "Timeout"),
            retry: first(&self.retries, levels, "Retry"),
            breaker: first(&self.breakers, levels, "CircuitBreaker"),
        }
    }
}

fn note_double(declared: &DeclaredResiliency, name: &Name, is_double: bool) {
    if is_double {
        let (file, line, policy) = (declared.file.display(), name.line, &name.text);
        tracing::warn!(%file, line, policy, "another policy has this name; this is in force");
    }
}

fn named<T: Clone>(
    file: &Path,
    what: &str,
    name: Option<&Name>,
    all: &BTreeMap<String, T>,
) -> Result<Option<T>, Error> {
    let Some(Name { text, line }) = name else {
        return Ok(None);
    };
    if let Some(found) = all.get(text) {
        return Ok(Some(found.clone()));
    }
    let names: Vec<&str> = all.keys().map(String::as_str).collect();
    let hint = nearest(text, &names).map_or_else(
        || "add it to `policies`".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    Err(mistake(file, *line, format!("there is no {what} policy `{text}`; {hint}")))
}
