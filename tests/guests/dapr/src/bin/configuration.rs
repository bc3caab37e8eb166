//! The block `dapr_configuration_v1`. See the crate's documentation for the operations.

use std::collections::BTreeMap;

use dapr_probe::{Answer, Arguments, Outcome, Query, run};
use serde_json::json;
use trilby_guest::configuration::Get;
use trilby_guest::raw;

fn main() -> std::io::Result<()> {
    run("configuration", |name, query| (name == "get").then(|| get(query)), imports)
}

fn imports(name: &str, with: &Arguments) -> Option<i32> {
    let Arguments { a, options, body, .. } = with;
    (name == "get").then(|| raw::configuration_get(a, options, body))
}

fn get(query: &Query) -> Outcome {
    let mut call = Get::new(query.need("store")?);
    if let Some(keys) = query.get("keys") {
        call = call.keys(keys.split(','));
    }
    for (name, value) in query.metadata() {
        call = call.metadata(name, value);
    }
    Ok(Answer::lines(call.send()?.into_iter().map(|item| {
        let metadata = BTreeMap::from_iter(item.metadata);
        json!({"key": item.key, "value": item.value, "version": item.version, "metadata": metadata})
    })))
}
