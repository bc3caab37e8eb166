//! A bound on the time for which a guest computes.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

/// A future that is given up when it has used `budget` of its thread's time; it then yields `None`.
///
/// Time is that of the thread's own clock, so neither waiting nor other processes count. It is
/// looked at after each poll, and a guest's poll ends with each tick of the epoch.
pub(crate) struct Metered<F> {
    inner: Pin<Box<F>>,
    left: Duration,
}

impl<F: Future> Metered<F> {
    pub(crate) fn new(inner: F, budget: Duration) -> Self {
        Self { inner: Box::pin(inner), left: budget }
    }
}

impl<F: Future> Future for Metered<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let before = thread_time();
        if let Poll::Ready(output) = this.inner.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        this.left = this.left.saturating_sub(thread_time().saturating_sub(before));
        if this.left.is_zero() { Poll::Ready(None) } else { Poll::Pending }
    }
}

/// The time for which the calling thread has computed.
fn thread_time() -> Duration {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = Duration::from_secs(u64::try_from(tv_sec).unwrap_or(0));
    seconds + Duration::from_nanos(u64::try_from(tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computes for this long, by the thread's clock.
    fn burn(time: Duration) {
        let end = thread_time() + time;
        while thread_time() < end {
            std::hint::black_box(0);
        }
    }

    #[tokio::test]
    async fn what_computes_too_long_is_given_up() {
        let work = async {
            loop {
                burn(Duration::from_millis(1));
                tokio::task::yield_now().await;
            }
        };
        let done: Option<()> = Metered::new(work, Duration::from_millis(5)).await;
        assert_eq!(done, None);
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_is_free() {
        let work = tokio::time::sleep(Duration::from_secs(3600));
        assert_eq!(Metered::new(work, Duration::from_secs(1)).await, Some(()));
    }

    #[tokio::test]
    async fn what_ends_by_itself_is_not_judged() {
        let work = async { burn(Duration::from_millis(3)) };
        assert_eq!(Metered::new(work, Duration::from_millis(1)).await, Some(()));
    }
}
