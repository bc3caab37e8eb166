//! The metadata of `pubsub.redis`, beside what concerns the connection.

use std::time::Duration;

use crate::Error;
use crate::component::Component;
use crate::duration;

/// Deliveries of one subscription at the same time, at most.
const CONCURRENCY_MAX: usize = 1000;

/// Events of one subscription that wait in this process, at most.
const QUEUE_DEPTH_MAX: usize = 10_000;

/// How a broker uses its Redis. The defaults are daprd's.
#[derive(Debug)]
pub(super) struct Options {
    /// The group, and the consumer in it: daprd has one name for both.
    pub(super) group: String,
    /// `None` when an event that was not acknowledged does not come again.
    pub(super) redelivery: Option<Redelivery>,
    pub(super) queue_depth: usize,
    /// Deliveries of one subscription at the same time. In daprd, of all of them together.
    pub(super) concurrency: usize,
    pub(super) trim: Trim,
}

/// When an event comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Redelivery {
    /// How often such events are looked for.
    pub(super) every: Duration,
    /// How long nobody may have had to do with an event until it counts as lost.
    pub(super) idle: Duration,
}

/// What is removed from a stream when something is added, roughly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trim {
    Never,
    /// The oldest of more entries than these.
    Length(u64),
    /// Entries older than this.
    Age(Duration),
}

impl Options {
    pub(super) fn of(component: &Component, app_id: &str) -> Result<Self, Error> {
        let every = time(component, "redeliverInterval", Duration::from_secs(60))?;
        let idle = time(component, "processingTimeout", Duration::from_secs(15))?;
        // Daprd takes 0 of either for off.
        let redelivery = Redelivery { every, idle };
        let redelivery = (!every.is_zero() && !idle.is_zero()).then_some(redelivery);
        let trim = match (number(component, "maxLenApprox")?, age(component)?) {
            (Some(length), _) if length > 0 => Trim::Length(length),
            (_, Some(age)) if !age.is_zero() => Trim::Age(age),
            _ => Trim::Never,
        };
        let count = |name: &str, default, most| {
            let text = number(component, name)?;
            let count = text.map_or(default, |number| usize::try_from(number).unwrap_or(most));
            // As in daprd, 0 would mean that nothing is ever delivered.
            Ok(if count == 0 { default } else { count.min(most) })
        };
        Ok(Self {
            group: group(component, app_id),
            redelivery,
            queue_depth: count("queueDepth", 100, QUEUE_DEPTH_MAX)?,
            concurrency: count("concurrency", 10, CONCURRENCY_MAX)?,
            trim,
        })
    }
}

/// `consumerID`, with daprd's placeholders, or else the app's id.
fn group(component: &Component, app_id: &str) -> String {
    let text = component.get("consumerID").unwrap_or(app_id);
    let uuid = || uuid::Uuid::new_v4().to_string();
    let text = text.replace("{appID}", app_id);
    if text.contains("{uuid}") { text.replace("{uuid}", &uuid()) } else { text }
}

/// Daprd takes a plain number for milliseconds here.
fn time(component: &Component, name: &str, default: Duration) -> Result<Duration, Error> {
    let Some(text) = component.get(name) else { return Ok(default) };
    let milliseconds = || text.parse().ok().map(Duration::from_millis);
    milliseconds().or_else(|| duration::parse(text)).ok_or_else(|| {
        let text = component.shown(name, text);
        let message = format!(
            "`{name}` is `{text}`, which is no duration; write 500ms, 20s or 1h30m, or a number of \
             milliseconds"
        );
        component.mistake_in(name, message)
    })
}

fn age(component: &Component) -> Result<Option<Duration>, Error> {
    let Some(text) = component.get("streamTTL") else { return Ok(None) };
    duration::parse(text).map(Some).ok_or_else(|| {
        let text = component.shown("streamTTL", text);
        let message = format!("`streamTTL` is `{text}`, which is no duration; write 30m or 720h");
        component.mistake_in("streamTTL", message)
    })
}

fn number(component: &Component, name: &str) -> Result<Option<u64>, Error> {
    let Some(text) = component.get(name) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| {
        let text = component.shown(name, text);
        component
            .mistake_in(name, format!("`{name}` is `{text}`; it must be a whole number from 0"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(metadata: &[(&str, &str)]) -> Result<Options, String> {
        let component = Component::for_test("bus", "pubsub.redis", metadata, 3);
        Options::of(&component, "shop").map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults_are_daprds() {
        let options = options(&[]).unwrap();
        let expected = Redelivery { every: Duration::from_secs(60), idle: Duration::from_secs(15) };
        assert_eq!(options.redelivery, Some(expected));
        assert_eq!((options.queue_depth, options.concurrency), (100, 10));
        assert_eq!((options.trim, options.group.as_str()), (Trim::Never, "shop"));
    }

    #[test]
    fn values_are_read_as_daprd_reads_them() {
        let ms = |every, idle| Redelivery {
            every: Duration::from_millis(every),
            idle: Duration::from_millis(idle),
        };
        for (every, idle, expected) in
            [("500", "200ms", Some(ms(500, 200))), ("1s", "0", None), ("0", "1s", None)]
        {
            let options = options(&[("redeliverInterval", every), ("processingTimeout", idle)]);
            assert_eq!(options.unwrap().redelivery, expected);
        }
        for (metadata, expected) in [
            (&[("maxLenApprox", "7"), ("streamTTL", "1h")][..], Trim::Length(7)),
            (&[("maxLenApprox", "0"), ("streamTTL", "1h")], Trim::Age(Duration::from_secs(3600))),
            (&[("streamTTL", "0")], Trim::Never),
        ] {
            assert_eq!(options(metadata).unwrap().trim, expected);
        }
        let of = |id| options(&[("consumerID", id)]).unwrap().group;
        assert_eq!((of("own"), of("of-{appID}")), ("own".to_owned(), "of-shop".to_owned()));
        assert_ne!(of("{uuid}"), of("{uuid}"));
        let large = options(&[("queueDepth", "99999999"), ("concurrency", "0")]).unwrap();
        assert_eq!((large.queue_depth, large.concurrency), (QUEUE_DEPTH_MAX, 10));
    }

    #[test]
    fn mistakes_are_pointed_at() {
        for (name, expected) in [
            (
                "redeliverInterval",
                "`redeliverInterval` is `soon`, which is no duration; write 500ms, 20s or 1h30m, \
                 or a number of milliseconds",
            ),
            ("streamTTL", "`streamTTL` is `soon`, which is no duration; write 30m or 720h"),
            ("queueDepth", "`queueDepth` is `soon`; it must be a whole number from 0"),
        ] {
            assert_eq!(options(&[(name, "soon")]).unwrap_err(), format!("c.yaml:3: {expected}"));
        }
    }
}
