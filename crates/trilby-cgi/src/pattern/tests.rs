use http::uri::PathAndQuery;
use proptest::prelude::*;

use super::*;

const DOTS: &str = "`...` stands at the end, after a `/`, and nowhere else, as in `/files/...`";
const STAR: &str = "`*` matches nothing special; to match all paths below one, end it in `/...`, \
                    and for one segment write a parameter such as `:id`";

#[test]
fn refusals_say_what_to_write() {
    let bad = |name: &str| {
        format!(
            "`:{name}` is not a parameter; write a letter or `_`, then letters, digits, `_` and \
             `-`, as in `:id`"
        )
    };
    let table = [
        ("", "a path begins with `/`; write `/`".to_owned()),
        ("foo", "a path begins with `/`; write `/foo`".to_owned()),
        ("...", "a path begins with `/`; write `/...`".to_owned()),
        ("/foo/*", STAR.to_owned()),
        ("/foo?x=1", "a route has a path only; leave out `?` and what follows it".to_owned()),
        ("/foo#x", "a route has a path only; leave out `#` and what follows it".to_owned()),
        ("/a b", "clients send ' ' in a path as `%20`; write that".to_owned()),
        ("/<id>", "clients send '<' in a path as `%3C`; write that".to_owned()),
        ("/gr\u{fc}n", "clients send 'ü' in a path as `%C3%BC`; write that".to_owned()),
        ("/a\nb", "clients send '\\n' in a path as `%0A`; write that".to_owned()),
        ("/foo...", DOTS.to_owned()),
        ("/.../a", DOTS.to_owned()),
        ("/.../...", DOTS.to_owned()),
        ("/:...", DOTS.to_owned()),
        ("/:", bad("")),
        ("/a/:/...", bad("")),
        ("/:1", bad("1")),
        ("/:-a", bad("-a")),
        ("/:a.b", bad("a.b")),
        ("/::a", bad(":a")),
        (
            "/:user-id/x/:User_ID",
            "the parameters `:user-id` and `:User_ID` have one variable, `PATH_PARAM_USER_ID`; \
             give each a name of its own"
                .to_owned(),
        ),
    ];
    for (text, message) in table {
        assert_eq!(Pattern::parse(text).unwrap_err().to_string(), message, "{text:?}");
    }
}

#[test]
fn a_colon_within_a_segment_is_a_character() {
    let table: [(&str, &[&str]); 5] = [
        ("/a:b", &[]),
        ("/v1/things:batch/...", &[]),
        ("/:id", &["id"]),
        ("/users/:user-id/orders/:_o2/...", &["user-id", "_o2"]),
        ("/:a/x:b", &["a"]),
    ];
    for (text, names) in table {
        let pattern = Pattern::parse(text).unwrap();
        assert_eq!(pattern.parameters().collect::<Vec<_>>(), names, "{text}");
    }
}

#[test]
fn wagi_has_neither_parameters_nor_scruples() {
    for text in ["/:id", "/:", "/:a/:a/...", "/*", "/foo...", "/.../a", "/.../...", "/gr\u{fc}n"] {
        let pattern = Pattern::parse_wagi(text).unwrap();
        assert_eq!(pattern.parameters().count(), 0, "{text}");
    }
    for text in ["", "a", "/a?b", "/a#b", "/a b", "/a\0", "/a\u{7f}", "/a`"] {
        assert!(Pattern::parse_wagi(text).is_err(), "{text:?}");
    }
}

#[test]
fn depth_is_bounded() {
    let (deep, deeper) = ("/a".repeat(SEGMENTS_MAX), "/a".repeat(SEGMENTS_MAX + 1));
    let error = Err(PatternError::TooDeep { segments_max: SEGMENTS_MAX });
    for parse in [Pattern::parse, Pattern::parse_wagi] {
        assert!(parse(&deep).is_ok());
        assert!(parse(&format!("{deep}/...")).is_ok());
        assert_eq!(parse(&deeper), error);
    }
}

#[test]
fn the_names_of_parameters_make_no_difference() {
    let table = [
        ("/a", "/a", true),
        ("/a", "/a/...", false),
        ("/a", "/b", false),
        ("/a", "/a/", false),
        ("/:a", "/:b", true),
        ("/:a/x/...", "/:b/x/...", true),
        ("/:a", "/a", false),
        ("/:a", "/:a/:b", false),
    ];
    for (one, other, same) in table {
        let (first, second) = (Pattern::parse(one).unwrap(), Pattern::parse(other).unwrap());
        assert_eq!(first.same_paths(&second), same, "{one} and {other}");
        assert_eq!(second.same_paths(&first), same, "{other} and {one}");
    }
    let (wagi, own) = (Pattern::parse_wagi("/:a").unwrap(), Pattern::parse("/:a").unwrap());
    assert!(!wagi.same_paths(&own));
}

proptest! {
    #[test]
    fn what_is_accepted_can_be_sent(text in "/[ -~\u{80}-\u{ff}/:.]{0,12}") {
        for parse in [Pattern::parse, Pattern::parse_wagi] {
            if parse(&text).is_ok() {
                let parsed = PathAndQuery::try_from(text.as_str());
                prop_assert_eq!(parsed.map(|sent| sent.path().to_owned()).ok(), Some(text.clone()));
            }
        }
    }

    #[test]
    fn wagi_accepts_whatever_can_be_sent(text in "/[ -~\u{80}-\u{ff}/:.]{0,12}") {
        let sent = PathAndQuery::try_from(text.as_str()).is_ok_and(|sent| sent.path() == text);
        prop_assert_eq!(Pattern::parse_wagi(&text).is_ok(), sent);
    }
}
