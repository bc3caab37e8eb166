//! Environment variables from outside the manifest: files and flags, as WAGI's `--env-file` and
//! `--env` take them.

use crate::Error;

/// Reads a file of environment variables, `KEY=VALUE` a line, in file order; `name` is what
/// messages call the file.
///
/// Blank lines and those that begin with `#` are skipped, and so is `export ` before a key. A value
/// may stand in single quotes, which keep it as it is, or in double quotes, where `\n`, `\t`, `\\`
/// and `\"` are replaced. Without quotes it ends before a `#` that follows a blank. Nothing else is
/// replaced: a `$` is a `$`.
///
/// # Errors
/// [`Error::EnvFile`] names the first line that cannot be read. It never shows a value, for that
/// may be a secret.
pub fn parse_env_file(name: &str, text: &str) -> Result<Vec<(String, String)>, Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut variables = Vec::new();
    for (index, line) in text.lines().enumerate() {
        match variable(line.trim()) {
            Ok(variable) => variables.extend(variable),
            Err(problem) => {
                let position = format!("{name}:{}", index + 1);
                return Err(Error::EnvFile { position, problem });
            }
        }
    }
    Ok(variables)
}

fn variable(line: &str) -> Result<Option<(String, String)>, &'static str> {
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let line = match line.strip_prefix("export") {
        Some(rest) if rest.starts_with([' ', '\t']) => rest.trim_start(),
        _ => line,
    };
    let (key, value) = line
        .split_once('=')
        .ok_or("there is no `=`; write `KEY=VALUE`, or `#` before a comment")?;
    let key = key.trim_end();
    if !is_key(key) {
        return Err("the key is not a name; write letters, digits and `_` before the `=`");
    }
    let value = value.trim_start();
    if value.contains('\0') {
        return Err("the value has a NUL character; environment variables cannot hold one");
    }
    let value = match value.chars().next() {
        Some('\'') => single_quoted(value)?,
        Some('"') => double_quoted(value)?,
        _ => unquoted(value).to_owned(),
    };
    Ok(Some((key.to_owned(), value)))
}

fn is_key(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
}

fn unquoted(value: &str) -> &str {
    let is_comment =
        |at: &usize| value.get(..*at).is_some_and(|v| v.is_empty() || v.ends_with([' ', '\t']));
    let end = value.match_indices('#').map(|(at, _)| at).find(is_comment);
    value.get(..end.unwrap_or(value.len())).unwrap_or(value).trim_end()
}

fn single_quoted(value: &str) -> Result<String, &'static str> {
    let inner = value.get(1..).and_then(|rest| rest.split_once('\''));
    let (inner, after) = inner.ok_or("the `'` has no end; write a second `'` in the same line")?;
    end_of_line(after)?;
    Ok(inner.to_owned())
}

fn double_quoted(value: &str) -> Result<String, &'static str> {
    let mut text = String::new();
    let mut chars = value.chars().skip(1);
    loop {
        match chars.next() {
            None => {
                return Err(
                    "the `\"` has no end; write a second `\"` in the same line, and `\\n` \
                            for a line break",
                );
            }
            Some('"') => break,
            Some('\\') => text.push(match chars.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some(plain @ ('\\' | '"')) => plain,
                _ => {
                    return Err("a `\\` stands before something unknown; write `\\n`, `\\t`, \
                                `\\\"` or `\\\\`");
                }
            }),
            Some(plain) => text.push(plain),
        }
    }
    end_of_line(&chars.collect::<String>())?;
    Ok(text)
}

fn end_of_line(after: &str) -> Result<(), &'static str> {
    let rest = after.trim_start();
    let is_comment = rest.starts_with('#') && rest.len() < after.len();
    if rest.is_empty() || is_comment {
        return Ok(());
    }
    Err("something follows the closing quote; only a comment can, after a blank")
}

