//! Limits: the defaults, and `[limits]` of the manifest and of a route.

use std::time::Duration;

use crate::findings::{Findings, Problem, Span};
use crate::reader::{Field, Reader};
use crate::source::Source;
use crate::{Limits, Origin, Origins, ProcessLimits, Server};

#[cfg(test)]
mod tests;
pub(crate) mod values;

use values::{count, duration, size};

/// One page of linear memory.
const MEMORY_BYTES_MIN: u64 = 64 << 10;
/// All that a 32-bit guest can address.
const MEMORY_BYTES_MAX: u64 = 4 << 30;
/// Less than this holds no browser's request.
const HEAD_IN_BYTES_MIN: u64 = 1 << 10;
/// More is held in memory for each connection than a server can spare.
const HEAD_IN_BYTES_MAX: u64 = 256 << 10;
/// Less than this holds no useful header block.
const HEAD_OUT_BYTES_MIN: u64 = 256;
/// More than any client or proxy takes.
const HEAD_OUT_BYTES_MAX: u64 = 1 << 20;
/// More instances than any machine holds.
const CONCURRENCY_MAX: i64 = 100_000;
/// More waiting connections than any machine holds.
const QUEUE_MAX: i64 = 1_000_000;
/// More connections than a process may open.
const CONNECTIONS_MAX: i64 = 1_000_000;
/// More responses than a guest can have use for at once.
pub(crate) const HTTP_CALLS_MAX: i64 = 1000;

/// The limits of a request: in `[limits]` for all routes, and in a route's own.
pub(crate) const REQUEST_KEYS: [&str; 12] = [
    "deadline",
    "cpu",
    "memory",
    "head-in",
    "body-in",
    "head-out",
    "body-out",
    "stderr",
    "dapr-timeout",
    "http-timeout",
    "http-body",
    "http-calls",
];
/// The limits that the process has, and each route within it.
pub(crate) const SHARED_KEYS: [&str; 2] = ["concurrency", "queue"];
/// The limits that only the process has.
pub(crate) const PROCESS_KEYS: [&str; 3] = ["connections", "head-timeout", "write-timeout"];

/// The limits of a manifest: those of its process, and what its routes start from.
#[derive(Clone, Debug)]
pub(crate) struct AppLimits {
    limits: Limits,
    process: ProcessLimits,
    /// Of all keys.
    origins: Origins,
    /// Where the process's `concurrency` is set.
    concurrency: Option<Span>,
}

/// The limits of a manifest that sets none.
pub(crate) fn standard() -> AppLimits {
    let process = ProcessLimits {
        instances_max: 256,
        queue_depth_max: 1024,
        connections_max: 10_000,
        head_timeout: Duration::from_secs(30),
        write_timeout: Duration::from_secs(30),
    };
    let limits = Limits {
        deadline: Duration::from_secs(10),
        cpu: Duration::from_secs(10),
        memory_bytes_max: 64 << 20,
        head_in_bytes_max: 64 << 10,
        body_in_bytes_max: 10 << 20,
        head_out_bytes_max: 64 << 10,
        body_out_bytes_max: 64 << 20,
        stderr_bytes_max: 64 << 10,
        dapr_timeout: Duration::from_secs(5),
        http_timeout: Duration::from_secs(5),
        http_body_bytes_max: 10 << 20,
        http_calls_max: 8,
        instances_max: process.instances_max,
        queue_depth_max: process.queue_depth_max,
    };
    let keys = REQUEST_KEYS.iter().chain(&SHARED_KEYS).chain(&PROCESS_KEYS);
    let origins = keys.map(|key| (*key, Origin::Default)).collect();
    AppLimits { limits, process, origins, concurrency: None }
}

impl AppLimits {
    /// The limits of a route that sets none.
    pub(crate) fn of_route(&self) -> (Limits, Origins) {
        (self.limits.clone(), self.origins_of(&[&REQUEST_KEYS, &SHARED_KEYS]))
    }

    /// The server, which is told nothing but these limits.
    pub(crate) fn into_server(self) -> Server {
        let origins = self.origins_of(&[&SHARED_KEYS, &PROCESS_KEYS]);
        Server { trusted_proxies: Vec::new(), limits: self.process, origins }
    }

    fn origins_of(&self, lists: &[&[&str]]) -> Origins {
        let is_listed = |key: &str| lists.iter().any(|keys| keys.contains(&key));
        let origins = self.origins.iter().filter(|(key, _)| is_listed(key));
        origins.map(|(key, origin)| (*key, *origin)).collect()
    }
}

