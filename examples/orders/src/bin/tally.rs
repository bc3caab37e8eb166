//! Counts what was ordered, from the events of the topic `orders`.

use orders::{Error, Order, STORE, TALLY, Tally, failed};
use trilby_guest::cgi::{Request, Response, Trigger};
use trilby_guest::state::{self, Set};

/// How often a change is tried before the event is left to come again.
const ATTEMPTS_MAX: u32 = 20;

fn main() -> std::io::Result<()> {
    let request = Request::read()?;
    let Trigger::Topic(event) = request.trigger() else {
        return Response::text(400, "this guest takes events\n").send();
    };
    match serde_json::from_slice(request.body()) {
        Ok(order) => match count(&event.id, &order) {
            Ok(()) => Response::ack(),
            Err(error) => failed(&error),
        },
        // It will never be an order, however often it comes.
        Err(error) => {
            eprintln!("event {} is no order: {error}", event.id);
            Response::drop_event()
        }
    }
    .send()
}

/// Adds to the tally, again from the start when another event was faster.
fn count(event_id: &str, order: &Order) -> Result<(), Error> {
    let mut attempt = 1;
    loop {
        let seen = state::get(STORE, TALLY)?;
        let mut tally = match seen.etag {
            Some(_) => serde_json::from_slice(&seen.data)?,
            None => Tally::default(),
        };
        if !tally.add(event_id, order) {
            return Ok(());
        }
        let data = serde_json::to_vec(&tally)?;
        match Set::new(STORE, TALLY, &data).unless_changed(&seen).send() {
            Err(error) if error.is_conflict() && attempt < ATTEMPTS_MAX => attempt += 1,
            outcome => return Ok(outcome?),
        }
    }
}
