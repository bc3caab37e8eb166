//! The request that a guest answers, and its answer, in the way of CGI: the request comes in the
//! environment and on standard input, the response goes to standard output.
//!
//! ```no_run
//! use trilby_guest::cgi::{Request, Response, Trigger};
//!
//! fn main() -> std::io::Result<()> {
//!     let request = Request::read()?;
//!     match request.trigger() {
//!         Trigger::Http => Response::text(200, "hello\n"),
//!         Trigger::Topic(event) => {
//!             eprintln!("event {} on {}", event.id, event.topic);
//!             Response::ack()
//!         }
//!         Trigger::Binding(name) | Trigger::Job(name) => {
//!             eprintln!("{name} fired");
//!             Response::ack()
//!         }
//!         Trigger::Configuration(change) => {
//!             eprintln!("{} is now {:?}", change.key, change.value);
//!             Response::ack()
//!         }
//!         _ => Response::text(400, "not for this guest\n"),
//!     }
//!     .send()
//! }
//! ```

mod bulk;
mod event;
mod form;
mod request;
mod response;

pub use bulk::{Entry, Status};
pub use event::{Change, Envelope, Event, Trigger};
pub use request::Request;
pub use response::Response;
