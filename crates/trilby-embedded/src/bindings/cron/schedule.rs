//! Schedules in the notation of Dapr's cron, and the times at which they are due. No clock here.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use trilby_dapr::event::duration;

/// When something is due.
#[derive(Clone, Debug)]
pub(crate) enum Schedule {
    Every(SignedDuration),
    Times(Box<Cron>),
}

impl Schedule {
    /// Reads a schedule; the error says why it is none.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with("TZ=") || text.starts_with("CRON_TZ=") {
            return Err("the embedded runtime has no time zones but UTC; write the times in UTC, \
                        without `TZ=`"
                .to_owned());
        }
        if let Some(interval) = text.strip_prefix("@every ") {
            return match duration::parse(interval.trim()) {
                Some(interval) if interval.is_positive() => Ok(Self::Every(interval)),
                _ => Err(format!("`{interval}` is no interval such as 1h30m or 2s")),
            };
        }
        let expression = match text {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            _ if text.starts_with('@') => {
                return Err(
                    "known are @yearly, @monthly, @weekly, @daily, @hourly and @every".to_owned()
                );
            }
            _ => text,
        };
        if let Some(letter) = expression.chars().find(|letter| matches!(letter, '#' | '+')) {
            return Err(format!("`{letter}` is not known to Dapr's cron"));
        }
        // Croner's `L` and `W` (last day, nearest weekday), outside the names of days and months.
        let extended = |word: &str| matches!(word.to_ascii_uppercase().as_str(), "L" | "W" | "LW");
        let words = expression.split(|c: char| !c.is_ascii_alphabetic());
        if words.into_iter().any(extended) {
            return Err("`L` and `W` are not known to Dapr's cron".to_owned());
        }
        check_days_of_week(expression)?;
        let parser = CronParser::builder()
            .seconds(Seconds::Optional)
            .year(Year::Disallowed)
            // Dapr reads `5/15` as every 15th from the 5th on.
            .sloppy_ranges(true)
            .build();
        match parser.parse(expression) {
            Ok(times) => Ok(Self::Times(Box::new(times))),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The first time after `now`.
    pub(crate) fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(interval) => now.checked_add(*interval).ok(),
            Self::Times(cron) => {
                // A wall clock without gaps and repetitions.
                let now = now.to_zoned(TimeZone::UTC).datetime();
                let next = cron.find_next_occurrence(&now, false).ok()?;
                next.to_zoned(TimeZone::UTC).ok().map(|next| next.timestamp())
            }
        }
    }
}

/// Croner also knows Sunday as 7, and lets ranges end with it.
fn check_days_of_week(expression: &str) -> Result<(), String> {
    let field = expression.split_whitespace().next_back().unwrap_or_default();
    for range in field.split(',').filter_map(|range| range.split('/').next()) {
        let mut last = 0;
        for day in range.split('-').filter_map(day_of_week) {
            if day > 6 {
                return Err(format!(
                    "`{day}` is no day of the week; to Dapr's cron they are 0 (Sunday) to 6"
                ));
            }
            if day < last {
                return Err(format!(
                    "`{range}` ends before it begins; to Dapr's cron the week begins on Sunday"
                ));
            }
            last = day;
        }
    }
    Ok(())
}