/// Reads one `KEY=VALUE` of the command line. One pair of quotes around the value, which a shell
/// has left there, is removed.
///
/// # Errors
/// What to write instead, in one line, without the value.
pub fn parse_env_flag(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("there is no `=`; write `KEY=VALUE`")?;
    if key.is_empty() || key.contains('\0') {
        return Err("there is no key before the `=`; write `KEY=VALUE`".to_owned());
    }
    if value.contains('\0') {
        return Err(format!("the value of `{}` has a NUL character", crate::findings::shown(key)));
    }
    let bare = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    let value = bare('"').or_else(|| bare('\'')).unwrap_or(value);
    Ok((key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn files_are_read_as_shells_read_them() {
        for (text, expected) in [
            ("", &[][..]),
            ("\n  \n# A=1\n   # B\n", &[]),
            ("A=1\nB=2\r\nA=3", &[("A", "1"), ("B", "2"), ("A", "3")]),
            ("\u{feff}A=1", &[("A", "1")]),
            ("  export A = 1 ", &[("A", "1")]),
            ("export\tA=1", &[("A", "1")]),
            ("exported=1", &[("exported", "1")]),
            ("A=", &[("A", "")]),
            ("A=#x", &[("A", "")]),
            ("A=a#b", &[("A", "a#b")]),
            ("A=a b # c", &[("A", "a b")]),
            ("A=b=c&d", &[("A", "b=c&d")]),
            ("A=$B ${C}", &[("A", "$B ${C}")]),
            ("A='a\\n#\"$B '  # c", &[("A", "a\\n#\"$B ")]),
            (r##"A="a\n\t\\\"#$B" "##, &[("A", "a\n\t\\\"#$B")]),
            ("A=''\nB=\"\"", &[("A", ""), ("B", "")]),
            ("A=a'b'", &[("A", "a'b'")]),
            ("A-b.c_1=é", &[("A-b.c_1", "é")]),
        ] {
            let read = parse_env_file("x.env", text).unwrap_or_else(|e| panic!("{text:?}: {e}"));
            let read: Vec<_> = read.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            assert_eq!(read, expected, "{text:?}");
        }
    }

    #[test]
    fn a_bad_line_is_named_without_its_value() {
        for (text, expected) in [
            ("A=1\nsecret", "x.env:2: there is no `=`; write `KEY=VALUE`"),
            ("=secret", "x.env:1: the key is not a name"),
            ("1A=secret", "x.env:1: the key is not a name"),
            ("A B=secret", "x.env:1: the key is not a name"),
            ("\n\nA='secret", "x.env:3: the `'` has no end"),
            ("A=\"secret", "x.env:1: the `\"` has no end"),
            ("A=\"secret\\", "x.env:1: a `\\` stands before something unknown"),
            ("A=\"\\$secret\"", "x.env:1: a `\\` stands before something unknown"),
            ("A='a' secret", "x.env:1: something follows the closing quote"),
            ("A=\"a\"#secret", "x.env:1: something follows the closing quote"),
            ("A=a\0secret", "x.env:1: the value has a NUL character"),
        ] {
            let error = parse_env_file("x.env", text).expect_err(text).to_string();
            assert!(error.starts_with(expected), "{text:?}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_flag_loses_one_pair_of_quotes() {
        for (text, expected) in [
            ("A=1", Ok(("A", "1"))),
            ("A=", Ok(("A", ""))),
            ("A=b=c", Ok(("A", "b=c"))),
            ("A=\"b c\"", Ok(("A", "b c"))),
            ("A='b'", Ok(("A", "b"))),
            ("A=\"\"b\"\"", Ok(("A", "\"b\""))),
            ("A=\"b'", Ok(("A", "\"b'"))),
            ("A=\"", Ok(("A", "\""))),
            ("A", Err("there is no `=`; write `KEY=VALUE`")),
            ("=b", Err("there is no key before the `=`; write `KEY=VALUE`")),
            ("A=b\0", Err("the value of `A` has a NUL character")),
        ] {
            let read = parse_env_flag(text);
            let read = read.as_ref().map(|(k, v)| (k.as_str(), v.as_str())).map_err(String::as_str);
            assert_eq!(read, expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_value_in_double_quotes_is_read_back(value in "[^\0\r]*") {
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let read = parse_env_file("x", &format!("A=\"{escaped}\""));
            prop_assert_eq!(read.ok(), Some(vec![("A".to_owned(), value)]));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text: String, scraps in "[A=\"'# \\\\n\n\u{e9}]*") {
            let _ = (parse_env_file("x", &text), parse_env_file("x", &scraps));
            let _ = (parse_env_flag(&text), parse_env_flag(&scraps));
        }
    }
}
