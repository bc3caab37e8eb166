//! Ids of requests: what joins an answer, the log's lines and other servers' logs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::Request;

/// Gives each request an id: the client's own if it sent a sensible one, else a new one.
pub(crate) struct RequestIds {
    prefix: u64,
    next: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new() -> Self {
        use std::hash::BuildHasher;
        // The standard library's hasher is seeded at random: enough to tell processes apart.
        let prefix = std::hash::RandomState::new().hash_one(std::process::id());
        Self { prefix, next: AtomicU64::new(1) }
    }

    pub(crate) fn of<B>(&self, request: &Request<B>) -> Arc<str> {
        const ID_BYTES_MAX: usize = 128;
        let given = request.headers().get("x-request-id").and_then(|value| value.to_str().ok());
        match given {
            Some(id) if !id.is_empty() && id.len() <= ID_BYTES_MAX => Arc::from(id),
            _ => {
                let number = self.next.fetch_add(1, Ordering::Relaxed);
                Arc::from(format!("{:08x}-{number:x}", self.prefix >> 32))
            }
        }
    }
}
