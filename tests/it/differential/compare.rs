//! Two transcripts side by side.

use super::differences::{DIFFERENCES, Difference};
use super::run::Transcript;

/// What is wrong with a pair of transcripts, of which `expected` are the differences that must
/// show; nothing, if each line is the same on both sides or shows one of those.
pub(super) fn compare(
    name: &str,
    daprd: &Transcript,
    ours: &Transcript,
    expected: &[&str],
) -> Option<String> {
    let mut report = String::new();
    let mut shown = Vec::new();
    let lines = daprd.lines.len().max(ours.lines.len());
    for at in 0..lines {
        let line = |side: &Transcript| side.lines.get(at).cloned().unwrap_or_default();
        let (theirs, ours) = (line(daprd), line(ours));
        if theirs == ours {
            report.push_str(&format!("    = {theirs}\n"));
        } else if let Some(known) = known(expected, &theirs, &ours) {
            report.push_str(&format!("    ~ {theirs}\n    ~ {ours}\n"));
            shown.push(known.id);
        } else {
            report.push_str(&format!("    - {theirs}\n    + {ours}\n"));
        }
    }
    let same_again: Vec<_> = expected.iter().filter(|id| !shown.contains(*id)).collect();
    for id in &same_again {
        report.push_str(&format!("    ! {id} no longer shows as DIFFERENCES.md has it\n"));
    }
    let is_other = report.contains("\n    + ") || !same_again.is_empty();
    is_other.then(|| format!("{name}\n{report}"))
}

/// The expected difference that two lines show.
fn known(expected: &[&str], theirs: &str, ours: &str) -> Option<&'static Difference> {
    DIFFERENCES.iter().find(|difference| {
        let is_expected = expected.contains(&difference.id);
        is_expected && theirs.contains(difference.daprd) && ours.contains(difference.ours)
    })
}

#[cfg(test)]
mod tests {
    use super::compare;
    use crate::differential::differences::{DIFFERENCES, Difference};
    use crate::differential::run::Transcript;

    fn transcript(lines: &[&str]) -> Transcript {
        Transcript { lines: lines.iter().map(|&line| line.to_owned()).collect() }
    }

    #[test]
    fn equal_lines_are_no_report_and_others_are_shown_side_by_side() {
        let daprd = transcript(&["get: 200 1", "save: 204"]);
        assert_eq!(compare("case", &daprd, &daprd, &[]), None);
        let ours = transcript(&["get: 200 1", "save: 500", "get: 204"]);
        let report = compare("case", &daprd, &ours, &[]).unwrap();
        let lines =
            "case\n    = get: 200 1\n    - save: 204\n    + save: 500\n    - \n    + get: 204\n";
        assert_eq!(report, lines);
    }

    #[test]
    fn a_known_difference_must_show_and_excuses_only_its_own_lines() {
        let shows = |difference: &&Difference| !difference.daprd.contains(difference.ours);
        let difference = DIFFERENCES.iter().find(shows).unwrap();
        let daprd = transcript(&["same", difference.daprd]);
        let ours = transcript(&["same", difference.ours]);
        assert_eq!(compare("case", &daprd, &ours, &[difference.id]), None);
        assert!(compare("case", &daprd, &ours, &[]).is_some());
        let report = compare("case", &daprd, &daprd, &[difference.id]).unwrap();
        assert!(report.contains("no longer shows"), "{report}");
        let other = transcript(&["other", difference.ours]);
        assert!(compare("case", &daprd, &other, &[difference.id]).is_some());
    }
}
