//! What the link to the sidecar has done, in numbers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use trilby_dapr::{Code, Result};

/// A building block, as metrics name it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Block {
    State,
    Pubsub,
    Bindings,
    Invocation,
    Secrets,
    Configuration,
    Locks,
    Jobs,
    Crypto,
    Conversation,
    Actors,
    Runtime,
}

impl Block {
    const ALL: [Self; 12] = [
        Self::State,
        Self::Pubsub,
        Self::Bindings,
        Self::Invocation,
        Self::Secrets,
        Self::Configuration,
        Self::Locks,
        Self::Jobs,
        Self::Crypto,
        Self::Conversation,
        Self::Actors,
        Self::Runtime,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Pubsub => "pubsub",
            Self::Bindings => "bindings",
            Self::Invocation => "invoke",
            Self::Secrets => "secrets",
            Self::Configuration => "configuration",
            Self::Locks => "lock",
            Self::Jobs => "jobs",
            Self::Crypto => "crypto",
            Self::Conversation => "conversation",
            Self::Actors => "actors",
            Self::Runtime => "runtime",
        }
    }

    fn index(self) -> usize {
        Self::ALL.iter().position(|&block| block.name() == self.name()).unwrap_or_default()
    }
}

/// The numbers at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SidecarMetrics {
    /// Calls that have ended; those that never happened are left out.
    pub calls: Vec<CallCount>,
    /// Calls that have not ended yet, streams of crypto included.
    pub in_flight: u64,
    /// Connections that were made.
    pub connects: u64,
    /// Connections that could not be made. Calls that fail because the last try was just now do not
    /// count.
    pub connect_failures: u64,
    /// Connections that took the place of an earlier one.
    pub reconnects: u64,
}

/// How many calls of a block have ended with a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallCount {
    /// The building block, such as `state`.
    pub block: &'static str,
    /// The name of the gRPC code that the sidecar gave; `OK` for success, `CANCELLED` for calls
    /// that nobody waited for.
    pub code: &'static str,
    /// How many.
    pub count: u64,
}

/// OK, and the 16 codes of gRPC.
const OUTCOMES: usize = 17;

#[derive(Default)]
pub(crate) struct Counters {
    calls: [[AtomicU64; OUTCOMES]; Block::ALL.len()],
    in_flight: AtomicU64,
    pub(crate) connects: AtomicU64,
    pub(crate) connect_failures: AtomicU64,
}

impl Counters {
    pub(crate) fn snapshot(&self) -> SidecarMetrics {
        let mut calls = Vec::new();
        for (block, outcomes) in Block::ALL.iter().zip(&self.calls) {
            for (number, count) in (0..).zip(outcomes) {
                let code =
                    if number == 0 { "OK" } else { Code::from(tonic::Code::from(number)).name() };
                let count = count.load(Relaxed);
                if count > 0 {
                    calls.push(CallCount { block: block.name(), code, count });
                }
            }
        }
        let connects = self.connects.load(Relaxed);
        SidecarMetrics {
            calls,
            in_flight: self.in_flight.load(Relaxed),
            connects,
            connect_failures: self.connect_failures.load(Relaxed),
            reconnects: connects.saturating_sub(1),
        }
    }
}

/// A call in flight. Dropped without an outcome, it was cancelled.
pub(crate) struct InFlight {
    counters: Arc<Counters>,
    block: Block,
    outcome: Option<Code>,
}

impl InFlight {
    pub(crate) fn begin(counters: &Arc<Counters>, block: Block) -> Self {
        counters.in_flight.fetch_add(1, Relaxed);
        Self { counters: Arc::clone(counters), block, outcome: Some(Code::Cancelled) }
    }

    pub(crate) fn end<T>(mut self, result: &Result<T>) {
        self.outcome = result.as_ref().err().map(|error| error.code);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.counters.in_flight.fetch_sub(1, Relaxed);
        let outcome = self.outcome.map_or(0, Code::number);
        let outcome = usize::try_from(outcome).unwrap_or_default();
        let count = self.counters.calls.get(self.block.index()).and_then(|row| row.get(outcome));
        if let Some(count) = count {
            count.fetch_add(1, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use trilby_dapr::Error;

    use super::*;

    #[test]
    fn calls_are_counted_by_block_and_outcome() {
        let counters = Arc::new(Counters::default());
        for block in Block::ALL {
            InFlight::begin(&counters, block).end(&Ok(()));
        }
        InFlight::begin(&counters, Block::Runtime)
            .end::<()>(&Err(Error::new(Code::Unauthenticated, "no")));
        drop(InFlight::begin(&counters, Block::State));
        let open = InFlight::begin(&counters, Block::Jobs);
        let metrics = counters.snapshot();
        assert_eq!(metrics.in_flight, 1);
        let count = |block, code| {
            let call = metrics.calls.iter().find(|call| (call.block, call.code) == (block, code));
            call.map_or(0, |call| call.count)
        };
        for block in Block::ALL {
            assert_eq!(count(block.name(), "OK"), 1, "{block:?}");
        }
        assert_eq!(count("runtime", "UNAUTHENTICATED"), 1);
        assert_eq!(count("state", "CANCELLED"), 1);
        assert_eq!(count("jobs", "CANCELLED"), 0);
        drop(open);
    }
}
