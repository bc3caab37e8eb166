//! A guest that does what a test asks: each ABI function by its own path, and misbehaviour on
//! request. The answer shows the function's result, its answer's headers and body, or its error.

use std::io::{Read, Write};

use trilby_guest::cgi::{Request, Response, Trigger};
use trilby_guest::raw;

fn main() {
    let request = match Request::read() {
        Ok(request) => request,
        Err(error) => {
            eprintln!("cannot read: {error}");
            return answer(Response::text(500, "cannot read"));
        }
    };
    match request.trigger() {
        Trigger::Topic(_) => topic(&request),
        Trigger::Binding(name) => binding(&name),
        _ => http(&request),
    }
}

fn answer(response: Response) {
    if let Err(error) = response.send() {
        eprintln!("cannot answer: {error}");
    }
}

fn http(request: &Request) {
    let query = |name: &str| request.query(name).unwrap_or_default();
    let (a, b, options) = (query("a"), query("b"), query("options"));
    let body = request.body();
    let result = match request.path_info() {
        "/state/get" => raw::state_get(&a, &b, &options),
        "/state/set" => raw::state_set(&a, &b, &options, body),
        "/state/delete" => raw::state_delete(&a, &b, &options),
        "/publish" => raw::pubsub_publish(&a, &b, &options, body),
        "/binding" => raw::binding_invoke(&a, &b, &options, body),
        "/secret" => raw::secret_get(&a, &b, &options),
        "/handles" => return answer(Response::text(200, handles(&a))),
        "/env" => return answer(Response::text(200, environment())),
        "/echo" => return answer(Response::text(200, body)),
        "/cookies" => {
            let response = Response::text(201, "two").header("Set-Cookie", "a=1");
            return answer(response.header("Set-Cookie", "b=2"));
        }
        "/stderr" => {
            eprintln!("{a}");
            return answer(Response::text(200, "told"));
        }
        "/redirect" => return print(b"Location: https://example.org/\n\n"),
        "/empty" => return answer(Response::new(204)),
        "/trap" => std::process::abort(),
        "/exit" => std::process::exit(a.parse().unwrap_or(1)),
        "/spin" => loop {
            std::hint::black_box(0);
        },
        "/memory" => return answer(Response::text(200, hoard().to_string())),
        "/garbage" => return print(b"no header block here"),
        "/slow" => {
            print(b"Content-Type: text/plain\n\nfirst\n");
            // Waits for a store, again and again, so that it stays at work without computing.
            for _ in 0..a.parse().unwrap_or(1) {
                close(raw::state_get("statestore", "slow", ""));
            }
            return print(b"last\n");
        }
        _ => return answer(Response::text(404, "the probe does not know this path")),
    };
    answer(Response::text(200, report(result)));
}

fn print(bytes: &[u8]) {
    let mut out = std::io::stdout();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

fn close(handle: i32) {
    if handle > 0 {
        raw::close(handle);
    }
}

/// The result, then headers and body of the answer, or the error's text.
fn report(result: i32) -> Vec<u8> {
    let mut text = format!("result: {}\n", result.min(1)).into_bytes();
    if result < 0 {
        let mut buffer = vec![0; 4096];
        let length = usize::try_from(raw::error(&mut buffer)).unwrap_or(0);
        text.extend_from_slice(&buffer[..length.min(4096)]);
    } else if result > 0 {
        let mut buffer = vec![0; 4096];
        let length = usize::try_from(raw::headers(result, &mut buffer)).unwrap_or(0);
        text.extend_from_slice(&buffer[..length]);
        text.push(b'\n');
        text.extend_from_slice(&read(result));
        raw::close(result);
    }
    text
}

fn read(handle: i32) -> Vec<u8> {
    // A small buffer, so that reading in pieces is what every test does.
    let (mut all, mut piece) = (Vec::new(), [0; 7]);
    while let Ok(count @ 1..) = usize::try_from(raw::read(handle, &mut piece)) {
        all.extend_from_slice(&piece[..count]);
    }
    all
}

fn handles(store: &str) -> String {
    let mut results = Vec::new();
    for _ in 0..66 {
        results.push(raw::state_get(store, "none", ""));
    }
    let opened = results.iter().filter(|&&result| result > 0).count();
    let refused = results.iter().filter(|&&result| result == -8).count();
    let unknown = [raw::close(1000), raw::size(-1), raw::read(0, &mut [0; 4])];
    format!("opened {opened} refused {refused} unknown {unknown:?}")
}

fn environment() -> String {
    let mut all: Vec<String> = std::env::vars().map(|(k, v)| format!("{k}={v}")).collect();
    all.sort();
    format!("{}\nARGS={:?}", all.join("\n"), std::env::args().collect::<Vec<_>>())
}

fn hoard() -> usize {
    let mut hoard: Vec<Vec<u8>> = Vec::new();
    loop {
        hoard.push(vec![1; 1 << 20]);
        std::hint::black_box(&hoard);
    }
}

/// Keeps what came, under a key that the event's data names, and answers as the data asks:
/// `KEY WISH`. A wish for the event to come again is for the first time only.
fn topic(request: &Request) {
    let text = String::from_utf8_lossy(request.body()).into_owned();
    let mut words = text.split_whitespace();
    let (key, wish) = (words.next().unwrap_or("none"), words.next().unwrap_or("ack"));
    let count = increment(key);
    let note = format!(
        "{count} {} {} {}",
        request.variable("CE_TYPE").unwrap_or("-"),
        request.variable("CE_TOPIC").unwrap_or("-"),
        request.content_type().unwrap_or("-"),
    );
    put(&format!("{key}-note"), note.as_bytes());
    let status = |word| Response::json(200, format!("{{\"status\":\"{word}\"}}"));
    answer(match (wish, count) {
        ("drop", _) => Response::text(404, "no"),
        ("json-drop", _) => status("DROP"),
        ("json-ack", _) => status("SUCCESS"),
        ("retry", 1) => Response::text(500, "again"),
        ("refuse", 1) => Response::text(418, "again"),
        ("json-retry", 1) => status("RETRY"),
        ("trap", 1) => std::process::abort(),
        ("spin", 1) => loop {
            std::hint::black_box(0);
        },
        _ => Response::new(200),
    });
}

fn binding(name: &str) {
    increment(&format!("binding-{name}"));
    let _ = std::io::stdin().read(&mut [0; 1]);
    answer(Response::new(200));
}

fn increment(key: &str) -> u32 {
    let handle = raw::state_get("statestore", key, "");
    let old = if handle > 0 {
        String::from_utf8(read(handle)).unwrap_or_default()
    } else {
        String::new()
    };
    close(handle);
    let count = old.parse().unwrap_or(0) + 1;
    put(key, count.to_string().as_bytes());
    count
}

/// Writes a key; a failure traps, and so asks for a retry.
fn put(key: &str, value: &[u8]) {
    assert_eq!(raw::state_set("statestore", key, "", value), 0);
}
