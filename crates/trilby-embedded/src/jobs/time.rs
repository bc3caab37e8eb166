//! Points in time as Dapr's scheduler reads them.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};
use trilby_dapr::event::duration;

/// Reads RFC 3339, or a duration from `now` on: Go's (`1h30m`) or that of ISO 8601 (`P1DT12H`).
///
/// A month later than the 31st is the last day of a shorter month; Dapr runs over into the next.
pub(super) fn point(text: &str, now: Timestamp) -> Result<Timestamp, &'static str> {
    const UNKNOWN: &str = "due time format not recognized";
    if text.contains(['T', 't'])
        && let Ok(time) = text.parse()
    {
        return Ok(time);
    }
    if let Some(duration) = duration::parse(text) {
        return now.checked_add(duration).map_err(|_| UNKNOWN);
    }
    let Iso { repeats, date, time } = iso(text).ok_or(UNKNOWN)?;
    if repeats > 0 {
        return Err("repeats not supported for due time");
    }
    let later = now.to_zoned(TimeZone::UTC).checked_add(date).map_err(|_| UNKNOWN)?;
    later.timestamp().checked_add(time).map_err(|_| UNKNOWN)
}

/// A duration of ISO 8601.
struct Iso {
    /// Dapr takes `R5/` before it, where repeats have a meaning.
    repeats: i32,
    date: Span,
    time: SignedDuration,
}

/// Whole numbers only, as in Dapr, and each unit in its part; the order is free.
fn iso(text: &str) -> Option<Iso> {
    let (repeats, text) = match text.strip_prefix('R') {
        Some(text) => {
            let (repeats, text) = text.split_once('/').unwrap_or((text, "P"));
            (repeats.parse().ok()?, text)
        }
        None => (0, if text.len() < 2 { return None } else { text }),
    };
    let (date, time) = match text.strip_prefix('P')?.split_once('T') {
        Some((date, time)) => (date, time),
        None => (text.strip_prefix('P')?, ""),
    };
    let mut span = Span::new();
    for (number, unit) in parts(date)? {
        span = match unit {
            'Y' => span.try_years(number),
            'M' => span.try_months(number),
            'W' => span.try_weeks(number),
            'D' => span.try_days(number),
            _ => return None,
        }
        .ok()?;
    }
    let mut seconds: i64 = 0;
    for (number, unit) in parts(time)? {
        let of_unit = match unit {
            'H' => 3600,
            'M' => 60,
            'S' => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(number.checked_mul(of_unit)?)?;
    }
    Some(Iso { repeats, date: span, time: SignedDuration::from_secs(seconds) })
}

/// Numbers with the letters behind them.
fn parts(mut text: &str) -> Option<Vec<(i64, char)>> {
    let mut parts = Vec::new();
    while !text.is_empty() {
        let (number, rest) = text.split_at(text.find(|c: char| c.is_ascii_uppercase())?);
        let unit = rest.chars().next()?;
        parts.push((number.parse().ok()?, unit));
        text = rest.strip_prefix(unit)?;
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn points_are_read_as_dapr_reads_them() {
        let now: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
        let unknown = Err("due time format not recognized");
        let table = [
            ("2026-12-01T00:00:00Z", Ok("2026-12-01T00:00:00Z")),
            ("2026-12-01T01:00:00+01:00", Ok("2026-12-01T00:00:00Z")),
            ("2020-01-01T00:00:00.5Z", Ok("2020-01-01T00:00:00.5Z")),
            ("10s", Ok("2026-11-23T10:00:10Z")),
            ("1h30m", Ok("2026-11-23T11:30:00Z")),
            ("-5s", Ok("2026-11-23T09:59:55Z")),
            ("0", Ok("2026-11-23T10:00:00Z")),
            ("PT5S", Ok("2026-11-23T10:00:05Z")),
            ("P1Y2M1W3DT4H5M6S", Ok("2028-02-02T14:05:06Z")),
            ("P1M", Ok("2026-12-23T10:00:00Z")),
            ("PT1M", Ok("2026-11-23T10:01:00Z")),
            ("R0/PT1S", Ok("2026-11-23T10:00:01Z")),
            ("R5/PT1S", Err("repeats not supported for due time")),
            ("R5", Err("repeats not supported for due time")),
            ("", unknown),
            ("P", unknown),
            ("R", unknown),
            ("R/PT1S", unknown),
            ("PT1D", unknown),
            ("P1H", unknown),
            ("PT1.5S", unknown),
            ("P1", unknown),
            ("tomorrow", unknown),
            ("2026-12-01", unknown),
            ("10", unknown),
            ("P99999999999Y", unknown),
            ("PT99999999999999999S", unknown),
        ];
        for (text, expected) in table {
            let expected = expected.map(|time| time.parse::<Timestamp>().unwrap());
            assert_eq!(point(text, now), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[PRTYMWDHS0-9:./+-]{0,20}") {
            let _ = point(&text, Timestamp::UNIX_EPOCH);
            let _ = point(&text, Timestamp::MAX);
        }
    }
}
