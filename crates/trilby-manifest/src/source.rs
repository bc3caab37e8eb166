//! The text of a manifest, and messages that show where in it they belong.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::findings::{Problem, Span};
use crate::{Part, Place};

/// A manifest's text and the name it has in messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    name: String,
    text: String,
    /// Where each line begins, in bytes.
    lines: Vec<usize>,
}

impl Source {
    pub(crate) fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let after_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(after_breaks).collect();
        Self { name: name.into(), text, lines }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// A route's place, given its header and the parts that it has.
    pub(crate) fn place(
        &self,
        header: Span,
        parts: impl IntoIterator<Item = (Part, Option<Span>)>,
    ) -> Place {
        let line = self.line(header.start);
        let parts = parts.into_iter().filter_map(|(part, span)| Some((part, span?)));
        Place { line, parts: parts.chain([(Part::Route, header)]).collect() }
    }

    /// All of a line, without the end of it.
    pub(crate) fn line_span(&self, line: usize) -> Span {
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let text = self.text.get(start..).unwrap_or_default();
        start..start + text.lines().next().unwrap_or_default().len()
    }

    /// The line of a byte, from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at)
    }

    /// `file:line:column`, both from 1; the column counts characters, as editors do.
    pub(crate) fn position(&self, at: usize) -> String {
        let line = self.line(at);
        let start = self.lines.get(line - 1).copied().unwrap_or_default();
        let before = self.text.get(start..self.text.floor_char_boundary(at)).unwrap_or_default();
        format!("{}:{line}:{}", self.name, before.chars().count() + 1)
    }

    /// The problem with the lines it is about, in the manner of rustc, without colour.
    pub(crate) fn render(&self, problem: &Problem) -> String {
        if problem.is_secret {
            return format!("error: {}\n --> {}", problem.title, self.position(problem.span.start));
        }
        let primary =
            AnnotationKind::Primary.span(self.bounded(&problem.span)).label(problem.label.as_ref());
        let mut snippet =
            Snippet::source(self.text.as_str()).path(self.name.as_str()).annotation(primary);
        if let Some((span, label)) = &problem.context {
            let context = AnnotationKind::Context.span(self.bounded(span)).label(label);
            snippet = snippet.annotation(context);
        }
        let mut group = Level::ERROR.primary_title(problem.title.as_str()).element(snippet);
        if let Some(help) = &problem.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        Renderer::plain().render(&[group])
    }

    /// The span within the text and on whole characters: what the renderer relies on.
    fn bounded(&self, span: &Span) -> Span {
        let start = self.text.floor_char_boundary(span.start);
        start..self.text.ceil_char_boundary(span.end).max(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters() {
        let source = Source::new("dir/trilby.toml", "a = 1\né = 2\n");
        assert_eq!(source.position(0), "dir/trilby.toml:1:1");
        assert_eq!(source.position(9), "dir/trilby.toml:2:3");
        assert_eq!(source.position(7), "dir/trilby.toml:2:1", "within a character");
        assert_eq!(source.position(99), "dir/trilby.toml:3:1", "beyond the end");
        let place = source.place(9..10, [(Part::Trigger, Some(0..1)), (Part::Module, None)]);
        assert_eq!(place.line, 2);
        assert_eq!(place.parts, [(Part::Route, 9..10), (Part::Trigger, 0..1)].into());
        assert_eq!([0, 1, 2, 9].map(|line| source.line_span(line)), [0..5, 0..5, 6..12, 0..5]);
    }

    #[test]
    fn rendering_agrees_with_position_whatever_the_span() {
        for text in ["", "\n", "\r\n\r\n", "a\r\nb\r\n", "é\t= '日本'\n", "\u{feff}a = 1", "a\0b"]
        {
            let source = Source::new("x.toml", text);
            for start in 0..=text.len() + 1 {
                for end in [0, start, start + 1, text.len() + 9] {
                    let problem = Problem::new(start..end, "bad").context(0..1, "here");
                    let report = source.render(&problem);
                    assert!(report.starts_with("error: bad\n"), "{text:?} {start} {report}");
                }
            }
        }
    }

    #[test]
    fn the_report_points_to_where_position_says() {
        let source = Source::new("x.toml", "é = 1\n\tbb = 'é' # c\r\nlast");
        for at in [0, 3, 7, 8, 14, 22, 26] {
            let report = source.render(&Problem::new(at..at + 1, "bad"));
            let arrow = format!("--> {}\n", source.position(at));
            assert!(report.contains(&arrow), "{at} {arrow} {report}");
        }
    }
}
