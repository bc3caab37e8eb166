//! Counts the events of the topic `entry-added`, each once.

use guestbook::{COUNT, Count, update};
use trilby_guest::cgi::{Request, Response, Trigger};

fn main() -> std::io::Result<()> {
    let request = Request::read()?;
    let Trigger::Topic(event) = request.trigger() else {
        return Response::text(400, "this guest takes events\n").send();
    };
    match update(COUNT, |count: &mut Count| count.add(&event.id)) {
        Ok(()) => Response::new(204),
        Err(error) => {
            eprintln!("event {} not counted: {error}", event.id);
            Response::new(error.status())
        }
    }
    .send()
}
