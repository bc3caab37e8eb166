//! Building blocks for a guest that runs before there are any.

use async_trait::async_trait;
use trilby_dapr::messaging::{BindingReply, InvokeBinding, Publish};
use trilby_dapr::secret::{GetSecret, Secret};
use trilby_dapr::state::{DeleteState, GetState, SaveState, StateValue};
use trilby_dapr::{Blocks, CallContext, Code, Error, Result};

/// Refuses every call: what a module gets when it is asked for its routes at the start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unavailable;

fn refused<T>() -> Result<T> {
    Err(Error::new(Code::Unavailable, "the building blocks are not there yet"))
}

#[async_trait]
impl Blocks for Unavailable {
    async fn get_state(&self, _: &CallContext, _: GetState) -> Result<StateValue> {
        refused()
    }

    async fn save_state(&self, _: &CallContext, _: SaveState) -> Result<()> {
        refused()
    }

    async fn delete_state(&self, _: &CallContext, _: DeleteState) -> Result<()> {
        refused()
    }

    async fn publish(&self, _: &CallContext, _: Publish) -> Result<()> {
        refused()
    }

    async fn invoke_binding(&self, _: &CallContext, _: InvokeBinding) -> Result<BindingReply> {
        refused()
    }

    async fn get_secret(&self, _: &CallContext, _: GetSecret) -> Result<Secret> {
        refused()
    }
}
