//! Jobs: requests that the guest's application is to get later, once or again and again.
//!
//! ```no_run
//! use trilby_guest::jobs::Schedule;
//!
//! # fn main() -> trilby_guest::Result<()> {
//! Schedule::new("report").schedule("@daily").overwrite().send("")?;
//! Schedule::new("remind-7").due_time("10m").json().send(r#"{"order": 7}"#)?;
//! # Ok(())
//! # }
//! ```
//!
//! A job comes as a request: see [`cgi::Trigger::Job`](crate::cgi::Trigger).

use std::time::Duration;

use crate::call::{self, Answer, Options};
use crate::json::Fields;
use crate::{Result, raw};

/// A job that waits for its time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Job {
    /// Its name.
    pub name: String,
    /// When it comes again and again: a cron expression, `@every 10s`, `@daily` ….
    pub schedule: Option<String>,
    /// When it comes first.
    pub due_time: Option<String>,
    /// How often it comes at most.
    pub repeats: Option<u32>,
    /// When it ends.
    pub ttl: Option<String>,
    /// The data's media type, where it is known.
    pub content_type: Option<String>,
    /// What it was scheduled with.
    pub data: Vec<u8>,
}

/// What happens when the guest fails a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailurePolicy {
    /// It is not tried again.
    Drop,
    /// It is tried again.
    Constant {
        /// The time between two tries, at once if `None`.
        interval: Option<Duration>,
        /// How often at most, without end if `None`.
        retries: Option<u32>,
    },
}

/// Reads a job. The error [is "not found"](crate::Error::is_not_found) if there is none.
pub fn get(name: &str) -> Result<Job> {
    let answer = Answer::open(raw::jobs_get(name, ""))?;
    let headers = answer.headers()?;
    let field = |name| call::find(&headers, name).map(str::to_owned);
    Ok(Job { name: name.to_owned(), data: answer.body()?, ..Job::read(field) })
}

/// Removes a job. None of this name is no error.
pub fn delete(name: &str) -> Result<()> {
    call::done(raw::jobs_delete(name, ""))
}

/// All jobs that the route is granted.
pub fn list() -> Result<Vec<Job>> {
    let records = Answer::open(raw::jobs_list(""))?.records()?;
    let job = |fields: &Fields| {
        let data = fields.bytes("data").unwrap_or_default();
        Ok(Job { name: fields.required("name")?, data, ..Job::read(|name| fields.text(name)) })
    };
    records.iter().map(job).collect()
}

impl Job {
    fn read(field: impl Fn(&'static str) -> Option<String>) -> Self {
        Self {
            schedule: field("schedule"),
            due_time: field("due-time"),
            repeats: field("repeats").and_then(|count| count.parse().ok()),
            ttl: field("ttl"),
            content_type: field("content-type"),
            ..Self::default()
        }
    }
}

/// A job in the making. It needs a [`schedule`](Self::schedule) or a [`due_time`](Self::due_time).
/// Name each option once.
#[derive(Clone, Debug)]
#[must_use = "nothing is scheduled before `send`"]
pub struct Schedule<'a> {
    name: &'a str,
    options: Options,
}

impl<'a> Schedule<'a> {
    /// A job of this name.
    pub fn new(name: &'a str) -> Self {
        Self { name, options: Options::default() }
    }

    /// Lets it come again and again: a cron expression of 6 fields (seconds first), `@every 10s`,
    /// `@daily` ….
    pub fn schedule(self, schedule: &str) -> Self {
        self.option("schedule", schedule)
    }

    /// When it comes first, or alone: a time as in RFC 3339, or a duration such as `10s`.
    pub fn due_time(self, time: &str) -> Self {
        self.option("due-time", time)
    }

    /// How often it comes at most.
    pub fn repeats(self, count: u32) -> Self {
        self.option("repeats", &count.to_string())
    }

    /// When it ends: a time as in RFC 3339, or a duration such as `10s`.
    pub fn ttl(self, time: &str) -> Self {
        self.option("ttl", time)
    }

    /// Takes the place of a job of the same name, which is an error else: `AlreadyExists`.
    pub fn overwrite(self) -> Self {
        self.option("overwrite", "true")
    }

    /// Says what happens when the guest fails the job. Without one Dapr tries three times more,
    /// with a second between.
    pub fn failure_policy(self, policy: FailurePolicy) -> Self {
        match policy {
            FailurePolicy::Drop => self.option("failure-policy", "drop"),
            FailurePolicy::Constant { interval, retries } => {
                let mut job = self.option("failure-policy", "constant");
                if let Some(interval) = interval {
                    job = job.option("failure-interval", &format!("{}ms", interval.as_millis()));
                }
                if let Some(retries) = retries {
                    job = job.option("failure-retries", &retries.to_string());
                }
                job
            }
        }
    }

    /// The data's media type: with `application/json` the data must parse, else it is bytes.
    pub fn content_type(self, media_type: &str) -> Self {
        self.option("content-type", media_type)
    }

    /// Says that the data is JSON.
    pub fn json(self) -> Self {
        self.content_type("application/json")
    }

    fn option(mut self, name: &str, value: &str) -> Self {
        self.options.push(name, value);
        self
    }

    /// Schedules the job, which is to come with this data.
    pub fn send(self, data: impl AsRef<[u8]>) -> Result<()> {
        call::done(raw::jobs_schedule(self.name, self.options.block()?, data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_written_as_the_abi_names_them() {
        let retry = FailurePolicy::Constant {
            interval: Some(Duration::from_millis(1500)),
            retries: Some(2),
        };
        let job = Schedule::new("j")
            .schedule("@every 10s")
            .due_time("1s")
            .repeats(3)
            .ttl("1h")
            .overwrite()
            .failure_policy(retry)
            .json();
        let expected = "schedule: @every 10s\ndue-time: 1s\nrepeats: 3\nttl: 1h\noverwrite: true\n\
                        failure-policy: constant\nfailure-interval: 1500ms\nfailure-retries: 2\n\
                        content-type: application/json\n";
        assert_eq!(job.options.block().unwrap(), expected);
        let job = Schedule::new("j").failure_policy(FailurePolicy::Drop);
        assert_eq!(job.options.block().unwrap(), "failure-policy: drop\n");
    }
}
