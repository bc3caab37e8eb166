//! Names that could reach beyond a grant, whichever it is.

use trilby_dapr::Error;

use crate::shown;

/// Dapr puts this between the parts of a key: the app's id, an actor's type and id, the name.
const KEY_SEPARATOR: &str = "||";

/// An empty name means "all" or "the default" somewhere behind Dapr.
pub(super) fn present(noun: &str, name: &str) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::invalid(format!("the name of the {noun} is empty")));
    }
    Ok(())
}

/// A name that Dapr makes a key of.
pub(super) fn part_of_key(noun: &str, name: &str) -> Result<(), Error> {
    present(noun, name)?;
    if name.contains(KEY_SEPARATOR) {
        let name = shown(name);
        return Err(Error::invalid(format!(
            "the {noun} `{name}` contains `{KEY_SEPARATOR}`, which separates the parts of Dapr's \
             keys"
        )));
    }
    Ok(())
}

/// A name that Dapr makes a key of, and puts as it is into the path of a delivery
/// (`actors/TYPE/ID/method/METHOD`, `job/NAME`). Dapr itself refuses such names of reminders and
/// timers, and takes those of actors and jobs.
pub(super) fn part_of_path(noun: &str, name: &str) -> Result<(), Error> {
    part_of_key(noun, name)?;
    let means_more = |c: char| matches!(c, '/' | '\\' | '?' | '#' | '%') || c.is_control();
    if name == "." || name == ".." || name.contains(means_more) {
        let name = shown(name);
        return Err(Error::invalid(format!(
            "the {noun} `{name}` would change the path of its delivery: it may not be `.` or `..`, \
             nor contain `/`, `\\`, `?`, `#`, `%` or control characters"
        )));
    }
    Ok(())
}
