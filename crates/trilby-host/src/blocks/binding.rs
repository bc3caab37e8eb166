//! `dapr_binding_v1`: output bindings.

use trilby_dapr::Error;
use trilby_dapr::messaging::InvokeBinding;
use trilby_sandbox::State;
use wasmtime::Linker;

use super::metadata_headers;
use crate::Host;
use crate::answer::Answer;
use crate::operation::{Ask, BodyCall, Imports};
use crate::options::METADATA;

pub(super) fn link(linker: &mut Linker<State<Host>>) -> wasmtime::Result<()> {
    Imports::of(linker, "dapr_binding_v1").add("invoke", &[METADATA], invoke)
}

async fn invoke(ask: Ask, call: BodyCall<2>) -> Result<Answer, Error> {
    let BodyCall { names: [binding, operation], options, body: data } = call;
    ask.access.binding(&binding, &operation)?;
    let request = InvokeBinding { binding, operation, data, metadata: options.metadata };
    let reply = ask.blocks.invoke_binding(&ask.cx, request).await?;
    Ok(Answer::new(metadata_headers(reply.metadata), reply.data))
}
