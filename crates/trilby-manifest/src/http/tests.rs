use crate::Trigger;
use crate::testing::{loaded, report};

fn route(lines: &str) -> String {
    format!("version = 1\n[[route]]\npath = \"/\"\nmodule = \"a.wasm\"\n{lines}\n")
}

fn http(lines: &str) -> (Vec<String>, Option<String>) {
    match loaded(&route(lines)).app.routes.remove(0).trigger {
        Trigger::Http { methods, host, .. } => (methods, host),
        other => panic!("{other:?}"),
    }
}

#[test]
fn methods_and_hosts_are_read() {
    assert_eq!(http(""), (vec![], None));
    assert_eq!(http("methods = [\"POST\", \"GET\", \"X-1\"]").0, ["POST", "GET", "X-1"]);
    for (given, host) in [
        ("API.Example.com", "api.example.com"),
        ("*.Example.com", "*.example.com"),
        ("localhost", "localhost"),
        ("a_b.xn--mnchen-3ya.de", "a_b.xn--mnchen-3ya.de"),
        ("127.0.0.1", "127.0.0.1"),
        ("[0:0::1]", "[::1]"),
    ] {
        assert_eq!(http(&format!("host = \"{given}\"")).1.as_deref(), Some(host));
    }
}

#[test]
fn response_headers_are_read_in_file_order() {
    let text =
        route("response-headers = { \"X-Frame-Options\" = \"DENY\", \"Cache-Control\" = \"\" }");
    let headers = loaded(&text).app.routes.remove(0).response_headers;
    let expected = [("X-Frame-Options", "DENY"), ("Cache-Control", "")];
    assert_eq!(headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[test]
fn what_http_does_not_have_is_refused() {
    let long = format!("host = \"{}.de\"", "x".repeat(64));
    for (lines, expected, help) in [
        ("methods = \"GET\"", "`methods` must be an array of strings, found string", ""),
        ("methods = []", "`methods` must not be empty", "leave it out"),
        ("methods = [\"get\"]", "method `get` is not in capitals", "write `GET`"),
        ("methods = [\"GET, PUT\"]", "`GET, PUT` is not a method", "one string for each"),
        ("methods = [\"PUT\", \"PUT\"]", "method `PUT` stands twice", "keep one"),
        ("methods = [\"CONNECT\"]", "method `CONNECT` cannot have a route", "for proxies"),
        ("host = 1", "`host` must be a string, found integer", ""),
        ("host = \"\"", "`host` must not be empty", ""),
        ("host = \"a.de:80\"", "`a.de:80` is not a host", "no port here: write `a.de`"),
        ("host = \"http://a.de/\"", "`http://a.de/` is not a host", "the host alone"),
        ("host = \"*\"", "`*` is not a host", "first label"),
        ("host = \"a.*.de\"", "`a.*.de` is not a host", "first label"),
        ("host = \"*.\"", "`*.` is not a host", "DNS name"),
        ("host = \"a.de.\"", "`a.de.` is not a host", "DNS name"),
        ("host = \"münchen.de\"", "`münchen.de` is not a host", "punycode"),
        ("host = \"256.1.1.1\"", "`256.1.1.1` is not a host", "four numbers"),
        ("host = \"*.10.0.0.1\"", "`*.10.0.0.1` is not a host", "four numbers"),
        ("host = \"::1\"", "`::1` is not a host", "in brackets: `[::1]`"),
        ("host = \"[x]\"", "`[x]` is not a host", "an IPv6 address"),
        (&long, "`xxx", "DNS name"),
        ("response-headers = []", "`response-headers` must be a table, found array", ""),
        ("response-headers = { A = 1 }", "`A` must be a string, found integer", ""),
        ("response-headers = { \"A B\" = \"\" }", "`A B` is not the name of a header", "letters"),
        ("response-headers = { A = \"é\" }", "`é` is not the value of a header", "ASCII"),
        ("response-headers = { A = \"a\\nB: c\" }", "`a\\nB: c` is not the value", "one line"),
        ("response-headers = { A = \"\", a = \"\" }", "header `a` stands twice", "case"),
        ("response-headers = { Upgrade = \"h2c\" }", "header `Upgrade` cannot be set", "leave it"),
        (
            "response-headers = { proxy-authenticate = \"x\" }",
            "header `proxy-authenticate` cannot be set",
            "leave it out",
        ),
        (
            "response-headers = { Content-Length = \"0\" }",
            "header `Content-Length` cannot be set",
            "leave it out",
        ),
        ("authorization = \"yes\"", "`authorization` must be `true` or `false`, found string", ""),
    ] {
        let report = report(&route(lines));
        assert!(report.starts_with(&format!("error: {expected}")), "{lines}: {report}");
        assert!(report.contains(help), "{lines}: {report}");
        assert_eq!(report.matches("error:").count(), 1, "{report}");
    }
}
