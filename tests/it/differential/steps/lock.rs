//! Locks.

use anyhow::Result;
use async_trait::async_trait;
use http::Method;
use trilby_dapr::proto::runtime::v1::{TryLockRequest, UnlockRequest};

use super::quoted;
use crate::differential::case::Step;
use crate::differential::session::{Body, Session, answered, told};

/// Tries a lock.
pub(in crate::differential) struct Lock {
    store: &'static str,
    resource: &'static str,
    owner: &'static str,
    seconds: i32,
}

pub(in crate::differential) fn lock(
    store: &'static str,
    resource: &'static str,
    owner: &'static str,
    seconds: i32,
) -> Lock {
    Lock { store, resource, owner, seconds }
}

#[async_trait]
impl Step for Lock {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let body = format!(
            "{{\"resourceId\":{},\"lockOwner\":{},\"expiryInSeconds\":{}}}",
            quoted(&session.fill(self.resource)),
            quoted(self.owner),
            self.seconds
        );
        let path = format!("/v1.0-alpha1/lock/{}", self.store);
        let headers = [("content-type", "application/json")];
        let answer = session.send(Method::POST, &path, &headers, body).await?;
        Ok(format!("lock: {}", told(&answer, Body::AnyOrder)))
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        let request = TryLockRequest {
            store_name: self.store.to_owned(),
            resource_id: session.fill(self.resource),
            lock_owner: self.owner.to_owned(),
            expiry_in_seconds: self.seconds,
        };
        let answer = session.dapr().try_lock_alpha1(session.request(request)?).await;
        Ok(format!("lock: {}", answered(answer, |lock| lock.success.to_string())))
    }
}

/// Gives a lock back.
pub(in crate::differential) struct Unlock {
    store: &'static str,
    resource: &'static str,
    owner: &'static str,
}

pub(in crate::differential) fn unlock(
    store: &'static str,
    resource: &'static str,
    owner: &'static str,
) -> Unlock {
    Unlock { store, resource, owner }
}

#[async_trait]
impl Step for Unlock {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let body = format!(
            "{{\"resourceId\":{},\"lockOwner\":{}}}",
            quoted(&session.fill(self.resource)),
            quoted(self.owner)
        );
        let path = format!("/v1.0-alpha1/unlock/{}", self.store);
        let headers = [("content-type", "application/json")];
        let answer = session.send(Method::POST, &path, &headers, body).await?;
        Ok(format!("unlock: {}", told(&answer, Body::AnyOrder)))
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        let request = UnlockRequest {
            store_name: self.store.to_owned(),
            resource_id: session.fill(self.resource),
            lock_owner: self.owner.to_owned(),
        };
        let answer = session.dapr().unlock_alpha1(session.request(request)?).await;
        Ok(format!("unlock: {}", answered(answer, |done| format!("{:?}", done.status()))))
    }
}
