//! The host and port that a client asked for.

use std::net::Ipv6Addr;

/// What a `Host` header or an `:authority` says, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Authority<'a> {
    /// A host name, an IPv4 address, or an IPv6 address in brackets.
    pub(crate) name: &'a str,
    /// Name and port as the client wrote them.
    pub(crate) text: &'a str,
}

impl<'a> Authority<'a> {
    /// Guests build links from this, so whatever has no place in a host makes it `None`.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (name, rest) = match text.strip_prefix('[') {
            Some(inner) => {
                let (address, rest) = inner.split_once(']')?;
                address.parse::<Ipv6Addr>().ok()?;
                (text.strip_suffix(rest)?, rest)
            }
            None => {
                let end = text.find(':').unwrap_or(text.len());
                let (name, rest) = text.split_at(end);
                let legal = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_');
                if name.is_empty() || !name.bytes().all(legal) {
                    return None;
                }
                (name, rest)
            }
        };
        let port_is_legal = match rest.strip_prefix(':') {
            Some(port) => port.len() <= 5 && port.bytes().all(|c| c.is_ascii_digit()),
            None => rest.is_empty(),
        };
        port_is_legal.then_some(Self { name, text })
    }

    /// The port, if there is one.
    pub(crate) fn port(self) -> Option<u16> {
        self.text.strip_prefix(self.name)?.strip_prefix(':')?.parse().ok().filter(|port| *port > 0)
    }
}

/// A host as it stands in a URL: an IPv6 address in brackets, all else as it is.
pub(crate) fn url_host(name: &str) -> String {
    match name.parse::<Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_hosts_pass() {
        let table = [
            ("example.com", Some("example.com")),
            ("example.com:8080", Some("example.com")),
            ("example.com:", Some("example.com")),
            ("a_b-c.d", Some("a_b-c.d")),
            ("127.0.0.1:1", Some("127.0.0.1")),
            ("[::1]", Some("[::1]")),
            ("[::1]:8080", Some("[::1]")),
            ("[::1]]:80", None),
            ("[::1]80", None),
            ("[::1", None),
            ("[evil]:80", None),
            ("[fe80::1%25eth0]", None),
            ("::1", None),
            ("", None),
            (":80", None),
            ("user@example.com", None),
            ("example.com:80a", None),
            ("example.com:123456", None),
            ("a/b", None),
            ("a\"><script>", None),
            ("m\u{fc}nchen.de", None),
        ];
        for (text, name) in table {
            let parsed = Authority::parse(text);
            assert_eq!(parsed.map(|authority| authority.name), name, "{text}");
            assert!(parsed.is_none_or(|authority| authority.text == text));
        }
        assert_eq!(url_host("::1"), "[::1]");
        let ports = [("a:81", Some(81)), ("[::1]:81", Some(81)), ("a:", None), ("a", None)];
        let not_ports =
            [("[::1]", None), ("a:0", None), ("a:65536", None), ("a:65535", Some(65535))];
        for (text, port) in ports.into_iter().chain(not_ports) {
            assert_eq!(Authority::parse(text).unwrap().port(), port, "{text}");
        }
        assert_eq!(url_host("127.0.0.1"), "127.0.0.1");
    }

    proptest! {
        #[test]
        fn any_text_is_judged(text in ".*") {
            let name = Authority::parse(&text).map_or("", |authority| authority.name);
            prop_assert!(name.is_ascii() && text.starts_with(name));
        }
    }
}
