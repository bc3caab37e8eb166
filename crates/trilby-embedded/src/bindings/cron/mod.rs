//! `bindings.cron`: a trigger without data, at the times of a schedule.

mod schedule;

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

use crate::Error;
use crate::component::Component;
pub(crate) use schedule::Schedule;

/// The binding: it knows when it is due, and what is delivered then.
#[derive(Debug)]
pub(crate) struct Cron {
    name: String,
    schedule: Schedule,
}

impl Cron {
    /// Reads the metadata `schedule`: a cron expression of five fields, or of six with the seconds
    /// first; `@hourly` and the like; or `@every 1h30m`.
    ///
    /// Times are UTC, whatever the machine's time zone is. `direction` and `route` are accepted
    /// and not used: a cron binding is always an input, and it is delivered where the app says.
    pub(crate) fn open(component: &Component) -> Result<Self, Error> {
        let text = component.required("schedule")?;
        let invalid = |why: String| {
            // The reason may quote it.
            let why = component.shown("schedule", &why);
            let text = component.shown("schedule", text);
            component.mistake_in("schedule", format!("invalid schedule format '{text}': {why}"))
        };
        let schedule = Schedule::parse(text).map_err(invalid)?;
        if schedule.next_after(Timestamp::now()).is_none() {
            return Err(invalid("no such time ever comes".to_owned()));
        }
        if let Some(route) = component.get("route") {
            let (name, file) = (&component.name, component.file.display());
            let route = component.shown("route", route);
            tracing::warn!(component = %name, %file, route, "`route` is not used here: the \
                app names the path of its bindings");
        }
        Ok(Self { name: component.name.clone(), schedule })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The first time after `now` at which the binding is due; none when there is none.
    pub(crate) fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        self.schedule.next_after(now)
    }
}

/// What the binding says about a trigger. Daprd sends its metadata names in lower case, the time
/// as Go writes it, and `Local` for whatever the time zone is.
pub(crate) fn headers(now: Timestamp) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let timezone = HeaderValue::from_static("Local");
    headers.insert(HeaderName::from_static("timezone"), timezone);
    let time = now.strftime("%Y-%m-%d %H:%M:%S%.f +0000 UTC").to_string();
    if let Ok(time) = HeaderValue::try_from(time) {
        headers.insert(HeaderName::from_static("readtimeutc"), time);
    }
    headers
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn open(schedule: &str) -> Result<Cron, Error> {
        Cron::open(&component(schedule))
    }

    fn component(schedule: &str) -> Component {
        let metadata = [("schedule", schedule), ("direction", "input"), ("route", "/x")];
        Component::for_test("tick", "bindings.cron", &metadata, 5)
    }

    #[test]
    fn a_schedule_from_a_secret_is_not_shown() {
        for schedule in ["@every hunter2", "hunter2", "0 0 30 2 *", "0 0 * * 7"] {
            let mut component = component(schedule);
            component.secret_names.insert("Schedule".to_owned());
            let error = Cron::open(&component).unwrap_err().to_string();
            assert_eq!(
                error,
                "c.yaml:5: invalid schedule format '(from a secret)': (from a secret)"
            );
        }
    }

    #[test]
    fn a_mistake_names_file_line_and_schedule() {
        assert_eq!(open("@every 2s").unwrap().name(), "tick");
        for (schedule, message) in [
            ("0 0 30 2 *", "invalid schedule format '0 0 30 2 *': no such time ever comes"),
            ("nonsense", "invalid schedule format 'nonsense': "),
            ("", "a bindings.cron needs the metadata `schedule`"),
        ] {
            let error = open(schedule).unwrap_err().to_string();
            assert!(error.starts_with(&format!("c.yaml:5: {message}")), "{error}");
        }
    }

    #[test]
    fn headers_are_those_of_daprd() {
        for (time, expected) in [
            ("2026-11-23T10:01:52.2Z", "2026-11-23 10:01:52.2 +0000 UTC"),
            ("2026-11-23T10:01:52Z", "2026-11-23 10:01:52 +0000 UTC"),
        ] {
            let headers = headers(time.parse().unwrap());
            let pairs: BTreeMap<_, _> =
                headers.iter().map(|(k, v)| (k.as_str(), v.to_str().unwrap())).collect();
            assert_eq!(pairs, BTreeMap::from([("timezone", "Local"), ("readtimeutc", expected)]));
        }
    }
}
