//! Keeps the newest entries, whenever the cron binding `prune` fires.

use guestbook::{ENTRIES, Entry, keep_last, update};
use trilby_guest::cgi::{Request, Response, Trigger};

/// Entries kept.
const KEPT_MAX: usize = 100;

fn main() -> std::io::Result<()> {
    let request = Request::read()?;
    let Trigger::Binding(_) = request.trigger() else {
        return Response::text(400, "this guest is for a binding\n").send();
    };
    let mut pruned = 0;
    let outcome = update(ENTRIES, |entries: &mut Vec<Entry>| {
        pruned = keep_last(entries, KEPT_MAX);
        pruned > 0
    });
    match outcome {
        Ok(()) => {
            if pruned > 0 {
                eprintln!("pruned {pruned} entries");
            }
            Response::new(204)
        }
        Err(error) => {
            eprintln!("entries not pruned: {error}");
            Response::new(error.status())
        }
    }
    .send()
}
