//! Command-line arguments.

use percent_encoding::percent_decode_str;

const SCRIPT_NAME: &str = "${SCRIPT_NAME}";
const ARGS: &str = "${ARGS}";

/// Arguments as WAGI passes them.
///
/// Without a template: the path, then the query split at each `&`; nothing is decoded, so an
/// empty query gives one empty argument. In a template `${SCRIPT_NAME}` stands for the path and
/// `${ARGS}` for the query with a space for each `&`; the result is split at white space. Both
/// path and query are as the client sent them. What they expand to is not expanded again, so a
/// client cannot reach into the template.
#[must_use]
pub fn argv_wagi(path: &str, query: Option<&str>, template: Option<&str>) -> Vec<String> {
    match template {
        Some(template) => {
            let expanded = expand(template, path, query.unwrap_or_default());
            // A raw path may hold white space beyond ASCII; it must stay one argument.
            expanded.split_ascii_whitespace().map(str::to_owned).collect()
        }
        None => {
            let words = query.into_iter().flat_map(|query| query.split('&'));
            std::iter::once(path).chain(words).map(str::to_owned).collect()
        }
    }
}

fn expand(template: &str, path: &str, query: &str) -> String {
    let mut expanded = String::with_capacity(template.len() + path.len() + query.len());
    let mut rest = template;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        expanded.push_str(before);
        if let Some(after) = from.strip_prefix(SCRIPT_NAME) {
            expanded.push_str(path);
            rest = after;
        } else if let Some(after) = from.strip_prefix(ARGS) {
            expanded.extend(query.chars().map(|c| if c == '&' { ' ' } else { c }));
            rest = after;
        } else {
            expanded.push_str("${");
            rest = from.strip_prefix("${").unwrap_or_default();
        }
    }
    expanded.push_str(rest);
    expanded
}

/// Each `${…}` of a template that stands for nothing, so that [`argv_wagi`] passes it on as it is:
/// most often a slip of the pen.
#[must_use]
pub fn unknown_placeholders(template: &str) -> Vec<String> {
    let (known, mut unknown) = ([SCRIPT_NAME, ARGS], Vec::new());
    // What stands before the first mark is plain text; each later piece begins within a mark.
    for piece in template.split("${").skip(1) {
        if let Some((name, _)) = piece.split_once('}') {
            let placeholder = format!("${{{name}}}");
            if !known.contains(&placeholder.as_str()) {
                unknown.push(placeholder);
            }
        }
    }
    unknown
}

/// Arguments as in RFC 3875 section 4.4: the path, then the words of an "indexed" query, which is
/// one without an unencoded `=`. Words stand between `+` and are percent-decoded.
///
/// If any word cannot be an argument, being empty or having a NUL byte, there are none, as the
/// RFC asks; the guest still has `QUERY_STRING`. The RFC means this for GET and HEAD.
#[must_use]
pub fn argv_rfc(path: &str, query: Option<&str>) -> Vec<String> {
    let mut arguments = vec![path.to_owned()];
    let indexed = query.filter(|query| !query.contains('='));
    let words: Option<Vec<String>> = indexed.and_then(|query| query.split('+').map(word).collect());
    arguments.extend(words.unwrap_or_default());
    arguments
}

fn word(encoded: &str) -> Option<String> {
    let decoded = percent_decode_str(encoded).decode_utf8_lossy();
    (!decoded.is_empty() && !decoded.contains('\0')).then(|| decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn wagi_passes_the_raw_query() {
        let table: [(Option<&str>, Option<&str>, &[&str]); 12] = [
            (None, None, &["/a%20b"]),
            (Some(""), None, &["/a%20b", ""]),
            (Some("x=1&&y"), None, &["/a%20b", "x=1", "", "y"]),
            (Some("a%26b"), None, &["/a%20b", "a%26b"]),
            (Some("x&y"), Some("${SCRIPT_NAME} ${ARGS}"), &["/a%20b", "x", "y"]),
            (None, Some("${SCRIPT_NAME} ${ARGS}"), &["/a%20b"]),
            (
                Some("x&y"),
                Some(" ruby  /run.rb ${ARGS} --end "),
                &["ruby", "/run.rb", "x", "y", "--end"],
            ),
            (Some("x&y"), Some("--q=${ARGS}"), &["--q=x", "y"]),
            (Some("${SCRIPT_NAME}"), Some("run ${ARGS}"), &["run", "${SCRIPT_NAME}"]),
            (Some("x"), Some("${OTHER} ${ARGS"), &["${OTHER}", "${ARGS"]),
            (Some("x"), Some("${${ARGS}"), &["${x"]),
            (Some("x"), Some(""), &[]),
        ];
        for (query, template, expected) in table {
            assert_eq!(argv_wagi("/a%20b", query, template), expected, "{query:?} {template:?}");
        }
        assert_eq!(argv_wagi("/${ARGS}", Some("x"), Some("${SCRIPT_NAME}")), ["/${ARGS}"]);
        assert_eq!(argv_wagi("/a\u{a0}b", None, Some("${SCRIPT_NAME}")), ["/a\u{a0}b"]);
    }

    #[test]
    fn placeholders_without_a_meaning_are_told() {
        let table: [(&str, &[&str]); 8] = [
            ("", &[]),
            ("${SCRIPT_NAME} --x ${ARGS}", &[]),
            ("${PATH} ${args}", &["${PATH}", "${args}"]),
            ("${SCRIPT_NAME}${}${ ARGS}", &["${}", "${ ARGS}"]),
            ("${${ARGS}", &[]),
            ("${a${b}}", &["${b}"]),
            ("$ARGS {ARGS} ${ARGS", &[]),
            ("${X} ${X}", &["${X}", "${X}"]),
        ];
        for (template, unknown) in table {
            assert_eq!(unknown_placeholders(template), unknown, "{template}");
        }
    }

    #[test]
    fn rfc_passes_the_words_of_an_indexed_query() {
        let table: [(Option<&str>, &[&str]); 9] = [
            (None, &["/p"]),
            (Some(""), &["/p"]),
            (Some("one"), &["/p", "one"]),
            (Some("one+two%2Bthree"), &["/p", "one", "two+three"]),
            (Some("a%3Db"), &["/p", "a=b"]),
            (Some("a=b"), &["/p"]),
            (Some("one++two"), &["/p"]),
            (Some("one+%00"), &["/p"]),
            (Some("%FF"), &["/p", "\u{fffd}"]),
        ];
        for (query, expected) in table {
            assert_eq!(argv_rfc("/p", query), expected, "{query:?}");
        }
    }

    proptest! {
        #[test]
        fn unknown_placeholders_reach_the_guest(template in "([$ {}a]|\\$\\{|ARGS){0,8}") {
            let passed = argv_wagi("/p", Some("q"), Some(&template)).join(" ");
            for placeholder in unknown_placeholders(&template) {
                let words: Vec<&str> = placeholder.split_ascii_whitespace().collect();
                prop_assert!(passed.contains(&words.join(" ")), "{placeholder} in {passed}");
            }
        }

        #[test]
        fn arguments_have_no_nul(
            query in "[ab=&+%0$ {}]{0,20}",
            template in "[ab ]{0,5}(\\$\\{ARGS\\})?",
        ) {
            let all = [
                argv_rfc("/p", Some(&query)),
                argv_wagi("/p", Some(&query), None),
                argv_wagi("/p", Some(&query), Some(&template)),
            ];
            for argument in all.iter().flatten() {
                prop_assert!(!argument.contains('\0'), "{argument:?}");
            }
        }
    }
}
