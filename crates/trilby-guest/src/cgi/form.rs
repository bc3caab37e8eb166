//! `application/x-www-form-urlencoded`: query strings and form bodies.

/// The first field called `name`, decoded.
pub(super) fn field(encoded: &str, name: &str) -> Option<String> {
    fields(encoded).find(|(found, _)| found == name).map(|(_, value)| value)
}

/// All fields in order, decoded.
pub(super) fn fields(encoded: &str) -> impl Iterator<Item = (String, String)> {
    encoded.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

/// Decodes `+` and `%XX`; a `%` that begins no such pair stands for itself.
fn decode(encoded: &str) -> String {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        bytes.push(match (first, tail) {
            (b'+', _) => b' ',
            (b'%', [high, low, after @ ..]) => match hex(*high).zip(hex(*low)) {
                Some((high, low)) => {
                    rest = after;
                    high << 4 | low
                }
                None => b'%',
            },
            _ => *first,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded() {
        let cases = [
            ("a=1&b=two+words", "b", Some("two words")),
            ("a=%C3%A9%26", "a", Some("é&")),
            ("a=100%&b=%zz%4", "a", Some("100%")),
            ("a=100%&b=%zz%4", "b", Some("%zz%4")),
            ("a=1&a=2", "a", Some("1")),
            ("flag", "flag", Some("")),
            ("a=%ff", "a", Some("\u{fffd}")),
            ("a=1", "b", None),
            ("", "", None),
        ];
        for (encoded, name, expected) in cases {
            assert_eq!(field(encoded, name).as_deref(), expected, "{name} of {encoded}");
        }
    }
}
