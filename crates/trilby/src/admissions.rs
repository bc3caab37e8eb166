//! Bounds on running and waiting requests that outlive a reload: what runs on the old version counts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use trilby_server::Admission;

/// The admissions of the process and of routes, by name and bounds.
#[derive(Clone, Default)]
pub(crate) struct Admissions(Arc<Mutex<HashMap<Key, Admission>>>);

type Key = (String, usize, usize);

/// Names that no application keeps using; they are forgotten beyond so many.
const KEPT_MAX: usize = 10_000;

impl Admissions {
    /// The admission of this name, which is a new one if its bounds were others.
    pub(crate) fn get(&self, name: &str, running_max: usize, waiting_max: usize) -> Admission {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (name.to_owned(), running_max, waiting_max);
        if !all.contains_key(&key) {
            all.retain(|(known, ..), _| known != name);
        }
        if all.len() > KEPT_MAX {
            all.clear();
        }
        all.entry(key).or_insert_with(|| Admission::new(running_max, waiting_max)).clone()
    }
}
