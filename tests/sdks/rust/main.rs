//! Every building block through Dapr's crate for Rust, against whatever serves Dapr's API.
//!
//! The port and the token come from the crate's own variables, the app to call from `TARGET_APP`.
//! One line for each check; the first surprise ends the program.

mod blocks;
mod events;
mod state;

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use dapr::client::{ApiTokenInterceptor, ClientOptions, TonicClientWithAuth};
use dapr::dapr::proto::runtime::v1::dapr_client::DaprClient;
use tonic::transport::Endpoint;

type Client = dapr::Client<TonicClientWithAuth>;

/// Bounds a wait for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let client = &mut dapr::Client::new().await?;
    passed("state", state::state(client).await)?;
    passed("state_conflicts", state::conflicts(client).await)?;
    passed("state_bulk", state::bulk(client).await)?;
    passed("publish_and_subscribe", events::publish_and_subscribe(client).await)?;
    passed("subscribe_again", events::subscribe_again(client).await)?;
    passed("configuration", events::configuration(client).await)?;
    passed("jobs", events::jobs(client).await)?;
    passed("binding", blocks::binding(client).await)?;
    passed("secret", blocks::secret(client).await)?;
    passed("invoke", blocks::invoke(client).await)?;
    passed("crypto", blocks::crypto(client).await)?;
    passed("conversation", blocks::conversation(client).await)?;
    passed("metadata", blocks::metadata(client).await)
}

#[expect(clippy::print_stdout, reason = "what the program is for")]
fn passed(check: &str, result: Result<()>) -> Result<()> {
    result.with_context(|| check.to_owned())?;
    println!("ok {check}");
    Ok(())
}

/// The crate's client as it is generated from Dapr's definitions, for what [`Client`] has not.
async fn generated() -> Result<TonicClientWithAuth> {
    let options = ClientOptions::from_env()?;
    let channel = Endpoint::from_shared(options.address().to_owned())?.connect().await?;
    let token = ApiTokenInterceptor::try_new(options.api_token().map(str::to_owned))?;
    Ok(DaprClient::with_interceptor(channel, token))
}

/// The value of a variable that whoever runs the program must set.
fn variable(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("{name} is not set"))
}

/// An error unless both are equal.
fn same<T: PartialEq + std::fmt::Debug>(actual: T, expected: T) -> Result<()> {
    ensure!(actual == expected, "{actual:?} where {expected:?} was expected");
    Ok(())
}

/// An error unless a call failed with this code of gRPC. The crate tells it only in its text.
fn fails<T>(result: Result<T, dapr::error::Error>, code: &str) -> Result<()> {
    match result {
        Ok(_) => bail!("no error where {code} was expected"),
        Err(error) if error.to_string().contains(&format!("code: {code}")) => Ok(()),
        Err(error) => bail!("{error} where {code} was expected"),
    }
}
