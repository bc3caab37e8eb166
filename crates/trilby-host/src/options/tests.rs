use proptest::prelude::*;

use super::*;

const SET: Known = &["etag", "consistency", "concurrency", "content-type", METADATA];

#[test]
fn every_option_is_read() {
    let mut options = parse(
        "etag: 7\r\nconsistency: strong\nconcurrency:first-write\n\
         content-type: application/json\nmetadata.ttlInSeconds: 60\n",
        SET,
    )
    .expect("valid");
    assert_eq!(options.etag().as_deref(), Some("7"));
    assert_eq!(options.etag(), None, "it is taken");
    assert_eq!(options.consistency(), Ok(Consistency::Strong));
    assert_eq!(options.concurrency(), Ok(Concurrency::FirstWrite));
    assert_eq!(options.take("content-type").as_deref(), Some("application/json"));
    assert_eq!(options.metadata.get("ttlInSeconds").map(String::as_str), Some("60"));
}

#[test]
fn the_empty_block_is_the_default() {
    assert_eq!(parse("", SET), Ok(Options::default()));
    assert_eq!(parse("\n\r\n", SET), Ok(Options::default()));
    assert_eq!(parse("etag:", SET).map(|mut options| options.etag()), Ok(None));
}

#[test]
fn what_is_not_known_is_refused() {
    let table = [
        ("nonsense", "has no `:`"),
        ("etags: 7", "unknown option `etags`; this operation knows `etag`, `consistency`"),
        ("header.x: 7", "unknown option `header.x`"),
        ("metadata.NAMES: 1\nmetadata.NAMES: 2", "`metadata.NAMES` is given twice"),
        ("etag: 1\netag: 2", "`etag` is given twice"),
        ("metadata.: x", "unknown option `metadata.`"),
        ("Etag: 1", "unknown option `Etag`"),
    ];
    for (text, expected) in table {
        let error = parse(text, SET).expect_err(text);
        assert_eq!(error.code, trilby_dapr::Code::InvalidArgument, "{text}");
        assert!(error.message.contains(expected), "{text}: {error}");
    }
    assert!(parse("etag: 1", &["consistency"]).is_err());
    let none = parse("metadata.a: 1", &[]).expect_err("no options");
    assert!(none.message.ends_with("knows no options"), "{none}");
}

#[test]
fn headers_are_compared_without_case() {
    let known: Known = &[HEADER];
    let options = parse("header.Accept: a\nheader.X-Y: b:c", known).expect("valid");
    let headers = [("Accept".to_owned(), "a".to_owned()), ("X-Y".to_owned(), "b:c".to_owned())];
    assert_eq!(options.headers, headers);
    assert!(parse("header.Accept: a\nheader.accept: b", known).is_err());
}

#[test]
fn bad_values_are_told_with_what_is_allowed() {
    const KNOWN: Known = &["consistency", "overwrite", "repeats", "failure-interval"];
    let of = |text: &str| parse(text, KNOWN).expect("known");
    let message = |error: Error| {
        assert_eq!(error.code, trilby_dapr::Code::InvalidArgument);
        error.message
    };
    let text = message(of("consistency: maybe").consistency().expect_err("bad"));
    assert_eq!(text, "option `consistency` takes `eventual` or `strong`, not `maybe`");
    let text = message(of("overwrite: yes").flag("overwrite").expect_err("bad"));
    assert_eq!(text, "option `overwrite` takes `true` or `false`, not `yes`");
    for bad in ["", "-1", "+1", "1.5", "4294967296", "x"] {
        let error = of(&format!("repeats: {bad}")).number::<u32>("repeats", "a whole number");
        assert!(message(error.expect_err(bad)).contains("a whole number"), "{bad}");
    }
    assert_eq!(of("repeats: 4294967295").number("repeats", "n"), Ok(Some(u32::MAX)));
    assert!(of("failure-interval: 5").duration("failure-interval").is_err());
    let interval = of("failure-interval: 1m30s").duration("failure-interval");
    assert_eq!(interval, Ok(Some(Duration::from_secs(90))));
    assert!(message(of("").require("algorithm").expect_err("missing")).contains("`algorithm`"));
}

proptest! {
    #[test]
    fn parsing_never_panics(text in ".{0,200}") {
        let _ = parse(&text, &["etag", METADATA, HEADER]);
    }

    #[test]
    fn what_is_written_is_read(name in "[a-zA-Z0-9._-]{1,20}", value in "[!-~]([ -~]{0,30}[!-~])?") {
        let text = format!("metadata.{name}: {value}\nheader.{name}: {value}");
        let options = parse(&text, &[METADATA, HEADER]).expect("valid");
        prop_assert_eq!(options.metadata.get(&name), Some(&value));
        prop_assert_eq!(options.headers, vec![(name, value)]);
    }
}
