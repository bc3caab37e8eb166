//! The block `dapr_metadata_v1`. See the crate's documentation for the operations.

use dapr_probe::{Arguments, Outcome, Query, run};
use trilby_guest::{metadata, raw};

fn main() -> std::io::Result<()> {
    run("metadata", operations, imports)
}

fn operations(name: &str, query: &Query) -> Option<Outcome> {
    Some(match name {
        "get" => metadata::get().map(Into::into).map_err(Into::into),
        "set" => set(query),
        _ => return None,
    })
}

fn imports(name: &str, with: &Arguments) -> Option<i32> {
    let Arguments { a, b, options, .. } = with;
    Some(match name {
        "get" => raw::metadata_get(options),
        "set" => raw::metadata_set(a, b, options),
        _ => return None,
    })
}

fn set(query: &Query) -> Outcome {
    Ok(metadata::set(query.need("key")?, query.need("value")?)?.into())
}
