//! Which routes are never reached when the first match wins.

use std::collections::HashMap;

use crate::paths::split_prefix;

/// For each path, in order, the index of an earlier one that matches all that it matches.
pub(crate) fn covering<'a>(paths: impl IntoIterator<Item = &'a str>) -> Vec<Option<usize>> {
    let mut tree = Tree::default();
    paths.into_iter().enumerate().map(|(index, path)| tree.insert(path, index)).collect()
}

/// The paths so far, by their segments.
#[derive(Default)]
struct Tree<'a> {
    children: HashMap<(usize, &'a str), usize>,
    /// The first prefix and the first exact path that end at each node. The first node is the
    /// root, at which none ends.
    ends: HashMap<usize, Ends>,
}

#[derive(Clone, Copy, Default)]
struct Ends {
    prefix: Option<usize>,
    exact: Option<usize>,
}

impl<'a> Tree<'a> {
    /// The earlier path that covers this one; else this one is kept for those that follow.
    fn insert(&mut self, path: &'a str, index: usize) -> Option<usize> {
        let (base, is_prefix) = split_prefix(path);
        let mut node = 0;
        for segment in base.split('/') {
            let fresh = self.children.len() + 1;
            node = *self.children.entry((node, segment)).or_insert(fresh);
            if let Some(Ends { prefix: Some(prefix), .. }) = self.ends.get(&node) {
                return Some(*prefix);
            }
        }
        let ends = self.ends.entry(node).or_default();
        let slot = if is_prefix { &mut ends.prefix } else { &mut ends.exact };
        match *slot {
            Some(first) => Some(first),
            None => {
                *slot = Some(index);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_comes_later_is_covered() {
        for (paths, expected) in [
            (&["/a", "/a"][..], &[None, Some(0)][..]),
            (&["/a", "/a/..."], &[None, None]),
            (&["/a/...", "/a", "/a/", "/ab", "/a/b/..."], &[None, Some(0), Some(0), None, Some(0)]),
            (&["/...", "/", "/x"], &[None, Some(0), Some(0)]),
            (&["/x", "/...", "/x", "/y/..."], &[None, None, Some(1), Some(1)]),
            (&["/a/b", "/a/...", "/a/b"], &[None, None, Some(1)]),
            (&["//...", "/", "/a", "//a"], &[None, Some(0), None, Some(0)]),
        ] {
            assert_eq!(covering(paths.iter().copied()), expected, "{paths:?}");
        }
    }

    fn covers(earlier: &str, later: &str) -> bool {
        let (base, is_prefix) = split_prefix(earlier);
        let (other, other_is_prefix) = split_prefix(later);
        if !is_prefix {
            return !other_is_prefix && base == other;
        }
        other == base || other.strip_prefix(base).is_some_and(|rest| rest.starts_with('/'))
    }

    proptest! {
        #[test]
        fn the_tree_agrees_with_comparing_all(
            paths in proptest::collection::vec("(/[ab]?){1,3}(/[.]{3})?", 0..12)
        ) {
            let result = covering(paths.iter().map(String::as_str));
            for (at, covering) in result.iter().enumerate() {
                let is_covered = paths[..at].iter().any(|earlier| covers(earlier, &paths[at]));
                prop_assert_eq!(covering.is_some(), is_covered, "{} of {:?}", at, paths);
                if let Some(first) = covering {
                    prop_assert!(*first < at && covers(&paths[*first], &paths[at]));
                }
            }
        }
    }
}
