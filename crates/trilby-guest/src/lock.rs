//! Distributed locks: one guest at a time, in all instances of the application.
//!
//! ```no_run
//! use std::time::Duration;
//! use trilby_guest::lock;
//!
//! # fn main() -> trilby_guest::Result<()> {
//! match lock::try_lock("locks", "report", "instance-7", Duration::from_secs(30))? {
//!     Some(lock) => {
//!         // Alone with the report, for 30 seconds at most.
//!         lock.unlock()?;
//!     }
//!     None => { /* somebody else is at it */ }
//! }
//! # Ok(())
//! # }
//! ```

use std::io::Write;
use std::time::Duration;

use crate::call::{self, Options};
use crate::{Error, Result, raw};

/// The host's reason when somebody holds the lock.
const HELD: &str = "TRILBY_LOCK_HELD";

/// A lock that is held, until it is dropped, given back or expired.
///
/// When it is dropped it is given back, and should that fail, a line on standard error says so;
/// [`unlock`](Self::unlock) gives the error instead.
#[derive(Debug)]
#[must_use = "a lock that is not kept is given back at once"]
pub struct Lock<'a> {
    store: &'a str,
    resource: &'a str,
    owner: &'a str,
    held: bool,
}

/// Takes the lock of a resource, if nobody holds it, the same owner neither. It expires after
/// `expiry`, rounded up to seconds, at least one.
///
/// `owner` tells holders apart, so that none gives back the lock of another: make it one of this
/// very request.
pub fn try_lock<'a>(
    store: &'a str,
    resource: &'a str,
    owner: &'a str,
    expiry: Duration,
) -> Result<Option<Lock<'a>>> {
    let mut options = Options::default();
    options.push("expiry", &call::whole_seconds(expiry).to_string());
    let result = raw::lock_try_lock(store, resource, owner, options.block()?);
    match call::done(result) {
        Ok(()) => Ok(Some(Lock { store, resource, owner, held: true })),
        Err(error) if is_held(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Gives a lock back that another request took for this owner. The error
/// [is "not found"](crate::Error::is_not_found) if nobody holds it, and
/// [a conflict](crate::Error::is_conflict) if somebody else does.
pub fn unlock(store: &str, resource: &str, owner: &str) -> Result<()> {
    call::done(raw::lock_unlock(store, resource, owner, ""))
}

fn is_held(error: &Error) -> bool {
    error.is_conflict() && error.reason.as_deref() == Some(HELD)
}

impl Lock<'_> {
    /// Gives the lock back. An error means that it had expired, or that it stays until it does.
    pub fn unlock(mut self) -> Result<()> {
        self.held = false;
        unlock(self.store, self.resource, self.owner)
    }

    /// Keeps the lock beyond this request, until it expires or [`unlock()`] is called.
    pub fn keep(mut self) {
        self.held = false;
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        if !self.held {
            return;
        }
        if let Err(error) = unlock(self.store, self.resource, self.owner) {
            let _ = writeln!(std::io::stderr(), "lock `{}` not given back: {error}", self.resource);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn only_a_held_lock_is_no_error() {
        let text = "code: 10\nreason: TRILBY_LOCK_HELD\n\nheld by another\n";
        assert!(is_held(&Error::parse(Code::Aborted, text)));
        assert!(!is_held(&Error::parse(Code::Aborted, "code: 10\n\nother\n")));
        assert!(!is_held(&Error::parse(Code::Unavailable, text)));
    }

    #[test]
    fn outside_wasm_there_is_no_lock() {
        let error = try_lock("s", "r", "o", Duration::from_secs(1)).unwrap_err();
        assert_eq!(error.code, Code::Unimplemented);
    }
}
