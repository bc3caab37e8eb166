//! Typed access to a parsed TOML table. What has the wrong type is reported and then read as if
//! it were absent, so that one problem does not hide another.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::findings::{Findings, Problem, Span, shown};
use crate::names::nearest;

/// A table of the manifest.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    /// What the table is, as messages call it: "a route", "`[limits]`".
    what: &'static str,
    table: &'a DeTable<'a>,
    /// Its header, or all of an inline table.
    span: Span,
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(crate) struct Field<'a> {
    pub(crate) name: &'a str,
    pub(crate) key: Span,
    value: &'a Spanned<DeValue<'a>>,
}

/// A string and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Text<'a> {
    pub(crate) text: &'a str,
    pub(crate) span: Span,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(what: &'static str, table: &'a DeTable<'a>, span: Span) -> Self {
        Self { what, table, span }
    }

    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    pub(crate) fn get(&self, name: &str) -> Option<Field<'a>> {
        self.table.get_key_value(name).map(field)
    }

    /// All keys, in file order.
    pub(crate) fn fields(&self) -> Vec<Field<'a>> {
        let mut fields: Vec<_> = self.table.iter().map(field).collect();
        fields.sort_by_key(|field| field.key.start);
        fields
    }

    /// A string, when the key is there. `wanted` says what it must be, in case it is none.
    pub(crate) fn text(&self, name: &str, wanted: &str, found: &mut Findings) -> Option<Text<'a>> {
        self.get(name)?.text(wanted, found)
    }

    /// A string that must be there. `example` is a line that would do. `meant` are the keys that
    /// were reported as misspelt.
    pub(crate) fn required(
        &self,
        name: &str,
        example: &str,
        meant: &[&str],
        found: &mut Findings,
    ) -> Option<Text<'a>> {
        let Some(field) = self.get(name) else {
            if meant.contains(&name) {
                return None;
            }
            let title = format!("{} needs `{name}`", self.what);
            found.error(Problem::new(self.span(), title).help(format!("add `{example}`")));
            return None;
        };
        field.filled_text(found)
    }

    /// The strings of an array.
    pub(crate) fn texts(&self, name: &str, found: &mut Findings) -> Vec<Text<'a>> {
        let Some(field) = self.get(name) else { return Vec::new() };
        let DeValue::Array(items) = field.value.get_ref() else {
            found.error(field.wrong_type("an array of strings"));
            return Vec::new();
        };
        let mut texts = Vec::new();
        for value in items.iter() {
            let item = Field { value, ..field.clone() };
            match value.get_ref() {
                DeValue::String(_) => texts.extend(item.filled_text(found)),
                other => found.error(Problem::new(
                    value.span(),
                    format!("`{name}` must hold strings only, found {}", other.type_str()),
                )),
            }
        }
        texts
    }

    /// A table, when the key is there.
    pub(crate) fn table(
        &self,
        name: &str,
        what: &'static str,
        found: &mut Findings,
    ) -> Option<Self> {
        let field = self.get(name)?;
        let table = field.table(what);
        if table.is_none() {
            found.error(field.wrong_type("a table"));
        }
        table
    }

    /// The tables of an array of tables (`[[name]]`).
    pub(crate) fn tables(&self, name: &str, what: &'static str, found: &mut Findings) -> Vec<Self> {
        let Some(field) = self.get(name) else { return Vec::new() };
        let DeValue::Array(items) = field.value.get_ref() else {
            let problem = field.wrong_type("an array of tables");
            found.error(problem.help(format!("write `[[{name}]]`")));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in items.iter() {
            match item.get_ref() {
                DeValue::Table(table) => tables.push(Self::new(what, table, item.span())),
                other => found.error(
                    Problem::new(
                        item.span(),
                        format!("`{name}` must hold tables only, found {}", other.type_str()),
                    )
                    .help(format!("write `[[{name}]]`")),
                ),
            }
        }
        tables
    }

    /// The keys that are not in `known`, each with the known one that was probably meant.
    pub(crate) fn unknown<'k>(&self, known: &[&'k str]) -> Vec<(Field<'a>, Option<&'k str>)> {
        let mut fields = self.fields();
        fields.retain(|field| !known.contains(&field.name));
        fields.into_iter().map(|field| (field.clone(), nearest(field.name, known))).collect()
    }

    /// Reports every key that is not in `known`, and gives the known ones that were probably meant:
    /// that those are missing need not be said too.
    pub(crate) fn refuse_unknown<'k>(
        &self,
        known: &[&'k str],
        found: &mut Findings,
    ) -> Vec<&'k str> {
        let mut all_meant = Vec::new();
        for (field, meant) in self.unknown(known) {
            let help = match meant {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => match elsewhere(field.name) {
                    Some(place) => format!("`{}` belongs in {place}", field.name),
                    None => format!("known keys: {}", known.join(", ")),
                },
            };
            let title = format!("unknown key `{}` in {}", shown(field.name), self.what);
            found.error(Problem::new(field.key, title).help(help));
            all_meant.extend(meant);
        }
        all_meant
    }
}

