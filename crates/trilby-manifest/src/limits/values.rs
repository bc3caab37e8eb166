//! The values that limits have: durations, sizes and counts, each within bounds.

use std::time::Duration;

use bytesize::ByteSize;

use crate::findings::{Findings, Problem, shown};
use crate::reader::Field;

/// No request may keep a connection longer than this, and all other times are within a request's.
const DURATION_MAX: Duration = Duration::from_secs(60 * 60);

/// A time that is longer than zero.
pub(crate) fn duration(field: &Field<'_>, found: &mut Findings) -> Option<Duration> {
    let wanted = "a duration such as \"10s\"";
    let name = field.name;
    let text = field.text(wanted, found)?;
    let problem = match humantime::parse_duration(text.text) {
        Err(_) => {
            let given = shown(text.text);
            Problem::new(text.span, format!("`{name}` must be {wanted}, found \"{given}\""))
                .help("write numbers and units (ms, s, m, h), as in \"1m 30s\"")
        }
        Ok(value) if value.is_zero() => {
            Problem::new(text.span, format!("`{name}` must not be zero"))
        }
        Ok(value) if value > DURATION_MAX => {
            let max = humantime::format_duration(DURATION_MAX);
            Problem::new(text.span, format!("`{name}` must not be longer than {max}"))
        }
        Ok(value) => return Some(value),
    };
    found.error(problem);
    None
}

/// A number of bytes within the bounds; it also fits this machine's memory addresses.
pub(crate) fn size(
    field: &Field<'_>,
    bytes_min: u64,
    bytes_max: u64,
    found: &mut Findings,
) -> Option<usize> {
    let wanted = "a size such as \"64 MiB\"";
    let name = field.name;
    let text = field.text(wanted, found)?;
    let problem = match text.text.trim().parse::<ByteSize>() {
        Err(_) => {
            let given = shown(text.text);
            Problem::new(text.span, format!("`{name}` must be {wanted}, found \"{given}\""))
                .help("the units are B, KiB, MiB, GiB (of 1024) and kB, MB, GB (of 1000)")
        }
        Ok(ByteSize(0)) => Problem::new(text.span, format!("`{name}` must not be zero")),
        Ok(ByteSize(bytes)) if bytes < bytes_min => {
            Problem::new(text.span, format!("`{name}` must be at least {}", ByteSize(bytes_min)))
        }
        Ok(ByteSize(bytes)) => match usize::try_from(bytes) {
            Ok(size) if bytes <= bytes_max => return Some(size),
            _ => {
                let max = ByteSize(bytes_max.min(u64::try_from(usize::MAX).unwrap_or(u64::MAX)));
                Problem::new(text.span, format!("`{name}` must be at most {max}"))
            }
        },
    };
    found.error(problem);
    None
}

/// A whole number from 1 to `max`.
pub(crate) fn count(field: &Field<'_>, max: i64, found: &mut Findings) -> Option<usize> {
    let number = field.integer("a whole number", found)?;
    if !(1..=max).contains(&number) {
        let title = format!("`{}` must be between 1 and {max}", field.name);
        found.error(Problem::new(field.span(), title));
        return None;
    }
    usize::try_from(number).ok()
}
