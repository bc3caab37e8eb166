//! The parser: by descent, over what is left of the text.

use super::Json;

/// How deep arrays and objects may lie in one another: more could exhaust the stack.
const DEPTH_MAX: u32 = 100;

/// The value that the whole of `text` stands for.
pub(super) fn whole(text: &str) -> Option<Json> {
    let mut parser = Parser { rest: text };
    let value = parser.value(0)?;
    parser.skip_blanks();
    parser.rest.is_empty().then_some(value)
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn value(&mut self, depth: u32) -> Option<Json> {
        self.skip_blanks();
        match self.rest.as_bytes().first()? {
            b'"' => self.string().map(Json::Text),
            b'[' if depth < DEPTH_MAX => self.array(depth + 1),
            b'{' if depth < DEPTH_MAX => self.object(depth + 1),
            b'-' | b'0'..=b'9' => self.number(),
            b'n' => self.eat("null").then_some(Json::Null),
            b't' => self.eat("true").then_some(Json::Bool(true)),
            b'f' => self.eat("false").then_some(Json::Bool(false)),
            _ => None,
        }
    }

    fn array(&mut self, depth: u32) -> Option<Json> {
        let mut items = Vec::new();
        self.list('[', ']', |parser| {
            items.push(parser.value(depth)?);
            Some(())
        })?;
        Some(Json::Array(items))
    }

    fn object(&mut self, depth: u32) -> Option<Json> {
        let mut members = Vec::new();
        self.list('{', '}', |parser| {
            let name = parser.string()?;
            parser.skip_blanks();
            parser.expect(':')?;
            members.push((name, parser.value(depth)?));
            Some(())
        })?;
        Some(Json::Object(members))
    }

    /// Items with commas between them.
    fn list(
        &mut self,
        open: char,
        close: char,
        mut item: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.expect(open)?;
        self.skip_blanks();
        if self.expect(close).is_some() {
            return Some(());
        }
        loop {
            self.skip_blanks();
            item(self)?;
            self.skip_blanks();
            if self.expect(close).is_some() {
                return Some(());
            }
            self.expect(',')?;
        }
    }

    fn number(&mut self) -> Option<Json> {
        let start = self.rest;
        self.expect('-');
        if self.expect('0').is_none() {
            self.digits()?;
        }
        if self.expect('.').is_some() {
            self.digits()?;
        }
        if self.expect('e').or_else(|| self.expect('E')).is_some() {
            let _sign = self.expect('+').or_else(|| self.expect('-'));
            self.digits()?;
        }
        let length = start.len() - self.rest.len();
        Some(Json::Number(start.get(..length)?.to_owned()))
    }

    /// At least one digit.
    fn digits(&mut self) -> Option<()> {
        let rest = self.rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let some = rest.len() < self.rest.len();
        self.rest = rest;
        some.then_some(())
    }

    fn string(&mut self) -> Option<String> {
        self.expect('"')?;
        let mut text = String::new();
        loop {
            // A control character has to be escaped, and ends the parse.
            let plain = self.rest.find(|c| c == '"' || c == '\\' || c < ' ')?;
            text.push_str(self.take(plain)?);
            if self.expect('"').is_some() {
                return Some(text);
            }
            self.expect('\\')?;
            text.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.take(1)? {
            "n" => '\n',
            "t" => '\t',
            "r" => '\r',
            "b" => '\u{8}',
            "f" => '\u{c}',
            "u" => self.unicode()?,
            own @ ("\"" | "\\" | "/") => own.chars().next()?,
            _ => return None,
        })
    }

    /// After `\u`: a character, or two halves of one. A half alone has no character of its own.
    fn unicode(&mut self) -> Option<char> {
        let first = self.hex()?;
        if !(0xd800..0xdc00).contains(&first) {
            return Some(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let before = self.rest;
        if self.eat("\\u") {
            let second = self.hex()?;
            if (0xdc00..0xe000).contains(&second) {
                return char::from_u32(0x10000 + ((first - 0xd800) << 10 | (second - 0xdc00)));
            }
            self.rest = before;
        }
        Some(char::REPLACEMENT_CHARACTER)
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.take(4)?;
        let all = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        all.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
    }

    fn take(&mut self, length: usize) -> Option<&'a str> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn expect(&mut self, character: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(character)?;
        Some(())
    }

    fn eat(&mut self, word: &str) -> bool {
        let rest = self.rest.strip_prefix(word);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }
}
