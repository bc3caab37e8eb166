//! The connections of the process: one pool for each set of private addresses within reach.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::Client as PoolingClient;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use tokio::sync::Semaphore;

use crate::connect::Connector;
use crate::policy::Reach;
use crate::resolve::{Lookup, Resolver};

/// Pools. Routes with the same `allowed-networks` share one, so few are in use; over the bound
/// the one used least recently goes.
const POOLS_MAX: usize = 32;

/// Connections of the process, idle ones included.
const CONNECTIONS_MAX: usize = 1024;

/// Once fewer places than this are free, idle connections are closed to make room.
const CONNECTIONS_SPARE: usize = 128;

/// Idle connections to one host.
const IDLE_PER_HOST_MAX: usize = 32;

/// Servers close idle connections too, seldom before this.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Names that are resolved at once, each on a thread that blocks.
const LOOKUPS_MAX: usize = 32;

/// The head of an answer, in bytes. In HTTP/1.1 what one read brings may come on top.
const HEAD_BYTES_MAX: u32 = 64 * 1024;

/// How often an HTTP/2 connection is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(20);

pub(crate) type Client = PoolingClient<Connector, Full<Bytes>>;

/// The connections of the process.
pub(crate) struct Pools {
    lookup: Lookup,
    tls: ClientConfig,
    lookup_places: Arc<Semaphore>,
    connection_places: Arc<Semaphore>,
    /// The one used last stands last.
    clients: Mutex<Vec<(Arc<Reach>, Client)>>,
}

impl Pools {
    pub(crate) fn new(lookup: Lookup, tls: ClientConfig) -> Self {
        let lookup_places = Arc::new(Semaphore::new(LOOKUPS_MAX));
        let connection_places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        Self { lookup, tls, lookup_places, connection_places, clients: Mutex::default() }
    }

    /// The client whose every connection leads to an address within this reach.
    pub(crate) fn client(&self, reach: Reach) -> Client {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if self.connection_places.available_permits() < CONNECTIONS_SPARE {
            // A client that goes closes its idle connections; requests under way keep theirs.
            clients.clear();
        }
        let known = clients.iter().position(|(other, _)| **other == reach);
        let (reach, client) = match known {
            Some(at) => clients.remove(at),
            None => self.open(Arc::new(reach)),
        };
        if clients.len() >= POOLS_MAX {
            clients.remove(0);
        }
        clients.push((reach, client.clone()));
        client
    }

    fn open(&self, reach: Arc<Reach>) -> (Arc<Reach>, Client) {
        let resolver = Resolver {
            lookup: Arc::clone(&self.lookup),
            places: Arc::clone(&self.lookup_places),
            reach: Arc::clone(&reach),
        };
        let places = Arc::clone(&self.connection_places);
        let connector = Connector::new(resolver, self.tls.clone(), places);
        let client = PoolingClient::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
            .http1_max_buf_size(usize::try_from(HEAD_BYTES_MAX).unwrap_or(usize::MAX))
            .http2_max_header_list_size(HEAD_BYTES_MAX)
            .http2_keep_alive_interval(PING_INTERVAL)
            .build(connector);
        (reach, client)
    }
}

#[cfg(test)]
impl Pools {
    pub(crate) fn len(&self) -> usize {
        self.clients.lock().unwrap().len()
    }

    pub(crate) fn connections(&self) -> usize {
        CONNECTIONS_MAX - self.connection_places.available_permits()
    }

    /// Takes places until only those are free that make idle connections close.
    pub(crate) fn crowd(&self) -> tokio::sync::OwnedSemaphorePermit {
        let taken = CONNECTIONS_MAX - self.connections() - CONNECTIONS_SPARE + 1;
        let places = Arc::clone(&self.connection_places);
        places.try_acquire_many_owned(u32::try_from(taken).unwrap()).unwrap()
    }
}
