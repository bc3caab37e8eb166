//! The routes of one host by the segments of their paths.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::pattern::{Kind, Pattern, Segment};

/// A tree whose edges are segments. A lookup goes to each node at most once, and no deeper than
/// the routes are, whatever the path.
#[derive(Clone, Debug, Default)]
pub(super) struct Trie {
    literals: BTreeMap<Box<str>, Self>,
    parameter: Option<Box<Self>>,
    /// The routes whose path ends here, in the table's order.
    exact: Vec<usize>,
    /// The routes whose prefix ends here, in the table's order.
    prefix: Vec<usize>,
}

impl Trie {
    pub(super) fn insert(&mut self, pattern: &Pattern, place: usize) {
        let mut node = self;
        for segment in pattern.segments() {
            node = match segment {
                Segment::Literal(text) => node.literals.entry(text.clone()).or_default(),
                Segment::Parameter(_) => node.parameter.get_or_insert_default(),
            };
        }
        match pattern.kind() {
            Kind::Exact => node.exact.push(place),
            Kind::Prefix => node.prefix.push(place),
        }
    }

    /// Shows the routes that match a path, the most specific first, until told to stop. The path
    /// comes without its first slash; `None` once all its segments are walked.
    pub(super) fn visit(
        &self,
        path: Option<&str>,
        show: &mut impl FnMut(usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match path {
            None => self.exact.iter().try_for_each(|place| show(*place))?,
            Some(_) if self.literals.is_empty() && self.parameter.is_none() => {}
            Some(path) => {
                let (segment, rest) = match path.split_once('/') {
                    Some((segment, rest)) => (segment, Some(rest)),
                    None => (path, None),
                };
                if let Some(child) = self.literals.get(segment) {
                    child.visit(rest, show)?;
                }
                if let Some(child) = &self.parameter
                    && !segment.is_empty()
                {
                    child.visit(rest, show)?;
                }
            }
        }
        self.prefix.iter().try_for_each(|place| show(*place))
    }
}
