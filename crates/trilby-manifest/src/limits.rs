//! Limits: the defaults, and `[limits]` of the manifest and of a route.

use std::time::Duration;

use bytesize::ByteSize;

use crate::Limits;
use crate::findings::{Findings, Problem, shown};
use crate::reader::Reader;

/// No request may keep a connection longer than this; a Dapr call is part of a request.
const DEADLINE_MAX: Duration = Duration::from_secs(60 * 60);
/// One page of linear memory.
const MEMORY_BYTES_MIN: u64 = 64 << 10;
/// All that a 32-bit guest can address.
const MEMORY_BYTES_MAX: u64 = 4 << 30;
/// More instances than any machine holds.
const CONCURRENCY_MAX: i64 = 100_000;
/// More waiting connections than any machine holds.
const QUEUE_MAX: i64 = 1_000_000;

const ROUTE_KEYS: [&str; 6] =
    ["deadline", "memory", "body-in", "body-out", "stderr", "dapr-timeout"];
const PROCESS_KEYS: [&str; 2] = ["concurrency", "queue"];

/// Whose limits are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All routes, and the process.
    App,
    /// One route.
    Route,
}

/// The limits of a manifest that sets none.
pub(crate) fn standard() -> Limits {
    Limits {
        deadline: Duration::from_secs(10),
        memory_bytes_max: 64 << 20,
        body_in_bytes_max: 10 << 20,
        body_out_bytes_max: 64 << 20,
        stderr_bytes_max: 64 << 10,
        dapr_timeout: Duration::from_secs(5),
        instances_max: 256,
        queue_depth_max: 1024,
    }
}

/// The limits of a table; what it does not set is as in `base`.
pub(crate) fn read(
    table: &Reader<'_>,
    scope: Scope,
    base: &Limits,
    found: &mut Findings,
) -> Limits {
    let known = [&ROUTE_KEYS[..], &PROCESS_KEYS[..]].concat();
    table.refuse_unknown(&known, found);
    let mut limits = base.clone();
    set(&mut limits.deadline, duration(table, "deadline", found));
    set(&mut limits.memory_bytes_max, memory(table, found));
    set(&mut limits.body_in_bytes_max, size(table, "body-in", 1, u64::MAX, found));
    set(&mut limits.body_out_bytes_max, size(table, "body-out", 1, u64::MAX, found));
    set(&mut limits.stderr_bytes_max, size(table, "stderr", 1, u64::MAX, found));
    set(&mut limits.dapr_timeout, duration(table, "dapr-timeout", found));
    match scope {
        Scope::App => {
            set(&mut limits.instances_max, count(table, "concurrency", CONCURRENCY_MAX, found));
            set(&mut limits.queue_depth_max, count(table, "queue", QUEUE_MAX, found));
        }
        Scope::Route => {
            for field in PROCESS_KEYS.iter().filter_map(|name| table.get(name)) {
                let title =
                    format!("`{}` is a limit of the whole process, not of a route", field.name);
                let help = "set it in `[limits]` at the top of the file";
                found.error(Problem::new(field.key, title).help(help));
            }
        }
    }
    limits
}

fn set<T>(slot: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *slot = value;
    }
}

fn duration(table: &Reader<'_>, name: &str, found: &mut Findings) -> Option<Duration> {
    let wanted = "a duration such as \"10s\"";
    let text = table.text(name, wanted, found)?;
    let problem = match humantime::parse_duration(text.text) {
        Err(_) => {
            let given = shown(text.text);
            Problem::new(text.span, format!("`{name}` must be {wanted}, found \"{given}\""))
                .help("write numbers and units (ms, s, m, h), as in \"1m 30s\"")
        }
        Ok(value) if value.is_zero() => {
            Problem::new(text.span, format!("`{name}` must not be zero"))
        }
        Ok(value) if value > DEADLINE_MAX => {
            let max = humantime::format_duration(DEADLINE_MAX);
            Problem::new(text.span, format!("`{name}` must not be longer than {max}"))
        }
        Ok(value) => return Some(value),
    };
    found.error(problem);
    None
}

fn memory(table: &Reader<'_>, found: &mut Findings) -> Option<usize> {
    size(table, "memory", MEMORY_BYTES_MIN, MEMORY_BYTES_MAX, found)
}

