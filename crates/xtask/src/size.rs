//! Files stay small, so that each can be read in one go.

use std::fs;
use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::{root, say};

const LINES_MAX: usize = 700;
const MEDIAN_LINES_MAX: usize = 150;

/// Checks every Rust and Go source of the project.
pub(crate) fn check() -> Result<()> {
    let mut sizes = Vec::new();
    let mut open: Vec<PathBuf> =
        ["crates", "examples", "tests"].iter().map(|folder| root().join(folder)).collect();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                open.extend(fs::read_dir(&path)?.flatten().map(|entry| entry.path()));
            }
        } else if path.extension().is_some_and(|e| e == "rs" || e == "go") {
            sizes.push((fs::read_to_string(&path)?.lines().count(), path));
        }
    }
    sizes.sort();
    let median = sizes.get(sizes.len() / 2).map_or(0, |(lines, _)| *lines);
    let longest = sizes.last().map_or(0, |(lines, _)| *lines);
    say(&format!("{} files, median {median} lines, longest {longest}", sizes.len()));
    let long: Vec<String> = sizes
        .iter()
        .filter(|(lines, _)| *lines > LINES_MAX)
        .map(|(lines, path)| format!("{} has {lines} lines", path.display()))
        .collect();
    if !long.is_empty() {
        bail!("more than {LINES_MAX} lines: {}", long.join(", "));
    }
    if median > MEDIAN_LINES_MAX {
        bail!("the median file has {median} lines, more than {MEDIAN_LINES_MAX}");
    }
    Ok(())
}
