//! WAGI's template of a guest's arguments.

use crate::findings::{Findings, Problem, shown};
use crate::names::nearest;
use crate::reader::Reader;

/// What a template's placeholders are replaced by: the path, and the query's parts.
const PLACEHOLDERS: [&str; 2] = ["SCRIPT_NAME", "ARGS"];

/// Reads `argv`. A placeholder that does not exist would reach the guest as it stands, which
/// `report` takes for an error or for a warning.
pub(crate) fn argv(
    table: &Reader<'_>,
    report: fn(&mut Findings, Problem),
    found: &mut Findings,
) -> Option<String> {
    let wanted = "a string such as \"${SCRIPT_NAME} ${ARGS}\"";
    let text = table.text("argv", wanted, found)?;
    for name in unknown_placeholders(text.text) {
        let title = format!("`argv` has the unknown placeholder `${{{}}}`", shown(name));
        let help = match nearest(name, &PLACEHOLDERS) {
            Some(meant) => format!("did you mean `${{{meant}}}`?"),
            None => "the placeholders are `${SCRIPT_NAME}` and `${ARGS}`".to_owned(),
        };
        report(found, Problem::new(text.span.clone(), title).help(help));
    }
    Some(text.text.to_owned())
}

/// The names of the placeholders that do not exist.
pub(crate) fn unknown_placeholders(template: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = template;
    while let Some((_, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else { break };
        if !PLACEHOLDERS.contains(&name) && !names.contains(&name) {
            names.push(name);
        }
        rest = after;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_placeholders_are_found_once_each() {
        for (template, expected) in [
            ("", &[][..]),
            ("${SCRIPT_NAME} ${ARGS} $ARGS {ARGS} ${ARGS", &[]),
            ("a${ARG}b${ARGS}${ARG}${}", &["ARG", ""]),
            ("${script_name}", &["script_name"]),
            ("$${X}", &["X"]),
        ] {
            assert_eq!(unknown_placeholders(template), expected, "{template}");
        }
    }
}
