//! The metadata of `state.sqlite`.

use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use super::query::{Query, is_word};
use crate::Error;
use crate::component::{Component, HIDDEN};
use crate::duration;

/// The longest wait for a lock that SQLite knows: 24 days.
const DURATION_MAX: Duration = Duration::from_millis(i32::MAX.unsigned_abs() as u64);

/// How to open a store.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) location: Location,
    /// Whether file and tables must not be named in messages: they come from a secret store.
    pub(super) is_secret: bool,
    /// What to do when this file will not do.
    pub(super) other_file: &'static str,
    pub(super) tables: Tables,
    /// The most that one call may take.
    pub(super) timeout: Duration,
    /// How long to wait for another process that has the file locked.
    pub(super) busy_timeout: Duration,
    pub(super) write_ahead_log: bool,
    /// `None` for never.
    pub(super) cleanup_every: Option<Duration>,
    /// `_pragma=NAME(VALUE)` of the connection string.
    pub(super) pragmas: Vec<(String, String)>,
}

/// Where the database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Location {
    Memory,
    File {
        /// As SQLite takes it.
        uri: String,
        path: PathBuf,
    },
}

/// The names of a store's tables: letters, digits and `_` only, since they become part of SQL.
#[derive(Clone, Debug)]
pub(super) struct Tables {
    pub(super) state: String,
    pub(super) metadata: String,
}

impl Options {
    /// Reads the metadata of a component. The defaults are daprd's, but for the cleanup, which
    /// daprd never does by default.
    pub(super) fn of(component: &Component) -> Result<Self, Error> {
        Self::with_table(component, "state")
    }

    /// The same, for a component whose table has another name by default.
    pub(super) fn with_table(component: &Component, table: &str) -> Result<Self, Error> {
        let string = match component.get("connectionString").or_else(|| component.get("url")) {
            Some(string) => string,
            None => component.required("connectionString")?,
        };
        let (head, query) = string.split_once('?').unwrap_or((string, ""));
        let query = Query::parse(component, query)?;
        let seconds = |names: &[&str], default| duration(component, names, default);
        let timeout = seconds(&["timeout", "timeoutInSeconds"], Duration::from_secs(20))?;
        if timeout < Duration::from_secs(1) {
            return Err(component.mistake_in("timeout", "`timeout` must be at least 1s"));
        }
        let busy_timeout = seconds(&["busyTimeout"], Duration::from_secs(2))?;
        for (name, time) in [("timeout", timeout), ("busyTimeout", busy_timeout)] {
            if time > DURATION_MAX {
                let message = format!("`{name}` must be at most 24 days (576h)");
                return Err(component.mistake_in(name, message));
            }
        }
        let cleanup_every = seconds(
            &["cleanupInterval", "cleanupIntervalInSeconds"],
            Duration::from_secs(60 * 60),
        )?;
        let names = ["connectionString", "url", "tableName", "metadataTableName"];
        Ok(Self {
            location: location(component, head, &query)?,
            is_secret: names.iter().any(|name| component.is_secret(name)),
            // The default store has no file that could be changed.
            other_file: if component.line == 0 {
                "choose another folder with --data-dir"
            } else {
                "name another file in `connectionString`"
            },
            tables: Tables {
                state: identifier(component, "tableName", table)?,
                metadata: identifier(component, "metadataTableName", "metadata")?,
            },
            timeout,
            busy_timeout,
            write_ahead_log: !component.flag("disableWAL") && !query.read_only,
            // To clean up sooner than after many days does no harm.
            cleanup_every: Some(cleanup_every.min(DURATION_MAX)).filter(|every| !every.is_zero()),
            pragmas: query.pragmas,
        })
    }

    /// What a message may show of a name: nothing, if it comes from a secret store.
    pub(super) fn shown(&self, name: impl ToString) -> String {
        if self.is_secret { HIDDEN.to_owned() } else { name.to_string() }
    }
}

/// A path is a URI even without `file:` before it, as in daprd.
fn location(component: &Component, head: &str, query: &Query) -> Result<Location, Error> {
    let lower = head.to_ascii_lowercase();
    let has_scheme = lower.starts_with("file:");
    let path = if has_scheme { head.get(5..).unwrap_or_default() } else { head };
    if query.in_memory || lower.starts_with(":memory:") || lower.starts_with("file::memory:") {
        return Ok(Location::Memory);
    }
    let separator = if query.native.is_empty() { "" } else { "?" };
    let uri = format!("file:{path}{separator}{}", query.native.join("&"));
    // `file://host/path`: SQLite takes an empty host and `localhost` only.
    let path = path
        .strip_prefix("//")
        .map_or(path, |rest| rest.find('/').map_or("", |at| rest.get(at..).unwrap_or_default()));
    let path = path.split('#').next().unwrap_or_default();
    let path = percent_decode_str(path).decode_utf8_lossy();
    if path.is_empty() {
        return Err(component
            .mistake_in("connectionString", "`connectionString` names no file; write a path"));
    }
    Ok(Location::File { uri, path: PathBuf::from(path.into_owned()) })
}

fn identifier(component: &Component, name: &str, default: &str) -> Result<String, Error> {
    let identifier = component.get(name).unwrap_or(default);
    if is_word(identifier) {
        return Ok(identifier.to_owned());
    }
    let identifier = component.shown(name, identifier);
    Err(component.mistake_in(
        name,
        format!("`{name}` is `{identifier}`; a table's name has only letters, digits and `_`"),
    ))
}

