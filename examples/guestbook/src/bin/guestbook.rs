//! The page and its API: reads and adds entries, and tells a topic about each new one.

use std::fmt::Write;

use guestbook::{COUNT, Count, ENTRIES, Entry, Error, keep_last, load, update};
use trilby_guest::cgi::{Request, Response};
use trilby_guest::pubsub::Publish;

/// Entries held at most, should the pruning fall behind.
const ENTRIES_MAX: usize = 1000;
/// Characters of a name or a text at most.
const FIELD_CHARS_MAX: usize = 500;

fn main() -> std::io::Result<()> {
    let request = Request::read()?;
    answer(&request)
        .unwrap_or_else(|error| {
            eprintln!("{error}");
            Response::text(error.status(), "the guestbook is out of order, try again\n")
        })
        .send()
}

fn answer(request: &Request) -> Result<Response, Error> {
    match (request.method(), request.path_info()) {
        ("GET" | "HEAD", "" | "/") => {
            let entries: Vec<Entry> = load(ENTRIES)?;
            Ok(Response::html(200, page(&entries, &load(COUNT)?)))
        }
        ("GET" | "HEAD", "/entries") => {
            let entries: Vec<Entry> = load(ENTRIES)?;
            Ok(Response::json(200, serde_json::to_vec(&entries)?))
        }
        ("POST", "/entries") => match entry(request) {
            Ok(entry) => add(request, &entry),
            Err(reason) => Ok(Response::text(400, reason)),
        },
        (_, "" | "/") => Ok(Response::new(405).header("Allow", "GET, HEAD")),
        (_, "/entries") => Ok(Response::new(405).header("Allow", "GET, HEAD, POST")),
        _ => Ok(Response::text(404, "no such page\n")),
    }
}

/// The entry in a request: the fields of a form, or a plain text.
fn entry(request: &Request) -> Result<Entry, &'static str> {
    let (name, text) = match request.field("text") {
        Some(text) => (request.field("name").unwrap_or_default(), text),
        None => (String::new(), String::from_utf8_lossy(request.body()).into_owned()),
    };
    let (name, text) = (name.trim(), text.trim());
    if text.is_empty() {
        return Err("an entry needs a text\n");
    }
    if [name, text].iter().any(|field| field.chars().count() > FIELD_CHARS_MAX) {
        return Err("an entry has at most 500 characters\n");
    }
    let name = if name.is_empty() { "anonymous" } else { name };
    Ok(Entry { name: name.to_owned(), text: text.to_owned() })
}

fn add(request: &Request, entry: &Entry) -> Result<Response, Error> {
    update(ENTRIES, |entries: &mut Vec<Entry>| {
        entries.push(entry.clone());
        keep_last(entries, ENTRIES_MAX);
        true
    })?;
    let data = serde_json::to_vec(entry)?;
    let event = Publish::new("pubsub", "entry-added", &data).content_type("application/json");
    if let Err(error) = event.send() {
        // The entry is stored: a client that tried again would add it twice.
        eprintln!("entry added, event not published: {error}");
    }
    // A browser that sent the form goes back to the page.
    if request.field("text").is_some() {
        return Ok(Response::new(303).header("Location", "/"));
    }
    Ok(Response::json(201, data))
}

fn page(entries: &[Entry], count: &Count) -> String {
    let mut list = String::new();
    for entry in entries.iter().rev() {
        let (name, text) = (Response::escape(&entry.name), Response::escape(&entry.text));
        let _ = writeln!(list, "<li><b>{name}</b>: {text}</li>");
    }
    format!(
        "<!doctype html>\n<meta charset=\"utf-8\">\n<title>Guestbook</title>\n\
         <h1>Guestbook</h1>\n<p>{} entries, {} ever added.</p>\n\
         <form method=\"post\" action=\"/entries\">\n\
         <input name=\"name\" placeholder=\"name\">\n\
         <input name=\"text\" placeholder=\"text\" required>\n\
         <button>Sign</button>\n</form>\n<ul>\n{list}</ul>\n",
        entries.len(),
        count.total,
    )
}
