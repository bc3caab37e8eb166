//! State, on each store: one item.

use crate::differential::case::{Case, Protocol, case, steps};
use crate::differential::steps::{delete, get, gone, item, save};

/// Reading, writing and deleting in a store.
pub(in crate::differential) fn items(s: &'static str) -> Vec<Case> {
    let mut cases = values(s);
    cases.extend(names(s));
    cases.extend(times(s));
    cases
}

fn values(s: &'static str) -> Vec<Case> {
    vec![
        case("state/missing", steps![get(s, "$")]),
        case("state/set and get", steps![save(s, [item("$", "1")]), get(s, "$")]),
        case("state/string", steps![save(s, [item("$", "\"text\"")]), get(s, "$")]),
        case("state/empty string", steps![save(s, [item("$", "\"\"")]), get(s, "$")]),
        case("state/null", steps![save(s, [item("$", "null")]), get(s, "$")]),
        case("state/no value", steps![save(s, [item("$", "")]), get(s, "$")]),
        case(
            "state/object with white space",
            steps![save(s, [item("$", "{ \"b\" : 1,\n \"a\": [1, 2] }")]), get(s, "$")],
        )
        .differs_if_over(s == "redis", Protocol::Http, "redis-values"),
        case(
            "state/number beyond a double",
            steps![save(s, [item("$", "12345678901234567890.0123456789")]), get(s, "$")],
        ),
        case("state/exponent", steps![save(s, [item("$", "1E2")]), get(s, "$")]),
        case("state/escapes", steps![save(s, [item("$", "\"\\u00fc\\n<&>\"")]), get(s, "$")])
            .differs_if_over(s == "redis", Protocol::Http, "redis-values"),
        case("state/unicode", steps![save(s, [item("$", "\"grüße 日本\"")]), get(s, "$")]),
        case("state/true", steps![save(s, [item("$", "true")]), get(s, "$")]),
        case("state/bytes", steps![save(s, [item("$", vec![0, 159, 146, 150, 255])]), get(s, "$")])
            .grpc_only(),
        case("state/text that is not JSON", steps![save(s, [item("$", "plain")]), get(s, "$")])
            .differs_over(Protocol::Http, "json-texts"),
        case(
            "state/overwritten",
            steps![save(s, [item("$", "1")]), save(s, [item("$", "2")]), get(s, "$")],
        ),
        case(
            "state/JSON by metadata",
            steps![
                save(s, [item("$", "{\"a\":1}").with("contentType", "application/json")]),
                get(s, "$"),
            ],
        ),
        case(
            "state/not JSON in spite of metadata",
            steps![
                save(s, [item("$", "{\"a\":").with("contentType", "application/json")]),
                get(s, "$"),
            ],
        )
        .differs_over(Protocol::Http, "json-texts"),
        case(
            "state/content type of text",
            steps![save(s, [item("$", "\"a\"").with("contentType", "text/plain")]), get(s, "$")],
        ),
        case(
            "state/read with metadata",
            steps![save(s, [item("$", "1")]), get(s, "$").with("anything", "goes")],
        ),
        case(
            "state/large value",
            steps![save(s, [item("$", format!("\"{}\"", "x".repeat(100_000)))]), get(s, "$")],
        ),
        case("state/no items", steps![save(s, [])]),
        case("state/delete missing", steps![delete(s, item("$", "")), get(s, "$")]),
        case(
            "state/delete",
            steps![save(s, [item("$", "1")]), delete(s, item("$", "")), get(s, "$")],
        ),
        case(
            "state/delete with metadata",
            steps![save(s, [item("$", "1")]), delete(s, item("$", "").with("a", "b")), get(s, "$")],
        ),
    ]
}

