//! Names: the nearest known one for a misspelt one, and those that Dapr accepts for an app.

/// Letters of a Dapr app id.
const APP_ID_CHARS_MAX: usize = 64;

/// Longer names are not compared: no known one is near.
const COMPARED_BYTES_MAX: usize = 40;

/// The known name that was probably meant. `_` and `-`, upper and lower case count as the same.
pub(crate) fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    if name.len() > COMPARED_BYTES_MAX {
        return None;
    }
    let name = folded(name);
    let score = |known: &str| {
        let known = folded(known);
        let (short, long) =
            if name.len() < known.len() { (&name, &known) } else { (&known, &name) };
        if short.len() >= 3 && long.starts_with(short.as_str()) {
            return Some(1);
        }
        let distance = strsim::damerau_levenshtein(&name, &known);
        (distance <= (long.len() / 3).max(1) && distance < short.len()).then_some(distance)
    };
    let scored = known.iter().filter_map(|known| Some((score(known)?, *known)));
    scored.min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

fn folded(name: &str) -> String {
    name.to_lowercase().replace('_', "-")
}

/// Whether Dapr takes the name as an app id: letters, digits, `-`, `_` and `.`.
pub(crate) fn is_app_id(name: &str) -> bool {
    !name.is_empty() && name.len() <= APP_ID_CHARS_MAX && name.chars().all(is_app_id_char)
}

/// The app id that is nearest to any text.
pub(crate) fn app_id_from(text: &str) -> String {
    let id: String = text
        .chars()
        .take(APP_ID_CHARS_MAX)
        .map(|c| if is_app_id_char(c) { c } else { '-' })
        .collect();
    if id.is_empty() { "app".to_owned() } else { id }
}

fn is_app_id_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_names_find_the_right_one() {
        let known = ["path", "topic", "module", "body-in", "body-out", "env", "argv", "build"];
        for (name, meant) in [
            ("pth", Some("path")),
            ("Path", Some("path")),
            ("body_in", Some("body-in")),
            ("environment", Some("env")),
            ("moduel", Some("module")),
            ("topics", Some("topic")),
            ("x", None),
            ("", None),
            ("timeout", None),
            ("zzzzz", None),
        ] {
            assert_eq!(nearest(name, &known), meant, "{name}");
        }
        assert_eq!(nearest(&"path".repeat(1000), &known), None);
    }

    #[test]
    fn app_ids_are_what_dapr_accepts() {
        for good in ["a", "orders-2", "A_b.c", &"x".repeat(64)] {
            assert!(is_app_id(good), "{good}");
        }
        for bad in ["", "a b", "a/b", "é", &"x".repeat(65)] {
            assert!(!is_app_id(bad), "{bad}");
            assert!(is_app_id(&app_id_from(bad)), "{bad}");
        }
        assert_eq!(app_id_from("my app"), "my-app");
    }
}
