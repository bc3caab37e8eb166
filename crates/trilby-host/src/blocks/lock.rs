//! `dapr_lock_v1`: distributed locks.

use std::time::Duration;

use trilby_dapr::lock::{TryLock, Unlock, Unlocked};
use trilby_dapr::{Code, Error};
use trilby_sandbox::State;
use wasmtime::Linker;

use crate::Host;
use crate::operation::{Ask, Call, Imports};
use crate::options::{Options, bad_value};

const SECONDS: &str = "a whole number of seconds, from 1 to 2147483647";

pub(super) fn link(linker: &mut Linker<State<Host>>) -> wasmtime::Result<()> {
    let mut imports = Imports::of(linker, "dapr_lock_v1");
    imports.add("try_lock", &["expiry"], try_lock)?;
    imports.add("unlock", &[], unlock)
}

async fn try_lock(ask: Ask, call: Call<3>) -> Result<(), Error> {
    let Call { names: [store, resource, owner], mut options } = call;
    let expiry = expiry(&mut options)?;
    check_owner(&owner)?;
    ask.access.lock(&store, &resource)?;
    let request = TryLock { store, resource, owner, expiry };
    if ask.blocks.try_lock(&ask.cx, request).await? {
        return Ok(());
    }
    Err(Error::new(Code::Aborted, "somebody holds the lock").with_reason("TRILBY_LOCK_HELD"))
}

/// Dapr's `expiryInSeconds`: an `int32`, and positive.
fn expiry(options: &mut Options) -> Result<Duration, Error> {
    let seconds = options.number::<u32>("expiry", SECONDS)?;
    let seconds = seconds
        .ok_or_else(|| Error::invalid(format!("option `expiry` must be there: {SECONDS}")))?;
    if seconds == 0 || i32::try_from(seconds).is_err() {
        return Err(bad_value("expiry", &seconds.to_string(), SECONDS));
    }
    Ok(Duration::from_secs(seconds.into()))
}

async fn unlock(ask: Ask, call: Call<3>) -> Result<(), Error> {
    let Call { names: [store, resource, owner], .. } = call;
    check_owner(&owner)?;
    ask.access.lock(&store, &resource)?;
    match ask.blocks.unlock(&ask.cx, Unlock { store, resource, owner }).await? {
        Unlocked::Done => Ok(()),
        Unlocked::Missing => {
            let error = Error::new(Code::NotFound, "nobody holds the lock");
            Err(error.with_reason("TRILBY_LOCK_MISSING"))
        }
        Unlocked::OfOthers => {
            let error = Error::new(Code::Aborted, "somebody else holds the lock");
            Err(error.with_reason("TRILBY_LOCK_OF_OTHERS"))
        }
    }
}

fn check_owner(owner: &str) -> Result<(), Error> {
    if owner.is_empty() { Err(Error::invalid("the name of the owner is empty")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options;

    #[test]
    fn an_expiry_is_whole_seconds() {
        let of = |text: &str| expiry(&mut options::parse(text, &["expiry"]).expect("known"));
        assert_eq!(of("expiry: 1"), Ok(Duration::from_secs(1)));
        assert_eq!(of("expiry: 2147483647"), Ok(Duration::from_secs(2_147_483_647)));
        for bad in ["", "expiry:", "expiry: 0", "expiry: -1", "expiry: 1s", "expiry: 2147483648"] {
            let error = of(bad).expect_err(bad);
            assert!(error.message.contains(SECONDS), "{error}");
        }
    }
}
