//! Text of guests in messages.

/// How much of a name a message repeats.
const SHOWN_CHARS_MAX: usize = 120;

/// A guest's text as a message may show it: short, and without control characters.
pub(crate) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_CHARS_MAX).flat_map(escaped).collect();
    if text.chars().nth(SHOWN_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

/// As `escape_debug`, but for quotes: what is shown is part of a line for a manifest.
fn escaped(c: char) -> impl Iterator<Item = char> {
    let plain = (c == '\'').then_some(c);
    let escaped = plain.is_none().then(|| c.escape_debug());
    plain.into_iter().chain(escaped.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_short_and_on_one_line() {
        assert_eq!(shown("a/b-1 `x` 'y' ä"), "a/b-1 `x` 'y' ä");
        assert_eq!(shown("a\nb\u{1b}\"\u{202e}"), "a\\nb\\u{1b}\\\"\\u{202e}");
        assert_eq!(shown(&"x".repeat(500)).chars().count(), SHOWN_CHARS_MAX + 1);
    }
}
