//! JSON as Go's encoder writes it, which is how daprd stores a value that it was told is JSON.

use std::fmt::Write;

use serde_json::Value;

/// Reads JSON and writes it again as daprd does: no white space, keys in order, every number as a
/// 64-bit float, and `<`, `>`, `&` escaped.
pub(crate) fn rewrite(text: &[u8]) -> Result<String, serde_json::Error> {
    let value: Value = serde_json::from_slice(text)?;
    let mut out = String::with_capacity(text.len());
    write_value(&value, &mut out);
    Ok(out)
}

/// A finite number as Go's JSON encoder writes it.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{value:e}");
        if size >= 1e21 { text.replace('e', "e+") } else { text }
    } else {
        value.to_string()
    }
}

/// Appends a string literal.
pub(crate) fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(value) => out.push_str(&number(value.as_f64().unwrap_or_default())),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(item, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            // Another crate of the build may make serde_json keep the order of the text.
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (index, (key, value)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(key, out);
                out.push(':');
                write_value(value, out);
            }
            out.push('}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_rewritten_as_daprd_stores_it() {
        let cases = [
            (r#" { "b" : 1 , "a" : [ true, null ] } "#, r#"{"a":[true,null],"b":1}"#),
            ("1.50", "1.5"),
            ("10", "10"),
            ("-0", "-0"),
            ("9007199254740993", "9007199254740992"),
            ("1e21", "1e+21"),
            ("1e20", "100000000000000000000"),
            ("1.5e-7", "1.5e-7"),
            ("0.000001", "0.000001"),
            (r#""<a&b>\u2028\u0001\n\"""#, r#""\u003ca\u0026b\u003e\u2028\u0001\n\"""#),
            (r#""é\u00e9\/""#, r#""éé/""#),
        ];
        for (text, expected) in cases {
            assert_eq!(rewrite(text.as_bytes()).expect("valid"), expected, "{text}");
        }
        assert!(rewrite(b"{").is_err());
    }
}
