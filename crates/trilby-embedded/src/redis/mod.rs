//! The way to a Redis that a component names, for all components that keep something there.
//!
//! [`options`] reads the metadata, which has the names that daprd's Redis components know. A
//! [`Redis`] has one connection that all calls share; it is made with the first call and made again
//! when it is lost. Commands that block need a [connection of their own](Redis::own_connection).
//!
//! Every call has a bound: a server that is away is an error within seconds, and is found again once
//! it is back.

mod failure;
mod options;
#[cfg(test)]
pub(crate) mod tests;

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, Pipeline, RedisResult};
use tokio::time::{Instant, timeout_at};

pub(crate) use self::failure::Failure;
use self::options::Options;
use crate::Error;
use crate::component::Component;

/// Every metadata name of daprd's Redis components that has to do with the connection.
pub(crate) use self::options::METADATA;

/// Calls that wait for an answer at the same time; later ones wait for their turn.
const IN_FLIGHT_MAX: usize = 1024;

/// Attempts to connect again, before the calls that wait for that fail.
const RECONNECTS_MAX: usize = 5;

const RECONNECT_DELAY_MIN: Duration = Duration::from_millis(50);
const RECONNECT_DELAY_MAX: Duration = Duration::from_millis(500);

/// A Redis server.
pub(crate) struct Redis {
    client: Client,
    /// What messages show of its address.
    shown: String,
    dial_timeout: Duration,
    read_timeout: Duration,
    /// `None` before the first call.
    shared: Mutex<Option<ConnectionManager>>,
}

impl Redis {
    /// Reads where the server is and how it wants to be spoken to. Connects to nothing yet: a
    /// server that is not there is an error of each call, and no reason not to start.
    ///
    /// # Errors
    ///
    /// When the metadata has a mistake, or asks for what the embedded runtime does not have.
    pub(crate) fn open(component: &Component) -> Result<Self, Error> {
        let Options { client, shown, dial_timeout, read_timeout } = Options::of(component)?;
        Ok(Self { client, shown, dial_timeout, read_timeout, shared: Mutex::default() })
    }

    /// The latest end of a call that begins now and may take until `deadline`.
    pub(crate) fn bound(&self, deadline: Instant) -> Instant {
        deadline.min(Instant::now() + self.dial_timeout + self.read_timeout)
    }

    /// Runs one command, and reads its answer.
    pub(crate) async fn query<T: FromRedisValue>(
        &self,
        deadline: Instant,
        command: &Cmd,
    ) -> Result<T, Failure> {
        self.run(deadline, async |mut shared| command.query_async(&mut shared).await).await
    }

    /// Runs several commands, and reads all of their answers.
    pub(crate) async fn pipeline<T: FromRedisValue>(
        &self,
        deadline: Instant,
        commands: &Pipeline,
    ) -> Result<T, Failure> {
        self.run(deadline, async |mut shared| commands.query_async(&mut shared).await).await
    }

    /// Runs anything on the shared connection, within the bounds of a call. It must not block the
    /// connection, as `XREAD BLOCK` does, and is run again if the server could not be reached at
    /// first.
    pub(crate) async fn run<T, F>(
        &self,
        deadline: Instant,
        work: impl Fn(ConnectionManager) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let attempts = async {
            let shared = self.shared()?;
            match work(shared.clone()).await {
                // May be the outcome of a reconnect of some time ago. Nothing was sent.
                Err(error) if error.is_connection_refusal() => work(shared).await,
                done => done,
            }
        };
        self.bounded(self.bound(deadline), attempts).await
    }

    /// A connection for one user, whose commands may block: an answer may take `answer_within`, or
    /// for ever. When it is lost it stays lost.
    pub(crate) async fn own_connection(
        &self,
        deadline: Instant,
        answer_within: Option<Duration>,
    ) -> Result<MultiplexedConnection, Failure> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.dial_timeout))
            .set_response_timeout(answer_within);
        let connect = self.client.get_multiplexed_async_connection_with_config(&config);
        self.bounded(self.bound(deadline), connect).await
    }

    /// What messages show of the address: nothing, if it comes from a secret store.
    #[cfg(test)]
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    async fn bounded<T>(
        &self,
        bound: Instant,
        work: impl Future<Output = RedisResult<T>>,
    ) -> Result<T, Failure> {
        match timeout_at(bound, work).await {
            Ok(done) => done.map_err(|error| Failure::of(&error, &self.shown)),
            Err(_) => Err(Failure::late(&self.shown)),
        }
    }

    /// Must be called on a tokio runtime, which then has the connection's task.
    fn shared(&self) -> RedisResult<ConnectionManager> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = &*shared {
            return Ok(shared.clone());
        }
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(self.dial_timeout))
            .set_response_timeout(Some(self.read_timeout))
            .set_number_of_retries(RECONNECTS_MAX)
            .set_min_delay(RECONNECT_DELAY_MIN)
            .set_max_delay(RECONNECT_DELAY_MAX)
            .set_concurrency_limit(IN_FLIGHT_MAX);
        let made = ConnectionManager::new_lazy_with_config(self.client.clone(), config)?;
        Ok(shared.insert(made).clone())
    }
}
