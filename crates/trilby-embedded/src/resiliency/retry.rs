//! When a failed call is tried again, and after what wait.

use std::ops::RangeInclusive;
use std::time::Duration;

/// A retry policy.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Retry {
    pub(crate) back_off: BackOff,
    /// Tries after the first one; `None` for as many as it takes.
    pub(crate) retries_max: Option<u32>,
    /// The statuses of HTTP that are tried again; `None` for all that are failures.
    pub(crate) http: Option<StatusCodes>,
}

/// How long to wait.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum BackOff {
    /// The same wait each time.
    Constant(Duration),
    /// A wait that grows by [`GROWTH`], half of it left to chance.
    Exponential {
        /// The first wait.
        initial: Duration,
        /// The longest wait, before chance adds to it.
        wait_max: Duration,
        /// There are no more tries when a wait would end later than this after the first one;
        /// `None` for no such end.
        elapsed_max: Option<Duration>,
    },
}

/// What daprd multiplies a growing wait by.
const GROWTH: f64 = 1.5;

/// The part of a growing wait that chance takes away, or adds.
const CHANCE: f64 = 0.5;

impl BackOff {
    /// daprd's wait where a policy of this kind names none.
    pub(crate) const CONSTANT: Self = Self::Constant(Duration::from_secs(5));

    /// daprd's growing waits up to `wait_max`, for at most a quarter of an hour.
    pub(crate) const fn exponential(wait_max: Duration) -> Self {
        Self::Exponential {
            initial: Duration::from_millis(500),
            wait_max,
            elapsed_max: Some(Duration::from_secs(15 * 60)),
        }
    }

    /// The wait after so many failed tries, of which the first began `elapsed` ago. `random` lies
    /// between 0 and 1.
    fn wait(self, failures: u32, elapsed: Duration, random: f64) -> Option<Duration> {
        let Self::Exponential { initial, wait_max, elapsed_max } = self else {
            let Self::Constant(wait) = self else { return None };
            return Some(wait);
        };
        let grown = match i32::try_from(failures.saturating_sub(1)) {
            // As in daprd, the longest wait is a bound for all waits but the first one.
            Ok(0) => initial.as_secs_f64(),
            Ok(times) => (initial.as_secs_f64() * GROWTH.powi(times)).min(wait_max.as_secs_f64()),
            Err(_) => wait_max.as_secs_f64(),
        };
        let factor = 1.0 - CHANCE + 2.0 * CHANCE * random.clamp(0.0, 1.0);
        let wait = Duration::try_from_secs_f64(grown * factor).ok()?;
        let ends = elapsed.saturating_add(wait);
        elapsed_max.is_none_or(|max| ends <= max).then_some(wait)
    }
}

impl Retry {
    /// The wait before the next try, after so many failed ones, of which the first began `elapsed`
    /// ago; `None` for no more tries. `random` lies between 0 and 1.
    pub(crate) fn wait(&self, failures: u32, elapsed: Duration, random: f64) -> Option<Duration> {
        if self.retries_max.is_some_and(|max| failures > max) {
            return None;
        }
        self.back_off.wait(failures, elapsed, random)
    }

    /// Whether an answer of this status, which is a failure, is tried again.
    pub(crate) fn wants(&self, status: http::StatusCode) -> bool {
        self.http.as_ref().is_none_or(|codes| codes.has(status.as_u16()))
    }
}

/// A number between 0 and 1, for the part of a wait that is left to chance.
pub(crate) fn random() -> f64 {
    let [.., a, b, c, d] = *uuid::Uuid::new_v4().as_bytes();
    f64::from(u32::from_be_bytes([a, b, c, d])) / f64::from(u32::MAX)
}

/// Numbers and ranges of status codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StatusCodes(Vec<RangeInclusive<u16>>);

impl StatusCodes {
    /// The codes of HTTP.
    pub(crate) const HTTP: RangeInclusive<u16> = 100..=599;

    /// The codes of gRPC.
    pub(crate) const GRPC: RangeInclusive<u16> = 0..=16;

