//! `dapr_metadata_v1`: the runtime.

use trilby_dapr::Error;
use trilby_manifest::MetadataGrant;
use trilby_sandbox::State;
use wasmtime::Linker;

use crate::Host;
use crate::answer::Answer;
use crate::operation::{Ask, Call, Imports};

pub(super) fn link(linker: &mut Linker<State<Host>>) -> wasmtime::Result<()> {
    let mut imports = Imports::nameless(linker, "dapr_metadata_v1");
    imports.add("get", &[], get)?;
    imports.add("set", &[], set)
}

async fn get(ask: Ask, _: Call<0>) -> Result<Answer, Error> {
    ask.access.metadata(MetadataGrant::Read)?;
    let metadata = ask.blocks.get_metadata(&ask.cx).await?;
    Ok(Answer::new(Vec::new(), metadata))
}

async fn set(ask: Ask, call: Call<2>) -> Result<(), Error> {
    let Call { names: [key, value], .. } = call;
    if key.is_empty() {
        return Err(Error::invalid("the name of the key is empty"));
    }
    ask.access.metadata(MetadataGrant::Write)?;
    ask.blocks.set_metadata(&ask.cx, key, value).await
}
