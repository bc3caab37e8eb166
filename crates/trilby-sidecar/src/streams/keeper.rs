//! Opening a stream again after it broke.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use trilby_dapr::{Code, Error};
use uuid::Uuid;

/// How long a stream that broke stays closed, at first; twice as long each further time.
const BACKOFF_MIN: Duration = Duration::from_millis(100);

/// How long at most.
const BACKOFF_MAX: Duration = Duration::from_secs(5);

/// How long after the sidecar said no, which it will do again until someone changes something.
const REFUSED_WAIT: Duration = Duration::from_secs(10);

/// How long a stream that does nothing stays open until it counts as working. One that the sidecar
/// opens but cannot keep would else be opened again and again without a pause.
const WORKS_AFTER: Duration = Duration::from_secs(5);

/// How a stream ended.
pub(super) enum End {
    /// All that was in flight is settled.
    Drained,
    /// The sidecar does not have what the stream is for.
    Refused(Error),
    /// Anything else.
    Broken(Error),
}

impl End {
    /// The end of a stream that could not be opened.
    pub(super) fn of_opening(error: Error) -> Self {
        let is_passing = matches!(
            error.code,
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::ResourceExhausted
        );
        // How the rpc ends when daprd does.
        let is_ending = ["EOF", "closed", "context canceled"]
            .iter()
            .any(|word| error.code == Code::Unknown && error.message.contains(word));
        if is_passing || is_ending { Self::Broken(error) } else { Self::Refused(error) }
    }
}

/// Tells of a stream's troubles, once each, and knows when to try again.
pub(super) struct Keeper {
    what: String,
    backoff: Duration,
    /// Since when the stream is open, if it is.
    open_since: Option<Instant>,
    /// What was told last, if the stream has not been open since.
    told: Option<String>,
}

impl Keeper {
    pub(super) fn new(what: String) -> Self {
        Self { what, backoff: BACKOFF_MIN, open_since: None, told: None }
    }

    /// The stream is open.
    pub(super) fn opened(&mut self) {
        self.open_since = Some(Instant::now());
        if self.told.take().is_some() {
            tracing::info!("{} is open again", self.what);
        }
    }

    /// Something that came over the stream was settled: it works.
    pub(super) fn settled(&mut self) {
        self.backoff = BACKOFF_MIN;
    }

    /// Waits until the stream is to be opened again. Says `false` if it is not.
    pub(super) async fn wait(&mut self, end: End, closing: &CancellationToken) -> bool {
        if self.open_since.take().is_some_and(|since| since.elapsed() >= WORKS_AFTER) {
            self.backoff = BACKOFF_MIN;
        }
        let wait = match end {
            End::Drained => return false,
            End::Refused(error) => {
                if self.told.as_ref() != Some(&error.message) {
                    tracing::error!("the Dapr sidecar refuses {}: {error}", self.what);
                    self.told = Some(error.message);
                }
                REFUSED_WAIT
            }
            End::Broken(error) => {
                if self.told.is_none() {
                    tracing::warn!("{} broke, and is opened again: {error}", self.what);
                    self.told = Some(error.message);
                }
                let wait = jittered(self.backoff);
                self.backoff = (self.backoff * 2).min(BACKOFF_MAX);
                wait
            }
        };
        closing.run_until_cancelled(sleep(wait)).await.is_some()
    }
}

/// Between half and the whole: streams that broke together are not opened together.
fn jittered(wait: Duration) -> Duration {
    let [byte, ..] = Uuid::new_v4().into_bytes();
    wait / 2 + wait / 2 * u32::from(byte) / 255
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    async fn waited(keeper: &mut Keeper, end: End) -> Duration {
        let start = Instant::now();
        assert!(keeper.wait(end, &CancellationToken::new()).await);
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn waits_grow_and_begin_anew_after_success() {
        let mut keeper = Keeper::new("it".into());
        let broken = || End::Broken(Error::new(Code::Unavailable, "gone"));
        for (round, full_ms) in [100, 200, 400, 800, 1600, 3200, 5000, 5000].into_iter().enumerate()
        {
            // That it was open for a moment changes nothing.
            if round % 2 == 1 {
                keeper.opened();
                advance(WORKS_AFTER - Duration::from_millis(1)).await;
            }
            let wait = waited(&mut keeper, broken()).await;
            let full = Duration::from_millis(full_ms);
            // Timers have a resolution of a millisecond.
            assert!(wait >= full / 2 && wait <= full + Duration::from_millis(2), "{wait:?}");
        }
        keeper.opened();
        advance(WORKS_AFTER).await;
        let min = Duration::from_millis(102);
        assert!(waited(&mut keeper, broken()).await <= min);
        assert!(waited(&mut keeper, broken()).await >= Duration::from_millis(100));
        keeper.opened();
        keeper.settled();
        assert!(waited(&mut keeper, broken()).await <= min);
        let refused = End::Refused(Error::new(Code::InvalidArgument, "no such component"));
        assert!(waited(&mut keeper, refused).await >= REFUSED_WAIT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_drain_ends_the_waiting() {
        let mut keeper = Keeper::new("it".into());
        let closing = CancellationToken::new();
        assert!(!keeper.wait(End::Drained, &closing).await);
        closing.cancel();
        let refused = End::Refused(Error::new(Code::InvalidArgument, "no"));
        assert!(!keeper.wait(refused, &closing).await);
    }

    #[test]
    fn what_passes_is_told_from_what_does_not() {
        let table = [
            (Code::Unavailable, "connection refused", false),
            (Code::DeadlineExceeded, "late", false),
            (Code::Unknown, "api server closed", false),
            (Code::Unknown, "EOF", false),
            (Code::Unknown, "pubsub \"x\" not found", true),
            (Code::InvalidArgument, "configuration store x not found", true),
            (Code::Unimplemented, "older", true),
            (Code::Unauthenticated, "token", true),
        ];
        for (code, message, is_refused) in table {
            let end = End::of_opening(Error::new(code, message));
            assert_eq!(matches!(end, End::Refused(_)), is_refused, "{message}");
        }
    }
}