/// A duration under the first of these names that is there.
fn duration(component: &Component, names: &[&str], default: Duration) -> Result<Duration, Error> {
    let found = names.iter().find_map(|name| Some((name, component.get(name)?)));
    let Some((name, text)) = found else { return Ok(default) };
    duration::parse(text).ok_or_else(|| {
        let text = component.shown(name, text);
        component.mistake_in(name, format!(
            "`{name}` is `{text}`, which is no duration; write 500ms, 20s or 1h30m, or a number \
             of seconds"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tests::component;

    fn options(metadata: &[(&str, &str)]) -> Result<Options, String> {
        Options::of(&component("state.sqlite", metadata)).map_err(|error| error.to_string())
    }

    #[test]
    fn connection_strings_are_read_as_daprd_reads_them() {
        let file = |uri: &str, path: &str| Location::File { uri: uri.into(), path: path.into() };
        let cases = [
            ("data.db", file("file:data.db", "data.db")),
            ("./a b/data.db", file("file:./a b/data.db", "./a b/data.db")),
            ("file:data.db?_txlock=immediate", file("file:data.db", "data.db")),
            ("FILE:data%20one.db?mode=rwc", file("file:data%20one.db?mode=rwc", "data one.db")),
            ("file:///var/data.db", file("file:///var/data.db", "/var/data.db")),
            ("file://localhost/d.db?cache=shared", file("file://localhost/d.db", "/d.db")),
            (":memory:", Location::Memory),
            ("file::memory:?cache=shared", Location::Memory),
            ("file:x?mode=memory&cache=shared", Location::Memory),
        ];
        for (string, expected) in cases {
            let options = options(&[("connectionString", string)]).unwrap();
            assert_eq!(options.location, expected, "{string}");
        }
    }

    #[test]
    fn mistakes_are_pointed_at() {
        let with = |name, value| options(&[("connectionString", "d.db"), (name, value)]);
        let only = |value| options(&[("connectionString", value)]);
        let cases = [
            (options(&[]), "a state.sqlite needs the metadata `connectionString`"),
            (only("file:?mode=ro"), "`connectionString` names no file; write a path"),
            (
                only("d.db?_pragma=busy_timeout(1)"),
                "found forbidden option '_pragma=busy_timeout' in the connection string; use the \
                 metadata `busyTimeout`",
            ),
            (
                only("d.db?_pragma=x(1);drop"),
                "`_pragma=x(1);drop` in the connection string must have the form NAME(VALUE)",
            ),
            (
                with("tableName", "a;b"),
                "`tableName` is `a;b`; a table's name has only letters, digits and `_`",
            ),
            (with("timeout", "10ms"), "`timeout` must be at least 1s"),
            (with("timeout", "-20s"), "`timeout` must be at least 1s"),
            (with("timeout", "9000000000000000000"), "`timeout` must be at most 24 days (576h)"),
            (with("busyTimeout", "2147483648ms"), "`busyTimeout` must be at most 24 days (576h)"),
            (
                with("busyTimeout", "soon"),
                "`busyTimeout` is `soon`, which is no duration; write 500ms, 20s or 1h30m, or a \
                 number of seconds",
            ),
        ];
        for (result, expected) in cases {
            assert_eq!(result.unwrap_err(), format!("components/state.yaml:3: {expected}"));
        }
    }

    #[test]
    fn what_comes_from_a_secret_is_not_shown() {
        let cases = [
            ("connectionString", "d.db?_pragma=hunter2"),
            ("connectionString", "d.db?_pragma=foreign_keys(hunter2)"),
            ("timeout", "hunter2"),
            ("busyTimeout", "hunter2"),
            ("cleanupInterval", "hunter2"),
            ("tableName", "hunter2!"),
            ("metadataTableName", "hunter2!"),
        ];
        for (name, value) in cases {
            let mut component = component("state.sqlite", &[(name, value), ("url", "d.db")]);
            component.secret_names.insert(name.to_owned());
            let error = Options::of(&component).unwrap_err().to_string();
            assert!(error.contains(HIDDEN) && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn zero_and_less_turn_off_and_long_times_are_bounded() {
        for (text, expected) in
            [("-1s", None), ("-60", None), ("0", None), ("720h", Some(DURATION_MAX))]
        {
            let options =
                options(&[("url", "d.db"), ("cleanupInterval", text), ("busyTimeout", "-1s")])
                    .unwrap();
            assert_eq!(options.cleanup_every, expected, "{text}");
            assert_eq!(options.busy_timeout, Duration::ZERO);
        }
    }

    #[test]
    fn durations_and_tables_are_read() {
        let options = options(&[
            ("url", "d.db?_pragma=cache_size(100)&immutable=1"),
            ("timeoutInSeconds", "30"),
            ("busytimeout", "500ms"),
            ("cleanupInterval", "0"),
            ("tableName", "t1"),
        ])
        .unwrap();
        assert_eq!(options.timeout, Duration::from_secs(30));
        assert_eq!(options.busy_timeout, Duration::from_millis(500));
        assert_eq!(options.cleanup_every, None);
        assert_eq!(options.tables.state, "t1");
        assert_eq!(options.tables.metadata, "metadata");
        assert_eq!(options.pragmas, [("cache_size".to_owned(), "100".to_owned())]);
        assert!(!options.write_ahead_log);
    }
}