/// None for what is no day: croner finds that out.
fn day_of_week(text: &str) -> Option<u64> {
    let names = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
    match names.iter().position(|name| name.eq_ignore_ascii_case(text)) {
        Some(day) => u64::try_from(day).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_next_time_is_found() {
        // A Monday.
        let now: Timestamp = "2026-11-23T10:01:52.2Z".parse().unwrap();
        let table = [
            ("@every 2s", "2026-11-23T10:01:54.2Z"),
            ("@every 1h30m", "2026-11-23T11:31:52.2Z"),
            ("@hourly", "2026-11-23T11:00:00Z"),
            ("@daily", "2026-11-24T00:00:00Z"),
            ("@midnight", "2026-11-24T00:00:00Z"),
            ("@weekly", "2026-11-29T00:00:00Z"),
            ("@monthly", "2026-12-01T00:00:00Z"),
            ("@yearly", "2027-01-01T00:00:00Z"),
            ("* * * * *", "2026-11-23T10:02:00Z"),
            ("* * * * * *", "2026-11-23T10:01:53Z"),
            ("52 * * * * *", "2026-11-23T10:02:52Z"),
            ("15 30 9 * * *", "2026-11-24T09:30:15Z"),
            ("5/15 * * * *", "2026-11-23T10:05:00Z"),
            ("*/20 * * * *", "2026-11-23T10:20:00Z"),
            ("0 0 ? * TUE-thu", "2026-11-24T00:00:00Z"),
            ("0 0 29 feb *", "2028-02-29T00:00:00Z"),
            ("0 12 1,15 * *", "2026-12-01T12:00:00Z"),
            // Either day, when both are given.
            ("0 0 25 * SUN", "2026-11-25T00:00:00Z"),
        ];
        for (text, expected) in table {
            let next = Schedule::parse(text).unwrap().next_after(now).unwrap();
            assert_eq!(next, expected.parse::<Timestamp>().unwrap(), "{text}");
        }
    }

    #[test]
    fn what_dapr_does_not_read_is_refused() {
        let table = [
            ("TZ=Europe/Berlin 0 0 * * *", "no time zones but UTC"),
            ("CRON_TZ=UTC 0 0 * * *", "no time zones but UTC"),
            ("@every 0s", "`0s` is no interval"),
            ("@every -2s", "`-2s` is no interval"),
            ("@every 10", "`10` is no interval"),
            ("@every day", "`day` is no interval"),
            ("@fortnightly", "known are @yearly"),
            ("@", "known are @yearly"),
            ("0 0 L * *", "`L` and `W` are not known"),
            ("0 0 1w * *", "`L` and `W` are not known"),
            ("0 0 * * 5#2", "`#` is not known"),
            ("0 0 1 * +MON", "`+` is not known"),
            ("0 0 * * 7", "`7` is no day of the week"),
            ("0 0 0 * * 1,5-7", "`7` is no day of the week"),
            ("0 0 * * 7/2", "`7` is no day of the week"),
            ("0 0 * * FRI-SUN", "`FRI-SUN` ends before it begins"),
            ("0 0 * * 1,6-0/2", "`6-0` ends before it begins"),
            ("0 0 * * MONDAY", ""),
            ("* * * *", ""),
            ("* * * * * * *", ""),
            ("60 * * * *", ""),
            ("0 24 * * *", ""),
            ("0 0 0 * *", ""),
            ("0 0 * 13 *", ""),
            ("*/0 * * * *", ""),
            ("5-1 * * * *", ""),
            ("x * * * *", ""),
        ];
        for (text, why) in table {
            let error = Schedule::parse(text).err().unwrap_or_else(|| panic!("{text} is read"));
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn a_day_that_never_comes_has_no_next_time() {
        let never = Schedule::parse("0 0 31 2,4 *").unwrap();
        assert_eq!(never.next_after(Timestamp::UNIX_EPOCH), None);
        assert_eq!(Schedule::parse("@every 2s").unwrap().next_after(Timestamp::MAX), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[-*/,?#@0-9a-zA-Z ]{0,30}") {
            let _ = Schedule::parse(&text);
        }

        #[test]
        fn the_next_time_is_later(
            second in 0i64..4_000_000_000,
            minute in 0u8..60,
            day in 1u8..29,
        ) {
            let now = Timestamp::from_second(second).unwrap();
            let text = format!("*/7 {minute} * {day} * *");
            let next = Schedule::parse(&text).unwrap().next_after(now).unwrap();
            prop_assert!(next > now);
        }
    }
}