/// Reads `[limits]` of the manifest.
pub(crate) fn of_app(table: &Reader<'_>, source: &Source, found: &mut Findings) -> AppLimits {
    let known = [&REQUEST_KEYS[..], &SHARED_KEYS, &PROCESS_KEYS].concat();
    table.refuse_unknown(&known, found);
    let AppLimits { mut limits, mut process, mut origins, .. } = standard();
    let mut section = Section { table, source, origin: Origin::App, origins: &mut origins, found };
    section.request_limits(&mut limits);
    section.shared_limits(&mut process.instances_max, &mut process.queue_depth_max);
    let connections = |field: &Field<'_>, found: &mut _| count(field, CONNECTIONS_MAX, found);
    section.set("connections", &mut process.connections_max, connections);
    section.set("head-timeout", &mut process.head_timeout, duration);
    section.set("write-timeout", &mut process.write_timeout, duration);
    limits.instances_max = process.instances_max;
    limits.queue_depth_max = process.queue_depth_max;
    let concurrency = table.get("concurrency").map(|field| field.span());
    AppLimits { limits, process, origins, concurrency }
}

/// Reads a route's limits; what it does not set is as in `base`.
pub(crate) fn of_route(
    table: &Reader<'_>,
    base: &AppLimits,
    source: &Source,
    found: &mut Findings,
) -> (Limits, Origins) {
    let known = [&REQUEST_KEYS[..], &SHARED_KEYS, &PROCESS_KEYS].concat();
    table.refuse_unknown(&known, found);
    for field in PROCESS_KEYS.iter().filter_map(|name| table.get(name)) {
        let title = format!("`{}` is a limit of the whole process, not of a route", field.name);
        let help = "set it in `[limits]` at the top of the file";
        found.error(Problem::new(field.key, title).help(help));
    }
    let (mut limits, mut origins) = base.of_route();
    let mut section =
        Section { table, source, origin: Origin::Route, origins: &mut origins, found };
    section.request_limits(&mut limits);
    section.shared_limits(&mut limits.instances_max, &mut limits.queue_depth_max);
    refuse_excess(table, limits.instances_max, base, found);
    (limits, origins)
}

/// A route cannot run more guests than the process does.
fn refuse_excess(table: &Reader<'_>, wanted: usize, base: &AppLimits, found: &mut Findings) {
    let max = base.process.instances_max;
    let Some(field) = table.get("concurrency").filter(|_| wanted > max) else { return };
    let title = format!("a route's `concurrency` must not be above the process's, which is {max}");
    let problem = Problem::new(field.span(), title);
    let problem = match &base.concurrency {
        Some(span) => problem.context(span.clone(), "the process's"),
        None => problem,
    };
    found.error(problem.help("lower it, or raise `concurrency` in `[limits]` at the top"));
}

/// A table of limits while it is read.
struct Section<'a, 'f> {
    table: &'a Reader<'a>,
    source: &'a Source,
    origin: fn(usize) -> Origin,
    origins: &'f mut Origins,
    found: &'f mut Findings,
}

impl Section<'_, '_> {
    /// Reads `key`, when it is there, into `slot`.
    fn set<T>(
        &mut self,
        key: &'static str,
        slot: &mut T,
        read: impl Fn(&Field<'_>, &mut Findings) -> Option<T>,
    ) {
        let Some(field) = self.table.get(key) else { return };
        if let Some(value) = read(&field, self.found) {
            *slot = value;
            let line = self.source.line(field.key.start);
            self.origins.insert(key, (self.origin)(line));
        }
    }

    fn request_limits(&mut self, limits: &mut Limits) {
        let sized = |min, max| move |field: &Field<'_>, found: &mut _| size(field, min, max, found);
        let any_size = sized(1, u64::MAX);
        let calls = |field: &Field<'_>, found: &mut _| count(field, HTTP_CALLS_MAX, found);
        self.set("deadline", &mut limits.deadline, duration);
        self.set("cpu", &mut limits.cpu, duration);
        self.set("memory", &mut limits.memory_bytes_max, sized(MEMORY_BYTES_MIN, MEMORY_BYTES_MAX));
        let head_in = sized(HEAD_IN_BYTES_MIN, HEAD_IN_BYTES_MAX);
        self.set("head-in", &mut limits.head_in_bytes_max, head_in);
        self.set("body-in", &mut limits.body_in_bytes_max, any_size);
        let head_out = sized(HEAD_OUT_BYTES_MIN, HEAD_OUT_BYTES_MAX);
        self.set("head-out", &mut limits.head_out_bytes_max, head_out);
        self.set("body-out", &mut limits.body_out_bytes_max, any_size);
        self.set("stderr", &mut limits.stderr_bytes_max, any_size);
        self.set("dapr-timeout", &mut limits.dapr_timeout, duration);
        self.set("http-timeout", &mut limits.http_timeout, duration);
        self.set("http-body", &mut limits.http_body_bytes_max, any_size);
        self.set("http-calls", &mut limits.http_calls_max, calls);
        // A guest that computes all the time may do so until its deadline, unless told otherwise.
        if self.origins.get("cpu") == Some(&Origin::Default) {
            limits.cpu = limits.deadline;
        }
    }

    fn shared_limits(&mut self, instances_max: &mut usize, queue_depth_max: &mut usize) {
        let concurrency = |field: &Field<'_>, found: &mut _| count(field, CONCURRENCY_MAX, found);
        let queue = |field: &Field<'_>, found: &mut _| count(field, QUEUE_MAX, found);
        self.set("concurrency", instances_max, concurrency);
        self.set("queue", queue_depth_max, queue);
    }
}
