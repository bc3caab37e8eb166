//! Reports of what was ordered. A client starts them (`POST /report`) and reads the last one
//! (`GET /report`); a job writes them; a change of the configuration gives the job another
//! schedule.

use orders::{Error, STORE, TALLY, Tally, failed};
use trilby_guest::cgi::{Request, Response, Trigger};
use trilby_guest::jobs::{self, Schedule};
use trilby_guest::{configuration, state};

/// The job, the key of its schedule in the configuration, and the key of what it writes.
const REPORT: &str = "report";

fn main() -> std::io::Result<()> {
    let request = Request::read()?;
    match request.trigger() {
        Trigger::Http if request.method() == "POST" => start(),
        Trigger::Http => last(),
        Trigger::Job(_) => write(),
        Trigger::Configuration(change) => schedule(&change.value).map(|()| Response::ack()),
        _ => Ok(Response::text(400, "not for this guest\n")),
    }
    .unwrap_or_else(|error| failed(&error))
    .send()
}

fn start() -> Result<Response, Error> {
    let setting = configuration::get("settings", REPORT)?;
    schedule(setting.as_ref().map_or("@daily", |item| &item.value))?;
    Ok(Response::new(202))
}

/// An empty schedule ends the reports.
fn schedule(schedule: &str) -> Result<(), Error> {
    if schedule.is_empty() {
        return Ok(jobs::delete(REPORT)?);
    }
    Ok(Schedule::new(REPORT).schedule(schedule).overwrite().send("")?)
}

fn write() -> Result<Response, Error> {
    let tally = state::get(STORE, TALLY)?;
    let tally: Tally = match tally.etag {
        Some(_) => serde_json::from_slice(&tally.data)?,
        None => Tally::default(),
    };
    let mut report = String::new();
    for (item, count) in &tally.items {
        report.push_str(&format!("{item}: {count}\n"));
    }
    state::set(STORE, REPORT, report)?;
    Ok(Response::ack())
}

fn last() -> Result<Response, Error> {
    let report = state::get(STORE, REPORT)?;
    Ok(match report.etag {
        Some(_) => Response::text(200, report.data),
        None => Response::text(404, "no report yet\n"),
    })
}
