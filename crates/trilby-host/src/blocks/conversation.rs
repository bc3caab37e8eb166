//! `dapr_conversation_v1`: large language models.

use trilby_dapr::Error;
use trilby_dapr::conversation::Converse;
use trilby_sandbox::State;
use wasmtime::Linker;

use crate::Host;
use crate::answer::Answer;
use crate::operation::{Ask, BodyCall, Imports};

pub(super) fn link(linker: &mut Linker<State<Host>>) -> wasmtime::Result<()> {
    Imports::of(linker, "dapr_conversation_v1").add("converse", &[], converse)
}

async fn converse(ask: Ask, call: BodyCall<1>) -> Result<Answer, Error> {
    let BodyCall { names: [component], body: request, .. } = call;
    ask.access.conversation(&component)?;
    let answer = ask.blocks.converse(&ask.cx, Converse { component, request }).await?;
    Ok(Answer::new(Vec::new(), answer))
}
