//! A guest for every way in: it keeps each delivery in a file, and answers as the delivery's data
//! asks. It needs no grants, so that nothing but the delivery is under test.
//!
//! # What it keeps
//!
//! `/out/KEY.COUNT.json` for each delivery, COUNT from 1: `{"env": {…}, "body": "…"}`, or
//! `body-base64` where the body is not UTF-8. Of several events in one delivery there is one file
//! for each, with `event` instead of `env`, and one for all with the key `bulk`. KEY comes from the
//! data, and else it is the name of the binding, the job or the key of configuration.
//!
//! # What it answers
//!
//! The data is `KEY WISH`, as text, as a JSON string, or as a JSON object with `key` and `wish`.
//!
//! | wish | answer |
//! |---|---|
//! | none, `ack` | 204 |
//! | `text`, `json-ack` | 200 with a text, with the status `SUCCESS` |
//! | `drop`, `json-drop` | 404, the status `DROP` |
//! | `retry`, `refuse`, `json-retry`, `odd`, `trap`, `spin` | the first time 500, 418, the status `RETRY`, a status that nobody knows, a trap, no end; then 204 |
//! | `never` | always 500 |
//! | `hold` | 204, but not before there is a file `/out/go` |
//!
//! Among several events, `ack`, `json-drop` and `json-retry` are statuses of their entries, and
//! with `missing` there is none the first time. The variable `ANSWER` of the route stands for the
//! answer to all of them: `empty`, or `error` the first time.

mod store;

use std::time::Duration;

use serde_json::{Value, json};
use trilby_guest::cgi::{Request, Response, Trigger};

fn main() {
    let answer = match Request::read() {
        Ok(request) => respond(&request),
        Err(error) => Response::text(400, error.to_string()),
    };
    if let Err(error) = answer.send() {
        eprintln!("cannot answer: {error}");
    }
}

fn respond(request: &Request) -> Response {
    if request.variable("TRILBY_BULK_COUNT").is_some() {
        return bulk(request);
    }
    let (key, wish) = order(request);
    let env: Value = std::env::vars().map(|(name, value)| (name, Value::from(value))).collect();
    let count = store::keep(&key, json!({"env": env}), request.body());
    answer_to(&wish, count)
}

/// Key and wish of a delivery.
fn order(request: &Request) -> (String, String) {
    let data = match serde_json::from_slice::<Value>(request.body()) {
        Ok(Value::Object(mut envelope)) if envelope.contains_key("specversion") => {
            envelope.remove("data").unwrap_or_default()
        }
        Ok(data @ (Value::Object(_) | Value::String(_))) => data,
        _ => String::from_utf8_lossy(request.body()).into(),
    };
    let (key, wish) = words(&data);
    if !key.is_empty() {
        return (key, wish);
    }
    let key = match request.trigger() {
        Trigger::Binding(name) | Trigger::Job(name) => name,
        Trigger::Configuration(change) => change.key,
        _ => "none".to_owned(),
    };
    (key, wish)
}

fn words(data: &Value) -> (String, String) {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    match data {
        Value::String(words) => {
            let mut words = words.split_whitespace().map(str::to_owned);
            (words.next().unwrap_or_default(), words.next().unwrap_or_default())
        }
        data => (text(data.get("key")), text(data.get("wish"))),
    }
}

fn answer_to(wish: &str, count: usize) -> Response {
    let status = |word| Response::json(200, json!({"status": word}).to_string());
    match (wish, count) {
        ("text", _) => Response::text(200, "thanks"),
        ("json-ack", _) => status("SUCCESS"),
        ("drop", _) => Response::text(404, "no"),
        ("json-drop", _) => status("DROP"),
        ("retry", 1) | ("never", _) => Response::text(500, "again"),
        ("refuse", 1) => Response::text(418, "again"),
        ("json-retry", 1) => status("RETRY"),
        ("odd", 1) => status("PERHAPS"),
        ("trap", 1) => std::process::abort(),
        ("spin", 1) => loop {
            std::hint::black_box(0);
        },
        ("hold", _) => {
            while !store::is_there("go") {
                #[expect(clippy::disallowed_methods, reason = "a guest has its thread to itself")]
                std::thread::sleep(Duration::from_millis(5));
            }
            Response::new(204)
        }
        _ => Response::new(204),
    }
}

fn bulk(request: &Request) -> Response {
    let env: Value = std::env::vars().map(|(name, value)| (name, Value::from(value))).collect();
    let deliveries = store::keep("bulk", json!({"env": env}), request.body());
    let delivery: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let mut statuses = Vec::new();
    for entry in delivery["entries"].as_array().into_iter().flatten() {
        let (key, wish) = words(&entry["event"]["data"]);
        let count = store::keep(&key, json!({"event": entry}), b"");
        let status = match (wish.as_str(), count) {
            ("json-drop", _) => "DROP",
            ("json-retry", 1) => "RETRY",
            ("missing", 1) => continue,
            _ => "SUCCESS",
        };
        statuses.push(json!({"entryId": entry["entryId"], "status": status}));
    }
    match (request.variable("ANSWER"), deliveries) {
        (Some("empty"), _) => Response::new(204),
        (Some("error"), 1) => Response::text(500, "again"),
        (Some("error"), _) => Response::new(204),
        _ => Response::json(200, json!({"statuses": statuses}).to_string()),
    }
}
