//! The function `call` of `dapr_v1`. See the crate's documentation for the operations.

use dapr_probe::{Arguments, Outcome, Query, run};
use trilby_guest::raw;
use trilby_guest::rpc::Call;

fn main() -> std::io::Result<()> {
    run("call", |name, query| (name == "call").then(|| call(query)), imports)
}

fn imports(name: &str, with: &Arguments) -> Option<i32> {
    let Arguments { a, options, body, .. } = with;
    (name == "call").then(|| raw::call(a, options, body))
}

fn call(query: &Query) -> Outcome {
    let mut call = Call::new(query.need("method")?);
    for (name, value) in query.metadata() {
        call = call.metadata(name, value);
    }
    Ok(call.send(query.body())?.into())
}
