//! Takes orders: `POST /orders` with one in JSON, `GET /orders/ID` to see it again.

use std::hash::{BuildHasher, RandomState};

use orders::{Error, Order, PLACED, STORE, failed};
use trilby_guest::cgi::{Request, Response};
use trilby_guest::pubsub::Publish;
use trilby_guest::state::{self, Concurrency, Set};

fn main() -> std::io::Result<()> {
    let request = Request::read()?;
    let id = request.path_info().trim_start_matches('/');
    match (request.method(), id) {
        ("POST", "") => match serde_json::from_slice(request.body()) {
            Ok(order) => place(&order),
            Err(error) => Ok(Response::text(400, format!("no order: {error}\n"))),
        },
        ("GET", id) if !id.is_empty() => show(id),
        _ => Ok(Response::new(405).header("Allow", "GET, POST")),
    }
    .unwrap_or_else(|error| failed(&error))
    .send()
}

fn place(order: &Order) -> Result<Response, Error> {
    // Its seed is as random as the host makes it, so the id is, too.
    let id = format!("{:016x}", RandomState::new().hash_one("order"));
    let data = serde_json::to_vec(order)?;
    // Without an etag, the first write succeeds only if the key is free.
    Set::new(STORE, &format!("order-{id}"), &data)
        .concurrency(Concurrency::FirstWrite)
        .content_type("application/json")
        .send()?;
    Publish::new("pubsub", "orders", &data)
        .content_type("application/json")
        .metadata("cloudevent.type", PLACED)
        .metadata("cloudevent.subject", &id)
        .send()?;
    Ok(Response::json(201, data).header("Location", format!("/orders/{id}")))
}

fn show(id: &str) -> Result<Response, Error> {
    let order = state::get(STORE, &format!("order-{id}"))?;
    Ok(match order.etag {
        Some(etag) => Response::json(200, order.data).header("ETag", format!("\"{etag}\"")),
        None => Response::text(404, "no such order\n"),
    })
}
