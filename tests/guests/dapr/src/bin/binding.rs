//! The block `dapr_binding_v1`. See the crate's documentation for the operations.

use dapr_probe::{Answer, Arguments, Outcome, Query, run};
use trilby_guest::binding::Invoke;
use trilby_guest::raw;

fn main() -> std::io::Result<()> {
    run("binding", |name, query| (name == "invoke").then(|| invoke(query)), imports)
}

fn imports(name: &str, with: &Arguments) -> Option<i32> {
    let Arguments { a, b, options, body, .. } = with;
    (name == "invoke").then(|| raw::binding_invoke(a, b, options, body))
}

fn invoke(query: &Query) -> Outcome {
    let mut call = Invoke::new(query.need("binding")?, query.need("operation")?, query.body());
    for (name, value) in query.metadata() {
        call = call.metadata(name, value);
    }
    let reply = call.send()?;
    Ok(Answer::from(reply.data).all("metadata.", &reply.metadata))
}
