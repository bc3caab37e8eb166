//! One YAML document of the kind `Resiliency`: policies, and the targets they are for.
//!
//! As in daprd a time is Go's text, or a number of milliseconds in quotes; a retry policy that says
//! nothing is constant, of 5 s, and endless; and policies share one set of names in all files.

use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use super::fields::{Fields, Text, mistake};
use super::node::{Node, Value};
use crate::resiliency::{
    AppTarget, BackOff, ComponentTarget, DeclaredResiliency, Name, PolicyNames, Retry, Settings,
    StatusCodes, Trip,
};
use crate::{Error, duration};

/// daprd's longest wait of a policy that grows and names none.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// The breakers that a target may ask for.
const BREAKERS: RangeInclusive<i64> = 1..=100_000;

/// Reads a document of which the kind is known.
pub(super) fn read(file: &Path, node: Node) -> Result<DeclaredResiliency, Error> {
    let known = ["apiVersion", "kind", "metadata", "spec", "scopes"];
    let mut top = Fields::open(file, "a resiliency", node, &known)?;
    top.api_version()?;
    let name = top.name()?.text;
    let scopes = top.scopes()?;
    let mut spec = top.needed("spec", &["policies", "targets"])?;
    let known = ["timeouts", "retries", "circuitBreakers"];
    let mut policies = spec.map("policies", &known)?;
    let mut targets = spec.map("targets", &["apps", "actors", "components"])?;
    Ok(DeclaredResiliency {
        name,
        file: file.to_owned(),
        scopes,
        timeouts: named(&mut policies, "timeouts", |name, node| {
            time(file, &name.text, node).map(|(time, _)| time)
        })?,
        retries: named(&mut policies, "retries", |_, node| retry(file, node))?,
        breakers: named(&mut policies, "circuitBreakers", |_, node| breaker(file, node))?,
        apps: named(&mut targets, "apps", |_, node| app(file, node))?,
        actors: named(&mut targets, "actors", |_, node| actor(file, node))?,
        components: named(&mut targets, "components", |_, node| component(file, node))?,
    })
}

/// The entries of a map whose keys are names.
fn named<T>(
    fields: &mut Option<Fields<'_>>,
    key: &str,
    read: impl Fn(&Name, Node) -> Result<T, Error>,
) -> Result<Vec<(Name, T)>, Error> {
    let Some(fields) = fields else { return Ok(Vec::new()) };
    let entries = fields.entries(key)?.into_iter().map(|(Text { text, line }, node)| {
        let name = Name { text, line };
        let value = read(&name, node)?;
        Ok((name, value))
    });
    entries.collect()
}

/// A time, and where it stands. One that is not above zero counts as zero.
fn time(file: &Path, key: &str, node: Node) -> Result<(Duration, usize), Error> {
    let line = node.line;
    let text = quoted(file, key, node)?;
    // What daprd's components take for seconds is milliseconds here.
    let milliseconds = text.parse::<u64>().ok().map(Duration::from_millis);
    let time = milliseconds.or_else(|| duration::parse(&text)).ok_or_else(|| {
        let message = format!("`{key}` must be a time such as `5s` or `500ms`; this is `{text}`");
        mistake(file, line, message)
    })?;
    Ok((time, line))
}

/// A text that must be one: daprd refuses a file that has a number in its place.
fn quoted(file: &Path, key: &str, node: Node) -> Result<String, Error> {
    match node.value {
        Value::Text(text) => Ok(text),
        other => {
            let hint = if let Value::Number(number) = &other {
                format!("; daprd wants it in quotes: \"{number}\"")
            } else {
                String::new()
            };
            let message = format!("`{key}` must be a text; this is {}{hint}", other.what());
            Err(mistake(file, node.line, message))
        }
    }
}

fn optional_time(
    file: &Path,
    fields: &mut Fields<'_>,
    key: &str,
) -> Result<Option<Duration>, Error> {
    let Some(node) = fields.take(key) else { return Ok(None) };
    Ok(Some(time(file, key, node)?.0))
}

fn retry(file: &Path, node: Node) -> Result<Retry, Error> {
    let known = ["policy", "duration", "maxInterval", "maxRetries", "matching"];
    let mut fields = Fields::open(file, "a retry policy", node, &known)?;
    let policy = fields.text("policy")?.filter(|policy| !policy.text.is_empty());
    let wait = optional_time(file, &mut fields, "duration")?;
    let wait_max = optional_time(file, &mut fields, "maxInterval")?;
    let back_off = match policy {
        Some(policy) if policy.text.eq_ignore_ascii_case("exponential") => {
            BackOff::exponential(wait_max.unwrap_or(WAIT_MAX))
        }
        Some(policy) if !policy.text.eq_ignore_ascii_case("constant") => {
            let message =
                format!("`policy` must be constant or exponential; this is `{}`", policy.text);
            return Err(mistake(file, policy.line, message));
        }
        _ => wait.map_or(BackOff::CONSTANT, BackOff::Constant),
    };
    // Below zero is without end.
    let range = i64::from(i32::MIN)..=i64::from(i32::MAX);
    let retries_max = fields.whole("maxRetries", &range)?.unwrap_or(-1);
    let known = ["httpStatusCodes", "gRPCStatusCodes"];
    let mut matching = fields.map("matching", &known)?;
    let http = codes(file, &mut matching, "httpStatusCodes", &StatusCodes::HTTP)?;
    // Read for their mistakes: whatever is called here answers with the codes of HTTP.
    codes(file, &mut matching, "gRPCStatusCodes", &StatusCodes::GRPC)?;
    Ok(Retry { back_off, retries_max: u32::try_from(retries_max).ok(), http })
}