fn size(
    table: &Reader<'_>,
    name: &str,
    bytes_min: u64,
    bytes_max: u64,
    found: &mut Findings,
) -> Option<usize> {
    let wanted = "a size such as \"64 MiB\"";
    let text = table.text(name, wanted, found)?;
    let problem = match text.text.trim().parse::<ByteSize>() {
        Err(_) => {
            let given = shown(text.text);
            Problem::new(text.span, format!("`{name}` must be {wanted}, found \"{given}\""))
                .help("the units are B, KiB, MiB, GiB (of 1024) and kB, MB, GB (of 1000)")
        }
        Ok(ByteSize(0)) => Problem::new(text.span, format!("`{name}` must not be zero")),
        Ok(ByteSize(bytes)) if bytes < bytes_min => {
            Problem::new(text.span, format!("`{name}` must be at least {}", ByteSize(bytes_min)))
        }
        Ok(ByteSize(bytes)) => match usize::try_from(bytes) {
            Ok(size) if bytes <= bytes_max => return Some(size),
            _ => {
                let max = ByteSize(bytes_max.min(u64::try_from(usize::MAX).unwrap_or(u64::MAX)));
                Problem::new(text.span, format!("`{name}` must be at most {max}"))
            }
        },
    };
    found.error(problem);
    None
}

fn count(table: &Reader<'_>, name: &str, max: i64, found: &mut Findings) -> Option<usize> {
    let field = table.get(name)?;
    let number = field.integer("a whole number", found)?;
    if !(1..=max).contains(&number) {
        let title = format!("`{name}` must be between 1 and {max}");
        found.error(Problem::new(field.span(), title));
        return None;
    }
    usize::try_from(number).ok()
}

#[cfg(test)]
mod tests {

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
        assert_eq!(limits, standard());
        assert_eq!(limits.deadline, Duration::from_secs(10));
        assert_eq!(limits.memory_bytes_max, 64 * 1024 * 1024);
        assert_eq!(limits.body_in_bytes_max, 10 * 1024 * 1024);
        assert_eq!(limits.body_out_bytes_max, 64 * 1024 * 1024);
        assert_eq!(limits.stderr_bytes_max, 64 * 1024);
        assert_eq!(limits.dapr_timeout, Duration::from_secs(5));
        assert_eq!(limits.instances_max, 256);
        assert_eq!(limits.queue_depth_max, 1024);
    }

    #[test]
    fn every_limit_can_be_set() {
        let limits = of_app(
            "deadline = \"1m 30s\"\nmemory = \"1 GiB\"\nbody-in = \"2kB\"\nbody-out = \"3 MiB\"\n\
             stderr = \"512 B\"\ndapr-timeout = \"250ms\"\nconcurrency = 7\nqueue = 0x10",
        );
        assert_eq!(
            limits,
            Limits {
                deadline: Duration::from_secs(90),
                memory_bytes_max: 1 << 30,
                body_in_bytes_max: 2000,
                body_out_bytes_max: 3 << 20,
                stderr_bytes_max: 512,
                dapr_timeout: Duration::from_millis(250),
                instances_max: 7,
                queue_depth_max: 16,
            }
        );
    }

    #[test]
    fn a_routes_limits_stand_over_the_apps() {
        let text = format!(
            "version = 1\nlimits = {{ deadline = \"2s\", stderr = \"1 KiB\", queue = 9 }}\n{ROUTE}\
             limits = {{ deadline = \"3s\" }}\n[[route]]\npath = \"/b\"\nmodule = \"a.wasm\"\n"
        );
        let app = loaded(&text).app;
        let limits = |at: usize| &app.routes[at].limits;
        assert_eq!(limits(0).deadline, Duration::from_secs(3));
        assert_eq!(limits(1).deadline, Duration::from_secs(2));
        assert_eq!(limits(0).stderr_bytes_max, 1024);
        assert_eq!(limits(0).queue_depth_max, 9);
    }

    #[test]
    fn limits_beyond_their_bounds_are_refused() {
        for (scope, line, expected) in [
            (
                "app",
                "deadline = 10",
                "`deadline` must be a duration such as \"10s\", found integer",
            ),
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
            (
                "app",
                "queue = 99999999999999999999",
                "`queue` must be a whole number, found integer",
            ),
            (
                "route",
                "concurrency = 5",
                "`concurrency` is a limit of the whole process, not of a route",
            ),
            ("route", "queue = 5", "`queue` is a limit of the whole process, not of a route"),
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
             deadline = \"10 parsecs\"\n{ROUTE}limits.queue = 3\n"
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

        error: `queue` is a limit of the whole process, not of a route
         --> trilby.toml:9:8
          |
        9 | limits.queue = 3
          |        ^^^^^
          |
          = help: set it in `[limits]` at the top of the file
        "#);
    }
}
