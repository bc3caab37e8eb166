use super::*;

mod naive;
mod properties;

/// A route as a test writes it: methods, host, path, as in `GET,POST *.a.b/c/:d`. Both methods and
/// host may be left out. It leads to its own text.
fn route(text: &str) -> Route<String> {
    let (methods, rest) = text.split_once(' ').unwrap_or(("", text));
    let (host, path) = rest.split_at(rest.find('/').unwrap());
    let methods = methods.split(',').filter(|method| !method.is_empty());
    Route {
        pattern: Pattern::parse(path).unwrap(),
        methods: methods.map(|method| method.parse().unwrap()).collect(),
        host: (!host.is_empty()).then(|| HostPattern::parse(host).unwrap()),
        value: text.to_owned(),
    }
}

fn table(precedence: Precedence, routes: &[&str]) -> RouteTable<String> {
    RouteTable::new(precedence, routes.iter().map(|text| route(text)).collect())
}

/// What a request such as `GET a.b/c` finds: a route and its script name, or the methods of a 405.
fn find(table: &RouteTable<String>, request: &str) -> Option<(String, String)> {
    let (method, rest) = request.split_once(' ').unwrap_or(("GET", request));
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(0));
    let host = (!host.is_empty()).then_some(host);
    match table.find(&method.parse().unwrap(), host, path) {
        Lookup::Found(found) => Some((found.value.clone(), found.script_name.to_owned())),
        Lookup::MethodNotAllowed { allow } => Some(("405".to_owned(), allow)),
        Lookup::NotFound => None,
    }
}

fn check(precedence: Precedence, routes: &[&str], requests: &[(&str, Option<(&str, &str)>)]) {
    let table = table(precedence, routes);
    for (request, expected) in requests {
        let expected = expected.map(|(route, script)| (route.to_owned(), script.to_owned()));
        assert_eq!(find(&table, request), expected, "{request} in {routes:?}, {precedence:?}");
    }
}

#[test]
fn paths_match_exactly_or_by_whole_segments() {
    let requests = [
        ("/foo", "/foo", true),
        ("/foo", "/foo/", false),
        ("/foo", "/Foo", false),
        ("/foo", "/foo%20", false),
        ("/foo/...", "/foo", true),
        ("/foo/...", "/foo/", true),
        ("/foo/...", "/foo/a/b", true),
        ("/foo/...", "/foobar", false),
        ("/foo/...", "/", false),
        ("/...", "/", true),
        ("/...", "/a", true),
        ("/...", "//", true),
        ("/...", "*", false),
        ("/...", "", false),
        ("/", "/", true),
        ("/", "//", false),
        ("/a//...", "/a/", true),
        ("/a//...", "/a", false),
        ("/:a", "/x", true),
        ("/:a", "/%2F", true),
        ("/:a", "/", false),
        ("/:a", "/x/", false),
        ("/a/:b/c", "/a/b/c", true),
        ("/a/:b/c", "/a//c", false),
        ("/a/:b/...", "/a/", false),
        ("/a/:b/...", "/a/b", true),
        ("/a/:b/...", "/a/b/", true),
    ];
    for (pattern, path, expected) in requests {
        for precedence in [Precedence::FirstMatch, Precedence::LongestMatch] {
            let table = table(precedence, &[pattern]);
            let found = table.find(&Method::GET, None, path);
            assert_eq!(matches!(found, Lookup::Found(_)), expected, "{pattern} on {path}");
        }
    }
}

#[test]
fn longest_match_ignores_the_order() {
    let routes = ["/...", "/api/...", "/api/v1/...", "/api/v1", "/"];
    let requests = [
        ("/", Some(("/", ""))),
        ("/x", Some(("/...", ""))),
        ("/apis", Some(("/...", ""))),
        ("/api", Some(("/api/...", "/api"))),
        ("/api/", Some(("/api/...", "/api"))),
        ("/api/v2/x", Some(("/api/...", "/api"))),
        ("/api/v1", Some(("/api/v1", "/api/v1"))),
        ("/api/v1/", Some(("/api/v1/...", "/api/v1"))),
        ("/api/v1/a/b/c", Some(("/api/v1/...", "/api/v1"))),
        ("OPTIONS *", None),
    ];
    check(Precedence::LongestMatch, &routes, &requests);
}

#[test]
fn segments_count_from_the_left() {
    let routes = ["/:a/x/y", "/u/:b/...", "/u/me", "/u/:b", "/:a/...", "/u/me/x/z"];
    let requests = [
        ("/u/me", Some(("/u/me", "/u/me"))),
        ("/u/7", Some(("/u/:b", "/u/7"))),
        ("/u/7/", Some(("/u/:b/...", "/u/7"))),
        ("/u/me/x", Some(("/u/:b/...", "/u/me"))),
        ("/u/me/x/z", Some(("/u/me/x/z", "/u/me/x/z"))),
        ("/u/me/x/y", Some(("/u/:b/...", "/u/me"))),
        ("/u/x/y", Some(("/u/:b/...", "/u/x"))),
        ("/v/x/y", Some(("/:a/x/y", "/v/x/y"))),
        ("/v/x", Some(("/:a/...", "/v"))),
        ("/u", Some(("/:a/...", "/u"))),
        ("/u/", Some(("/:a/...", "/u"))),
        ("/", None),
    ];
    check(Precedence::LongestMatch, &routes, &requests);
}

