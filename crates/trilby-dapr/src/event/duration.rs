//! Durations as Go writes them, such as `1h30m`, `1.5s` or `200ms`: Dapr reads times-to-live and
//! cron's `@every` so.

use jiff::SignedDuration;

/// Reads a duration: numbers, possibly with a fraction, each followed by `ns`, `us`, `ms`, `s`, `m`
/// or `h`; a sign before all; or `0` alone. As in Go, nothing over 292 years.
#[must_use]
pub fn parse(text: &str) -> Option<SignedDuration> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned == "0" {
        return Some(SignedDuration::ZERO);
    }
    let nanoseconds = i64::try_from(sum(unsigned)?).ok()?;
    let duration = SignedDuration::from_nanos(nanoseconds);
    Some(if text.starts_with('-') { -duration } else { duration })
}

fn sum(text: &str) -> Option<u128> {
    let mut total: Option<u128> = None;
    let mut rest = text;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c| !is_numeric(c))?);
        let (unit, after) = after.split_at(after.find(is_numeric).unwrap_or(after.len()));
        total = Some(total.unwrap_or(0).checked_add(part(number, unit)?)?);
        rest = after;
    }
    total
}

fn is_numeric(c: char) -> bool {
    c.is_ascii_digit() || c == '.'
}

/// One number with its unit, in nanoseconds.
fn part(number: &str, unit: &str) -> Option<u128> {
    let unit: u128 = match unit {
        "ns" => 1,
        // Both of Unicode's micro signs, as in Go.
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut nanoseconds = u128::from(whole).checked_mul(unit)?;
    let mut place = unit;
    for digit in fraction.chars() {
        place /= 10;
        nanoseconds = nanoseconds.checked_add(u128::from(digit.to_digit(10)?) * place)?;
    }
    Some(nanoseconds)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn gos_notation_is_read() {
        let table = [
            ("2s", Some(2_000_000_000)),
            ("1h30m", Some(5_400_000_000_000)),
            ("1.5s", Some(1_500_000_000)),
            (".5m1.s", Some(31_000_000_000)),
            ("200ms", Some(200_000_000)),
            ("3us4ns", Some(3_004)),
            ("3\u{b5}s", Some(3_000)),
            ("-2s", Some(-2_000_000_000)),
            ("+2s", Some(2_000_000_000)),
            ("0", Some(0)),
            ("-0", Some(0)),
            ("", None),
            ("-", None),
            ("10", None),
            ("s", None),
            (".s", None),
            ("1.2.3s", None),
            ("1d", None),
            ("1 s", None),
            ("--1s", None),
            ("9223372036854775808ns", None),
            ("99999999999999999999h", None),
        ];
        for (text, nanoseconds) in table {
            assert_eq!(parse(text), nanoseconds.map(SignedDuration::from_nanos), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[-+.0-9nuµmsh ]{0,30}") {
            let _ = parse(&text);
        }
    }
}
