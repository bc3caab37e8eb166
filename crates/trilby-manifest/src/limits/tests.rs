use super::*;
use crate::testing::{loaded, report};

const ROUTE: &str = "[[route]]\npath = \"/\"\nmodule = \"a.wasm\"\n";

fn of_app(limits: &str) -> Limits {
    loaded(&format!("version = 1\n[limits]\n{limits}\n{ROUTE}")).app.routes[0].limits.clone()
}

fn title(scope: &str, line: &str) -> String {
    let text = match scope {
        "app" => format!("version = 1\n[limits]\n{line}\n{ROUTE}"),
        _ => format!("version = 1\n{ROUTE}limits = {{ {line} }}\n"),
    };
    let report = report(&text);
    assert_eq!(report.matches("error:").count(), 1, "{report}");
    assert!(report.contains("--> trilby.toml:"), "{report}");
    report.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn every_limit_has_its_default() {
    let limits = of_app("");
    assert_eq!(limits, standard().of_route().0);
    assert_eq!(limits.deadline, Duration::from_secs(10));
    assert_eq!(limits.memory_bytes_max, 64 * 1024 * 1024);
    assert_eq!(limits.body_in_bytes_max, 10 * 1024 * 1024);
    assert_eq!(limits.body_out_bytes_max, 64 * 1024 * 1024);
    assert_eq!(limits.stderr_bytes_max, 64 * 1024);
    assert_eq!(limits.dapr_timeout, Duration::from_secs(5));
    assert_eq!(limits.instances_max, 256);
    assert_eq!(limits.queue_depth_max, 1024);
}

const ALL: &str = "deadline = \"1m 30s\"\ncpu = \"5s\"\nmemory = \"1 GiB\"\nhead-in = \"1 KiB\"\n\
                   body-in = \"2kB\"\nhead-out = \"256 B\"\nbody-out = \"3 MiB\"\n\
                   stderr = \"512 B\"\ndapr-timeout = \"250ms\"\nhttp-timeout = \"1s\"\n\
                   http-body = \"1 B\"\nhttp-calls = 1000\nconcurrency = 7\nqueue = 0x10\n";

#[test]
fn every_limit_can_be_set() {
    let process = "connections = 9\nhead-timeout = \"1s\"\nwrite-timeout = \"1h\"";
    let expected = Limits {
        deadline: Duration::from_secs(90),
        cpu: Duration::from_secs(5),
        memory_bytes_max: 1 << 30,
        head_in_bytes_max: 1024,
        body_in_bytes_max: 2000,
        head_out_bytes_max: 256,
        body_out_bytes_max: 3 << 20,
        stderr_bytes_max: 512,
        dapr_timeout: Duration::from_millis(250),
        http_timeout: Duration::from_secs(1),
        http_body_bytes_max: 1,
        http_calls_max: 1000,
        instances_max: 7,
        queue_depth_max: 16,
    };
    let app = loaded(&format!("version = 1\n[limits]\n{ALL}{process}\n{ROUTE}")).app;
    assert_eq!(app.routes[0].limits, expected);
    let bounds = ProcessLimits {
        instances_max: 7,
        queue_depth_max: 16,
        connections_max: 9,
        head_timeout: Duration::from_secs(1),
        write_timeout: Duration::from_secs(3600),
    };
    assert_eq!(app.server.limits, bounds);
    let of_route = format!("version = 1\n{ROUTE}[route.limits]\n{ALL}");
    assert_eq!(loaded(&of_route).app.routes[0].limits, expected);
}

#[test]
fn every_limit_knows_where_it_was_set() {
    let keys_of = |origins: &Origins| origins.keys().copied().collect::<Vec<_>>();
    let sorted = |lists: [&[&'static str]; 2]| {
        let mut keys = lists.concat();
        keys.sort_unstable();
        keys
    };
    let app = loaded(&format!("version = 1\n{ROUTE}")).app;
    assert_eq!(keys_of(&app.server.origins), sorted([&SHARED_KEYS, &PROCESS_KEYS]));
    assert_eq!(keys_of(&app.routes[0].origins), sorted([&REQUEST_KEYS, &SHARED_KEYS]));
    let mut all = app.routes[0].origins.values().chain(app.server.origins.values());
    assert!(all.all(|origin| *origin == Origin::Default));

    let text = format!(
        "version = 1\n[limits]\ncpu = \"2s\"\nqueue = 9\n{ROUTE}limits = {{ cpu = \"1s\", \
         concurrency = 2 }}\n"
    );
    let app = loaded(&text).app;
    let origins = &app.routes[0].origins;
    for (key, origin) in [
        ("cpu", Origin::Route(8)),
        ("concurrency", Origin::Route(8)),
        ("queue", Origin::App(4)),
        ("memory", Origin::Default),
    ] {
        assert_eq!(origins[key], origin, "{key}");
    }
    assert_eq!(app.server.origins["queue"], Origin::App(4));
    assert_eq!(app.server.origins["concurrency"], Origin::Default);

    let text = format!("version = 1\n[limits]\n{ALL}{ROUTE}[route.limits]\n{ALL}");
    let origins = &loaded(&text).app.routes[0].origins;
    assert!(origins.values().all(|origin| matches!(origin, Origin::Route(_))), "{origins:?}");
}

#[test]
fn a_routes_limits_stand_over_the_apps() {
    let text = format!(
        "version = 1\nlimits = {{ deadline = \"2s\", stderr = \"1 KiB\", queue = 9 }}\n{ROUTE}\
         limits = {{ deadline = \"3s\" }}\n[[route]]\npath = \"/b\"\nmodule = \"a.wasm\"\n\
         limits = {{ queue = 10, concurrency = 256 }}\n"
    );
    let app = loaded(&text).app;
    let limits = |at: usize| &app.routes[at].limits;
    assert_eq!(limits(0).deadline, Duration::from_secs(3));
    assert_eq!(limits(1).deadline, Duration::from_secs(2));
    assert_eq!(limits(0).stderr_bytes_max, 1024);
    assert_eq!((limits(0).queue_depth_max, limits(0).instances_max), (9, 256));
    assert_eq!((limits(1).queue_depth_max, limits(1).instances_max), (10, 256));
}

#[test]
fn computing_may_last_to_the_deadline_unless_it_is_bounded() {
    let cpu = |app: &str, route: &str| {
        let text = format!("version = 1\nlimits = {{ {app} }}\n{ROUTE}limits = {{ {route} }}\n");
        loaded(&text).app.routes[0].limits.cpu.as_secs()
    };
    for (app, route, expected) in [
        ("", "", 10),
        ("", "deadline = \"3s\"", 3),
        ("deadline = \"4s\"", "", 4),
        ("deadline = \"4s\"", "deadline = \"20s\"", 20),
        ("cpu = \"2s\"", "deadline = \"20s\"", 2),
        ("cpu = \"2s\"", "cpu = \"5s\"", 5),
        ("", "cpu = \"1s\", deadline = \"3s\"", 1),
    ] {
        assert_eq!(cpu(app, route), expected, "{app} {route}");
    }
}

#[test]
fn limits_beyond_their_bounds_are_refused() {
    for (scope, line, expected) in [
        ("app", "deadline = 10", "`deadline` must be a duration such as \"10s\", found integer"),
        ("app", "deadline = \"0s\"", "`deadline` must not be zero"),
        ("app", "deadline = \"61m\"", "`deadline` must not be longer than 1h"),
        ("app", "dapr-timeout = \"2h\"", "`dapr-timeout` must not be longer than 1h"),
        (
            "route",
            "deadline = \"10\"",
            "`deadline` must be a duration such as \"10s\", found \"10\"",
        ),
        ("app", "memory = 1.5", "`memory` must be a size such as \"64 MiB\", found float"),
        (
            "route",
            "memory = \"64 Mib/s\"",
            "`memory` must be a size such as \"64 MiB\", found \"64 Mib/s\"",
        ),
        ("app", "memory = \"0\"", "`memory` must not be zero"),
        ("app", "memory = \"63 KiB\"", "`memory` must be at least 64.0 KiB"),
        ("route", "memory = \"5 GiB\"", "`memory` must be at most 4.0 GiB"),
        ("app", "body-in = \"0 B\"", "`body-in` must not be zero"),
        ("app", "stderr = []", "`stderr` must be a size such as \"64 MiB\", found array"),
        ("app", "concurrency = 0", "`concurrency` must be between 1 and 100000"),
        ("app", "concurrency = -1", "`concurrency` must be between 1 and 100000"),
        ("app", "queue = 0", "`queue` must be between 1 and 1000000"),
        ("app", "queue = \"9\"", "`queue` must be a whole number, found string"),
        ("app", "queue = 99999999999999999999", "`queue` must be a whole number, found integer"),
        (
            "route",
            "concurrency = 257",
            "a route's `concurrency` must not be above the process's, which is 256",
        ),
        ("app", "connections = 0", "`connections` must be between 1 and 1000000"),
        ("app", "head-in = \"1023 B\"", "`head-in` must be at least 1.0 KiB"),
        ("app", "head-in = \"257 KiB\"", "`head-in` must be at most 256.0 KiB"),
        ("route", "head-out = \"255 B\"", "`head-out` must be at least 256 B"),
        ("route", "head-out = \"2 MiB\"", "`head-out` must be at most 1.0 MiB"),
        ("app", "http-calls = 1001", "`http-calls` must be between 1 and 1000"),
        ("app", "cpu = \"0s\"", "`cpu` must not be zero"),
        ("app", "head-timeout = \"2h\"", "`head-timeout` must not be longer than 1h"),
        (
            "route",
            "connections = 5",
            "`connections` is a limit of the whole process, not of a route",
        ),
        (
            "route",
            "head-timeout = \"1s\"",
            "`head-timeout` is a limit of the whole process, not of a route",
        ),
        (
            "route",
            "write-timeout = \"1s\"",
            "`write-timeout` is a limit of the whole process, not of a route",
        ),
        ("app", "body_in = \"1 MiB\"", "unknown key `body_in` in `[limits]`"),
        ("route", "timeout = \"1s\"", "unknown key `timeout` in a route's limits"),
    ] {
        assert_eq!(title(scope, line), format!("error: {expected}"), "{scope} {line}");
    }
}

#[test]
fn a_bad_limit_is_shown() {
    let text = format!(
        "version = 1\n[limits]\nbody_in = \"1 MiB\"\nmemory = \"64 Mo\"\n\
         deadline = \"10 parsecs\"\n{ROUTE}limits.connections = 3\n"
    );
    insta::assert_snapshot!(report(&text), @r#"
    error: unknown key `body_in` in `[limits]`
     --> trilby.toml:3:1
      |
    3 | body_in = "1 MiB"
      | ^^^^^^^
      |
      = help: did you mean `body-in`?

    error: `memory` must be a size such as "64 MiB", found "64 Mo"
     --> trilby.toml:4:10
      |
    4 | memory = "64 Mo"
      |          ^^^^^^^
      |
      = help: the units are B, KiB, MiB, GiB (of 1024) and kB, MB, GB (of 1000)

    error: `deadline` must be a duration such as "10s", found "10 parsecs"
     --> trilby.toml:5:12
      |
    5 | deadline = "10 parsecs"
      |            ^^^^^^^^^^^^
      |
      = help: write numbers and units (ms, s, m, h), as in "1m 30s"

    error: `connections` is a limit of the whole process, not of a route
     --> trilby.toml:9:8
      |
    9 | limits.connections = 3
      |        ^^^^^^^^^^^
      |
      = help: set it in `[limits]` at the top of the file
    "#);
}

#[test]
fn a_route_cannot_run_more_than_the_process() {
    let text = format!("version = 1\n[limits]\nconcurrency = 4\n{ROUTE}limits.concurrency = 5\n");
    insta::assert_snapshot!(report(&text), @r"
    error: a route's `concurrency` must not be above the process's, which is 4
     --> trilby.toml:7:22
      |
    3 | concurrency = 4
      |               - the process's
    ...
    7 | limits.concurrency = 5
      |                      ^
      |
      = help: lower it, or raise `concurrency` in `[limits]` at the top
    ");
}