#[test]
fn hosts_come_before_paths() {
    let routes = [
        "/a/b",
        "*.example.com/...",
        "*.eu.example.com/a/...",
        "api.example.com/a/...",
        "[::1]/...",
    ];
    let any = Some(("/a/b", "/a/b"));
    let wildcard = Some(("*.example.com/...", ""));
    let requests = [
        ("/a/b", any),
        ("other.org/a/b", any),
        ("example.com/a/b", any),
        (".example.com/a/b", any),
        ("xexample.com/a/b", any),
        ("a\"b/a/b", any),
        ("www.example.com/a/b", wildcard),
        ("www.example.com:8080/a/b", wildcard),
        ("a.b.example.com/x", wildcard),
        ("API.Example.com:80/a/b", Some(("api.example.com/a/...", "/a"))),
        ("api.example.com./a/b", Some(("api.example.com/a/...", "/a"))),
        ("api.example.com/b", wildcard),
        ("api.eu.example.com/a/b", Some(("*.eu.example.com/a/...", "/a"))),
        ("api.eu.example.com/b", wildcard),
        ("eu.example.com/a/b", wildcard),
        ("[0:0::1]:80/a/b", Some(("[::1]/...", ""))),
        ("other.org/a", None),
    ];
    check(Precedence::LongestMatch, &routes, &requests);
}

#[test]
fn a_route_without_the_method_leaves_the_request_to_the_next() {
    let routes = ["GET /a", "PUT,POST /:x", "DELETE h/a", "/b/...", "GET /b"];
    let requests = [
        ("GET /a", Some(("GET /a", "/a"))),
        ("HEAD /a", Some(("GET /a", "/a"))),
        ("POST /a", Some(("PUT,POST /:x", "/a"))),
        ("DELETE /a", Some(("405", "GET, HEAD, POST, PUT"))),
        ("DELETE h/a", Some(("DELETE h/a", "/a"))),
        ("PATCH h/a", Some(("405", "DELETE, GET, HEAD, POST, PUT"))),
        ("GET h/a", Some(("GET /a", "/a"))),
        ("HEAD /x", Some(("405", "POST, PUT"))),
        ("GET /b", Some(("GET /b", "/b"))),
        ("BREW /b", Some(("/b/...", "/b"))),
        ("GET /x/y", None),
    ];
    check(Precedence::LongestMatch, &routes, &requests);
}

#[test]
fn first_match_is_the_files_order() {
    let routes = ["/api/...", "/api/v1", "POST /x", "h/y", "/y", "/z", "*.h/z"];
    let requests = [
        ("/api/v1", Some(("/api/...", "/api"))),
        ("/api", Some(("/api/...", "/api"))),
        ("GET /x", Some(("405", "POST"))),
        ("h/y", Some(("h/y", "/y"))),
        ("i/y", Some(("/y", "/y"))),
        ("a.h/z", Some(("/z", "/z"))),
        ("/q", None),
    ];
    check(Precedence::FirstMatch, &routes, &requests);
}

#[test]
fn the_first_of_two_equal_routes_answers() {
    let routes = ["GET /:a", "GET,POST /:b", "/:c"];
    let requests = [
        ("GET /x", Some(("GET /:a", "/x"))),
        ("HEAD /x", Some(("GET /:a", "/x"))),
        ("POST /x", Some(("GET,POST /:b", "/x"))),
        ("PUT /x", Some(("/:c", "/x"))),
    ];
    for precedence in [Precedence::FirstMatch, Precedence::LongestMatch] {
        check(precedence, &routes, &requests);
    }
}

#[test]
fn parameters_have_the_names_of_their_route() {
    let table = table(Precedence::LongestMatch, &["GET /u/:id/...", "PUT /u/:name/o/:no", "/..."]);
    type Row = (Method, &'static str, &'static [(&'static str, &'static str)], &'static str);
    let rows: [Row; 4] = [
        (Method::GET, "/u/4%202/o", &[("id", "4%202")], "/u/4%202"),
        (Method::PUT, "/u/:id/o/7", &[("name", ":id"), ("no", "7")], "/u/:id/o/7"),
        (Method::GET, "/u/a", &[("id", "a")], "/u/a"),
        (Method::GET, "/v/a", &[], ""),
    ];
    for (method, path, params, script) in rows {
        let Lookup::Found(found) = table.find(&method, None, path) else { panic!("{path}") };
        assert_eq!(found.params, params, "{path}");
        assert_eq!(found.script_name, script, "{path}");
        assert_eq!(found.params.capacity() == 0, params.is_empty(), "no needless allocation");
    }
}

/// How many routes of a table a lookup looks at.
fn shown(table: &RouteTable<String>, host: Option<&str>, path: &str) -> usize {
    let mut count = 0;
    let _stopped = table.index.visit(host, path, &mut |_| {
        count += 1;
        ControlFlow::Continue(())
    });
    count
}

#[test]
fn a_lookup_does_not_scan() {
    let texts: Vec<String> = (0..1000).map(|number| format!("h{number}.x/a/{number}")).collect();
    let routes: Vec<&str> = texts.iter().map(String::as_str).collect();
    let table = table(Precedence::LongestMatch, &routes);
    assert_eq!(shown(&table, Some("h7.x"), "/a/7"), 1);
    assert_eq!(shown(&table, Some("h7.x"), "/a/8"), 0);
    let slashes = "/".repeat(60_000);
    assert_eq!(shown(&table, Some("h7.x"), &slashes), 0);
}
