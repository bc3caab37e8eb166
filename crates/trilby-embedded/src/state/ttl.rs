//! The metadata `ttlInSeconds`, as daprd's stores read it.

use std::num::IntErrorKind;

/// Seconds as the SQLite store reads them. `None` for no time to live, which -1, 0 and an empty
/// text mean.
pub(super) fn strict(text: Option<&str>) -> Result<Option<i64>, String> {
    const NAME: &str = "error parsing TTL: incorrect value for metadata 'ttlInSeconds'";
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let seconds = integer(text, "ParseInt").map_err(|error| format!("{NAME}: {error}"))?;
    if !(-1..=i64::from(i32::MAX)).contains(&seconds) {
        return Err(format!("{NAME}: must be -1 or greater"));
    }
    Ok(Some(seconds).filter(|seconds| *seconds > 0))
}

/// Seconds as the in-memory store reads them: any negative number means none.
pub(super) fn lenient(text: Option<&str>) -> Result<Option<i64>, String> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    Ok(Some(integer(text, "Atoi")?).filter(|seconds| *seconds > 0))
}

/// Seconds as the Redis store reads them: `None` leaves a key's time to live as it is, and numbers
/// that are not positive take it away.
pub(super) fn of_redis(text: Option<&str>) -> Result<Option<i64>, String> {
    text.map(|text| integer(text, "ParseInt")).transpose()
}

/// An integer; the error is in the words of Go, whose function is named.
pub(super) fn integer(text: &str, function: &str) -> Result<i64, String> {
    text.parse().map_err(|error: std::num::ParseIntError| {
        let out_of_range =
            matches!(error.kind(), IntErrorKind::PosOverflow | IntErrorKind::NegOverflow);
        let reason = if out_of_range { "value out of range" } else { "invalid syntax" };
        format!("strconv.{function}: parsing {text:?}: {reason}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_store_reads_seconds_in_its_own_way() {
        const PREFIX: &str = "error parsing TTL: incorrect value for metadata 'ttlInSeconds': ";
        let strict_error = |text: &str| Err(format!("{PREFIX}{text}"));
        let cases = [
            ("", Ok(None), Ok(None)),
            ("10", Ok(Some(10)), Ok(Some(10))),
            ("0", Ok(None), Ok(None)),
            ("-1", Ok(None), Ok(None)),
            ("-2", strict_error("must be -1 or greater"), Ok(None)),
            ("2147483648", strict_error("must be -1 or greater"), Ok(Some(2_147_483_648))),
            (
                "1.5",
                strict_error("strconv.ParseInt: parsing \"1.5\": invalid syntax"),
                Err("strconv.Atoi: parsing \"1.5\": invalid syntax".to_owned()),
            ),
            (
                "99999999999999999999",
                strict_error(
                    "strconv.ParseInt: parsing \"99999999999999999999\": value out of range",
                ),
                Err("strconv.Atoi: parsing \"99999999999999999999\": value out of range".to_owned()),
            ),
        ];
        for (text, from_sqlite, from_memory) in cases {
            assert_eq!(strict(Some(text)), from_sqlite, "{text}");
            assert_eq!(lenient(Some(text)), from_memory, "{text}");
        }
        assert_eq!(strict(None), Ok(None));
    }
}
