use proptest::prelude::*;
use trilby_dapr::Code;

use super::*;

#[test]
fn paths_that_mean_themselves_are_taken() {
    for (method, path) in [
        ("orders", "orders"),
        ("/orders", "orders"),
        ("orders/7/items", "orders/7/items"),
        ("a.b/..c/d..", "a.b/..c/d.."),
        ("a%20b", "a%20b"),
        ("caf%C3%A9/caf%c3%a9", "caf%C3%A9/caf%c3%a9"),
        ("100%25", "100%25"),
        ("v1:go;x=1,2(3)!$&'*+@~_-", "v1:go;x=1,2(3)!$&'*+@~_-"),
    ] {
        assert_eq!(check(method), Ok(path), "{method}");
    }
}

#[test]
fn paths_that_mean_others_are_refused() {
    for method in [
        "",
        "/",
        "//a",
        "a//b",
        "a/",
        ".",
        "..",
        "a/./b",
        "a/../b",
        "../a",
        "a/..",
        "a/..;x/b",
        "a/%2e%2e/b",
        "a/%2E./b",
        "%2e",
        "a%2fb",
        "a%2Fb",
        "a%5cb",
        "a\\b",
        "a?b",
        "a%3Fb",
        "a#b",
        "a%23b",
        "a%00b",
        "a%0Ab",
        "a%7fb",
        "a\nb",
        "a\u{7f}b",
        "a b",
        "ä",
        "a%",
        "a%2",
        "a%zz",
        "a%+1b",
        "%61",
        "a%7Eb",
        "a/%252e%252e/b",
        "a%252fb",
        "a%25252fb",
        "a/..%3bx",
        "a/%ff\u{0}",
        "a\"b",
        "a<b>",
        "a{b}",
        "a|b",
        "a^b",
        "a`b",
        "a[b]",
    ] {
        let error = check(method).expect_err(method);
        assert_eq!(error.code, Code::InvalidArgument, "{method}");
    }
}

#[test]
fn a_refusal_tells_what_is_wrong() {
    assert!(check("a?b").expect_err("query").message.contains("option `query`"));
    assert!(check("a/%2e%2e").expect_err("dots").message.contains("`a/%2e%2e`"));
}

fn decoded(path: &str) -> String {
    let bytes: Vec<u8> = percent_decode(path.as_bytes()).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

proptest! {
    #[test]
    fn nothing_that_is_taken_decodes_to_another_path(
        method in r"(/|a|\.|%|2|e|E|f|F|5|c|25|%2e|%2f|%252e|;|\\|\.\.|%3b){0,16}",
    ) {
        let Ok(path) = check(&method) else { return Ok(()) };
        let mut seen = path.to_owned();
        for _ in 0..4 {
            prop_assert_eq!(seen.matches('/').count(), path.matches('/').count());
            for segment in seen.split(['/', '\\']) {
                prop_assert!(!["", ".", ".."].contains(&segment), "{} of {}", segment, method);
            }
            seen = decoded(&seen);
        }
    }

    #[test]
    fn checking_never_panics(method in ".{0,100}") {
        let _ = check(&method);
    }
}

#[test]
fn what_would_take_long_to_look_at_is_refused() {
    assert!(check(&"a".repeat(PATH_BYTES_MAX)).is_ok());
    assert!(check(&"a".repeat(PATH_BYTES_MAX + 1)).is_err());
    let percent = |levels: usize| format!("a%{}", "25".repeat(levels));
    assert!(check(&percent(1)).is_ok(), "a percent sign");
    let error = check(&percent(100)).expect_err("no such path is meant well");
    assert!(error.message.contains("many times over"), "{error}");
}
