//! The whole way of a call: from a guest in WebAssembly to building blocks that note what they
//! are asked for, and back.

use std::sync::Arc;
use std::time::Duration;

use trilby_manifest::{Grant, Grants, MetadataGrant, Pattern};

use crate::Access;

mod fake;
mod guest;
mod observed;
mod operations;
mod streams;

use fake::Fake;
use guest::{Arg, Guest, n, s};

/// Everything of components whose name is the block's.
fn all() -> Access {
    let of = |component: &str| Grant::parse(component).into_iter().collect::<Vec<_>>();
    Access::new(Grants {
        state: of("store"),
        state_query: of("store"),
        publish: of("bus"),
        bindings: of("bind"),
        invoke: of("app"),
        secrets: [Grant::parse("vault/a*"), Grant::parse("vault/b")]
            .into_iter()
            .flatten()
            .collect(),
        configuration: [Grant::parse("conf/x"), Grant::parse("prefixed/x*")]
            .into_iter()
            .flatten()
            .collect(),
        lock: of("lock"),
        jobs: vec![Pattern::Prefix("j".into())],
        encrypt: of("keys"),
        decrypt: of("keys"),
        conversation: vec!["llm".into()],
        actors: of("Cart"),
        metadata: vec![MetadataGrant::Read, MetadataGrant::Write],
        call: vec!["Shutdown".into(), "GetState".into(), "SubscribeConfiguration".into()],
        ..Grants::default()
    })
}

/// Makes the calls, and gives each result with what it left in the buffer.
async fn run(fake: &Arc<Fake>, calls: &[(&str, &[Arg<'_>])]) -> Vec<(i32, String)> {
    Guest::new(Arc::clone(fake), all()).run(calls).await
}

fn results(answers: &[(i32, String)]) -> Vec<i32> {
    answers.iter().map(|(result, _)| *result).collect()
}

const CALL_TIMEOUT: Duration = Duration::from_secs(5);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
