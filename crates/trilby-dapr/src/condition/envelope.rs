//! A CloudEvents envelope as the values of CEL, and the count of a rule's work on it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use cel::common::types::{CelBool, CelDouble, CelList, CelMap, CelNull, CelString};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use serde_json::{Map, Value};

use super::check::{SEARCH, TURN};

/// The work that a rule may be for one event, in steps: a turn of a loop, or a value of the
/// envelope that the rule looks at. Some 0.2 s in the worst case; far more than a sensible rule.
const STEPS_MAX: u32 = 1 << 18;

/// A regular expression is compiled at each use, which takes as long as some hundred steps.
const SEARCH_STEPS: u32 = 1 << 8;

/// The part of a text that is compared, or searched for another, in the time of a step.
const STEP_BYTES: usize = 16 << 10;

/// The part of a text that a regular expression goes through in the time of a step.
const SEARCH_STEP_BYTES: usize = 128;

/// What answers for `event`. Only what is asked for is converted.
pub(super) struct Envelope<'a> {
    members: &'a Map<String, Value>,
    steps_left: AtomicU32,
    /// The length of the longest text that the rule has had, and may go through in any turn.
    longest_text: AtomicUsize,
}

impl<'a> Envelope<'a> {
    pub(super) fn new(members: &'a Map<String, Value>) -> Self {
        Self { members, steps_left: AtomicU32::new(STEPS_MAX), longest_text: AtomicUsize::new(0) }
    }

    /// Whether the rule has used up its steps. From then on no name has a value.
    pub(super) fn is_exhausted(&self) -> bool {
        self.steps_left.load(Ordering::Relaxed) == 0
    }

    /// `None` when the steps are used up.
    fn charge(&self, steps: u32) -> Option<()> {
        let left = self.steps_left.load(Ordering::Relaxed).saturating_sub(steps);
        self.steps_left.store(left, Ordering::Relaxed);
        (left > 0).then_some(())
    }

    /// Charges for something that is done with any text, but at least for `steps`.
    fn charge_text(&self, steps: u32, step_bytes: usize) -> Option<()> {
        let longest = self.longest_text.load(Ordering::Relaxed);
        self.charge(steps.saturating_add(text_steps(longest, step_bytes)))
    }

    /// What is always true, as long as there are steps left.
    fn proceed<'b>(charged: Option<()>) -> Option<CowVal<'b, 'b>> {
        charged.map(|()| CowVal::owned(CelBool::from(true)))
    }

    fn value(&self, value: &'a Value) -> Option<Box<dyn Val + 'a>> {
        self.charge(1)?;
        Some(match value {
            Value::Null => Box::new(CelNull),
            Value::Bool(value) => Box::new(CelBool::from(*value)),
            Value::Number(number) => Box::new(CelDouble::from(number.as_f64().unwrap_or(f64::NAN))),
            Value::String(text) => {
                self.longest_text.fetch_max(text.len(), Ordering::Relaxed);
                self.charge(text_steps(text.len(), STEP_BYTES))?;
                Box::new(CelString::from(text.as_str()))
            }
            Value::Array(items) => {
                let items = items.iter().map(|item| self.value(item));
                Box::new(CelList::from(items.collect::<Option<Vec<_>>>()?))
            }
            Value::Object(members) => self.map(members)?,
        })
    }

    fn map(&self, members: &'a Map<String, Value>) -> Option<Box<dyn Val + 'a>> {
        let entries =
            members.iter().map(|(key, value)| Some((key.as_str().into(), self.value(value)?)));
        Some(Box::new(CelMap::from(entries.collect::<Option<HashMap<_, _>>>()?)))
    }
}

impl VariableResolver for Envelope<'_> {
    /// The interpreter asks for the longest name first: `event.data.count` for that expression.
    /// When there is no such member it asks for what is before it, and tells what is missing.
    fn resolve<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        match name {
            TURN => return Self::proceed(self.charge_text(1, STEP_BYTES)),
            SEARCH => return Self::proceed(self.charge_text(SEARCH_STEPS, SEARCH_STEP_BYTES)),
            "event" => return self.map(self.members).map(CowVal::Owned),
            _ => {}
        }
        let mut names = name.strip_prefix("event.")?.split('.');
        let mut value = self.members.get(names.next()?)?;
        for name in names {
            value = value.as_object()?.get(name)?;
        }
        self.value(value).map(CowVal::Owned)
    }
}

fn text_steps(bytes: usize, step_bytes: usize) -> u32 {
    u32::try_from(bytes / step_bytes).unwrap_or(u32::MAX)
}
