//! The block `dapr_lock_v1`. See the crate's documentation for the operations.

use std::time::Duration;

use dapr_probe::{Arguments, Failure, Outcome, Query, run};
use trilby_guest::lock::{self, Lock};
use trilby_guest::raw;

fn main() -> std::io::Result<()> {
    run("lock", operations, imports)
}

fn operations(name: &str, query: &Query) -> Option<Outcome> {
    Some(match name {
        "try_lock" => try_lock(query),
        "guard" => guard(query),
        "unlock" => unlock(query),
        _ => return None,
    })
}

fn imports(name: &str, with: &Arguments) -> Option<i32> {
    let Arguments { a, b, c, options, .. } = with;
    Some(match name {
        "try_lock" => raw::lock_try_lock(a, b, c, options),
        "unlock" => raw::lock_unlock(a, b, c, options),
        _ => return None,
    })
}

fn take(query: &Query) -> Result<Option<Lock<'_>>, Failure> {
    let seconds = query.parse("expiry")?.ok_or_else(|| Failure::asked("no expiry"))?;
    let (store, resource) = (query.need("store")?, query.need("resource")?);
    Ok(lock::try_lock(store, resource, query.need("owner")?, Duration::from_secs(seconds))?)
}

fn try_lock(query: &Query) -> Outcome {
    Ok(match take(query)? {
        Some(lock) => {
            lock.keep();
            "taken".into()
        }
        None => "held".into(),
    })
}

fn guard(query: &Query) -> Outcome {
    Ok(match take(query)? {
        Some(_lock) => "taken".into(),
        None => "held".into(),
    })
}

fn unlock(query: &Query) -> Outcome {
    let (store, resource) = (query.need("store")?, query.need("resource")?);
    Ok(lock::unlock(store, resource, query.need("owner")?)?.into())
}
