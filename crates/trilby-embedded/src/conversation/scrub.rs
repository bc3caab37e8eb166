//! Personal data in texts, and the placeholders that daprd puts in their place.
//!
//! What counts as personal is a guess from the look of it, here as in daprd, whose guesses are wider
//! in places. Addresses of web pages are left as they are.

use std::net::Ipv6Addr;
use std::ops::Range;

use regex::{Regex, RegexBuilder};

/// The kinds of data, with a pattern for each.
const KINDS: &[(&str, &str)] = &[
    ("EMAIL_ADDRESS", r"(?i)[a-z0-9.!#$%&'*+/=?^_{|}~-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+"),
    ("CREDIT_CARD", r"\b\d{4}(?:[ -]?\d{4}){3}\b|\b\d{15}\b"),
    ("US_SSN", r"\b\d{3}-\d{2}-\d{4}\b"),
    ("IP", r"\b\d{1,3}(?:\.\d{1,3}){3}\b"),
    ("MAC_ADDRESS", r"(?i)\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}\b"),
    ("IP", r"(?i)[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}"),
    ("IBAN", r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"),
    ("PO_BOX", r"(?i)\bp\.? ?o\.? ?box +\d+"),
    (
        "STREET_ADDRESS",
        r"(?i)\b\d{1,4} (?:[a-z.'-]+ ){1,4}(?:avenue|ave|boulevard|blvd|circle|court|ct|drive|dr|highway|hwy|lane|parkway|road|rd|square|street|st)\b\.?",
    ),
    ("PHONE_NUMBER", r"\+?\(?\d{1,4}\)?(?:[ .-]?\(?\d{2,4}\)?){1,5}"),
];

const LINK: &str = r"(?i)\bhttps?://[!-~]+";

/// Digits that make a number long enough to be one by which a person can be reached.
const PHONE_DIGITS_MIN: usize = 7;

/// The patterns, compiled.
pub(super) struct Scrubber {
    kinds: Vec<(&'static str, Regex)>,
    link: Regex,
}

impl Scrubber {
    /// # Errors
    ///
    /// When a pattern is not one.
    pub(super) fn new() -> Result<Self, String> {
        // Such data is ASCII.
        let compile = |pattern: &str| {
            let compiled = RegexBuilder::new(pattern).unicode(false).build();
            compiled.map_err(|error| error.to_string())
        };
        let kinds = KINDS.iter().map(|(kind, pattern)| Ok((*kind, compile(pattern)?)));
        Ok(Self { kinds: kinds.collect::<Result<_, String>>()?, link: compile(LINK)? })
    }

    /// The text with placeholders.
    pub(super) fn scrub(&self, text: String) -> String {
        let links: Vec<Range<usize>> =
            self.link.find_iter(&text).map(|found| found.range()).collect();
        let mut found: Vec<(Range<usize>, &str)> = Vec::new();
        for (kind, pattern) in &self.kinds {
            let matches = pattern.find_iter(&text).filter(|found| is_one(kind, found.as_str()));
            found.extend(matches.map(|found| (found.range(), *kind)));
        }
        found.retain(|(place, _)| !links.iter().any(|link| meet(link, place)));
        // Where two meet, the first counts, and of two that begin together the longer one.
        found.sort_by_key(|(place, _)| (place.start, usize::MAX - place.end));
        let (mut scrubbed, mut end) = (String::with_capacity(text.len()), 0);
        for (place, kind) in found {
            let Some(between) = text.get(end..place.start) else { continue };
            scrubbed.push_str(between);
            scrubbed.push('<');
            scrubbed.push_str(kind);
            scrubbed.push('>');
            end = place.end;
        }
        scrubbed.push_str(text.get(end..).unwrap_or_default());
        scrubbed
    }
}

/// What a pattern alone cannot say.
fn is_one(kind: &str, text: &str) -> bool {
    match kind {
        "IP" if text.contains(':') => text.parse::<Ipv6Addr>().is_ok(),
        "IP" => text.split('.').all(|part| part.parse::<u8>().is_ok()),
        "PHONE_NUMBER" => text.chars().filter(char::is_ascii_digit).count() >= PHONE_DIGITS_MIN,
        _ => true,
    }
}

fn meet(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_data_gives_way_to_placeholders() {
        let scrubber = Scrubber::new().unwrap();
        for (text, expected) in [
            ("", ""),
            ("nothing personal, 12 of 34", "nothing personal, 12 of 34"),
            ("mail ada@example.com, please", "mail <EMAIL_ADDRESS>, please"),
            ("a+b@c.d.e x@y.zü", "<EMAIL_ADDRESS> <EMAIL_ADDRESS>ü"),
            ("from 10.0.0.1 or 300.0.0.1.", "from <IP> or 300.0.0.1."),
            ("at fe80::1 or 12:30:45", "at <IP> or 12:30:45"),
            ("1:2:3:4:5:6:7:8", "<IP>"),
            ("call 555-123-4567 or +49 (89) 123456", "call <PHONE_NUMBER> or <PHONE_NUMBER>"),
            ("card 4111 1111 1111 1111!", "card <CREDIT_CARD>!"),
            ("ssn 123-45-6789", "ssn <US_SSN>"),
            ("mac 00:1b:44:11:3A:B7", "mac <MAC_ADDRESS>"),
            ("iban DE89 3704 0044 0532 0130 00", "iban <IBAN>"),
            ("P.O. Box 42", "<PO_BOX>"),
            ("12 Old Mill Road, top", "<STREET_ADDRESS>, top"),
            ("see https://a.example/5551234567 x", "see https://a.example/5551234567 x"),
        ] {
            assert_eq!(scrubber.scrub(text.to_owned()), expected, "{text}");
        }
    }
}
