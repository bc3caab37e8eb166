use super::*;

fn read(block: &str) -> Result<Head, OutputError> {
    parse(format!("{block}\n\n").as_bytes(), 100)
}

#[test]
fn the_status_is_the_guests_or_follows_from_the_headers() {
    let table = [
        ("Content-Type: text/plain", 200),
        ("content-TYPE:text/plain", 200),
        ("Location: /there", 302),
        ("Status: 301\nLocation: /there", 301),
        ("Location: /there\nStatus: 301 Moved Permanently", 301),
        ("Status: 404", 404),
        ("Status: 404\tNot Found", 404),
        ("Status: 599 Mine", 599),
        ("Status: 204", 204),
        ("Content-Type:\nStatus: 204", 204),
        ("Content-Type: text/plain\nStatus:", 200),
    ];
    for (block, status) in table {
        assert_eq!(read(block).map(|head| head.status.as_u16()), Ok(status), "{block}");
    }
}

#[test]
fn headers_pass_in_order_and_without_the_status() {
    let head = read(
        "Set-Cookie: a=1\nContent-Type: \t text/html \t\nStatus: 201\nSet-Cookie: b=2\n\
         Date: now\nX-Empty:\nX-Utf8: ü",
    )
    .unwrap();
    let values = |name: &str| -> Vec<&[u8]> {
        head.headers.get_all(name).iter().map(HeaderValue::as_bytes).collect()
    };
    assert_eq!(values("set-cookie"), [b"a=1", b"b=2"]);
    assert_eq!(values("content-type"), [b"text/html"]);
    assert_eq!(values("date"), [b"now"]);
    assert_eq!(values("x-utf8"), ["ü".as_bytes()]);
    assert_eq!(head.headers.len(), 5);
}

#[test]
fn line_ends_may_be_mixed() {
    let head = parse(b"Content-Type: a/b\r\nX-A: 1\nX-B: 2\r\n\r\n", 100).unwrap();
    assert_eq!(head.headers.len(), 3);
    assert_eq!(head.headers["content-type"], "a/b");
}

#[test]
fn lengths_are_about_bodies() {
    let table = [
        ("Content-Type: a/b\nContent-Length: 12", Some(12), true, true),
        ("Content-Type: a/b\nContent-Length: 0012", Some(12), true, true),
        ("Content-Type: a/b", None, false, true),
        ("Status: 204\nContent-Length: 0", None, false, false),
        ("Status: 205\nContent-Length: 9", None, false, false),
        ("Status: 304\nContent-Length: 99", None, true, false),
    ];
    for (block, length, in_headers, body_allowed) in table {
        let head = read(block).unwrap();
        assert_eq!(head.content_length, length, "{block}");
        assert_eq!(head.headers.contains_key("content-length"), in_headers, "{block}");
        assert_eq!(head.body_allowed(), body_allowed, "{block}");
    }
}

#[test]
fn errors_say_where_and_how_to_fix() {
    let table = [
        ("", "there is no `Content-Type`, `Location` or `Status` among the headers; write one"),
        (
            "X-Foo: 1",
            "there is no `Content-Type`, `Location` or `Status` among the headers; write one",
        ),
        (
            "Content-Type:",
            "there is no `Content-Type`, `Location` or `Status` among the headers; write one",
        ),
        (
            "HTTP/1.1 200 OK",
            "the output begins with an HTTP status line; write a header `Status: 200` instead",
        ),
        (
            "Status: 200\n<p>hello",
            "line 2 has no `:`: \"<p>hello\"; write an empty line between headers and body",
        ),
        ("X-A: 1\n more", "line 2 begins with a space or a tab; write each header on one line"),
        ("X A: 1", "line 1: \"X A\" is not the name of a header"),
        (": 1", "line 1: \"\" is not the name of a header"),
        ("Status : 200", "line 1: \"Status \" is not the name of a header"),
        ("X-A: a\u{1}b", "line 1: the value of `x-a` has a control character"),
        ("X-A: a\rb", "line 1: the value of `x-a` has a control character"),
        ("Content-Type: \0", "line 1: the value of `content-type` has a control character"),
        ("Status: 200\nstatus: 200", "line 2: there are two headers `Status`; write one"),
        (
            "Content-Type: a/b\nContent-Type: a/b",
            "line 2: there are two headers `Content-Type`; write one",
        ),
        ("Location: /\nLocation: /", "line 2: there are two headers `Location`; write one"),
        (
            "Content-Length: 1\nContent-Length: 1",
            "line 2: there are two headers `Content-Length`; write one",
        ),
        (
            "Status: abc",
            "line 1: \"abc\" is not a status; write a number from 200 to 599, as in \
             `Status: 404 Not Found`",
        ),
        (
            "Content-Length: -1",
            "line 1: \"-1\" is not a length; write decimal digits or leave the header out",
        ),
    ];
    for (block, message) in table {
        assert_eq!(read(block).unwrap_err().to_string(), message, "{block}");
    }
}