/// Where a key is known that has no place here.
fn elsewhere(name: &str) -> Option<&'static str> {
    use crate::limits::{PROCESS_KEYS, REQUEST_KEYS, SHARED_KEYS};
    match name {
        _ if REQUEST_KEYS.contains(&name) || SHARED_KEYS.contains(&name) => {
            Some("`[limits]`, or in the `limits` of a route")
        }
        _ if PROCESS_KEYS.contains(&name) => Some("`[limits]`"),
        "trusted-proxies" => Some("`[server]`"),
        "components" | "apps" => Some("`[dapr]`"),
        "path" | "topic" | "binding" | "job" | "configuration" | "module" | "files" | "build"
        | "argv" | "entrypoint" | "volumes" | "methods" | "host" | "allowed-hosts"
        | "allowed-networks" => Some("a `[[route]]`"),
        _ if crate::topic::TOPIC_KEYS.contains(&name) => Some("a `[[route]]` with `topic`"),
        _ if crate::guest::GRANT_KEYS.contains(&name) => Some("the `grants` of a route"),
        _ => None,
    }
}

fn field<'a>(
    (key, value): (&'a Spanned<toml::de::DeString<'a>>, &'a Spanned<DeValue<'a>>),
) -> Field<'a> {
    Field { name: key.get_ref(), key: key.span(), value }
}

impl<'a> Field<'a> {
    /// Where the value stands.
    pub(crate) fn span(&self) -> Span {
        self.value.span()
    }

    pub(crate) fn is_empty_array(&self) -> bool {
        self.value.get_ref().as_array().is_some_and(|items| items.is_empty())
    }

    pub(crate) fn is_array(&self) -> bool {
        self.value.get_ref().is_array()
    }

    /// A string, maybe empty. It has no NUL: what a manifest's strings become ends at one.
    pub(crate) fn text(&self, wanted: &str, found: &mut Findings) -> Option<Text<'a>> {
        let DeValue::String(text) = self.value.get_ref() else {
            found.error(self.wrong_type(wanted));
            return None;
        };
        if text.contains('\0') {
            let title = format!("`{}` must not contain a NUL character", shown(self.name));
            found.error(Problem::new(self.span(), title));
            return None;
        }
        Some(Text { text, span: self.span() })
    }

    /// A string that is not empty.
    pub(crate) fn filled_text(&self, found: &mut Findings) -> Option<Text<'a>> {
        let text = self.text("a string", found)?;
        if text.text.is_empty() {
            let title = format!("`{}` must not be empty", shown(self.name));
            found.error(Problem::new(text.span, title));
            return None;
        }
        Some(text)
    }

    /// An integer of any sign that fits.
    pub(crate) fn integer(&self, wanted: &str, found: &mut Findings) -> Option<i64> {
        let number = match self.value.get_ref() {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        if number.is_none() {
            found.error(self.wrong_type(wanted));
        }
        number
    }

    pub(crate) fn is_boolean(&self) -> bool {
        self.value.get_ref().as_bool().is_some()
    }

    pub(crate) fn boolean(&self, found: &mut Findings) -> Option<bool> {
        let value = self.value.get_ref().as_bool();
        if value.is_none() {
            found.error(self.wrong_type("`true` or `false`"));
        }
        value
    }

    /// The value as a table; `None` without a report when it is none.
    pub(crate) fn table(&self, what: &'static str) -> Option<Reader<'a>> {
        match self.value.get_ref() {
            DeValue::Table(table) => Some(Reader::new(what, table, self.span())),
            _ => None,
        }
    }

    pub(crate) fn wrong_type(&self, wanted: &str) -> Problem {
        let name = shown(self.name);
        let title = format!("`{name}` must be {wanted}, found {}", self.value.get_ref().type_str());
        Problem::new(self.span(), title)
    }
}
