//! Distributed locks over gRPC.

use async_trait::async_trait;
use trilby_dapr::lock::{Locks, TryLock, Unlock, Unlocked};
use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::proto::runtime::v1::unlock_response::Status;
use trilby_dapr::{CallContext, Code, Error, Result};

use crate::Sidecar;
use crate::metrics::Block;

#[async_trait]
impl Locks for Sidecar {
    async fn try_lock(&self, cx: &CallContext, request: TryLock) -> Result<bool> {
        let message = runtime::TryLockRequest {
            store_name: request.store,
            resource_id: request.resource,
            lock_owner: request.owner,
            // Longer than 68 years is as good as that.
            expiry_in_seconds: request.expiry.as_secs().try_into().unwrap_or(i32::MAX),
        };
        let request = self.link.request(cx, message)?;
        let mut client = self.link.client();
        let call = async move { client.try_lock_alpha1(request).await };
        let reply = self.link.wait(cx, Block::Locks, "taking a lock", call).await?;
        Ok(reply.success)
    }

    async fn unlock(&self, cx: &CallContext, request: Unlock) -> Result<Unlocked> {
        let message = runtime::UnlockRequest {
            store_name: request.store,
            resource_id: request.resource,
            lock_owner: request.owner,
        };
        let request = self.link.request(cx, message)?;
        let mut client = self.link.client();
        let call = async move { client.unlock_alpha1(request).await };
        let reply = self.link.wait(cx, Block::Locks, "giving a lock back", call).await?;
        match Status::try_from(reply.status) {
            Ok(Status::Success) => Ok(Unlocked::Done),
            Ok(Status::LockDoesNotExist) => Ok(Unlocked::Missing),
            Ok(Status::LockBelongsToOthers) => Ok(Unlocked::OfOthers),
            Ok(Status::InternalError) | Err(_) => {
                Err(Error::new(Code::Internal, "the lock store failed to give the lock back"))
            }
        }
    }
}
