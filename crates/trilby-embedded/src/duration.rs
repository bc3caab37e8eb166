//! Durations as Go writes them, which is how Dapr's metadata has them.

use std::time::Duration;

/// Reads `1h30m`, `2s`, `500ms`, or a number of seconds. A negative one is zero: wherever daprd
/// takes one, it means what zero means. `None` for anything else, and for those beyond a
/// [`Duration`].
pub(crate) fn parse(text: &str) -> Option<Duration> {
    match text.strip_prefix('-') {
        Some(positive) if positive.starts_with(['+', '-']) => None,
        Some(positive) => parse(positive).map(|_| Duration::ZERO),
        None => parse_positive(text),
    }
}

fn parse_positive(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest.is_empty() {
        return None;
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(digits)?;
        let letters = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(letters)?;
        let seconds = number.parse::<f64>().ok()? * seconds_of(unit)?;
        total = total.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?;
        rest = tail;
    }
    Some(total)
}

fn seconds_of(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1e-9,
        "us" | "µs" | "μs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        let cases = [
            ("20s", Some(20_000)),
            ("1h30m", Some(5_400_000)),
            ("1.5s", Some(1_500)),
            ("500ms", Some(500)),
            ("3600", Some(3_600_000)),
            ("0", Some(0)),
            ("", None),
            ("-1s", Some(0)),
            ("-1h30m", Some(0)),
            ("-5", Some(0)),
            ("--1s", None),
            ("-+1s", None),
            ("-", None),
            ("-x", None),
            ("1d", None),
            ("+", None),
            ("s", None),
            ("1", Some(1_000)),
            ("1.5", None),
            ("1s2", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected.map(Duration::from_millis), "{text}");
        }
    }
}