fn names(s: &'static str) -> Vec<Case> {
    let name = |text: &'static str, key: &'static str| {
        let steps = steps![save(s, [item(key, "1")]), get(s, key), delete(s, item(key, ""))];
        case(format!("state/key {text}"), steps)
    };
    vec![
        name("with spaces", "$ a  b "),
        name("with a slash", "$/a/b"),
        name("with unicode", "$ü日"),
        name("with a percent", "$%41"),
        name("with a question mark", "$?a=b&c#d"),
        name("with a bar", "$|a"),
        name("with two bars", "$||a"),
        name("beginning with bars", "||$"),
        name("of dots", "$/../a"),
        name("with a quote", "$'\"\\"),
        name("with an asterisk", "$*[a]"),
        name("of an app", "@app"),
        case("state/key of 2000 bytes", {
            let key: &'static str = LONG;
            steps![save(s, [item(key, "1")]), get(s, key), delete(s, item(key, ""))]
        }),
        case("state/empty key", steps![save(s, [item("", "1")]), get(s, "")]),
        case("state/empty key among others", {
            steps![save(s, [item("$a", "1"), item("", "2"), item("$b", "3")]), get(s, "$a")]
        }),
        case("state/case of keys", {
            steps![save(s, [item("$a", "1"), item("$A", "2")]), get(s, "$a"), get(s, "$A")]
        }),
        case("state/keys with and without a space at the end", {
            steps![save(s, [item("$a", "1"), item("$a ", "2")]), get(s, "$a"), get(s, "$a ")]
        }),
    ]
}

/// Two thousand bytes.
const LONG: &str = {
    const BYTES: [u8; 2000] = [b'k'; 2000];
    match std::str::from_utf8(&BYTES) {
        Ok(text) => text,
        Err(_) => "",
    }
};

fn times(s: &'static str) -> Vec<Case> {
    let with = |ttl: &'static str| item("$", "1").with("ttlInSeconds", ttl);
    vec![
        case("state/ttl", steps![save(s, [with("100")]), get(s, "$")]),
        case("state/ttl passes", steps![save(s, [with("1")]), gone(s, "$"), get(s, "$")]),
        case("state/ttl removed by a write without", {
            steps![save(s, [with("100")]), save(s, [item("$", "2")]), get(s, "$")]
        }),
        case("state/ttl removed by -1", {
            steps![save(s, [with("100")]), save(s, [with("-1")]), get(s, "$")]
        }),
        case("state/ttl of 0", steps![save(s, [with("0")]), get(s, "$")]),
        case("state/ttl of -2", steps![save(s, [with("-2")]), get(s, "$")]),
        case("state/ttl that is no number", steps![save(s, [with("soon")]), get(s, "$")]),
        case("state/ttl with a fraction", steps![save(s, [with("1.5")]), get(s, "$")]),
        case("state/empty ttl", steps![save(s, [with("")]), get(s, "$")]),
        case("state/ttl with spaces", steps![save(s, [with(" 10 ")]), get(s, "$")]),
        case(
            "state/ttl that is huge",
            steps![save(s, [with("99999999999999999999")]), get(s, "$")],
        ),
        case("state/ttl of the largest integer", {
            steps![save(s, [with("9223372036854775807")]), get(s, "$")]
        })
        .differs_if(s != "sqlite", "ttl-overflow"),
        case("state/ttl in another case", {
            steps![save(s, [item("$", "1").with("TTLINSECONDS", "100")]), get(s, "$")]
        }),
        case("state/an expired item is free for a first write", {
            let first = item("$", "2").first_write();
            steps![save(s, [with("1")]), gone(s, "$"), save(s, [first]), get(s, "$")]
        }),
        case("state/the etag of an expired item", {
            let late = item("$", "2").etag("@e");
            steps![save(s, [with("1")]), get(s, "$").keep("e"), gone(s, "$"), save(s, [late])]
        })
        .differs_if(s == "redis", "redis-guards"),
        case("state/delete an expired item", {
            steps![save(s, [with("1")]), gone(s, "$"), delete(s, item("$", "")), get(s, "$")]
        }),
    ]
}