fn codes(
    file: &Path,
    matching: &mut Option<Fields<'_>>,
    key: &str,
    valid: &RangeInclusive<u16>,
) -> Result<Option<StatusCodes>, Error> {
    let Some(node) = matching.as_mut().and_then(|matching| matching.take(key)) else {
        return Ok(None);
    };
    let line = node.line;
    let text = quoted(file, key, node)?;
    if text.is_empty() {
        return Ok(None);
    }
    let codes = StatusCodes::parse(&text, valid);
    codes.map(Some).map_err(|why| mistake(file, line, format!("in `{key}`: {why}")))
}

fn breaker(file: &Path, node: Node) -> Result<Settings, Error> {
    let known = ["maxRequests", "interval", "timeout", "trip"];
    let mut fields = Fields::open(file, "a circuit breaker", node, &known)?;
    let trials = fields.whole("maxRequests", &(0..=i64::from(u32::MAX)))?.unwrap_or_default();
    let positive = |time: Option<Duration>| time.filter(|time| !time.is_zero());
    let interval = positive(optional_time(file, &mut fields, "interval")?);
    let timeout = positive(optional_time(file, &mut fields, "timeout")?);
    let trip = match fields.text("trip")? {
        None => Trip::Default,
        Some(Text { text, line }) => {
            Trip::parse(&text).map_err(|why| mistake(file, line, format!("in `trip`: {why}")))?
        }
    };
    Ok(Settings {
        trials: u32::try_from(trials).unwrap_or(u32::MAX).max(1),
        interval,
        timeout: timeout.unwrap_or(Settings::TIMEOUT),
        trip,
    })
}

const POLICIES: [&str; 3] = ["timeout", "retry", "circuitBreaker"];

fn app(file: &Path, node: Node) -> Result<AppTarget, Error> {
    let known = [&POLICIES[..], &["circuitBreakerCacheSize"]].concat();
    let mut fields = Fields::open(file, "an app's target", node, &known)?;
    let breakers_max = fields.whole("circuitBreakerCacheSize", &BREAKERS)?;
    Ok(AppTarget {
        policies: policies(&mut fields)?,
        breakers_max: breakers_max.and_then(|max| usize::try_from(max).ok()),
    })
}

/// Actors need a sidecar: their targets are read for their mistakes only.
fn actor(file: &Path, node: Node) -> Result<PolicyNames, Error> {
    let known = [&POLICIES[..], &["circuitBreakerScope", "circuitBreakerCacheSize"]].concat();
    let mut fields = Fields::open(file, "an actor's target", node, &known)?;
    fields.whole("circuitBreakerCacheSize", &BREAKERS)?;
    let scope = fields.text("circuitBreakerScope")?.filter(|scope| !scope.text.is_empty());
    let policies = policies(&mut fields)?;
    let scopes = ["type", "id", "both"];
    match (&policies.breaker, scope) {
        (Some(breaker), None) => {
            let message =
                "an actor's `circuitBreaker` needs `circuitBreakerScope`: type, id or both";
            Err(mistake(file, breaker.line, message))
        }
        (Some(_), Some(scope)) if !scopes.contains(&scope.text.as_str()) => {
            let message =
                format!("`circuitBreakerScope` must be type, id or both; this is `{}`", scope.text);
            Err(mistake(file, scope.line, message))
        }
        _ => Ok(policies),
    }
}

fn component(file: &Path, node: Node) -> Result<ComponentTarget, Error> {
    let known = ["inbound", "outbound"];
    let mut fields = Fields::open(file, "a component's target", node, &known)?;
    let mut way = |key| match fields.map(key, &POLICIES)? {
        None => Ok(PolicyNames::default()),
        Some(mut fields) => policies(&mut fields),
    };
    Ok(ComponentTarget { inbound: way("inbound")?, outbound: way("outbound")? })
}

fn policies(fields: &mut Fields<'_>) -> Result<PolicyNames, Error> {
    let mut name = |key| -> Result<Option<Name>, Error> {
        let name = fields.text(key)?.filter(|name| !name.text.is_empty());
        Ok(name.map(|Text { text, line }| Name { text, line }))
    };
    Ok(PolicyNames {
        timeout: name("timeout")?,
        retry: name("retry")?,
        breaker: name("circuitBreaker")?,
    })
}
