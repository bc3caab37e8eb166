//! The client against servers that answer as daprd does.

mod blocks;
mod crypto;
mod fake;
mod faults;
mod http_api;
mod streams;

use std::collections::BTreeMap;
use std::time::Duration;

use trilby_dapr::CallContext;
use trilby_dapr::state::GetState;

use crate::{Sidecar, SidecarConfig};

fn sidecar(pairs: &[(&str, &str)]) -> Sidecar {
    let env: BTreeMap<String, String> =
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Sidecar::new(SidecarConfig::from_env(&env).expect("valid").expect("named")).expect("valid")
}

fn read(key: &str) -> GetState {
    GetState { store: "s".into(), key: key.into(), ..GetState::default() }
}

fn within(seconds: u64) -> CallContext {
    CallContext::within(Duration::from_secs(seconds))
}
