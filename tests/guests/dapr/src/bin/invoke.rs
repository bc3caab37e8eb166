//! The block `dapr_invoke_v1`. See the crate's documentation for the operations.

use std::io::{Read, Write};

use dapr_probe::{Answer, Arguments, Outcome, Query, run};
use trilby_guest::invoke::{Call, Reply};
use trilby_guest::raw;

fn main() -> std::io::Result<()> {
    run("invoke", operations, imports)
}

fn operations(name: &str, query: &Query) -> Option<Outcome> {
    Some(match name {
        "call" => whole(query),
        "open" => streamed(query),
        _ => return None,
    })
}

fn imports(name: &str, with: &Arguments) -> Option<i32> {
    let Arguments { a, b, options, body, .. } = with;
    Some(match name {
        "call" => raw::invoke_call(a, b, options, body),
        "open" => raw::invoke_open(a, b, options),
        _ => return None,
    })
}

fn call(query: &Query) -> Result<Call<'_>, dapr_probe::Failure> {
    let mut call = Call::new(query.need("app")?, query.need("method")?);
    if let Some(verb) = query.get("verb") {
        call = call.verb(verb);
    }
    if let Some(text) = query.get("query") {
        call = call.query(text);
    }
    if let Some(media_type) = query.get("content-type") {
        call = call.content_type(media_type);
    }
    for (name, value) in query.all("header.") {
        call = call.header(name, value);
    }
    Ok(call)
}

fn shown(reply: Reply) -> Outcome {
    let (status, headers) = (reply.status().to_string(), reply.headers().to_vec());
    Ok(Answer::from(reply.body()?).header("status", status).all("header.", &headers))
}

fn whole(query: &Query) -> Outcome {
    shown(call(query)?.send(query.body())?)
}

/// With `interleave`, as many bytes are read as were written after each chunk: the other side has
/// to send back what it gets while it gets it.
fn streamed(query: &Query) -> Outcome {
    let chunk = query.parse("chunk")?.unwrap_or(1024).max(1);
    let interleave = query.get("interleave") == Some("true");
    let mut exchange = call(query)?.open()?;
    let mut echoed = Vec::new();
    for piece in query.body().chunks(chunk) {
        exchange.write_all(piece)?;
        if interleave {
            let mut back = vec![0; piece.len()];
            exchange.read_exact(&mut back)?;
            echoed.extend_from_slice(&back);
        }
    }
    if !interleave {
        return shown(exchange.finish()?);
    }
    exchange.end()?;
    exchange.read_to_end(&mut echoed)?;
    let status = exchange.status()?.to_string();
    Ok(Answer::from(echoed).header("status", status))
}
