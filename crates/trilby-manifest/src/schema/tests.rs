use serde_json::json;

use super::*;
use crate::testing::documented;
use crate::{guest, limits, route, trilby_toml};

/// The schema that a reference leads to.
fn resolve<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    match schema["$ref"].as_str() {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).expect("leads there"),
        None => schema,
    }
}

fn keys(table: &Value) -> Vec<&str> {
    let mut keys: Vec<_> =
        table["properties"].as_object().expect("a table").keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn the_schema_has_the_readers_keys() {
    let root = schema();
    let of = |path: &[&str]| {
        path.iter().fold(&root, |schema, step| match *step {
            "[]" => resolve(&root, &schema["items"]),
            "{}" => resolve(&root, &schema["additionalProperties"]),
            key => resolve(&root, &schema["properties"][key]),
        })
    };
    let volume = of(&["route", "[]", "volumes", "{}"])["anyOf"].as_array().expect("two kinds");
    let volume =
        volume.iter().map(|kind| resolve(&root, kind)).find(|kind| kind["type"] == "object");
    let process = [&limits::REQUEST_KEYS[..], &limits::SHARED_KEYS, &limits::PROCESS_KEYS].concat();
    let request = [&limits::REQUEST_KEYS[..], &limits::SHARED_KEYS].concat();
    for (name, table, known) in [
        ("manifest", of(&[]), &trilby_toml::KEYS[..]),
        ("dapr", of(&["dapr"]), &trilby_toml::DAPR_KEYS),
        ("server", of(&["server"]), &trilby_toml::SERVER_KEYS),
        ("limits", of(&["limits"]), &process),
        ("route", of(&["route", "[]"]), &route::KEYS),
        ("route limits", of(&["route", "[]", "limits"]), &request),
        ("grants", of(&["route", "[]", "grants"]), &guest::GRANT_KEYS),
        ("volume", volume.expect("a table is one"), &guest::VOLUME_KEYS),
    ] {
        let mut known = known.to_vec();
        known.sort_unstable();
        assert_eq!(keys(table), known, "{name}");
        let closed = table["additionalProperties"] == json!(false)
            || table["unevaluatedProperties"] == json!(false);
        assert!(closed, "{name}: {table}");
        for (key, property) in table["properties"].as_object().expect("a table") {
            let described = resolve(&root, property)["description"].is_string()
                || property["description"].is_string();
            assert!(described, "{name}: {key} has no description");
        }
    }
}

/// Whether the value is what the schema says, as far as this project's schema goes.
fn check(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let fail = |why: &str| Err(format!("{why}: {value} is not {schema}"));
    let is = |schema: &Value| check(root, schema, value).is_ok();
    let Some(rules) = schema.as_object() else {
        return if schema == &json!(true) { Ok(()) } else { fail("false") };
    };
    for (keyword, rule) in rules {
        let list = || rule.as_array().map(Vec::as_slice).unwrap_or_default();
        let holds = match keyword.as_str() {
            "$ref" => return check(root, resolve(root, schema), value),
            "$schema" | "$defs" | "title" | "description" | "examples" | "format" | "pattern"
            | "default" => true,
            "const" => rule == value,
            "type" => {
                let names: Vec<_> = rule.as_str().into_iter().collect();
                let more = list().iter().filter_map(Value::as_str);
                names.into_iter().chain(more).any(|name| is_type(name, value))
            }
            "minimum" => value.as_f64().is_none_or(|n| Some(n) >= rule.as_f64()),
            "maximum" => value.as_f64().is_none_or(|n| Some(n) <= rule.as_f64()),
            "minItems" => value.as_array().is_none_or(|v| Some(v.len() as u64) >= rule.as_u64()),
            "minLength" | "maxLength" => value.as_str().is_none_or(|text| {
                let (length, bound) =
                    (text.chars().count() as u64, rule.as_u64().expect("a count"));
                if keyword == "minLength" { length >= bound } else { length <= bound }
            }),
            "anyOf" => list().iter().any(is),
            "oneOf" => list().iter().filter(|schema| is(schema)).count() == 1,
            "allOf" => list().iter().all(is),
            "required" => {
                list().iter().all(|key| value.get(key.as_str().unwrap_or_default()).is_some())
            }
            "dependentRequired" => rule.as_object().expect("a table").iter().all(|(key, needs)| {
                value.get(key).is_none()
                    || needs
                        .as_array()
                        .expect("a list")
                        .iter()
                        .all(|need| value.get(need.as_str().unwrap_or_default()).is_some())
            }),
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    check(root, rule, item)?;
                }
                true
            }
            "properties" => {
                for (key, schema) in rule.as_object().expect("a table") {
                    value.get(key).map_or(Ok(()), |value| check(root, schema, value))?;
                }
                true
            }
            "additionalProperties" => {
                let known = schema["properties"].as_object();
                for (key, value) in value.as_object().into_iter().flatten() {
                    if known.is_none_or(|known| !known.contains_key(key)) {
                        check(root, rule, value).map_err(|why| format!("{key}: {why}"))?;
                    }
                }
                true
            }
            other => panic!("the check does not know `{other}`"),
        };
        if !holds {
            return fail(keyword);
        }
    }
    Ok(())
}

fn is_type(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the check does not know the type `{other}`"),
    }
}

fn check_toml(text: &str) -> Result<(), String> {
    let root = schema();
    check(&root, &root, &toml::from_str(text).expect("is TOML"))
}

#[test]
fn the_documented_manifest_is_valid() {
    assert_eq!(check_toml(&documented()), Ok(()));
}

#[test]
fn what_the_reader_refuses_by_shape_is_invalid() {
    let route = "[[route]]\npath = \"/\"\nmodule = \"a.wasm\"\n";
    assert_eq!(check_toml(&format!("version = 1\n{route}")), Ok(()));
    for text in [
        "",
        "version = 1",
        "version = 1\nroute = []",
        &format!("version = 2\n{route}"),
        &format!("version = 1\nx = 1\n{route}"),
        &format!("version = 1\n[limits]\nhttp-calls = 1001\n{route}"),
        &format!("version = 1\n[limits]\ntimeout = \"1s\"\n{route}"),
        &format!("version = 1\n{route}limits = {{ connections = 1 }}"),
        &format!("version = 1\n{route}topic = \"a/b\""),
        &format!("version = 1\n{route}files = \"a\""),
        &format!("version = 1\n{route}sources = []"),
        &format!("version = 1\n{route}volumes = {{ a = true }}"),
        &format!("version = 1\n{route}volumes = {{ a = {{ host = \"b\", x = 1 }} }}"),
        &format!("version = 1\n{route}methods = []"),
        &format!("version = 1\n{route}grants = {{ secret = [] }}"),
        "version = 1\n[[route]]\ntopic = \"a/b\"\nhost = \"a\"\nmodule = \"a.wasm\"",
    ] {
        assert!(check_toml(text).is_err(), "{text}");
    }
}