#[test]
fn bad_statuses_and_lengths_are_refused() {
    for status in ["100", "199", "600", "999", "20", "2000", "200OK", "+20", "-", "２００"] {
        let error = read(&format!("Status: {status}")).unwrap_err();
        assert!(matches!(error, OutputError::BadStatus { line: 1, .. }), "{status}");
    }
    for length in ["+1", "1 2", "0x1", "1,1", "18446744073709551616"] {
        let error = read(&format!("Status: 200\nContent-Length: {length}")).unwrap_err();
        assert!(matches!(error, OutputError::BadContentLength { line: 2, .. }), "{length}");
    }
}

#[test]
fn headers_of_the_connection_are_refused() {
    let names = [
        "Connection",
        "Keep-Alive",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "Proxy-Connection",
        "Proxy-Authenticate",
    ];
    for name in names {
        let error = read(&format!("Status: 200\n{name}: x")).unwrap_err();
        let expected = OutputError::Connection { line: 2, name: name.to_lowercase() };
        assert_eq!(error, expected);
    }
}

#[test]
fn the_number_of_headers_is_bounded() {
    let block = "Status: 200\nX-A: 1\nX-A: 2\n\n";
    assert!(parse(block.as_bytes(), 3).is_ok());
    let error = parse(block.as_bytes(), 2).unwrap_err();
    assert_eq!(error, OutputError::TooManyHeaders { headers_max: 2 });
    let names: String = (0..40_000).map(|number| format!("X-{number}: 1\n")).collect();
    let error = parse(format!("Status: 200\n{names}\n").as_bytes(), usize::MAX).unwrap_err();
    assert_eq!(error, OutputError::TooManyHeaders { headers_max: usize::MAX });
}

#[test]
fn a_sole_location_with_a_path_is_a_local_redirect() {
    let table = [
        ("Location: /there", Some("/there")),
        ("location:/a/b?c=d&e", Some("/a/b?c=d&e")),
        ("Location: /", Some("/")),
        ("Location: /?x", Some("/?x")),
        // Headers without a value are as good as none.
        ("Status:\nLocation: /there\nX-A:", Some("/there")),
        // All else goes to the client.
        ("Location: //host/there", None),
        ("Location: https://host/there", None),
        ("Location: there", None),
        ("Location: ?x", None),
        ("Location: /there#part", None),
        ("Location: /a b", None),
        ("Location: /gr\u{fc}n", None),
        ("Location: /a\"<b>", None),
        ("Location: /there\nStatus: 302", None),
        ("Status: 302 Found\nLocation: /there", None),
        ("Status: 301\nLocation: /there", None),
        ("Location: /there\nSet-Cookie: a=1", None),
        ("Location: /there\nContent-Type: text/html", None),
        ("Location: /there\nContent-Length: 0", None),
        ("Location: /there\nX-A: 1", None),
        ("Content-Type: text/html", None),
        ("Status: 200", None),
    ];
    for (block, target) in table {
        let head = read(block).unwrap();
        assert_eq!(head.local_redirect(), target, "{block}");
        if target.is_some() {
            assert_eq!(head.status, 302, "what a server that does not follow it sends");
        }
    }
}

#[test]
fn what_wagi_gets_wrong_is_right() {
    // Status and Location in either order; repeated headers stay; a status alone is enough.
    for block in ["Status: 301\nLocation: /x", "Location: /x\nStatus: 301"] {
        let head = read(block).unwrap();
        assert_eq!(
            (head.status.as_u16(), &head.headers["location"]),
            (301, &"/x".parse().unwrap())
        );
    }
    for name in ["Set-Cookie", "Link", "Vary"] {
        let head = read(&format!("Status: 200\n{name}: a\n{name}: b")).unwrap();
        let values: Vec<_> = head.headers.get_all(name).iter().collect();
        assert_eq!(values, ["a", "b"], "{name}");
    }
    for (block, status) in [("Status: 404 Not Found", 404), ("Status: 304", 304)] {
        let head = read(block).unwrap();
        assert_eq!((head.status.as_u16(), head.headers.len()), (status, 0), "{block}");
    }
}
