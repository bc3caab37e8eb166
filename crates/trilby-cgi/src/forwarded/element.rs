//! The `Forwarded` header (RFC 7239 section 4).

use std::borrow::Cow;

/// What one proxy says of the request that it got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Element<'a> {
    /// Whom it came from.
    pub(super) client: Option<Cow<'a, str>>,
    pub(super) proto: Option<Cow<'a, str>>,
    pub(super) host: Option<Cow<'a, str>>,
}

/// The elements of a header line, the oldest first; `None` if the line is not well formed, since
/// then nobody can tell where a quoted text of the client ends.
pub(super) fn parse(line: &str) -> Option<Vec<Element<'_>>> {
    let mut elements = Vec::new();
    let mut rest = line;
    loop {
        let (element, after) = element(rest)?;
        elements.extend(element);
        match after {
            Some(after) => rest = after,
            None => return Some(elements),
        }
    }
}

/// The first element, if it is not empty, and what follows its comma.
fn element(text: &str) -> Option<(Option<Element<'_>>, Option<&str>)> {
    let mut element = Element::default();
    let mut seen: Vec<&str> = Vec::new();
    let mut rest = blank(text);
    loop {
        if rest.is_empty() || rest.starts_with(',') {
            return Some(((!seen.is_empty()).then_some(element), rest.strip_prefix(',')));
        }
        if let Some(after) = rest.strip_prefix(';') {
            rest = blank(after);
            continue;
        }
        let (name, after) = rest.split_once('=')?;
        // Each name at most once; a second one would be open to either reading.
        if !is_token(name) || seen.iter().any(|earlier| earlier.eq_ignore_ascii_case(name)) {
            return None;
        }
        seen.push(name);
        let (value, after) = value(after)?;
        match name {
            _ if name.eq_ignore_ascii_case("for") => element.client = Some(value),
            _ if name.eq_ignore_ascii_case("proto") => element.proto = Some(value),
            _ if name.eq_ignore_ascii_case("host") => element.host = Some(value),
            _ => {}
        }
        rest = blank(after);
        if !(rest.is_empty() || rest.starts_with([',', ';'])) {
            return None;
        }
    }
}

/// A value, and what follows it.
fn value(text: &str) -> Option<(Cow<'_, str>, &str)> {
    if let Some(inner) = text.strip_prefix('"') {
        return quoted(inner);
    }
    // The grammar wants quotes around an address with a colon; many proxies leave them out.
    let end = text.find([',', ';', ' ', '\t']).unwrap_or(text.len());
    let (value, rest) = text.split_at(end);
    (!value.is_empty() && !value.contains('"')).then_some((Cow::Borrowed(value), rest))
}

/// A quoted string (RFC 9110 section 5.6.4) after its first quote, and what follows it.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let end = text.find(['"', '\\'])?;
    let (plain, rest) = text.split_at(end);
    if let Some(rest) = rest.strip_prefix('"') {
        return Some((Cow::Borrowed(plain), rest));
    }
    let mut value = plain.to_owned();
    let mut characters = rest.chars();
    loop {
        match characters.next()? {
            '"' => return Some((Cow::Owned(value), characters.as_str())),
            '\\' => value.push(characters.next()?),
            character => value.push(character),
        }
    }
}

fn blank(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

/// RFC 9110 section 5.6.2.
fn is_token(text: &str) -> bool {
    let legal = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c);
    !text.is_empty() && text.bytes().all(legal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Said<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>);

    fn check(line: &str, expected: Option<&[Said<'_>]>) {
        let elements = parse(line);
        let said = elements.as_ref().map(|elements| {
            let all = elements.iter().map(|element| {
                (element.client.as_deref(), element.proto.as_deref(), element.host.as_deref())
            });
            all.collect::<Vec<_>>()
        });
        assert_eq!(said.as_deref(), expected, "{line}");
    }

    #[test]
    fn elements_have_pairs() {
        let table: [(&str, &[Said<'_>]); 12] = [
            ("", &[]),
            (" , ,", &[]),
            ("for=192.0.2.1", &[(Some("192.0.2.1"), None, None)]),
            ("FOR=a;PROTO=https;Host=h", &[(Some("a"), Some("https"), Some("h"))]),
            ("for=a;;by=b;", &[(Some("a"), None, None)]),
            (
                "for=a ; proto=http\t,\tfor=b",
                &[(Some("a"), Some("http"), None), (Some("b"), None, None)],
            ),
            ("for=\"[2001:db8::1]:4711\"", &[(Some("[2001:db8::1]:4711"), None, None)]),
            ("for=[::1]:80", &[(Some("[::1]:80"), None, None)]),
            ("for=\"a,b;c=\\\"d\\\\\"", &[(Some("a,b;c=\"d\\"), None, None)]),
            ("for=\"\"", &[(Some(""), None, None)]),
            ("secret=x", &[(None, None, None)]),
            (
                "for=unknown,for=_hidden",
                &[(Some("unknown"), None, None), (Some("_hidden"), None, None)],
            ),
        ];
        for (line, expected) in table {
            check(line, Some(expected));
        }
    }

    #[test]
    fn what_is_not_well_formed_says_nothing() {
        for line in [
            "for",
            "for=",
            "for=a b",
            "=a",
            "f or=a",
            "for =a",
            "for=a;for=b",
            "for=\"a",
            "for=\"a\\",
            "for=\"a\"b",
            "for=a\"b",
            "for=\", for=192.0.2.1",
            "for=a, 192.0.2.1",
        ] {
            check(line, None);
        }
    }

    proptest! {
        #[test]
        fn quoting_hides_whatever_it_holds(text in "[ -~]{0,12}", after in "(, ?for=b)?") {
            let escaped: String = text.chars().flat_map(|c| ['\\', c]).collect();
            let line = format!("for=\"{escaped}\"{after}");
            let elements = parse(&line).unwrap();
            prop_assert_eq!(elements[0].client.as_deref(), Some(text.as_str()));
            prop_assert_eq!(elements.len(), 1 + usize::from(!after.is_empty()));
        }

        #[test]
        fn any_line_is_judged(line in "[fortphs=\",;\\\\ \\[\\]:1]{0,30}") {
            let _ = parse(&line);
        }
    }
}
