//! The README shows lines of the programs.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use trilby_testkit::repository;

/// All sources of a program; `main` is the first of them.
fn source(folder: &Path) -> Result<String> {
    let mut files: Vec<_> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.retain(|path| {
        path.extension().is_some_and(|e| ["rs", "py", "go", "cjs"].iter().any(|x| e == *x))
    });
    files.sort_by_key(|path| (path.file_stem().is_none_or(|stem| stem != "main"), path.clone()));
    ensure!(!files.is_empty(), "no sources in {}", folder.display());
    let texts = files.iter().map(fs::read_to_string).collect::<Result<Vec<_>, _>>()?;
    Ok(texts.join("\n"))
}

/// The first line of a block that is not in the source after the ones before it, whatever the
/// indentation.
fn strange_line<'a>(block: &'a str, source: &str) -> Option<&'a str> {
    let mut source = source.lines().map(str::trim);
    block
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !source.any(|other| other == *line))
}

#[test]
fn the_readme_shows_lines_of_the_programs() -> Result<()> {
    let readme = fs::read_to_string(repository().join("README.md"))?;
    let (_, section) = readme.split_once("### Any Dapr SDK\n").context("no such section")?;
    let section = section.split("\n## ").next().unwrap_or_default();
    for language in ["python", "go", "rust", "js"] {
        let (_, block) = section.split_once(&format!("```{language}\n")).context(language)?;
        let block = block.split("```").next().unwrap_or_default();
        ensure!(block.lines().count() > 2, "{language}: {block:?}");
        let source = source(&repository().join("tests/sdks").join(language))?;
        let strange = strange_line(block, &source);
        ensure!(
            strange.is_none(),
            "{language}: {strange:?} is not in the program, or not in this place"
        );
    }
    Ok(())
}

#[test]
fn a_line_that_is_missing_or_out_of_order_is_found() {
    let source = "a\n  b\nc\n";
    for (block, strange) in
        [("a\nc", None), ("\tb\n\nc", None), ("c\nb", Some("b")), ("d", Some("d"))]
    {
        assert_eq!(strange_line(block, source), strange, "{block:?}");
    }
}
