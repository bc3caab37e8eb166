//! Text of guests, made fit for one line of a log.

use std::borrow::Cow;

/// The text with an escape for each character that could split or forge a line of the log, or
/// drive a terminal that shows it.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(one_line(text, usize::MAX))
}

/// The same, cut to about `bytes_max`.
pub(crate) fn one_line(text: &str, bytes_max: usize) -> String {
    let mut line = String::with_capacity(text.len().min(bytes_max));
    for character in text.chars() {
        if line.len() >= bytes_max {
            line.push('…');
            break;
        }
        match is_unprintable(character) {
            true => line.extend(character.escape_default()),
            false => line.push(character),
        }
    }
    line
}

/// Control characters, and what Unicode has of line ends and of marks that turn the direction of
/// writing. The tab is harmless.
fn is_unprintable(character: char) -> bool {
    let is_format = matches!(
        character,
        '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    is_format || (character.is_control() && character != '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_could_deceive_is_escaped() {
        for (text, expected) in [
            ("naïve\tüber 日本", "naïve\tüber 日本"),
            ("a\nb\rc", "a\\nb\\rc"),
            ("\u{1b}[31m\u{9b}0m\0\u{7f}", "\\u{1b}[31m\\u{9b}0m\\u{0}\\u{7f}"),
            ("\u{85}\u{2028}\u{202e}", "\\u{85}\\u{2028}\\u{202e}"),
        ] {
            assert_eq!(printable(text), expected);
            assert_eq!(one_line(text, 100), expected);
        }
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(one_line("abc", 3), "abc");
        assert_eq!(one_line("abcd", 3), "abc…");
        assert_eq!(one_line("ü\nüü", 3), "ü\\n…");
        assert_eq!(one_line("", 0), "");
    }
}
