//! The block `dapr_conversation_v1`. See the crate's documentation for the operations.

use dapr_probe::{Arguments, Outcome, Query, run};
use trilby_guest::{conversation, raw};

fn main() -> std::io::Result<()> {
    run("conversation", operations, imports)
}

fn operations(name: &str, query: &Query) -> Option<Outcome> {
    Some(match name {
        "converse" => converse(query),
        "ask" => ask(query),
        _ => return None,
    })
}

fn imports(name: &str, with: &Arguments) -> Option<i32> {
    let Arguments { a, options, body, .. } = with;
    (name == "converse").then(|| raw::conversation_converse(a, options, body))
}

fn converse(query: &Query) -> Outcome {
    Ok(conversation::converse(query.need("component")?, query.text()?)?.into())
}

fn ask(query: &Query) -> Outcome {
    Ok(conversation::ask(query.need("component")?, query.text()?)?.into())
}
