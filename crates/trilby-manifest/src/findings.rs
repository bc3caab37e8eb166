//! What is wrong with a manifest, collected while it is read.

use std::ops::Range;

use crate::source::Source;

/// Bytes of the manifest's text.
pub(crate) type Span = Range<usize>;

/// Problems that a report shows in full; the rest is counted. A file that is no manifest at all
/// must not fill the terminal.
const PROBLEMS_SHOWN_MAX: usize = 50;

/// Characters of a manifest's own text within a message.
const SHOWN_CHARS_MAX: usize = 200;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// What is wrong, in one line.
    pub(crate) title: String,
    /// Where.
    pub(crate) span: Span,
    /// What the title means for that place.
    pub(crate) label: Option<String>,
    /// Another place that has to do with it, and why.
    pub(crate) context: Option<(Span, String)>,
    /// What to write instead.
    pub(crate) help: Option<String>,
    /// Whether its line holds a secret, and so is not shown.
    pub(crate) is_secret: bool,
}

impl Problem {
    pub(crate) fn new(span: Span, title: impl Into<String>) -> Self {
        Self { title: title.into(), span, label: None, context: None, help: None, is_secret: false }
    }

    pub(crate) fn secret(mut self, is_secret: bool) -> Self {
        self.is_secret = is_secret;
        self
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    pub(crate) fn context(mut self, span: Span, label: impl Into<String>) -> Self {
        self.context = Some((span, label.into()));
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// All that was found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    errors: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Findings {
    pub(crate) fn error(&mut self, problem: Problem) {
        self.errors.push(problem);
    }

    pub(crate) fn warn(&mut self, problem: Problem) {
        self.warnings.push(problem);
    }

    pub(crate) fn error_count(&self) -> usize {
        self.errors.len()
    }

    /// All errors in file order, as a person reads them, and then the warnings, one line each: a
    /// warning may be the reason of an error.
    pub(crate) fn report(mut self, source: &Source) -> String {
        self.errors.sort_by_key(|problem| problem.span.start);
        let mut shown: Vec<String> =
            self.errors.iter().take(PROBLEMS_SHOWN_MAX).map(|p| source.render(p)).collect();
        let rest = self.errors.len().saturating_sub(PROBLEMS_SHOWN_MAX);
        if rest > 0 {
            shown.push(format!("error: problems in {} that are not shown: {rest}", source.name()));
        }
        let warnings = self.warning_lines(source);
        if !warnings.is_empty() {
            let rest = warnings.len().saturating_sub(PROBLEMS_SHOWN_MAX);
            let mut lines: Vec<String> =
                warnings.iter().take(PROBLEMS_SHOWN_MAX).map(|w| format!("warning: {w}")).collect();
            if rest > 0 {
                lines.push(format!("warnings that are not shown: {rest}"));
            }
            shown.push(lines.join("\n"));
        }
        shown.join("\n\n")
    }

    /// All warnings in file order, one line each: they go to the log.
    pub(crate) fn warning_lines(mut self, source: &Source) -> Vec<String> {
        self.warnings.sort_by_key(|problem| problem.span.start);
        let line = |problem: &Problem| {
            let help = problem.help.as_ref().map_or_else(String::new, |help| format!("; {help}"));
            format!("{}: {}{help}", source.position(problem.span.start), problem.title)
        };
        self.warnings.iter().map(line).collect()
    }
}

/// A manifest's own text as a message may show it: short, and without control characters.
pub(crate) fn shown(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(SHOWN_CHARS_MAX)
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_default());
            let plain = escaped.is_none().then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect();
    if text.chars().nth(SHOWN_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_report_is_cut_and_says_so() {
        let source = Source::new("trilby.toml", "a\n".repeat(60));
        let mut found = Findings::default();
        for line in (0..60).rev() {
            found.error(Problem::new(line * 2..line * 2 + 1, format!("problem {line}")));
        }
        let report = found.report(&source);
        assert!(report.starts_with("error: problem 0\n"), "{report}");
        assert!(
            report.ends_with("\n\nerror: problems in trilby.toml that are not shown: 10"),
            "{report}"
        );
    }

    #[test]
    fn odd_text_does_not_spoil_a_message() {
        assert_eq!(shown("a\nb\u{1b}[31m\0 \"é\""), "a\\nb\\u{1b}[31m\\u{0} \"é\"");
        assert_eq!(shown(&"x".repeat(201)).chars().count(), 201);
        assert!(shown(&"x".repeat(201)).ends_with('…'));
    }
}
