//! The block `dapr_secret_v1`. See the crate's documentation for the operations.

use std::collections::BTreeMap;

use dapr_probe::{Answer, Arguments, Outcome, Query, run};
use serde_json::json;
use trilby_guest::raw;
use trilby_guest::secret::{self, Get};

fn main() -> std::io::Result<()> {
    run("secret", operations, imports)
}

fn operations(name: &str, query: &Query) -> Option<Outcome> {
    Some(match name {
        "get" => get(query),
        "get_bulk" => get_bulk(query),
        _ => return None,
    })
}

fn imports(name: &str, with: &Arguments) -> Option<i32> {
    let Arguments { a, b, options, .. } = with;
    Some(match name {
        "get" => raw::secret_get(a, b, options),
        "get_bulk" => raw::secret_get_bulk(a, options),
        _ => return None,
    })
}

fn get(query: &Query) -> Outcome {
    let mut call = Get::new(query.need("store")?, query.need("key")?);
    for (name, value) in query.metadata() {
        call = call.metadata(name, value);
    }
    let secret = call.send()?;
    Ok(Answer::from(secret.text()?).all("value.", &secret.values()?))
}

fn get_bulk(query: &Query) -> Outcome {
    let secrets = secret::get_bulk(query.need("store")?)?;
    Ok(Answer::lines(
        secrets
            .into_iter()
            .map(|secret| json!({"key": secret.key, "values": BTreeMap::from_iter(secret.values)})),
    ))
}