    /// Reads `429,500-599`. The error says what is wrong.
    pub(crate) fn parse(text: &str, valid: &RangeInclusive<u16>) -> Result<Self, String> {
        let ranges = text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let code = |text: &str| {
                let code = text.trim().parse::<u16>().ok().filter(|code| valid.contains(code));
                code.ok_or_else(|| {
                    let (min, max) = (valid.start(), valid.end());
                    format!("`{text}` is no status code; they go from {min} to {max}")
                })
            };
            let (first, last) = (code(first)?, code(last)?);
            if first > last {
                return Err(format!("in `{part}` the first code is above the last one"));
            }
            Ok(first..=last)
        });
        ranges.collect::<Result<_, _>>().map(Self)
    }

    fn has(&self, code: u16) -> bool {
        self.0.iter().any(|range| range.contains(&code))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn retry(back_off: BackOff, retries_max: Option<u32>) -> Retry {
        Retry { back_off, retries_max, http: None }
    }

    #[test]
    fn a_constant_wait_is_bounded_by_the_number_of_tries() {
        let twice = retry(BackOff::Constant(ms(7)), Some(2));
        let waits: Vec<_> = (1..=3).map(|n| twice.wait(n, ms(999_999_999), 0.3)).collect();
        assert_eq!(waits, [Some(ms(7)), Some(ms(7)), None]);
        assert_eq!(retry(BackOff::Constant(ms(7)), Some(0)).wait(1, ms(0), 0.3), None);
        let endless = retry(BackOff::Constant(ms(7)), None);
        assert_eq!(endless.wait(u32::MAX, ms(0), 0.3), Some(ms(7)));
    }

    #[test]
    fn a_growing_wait_ends_at_its_bound_and_after_a_quarter_of_an_hour() {
        let growing = retry(BackOff::exponential(ms(2000)), None);
        let waits: Vec<_> = (1..=6).map(|n| growing.wait(n, ms(0), 0.5).unwrap()).collect();
        assert_eq!(
            waits,
            [ms(500), ms(750), ms(1125), Duration::from_micros(1_687_500), ms(2000), ms(2000)]
        );
        assert_eq!(growing.wait(1, ms(0), 0.0), Some(ms(250)));
        assert_eq!(growing.wait(1, ms(0), 1.0), Some(ms(750)));
        assert_eq!(growing.wait(9, ms(15 * 60_000 - 2000), 0.5), Some(ms(2000)));
        assert_eq!(growing.wait(9, ms(15 * 60_000 - 1999), 0.5), None);
        // The first wait is what it is, whatever the bound of the others.
        let short = retry(BackOff::exponential(ms(100)), None);
        assert_eq!([1, 2].map(|n| short.wait(n, ms(0), 0.5)), [Some(ms(500)), Some(ms(100))]);
    }

    #[test]
    fn chance_is_between_nothing_and_all() {
        let all: Vec<f64> = (0..100).map(|_| random()).collect();
        assert!(all.iter().all(|random| (0.0..=1.0).contains(random)));
        assert!(all.windows(2).any(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn status_codes_are_numbers_and_ranges() {
        let codes = StatusCodes::parse("429, 500-599,,", &StatusCodes::HTTP).unwrap();
        for (code, is_in) in [(429, true), (500, true), (599, true), (428, false), (600, false)] {
            assert_eq!(codes.has(code), is_in, "{code}");
        }
        for (text, valid, expected) in [
            ("99", StatusCodes::HTTP, "`99` is no status code; they go from 100 to 599"),
            ("14-17", StatusCodes::GRPC, "`17` is no status code; they go from 0 to 16"),
            ("5xx", StatusCodes::HTTP, "`5xx` is no status code; they go from 100 to 599"),
            ("404-400", StatusCodes::HTTP, "in `404-400` the first code is above the last one"),
        ] {
            assert_eq!(StatusCodes::parse(text, &valid).unwrap_err(), expected, "{text}");
        }
        assert_eq!(
            StatusCodes::parse("1-2-3", &StatusCodes::GRPC).unwrap_err().get(..5),
            Some("`2-3`")
        );
    }

    proptest! {
        #[test]
        fn no_wait_is_out_of_bounds(
            failures in 1..=u32::MAX,
            random in -1.0..2.0f64,
            max in 0..10_000u64,
        ) {
            let retry = retry(BackOff::exponential(ms(max)), None);
            let wait = retry.wait(failures, ms(0), random).unwrap();
            let bound = if failures == 1 { ms(750) } else { ms(max).mul_f64(1.5) };
            prop_assert!(wait <= bound + Duration::from_micros(1), "{wait:?}");
        }
    }
}
