//! Locks over gRPC.

use std::time::Duration;

use tonic::{Request, Status};
use trilby_dapr::lock::{TryLock, Unlock, Unlocked};
use trilby_dapr::proto::runtime::v1 as runtime;

use super::opened;
use crate::api::Shared;
use crate::fault::{About, Block};

use runtime::unlock_response::Status as Told;

pub(super) async fn try_lock(
    shared: &Shared,
    request: Request<runtime::TryLockRequest>,
) -> Result<runtime::TryLockResponse, Status> {
    let (cx, message) = opened(request);
    let about = About::new(Block::Lock, &message.store_name).named(&message.resource_id);
    let request = TryLock {
        store: message.store_name,
        resource: message.resource_id,
        owner: message.lock_owner,
        // One that is not positive is refused as none.
        expiry: Duration::from_secs(u64::try_from(message.expiry_in_seconds).unwrap_or(0)),
    };
    let success = shared.backend.blocks.try_lock(&cx, request).await;
    let success = success.map_err(|error| shared.teller().status(&error, &about))?;
    Ok(runtime::TryLockResponse { success })
}

pub(super) async fn unlock(
    shared: &Shared,
    request: Request<runtime::UnlockRequest>,
) -> Result<runtime::UnlockResponse, Status> {
    let (cx, message) = opened(request);
    let about = About::new(Block::Lock, &message.store_name).named(&message.resource_id);
    let request = Unlock {
        store: message.store_name,
        resource: message.resource_id,
        owner: message.lock_owner,
    };
    let unlocked = shared.backend.blocks.unlock(&cx, request).await;
    let unlocked = unlocked.map_err(|error| shared.teller().status(&error, &about))?;
    Ok(runtime::UnlockResponse { status: told(unlocked).into() })
}

/// What became of a lock, in Dapr's words.
pub(crate) fn told(unlocked: Unlocked) -> Told {
    match unlocked {
        Unlocked::Done => Told::Success,
        Unlocked::Missing => Told::LockDoesNotExist,
        Unlocked::OfOthers => Told::LockBelongsToOthers,
    }
}
