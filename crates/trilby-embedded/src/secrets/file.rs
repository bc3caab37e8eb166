//! `secretstores.local.file`: a JSON object, its nested names joined by a separator.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde_json::{Map, Value};
use trilby_dapr::secret::Secret;

use super::single;
use crate::Error;
use crate::component::Component;

/// The largest file that is read.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// Reads the file that the metadata `secretsFile` names, relative to the working directory.
///
/// With `multiValued`, each name at the top is a secret whose nested names are its values;
/// otherwise every nested value is a secret. Values that are no strings become JSON text, where
/// daprd has Go's complaint about the wrong type.
pub(super) fn read(component: &Component) -> Result<BTreeMap<String, Secret>, Error> {
    let path = component.required("secretsFile")?;
    let shown = component.shown("secretsFile", path);
    let text = read_bounded(Path::new(path)).map_err(|why| {
        let message = format!("cannot read the secretsFile `{shown}`: {why}");
        component.mistake_in("secretsFile", message)
    })?;
    let path = Path::new(shown);
    let object = object(path, &text)?;
    let separator = component.get("nestedSeparator").unwrap_or(":");
    let secrets = if component.flag("multiValued") {
        object
            .into_iter()
            .map(|(name, value)| Ok((name.clone(), values(name, value, separator)?)))
            .collect()
    } else {
        let mut flat = BTreeMap::new();
        flatten(members(object), "", separator, &mut flat).map(|()| {
            flat.into_iter().map(|(name, value)| (name.clone(), single(&name, value))).collect()
        })
    };
    secrets.map_err(|name| twice(path, &name))
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let read =
        File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut text));
    match read {
        Err(error) => Err(format!("{error}; its path is relative to the working directory")),
        Ok(_) if u64::try_from(text.len()).is_ok_and(|size| size <= FILE_BYTES_MAX) => Ok(text),
        Ok(_) => Err("it is larger than 16 MiB; name a file of secrets only".to_owned()),
    }
}

/// The file's errors must not quote it: it is full of secrets.
fn object(path: &Path, text: &[u8]) -> Result<Map<String, Value>, Error> {
    let mistake = |line, message: String| Error::Component { file: path.into(), line, message };
    match serde_json::from_slice(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(mistake(1, "a secrets file holds one JSON object".to_owned())),
        Err(error) => {
            let what = if error.is_eof() { "ends too early" } else { "is not valid" };
            let message = format!("the JSON {what} at column {}", error.column());
            Err(mistake(error.line(), message))
        }
    }
}

fn twice(path: &Path, name: &str) -> Error {
    let message = format!(
        "two secrets are named `{name}` when nested names are joined; rename one, or set another \
         nestedSeparator"
    );
    Error::Component { file: path.into(), line: 1, message }
}

/// One secret of a `multiValued` store.
fn values(name: String, value: Value, separator: &str) -> Result<Secret, String> {
    match nested(value) {
        Ok(members) => {
            let mut values = BTreeMap::new();
            flatten(members, "", separator, &mut values)?;
            Ok(Secret { values })
        }
        Err(text) => Ok(single(&name, text)),
    }
}

/// Adds nested values under their joined names. The error is a name that two of them have.
fn flatten(
    members: Vec<(String, Value)>,
    above: &str,
    separator: &str,
    flat: &mut BTreeMap<String, String>,
) -> Result<(), String> {
    for (name, value) in members {
        let name = if above.is_empty() { name } else { format!("{above}{separator}{name}") };
        match nested(value) {
            // Not deeper than the JSON parser allows, which is 128 levels.
            Ok(members) => flatten(members, &name, separator, flat)?,
            Err(text) => {
                if flat.insert(name.clone(), text).is_some() {
                    return Err(name);
                }
            }
        }
    }
    Ok(())
}

/// The members of an object or array, or the text of anything else.
fn nested(value: Value) -> Result<Vec<(String, Value)>, String> {
    match value {
        Value::Object(object) => Ok(members(object)),
        Value::Array(array) => {
            Ok(array.into_iter().enumerate().map(|(n, value)| (n.to_string(), value)).collect())
        }
        Value::String(text) => Err(text),
        Value::Null => Err(String::new()),
        other => Err(other.to_string()),
    }
}

fn members(object: Map<String, Value>) -> Vec<(String, Value)> {
    object.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(json: &str, metadata: &[(&str, &str)]) -> Result<BTreeMap<String, Secret>, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets.json");
        std::fs::write(&path, json).unwrap();
        let file = [("secretsFile", path.to_str().unwrap())];
        let metadata: Vec<_> = metadata.iter().chain(&file).copied().collect();
        read(&component(&metadata))
    }

    fn component(metadata: &[(&str, &str)]) -> Component {
        Component::for_test("file", "secretstores.local.file", metadata, 2)
    }

    fn pairs(secrets: BTreeMap<String, Secret>) -> Vec<String> {
        let all = secrets.into_iter().flat_map(|(name, secret)| {
            secret.values.into_iter().map(move |(key, value)| format!("{name}/{key}={value}"))
        });
        all.collect()
    }

    const JSON: &str =
        r#"{"a":"1","db":{"user":"ada","ports":[5,6],"on":true,"tls":{"key":"k"}},"n":null}"#;

    #[test]
    fn nested_names_are_joined() {
        let expected = [
            "a/a=1",
            "db:on/db:on=true",
            "db:ports:0/db:ports:0=5",
            "db:ports:1/db:ports:1=6",
            "db:tls:key/db:tls:key=k",
            "db:user/db:user=ada",
            "n/n=",
        ];
        assert_eq!(pairs(open(JSON, &[]).unwrap()), expected);
        let dotted = open(r#"{"a":{"b":"c"}}"#, &[("nestedSeparator", ".")]).unwrap();
        assert_eq!(pairs(dotted), ["a.b/a.b=c"]);
    }

    #[test]
    fn multi_valued_secrets_keep_their_names() {
        let expected =
            ["a/a=1", "db/on=true", "db/ports:0=5", "db/ports:1=6", "db/tls:key=k", "db/user=ada"];
        let found = pairs(open(JSON, &[("multiValued", "true")]).unwrap());
        assert_eq!(found.get(..6).unwrap(), expected);
    }

    #[test]
    fn mistakes_name_file_and_line_and_no_secret() {
        for (json, message) in [
            ("{\n\"a\": \"hunter2\",\n\"b\" \"hunter2\"}", ":3: the JSON is not valid at column 5"),
            ("{\"hunter2", ":1: the JSON ends too early at column 9"),
            ("[\"hunter2\"]", ":1: a secrets file holds one JSON object"),
            ("{\"a:b\":\"hunter2\",\"a\":{\"b\":\"\"}}", ":1: two secrets are named `a:b` when"),
        ] {
            let error = open(json, &[]).unwrap_err().to_string();
            assert!(error.contains(&format!("secrets.json{message}")), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_file_without_end_is_refused() {
        let error = read(&component(&[("secretsFile", "/dev/zero")])).unwrap_err().to_string();
        let expected =
            "c.yaml:2: cannot read the secretsFile `/dev/zero`: it is larger than 16 MiB";
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    fn a_path_from_a_secret_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hunter2");
        let mut component = component(&[("secretsFile", path.to_str().unwrap())]);
        component.secret_names.insert("secretsFile".to_owned());
        let error = read(&component).unwrap_err().to_string();
        let expected = "c.yaml:2: cannot read the secretsFile `(from a secret)`: ";
        assert!(error.starts_with(expected) && !error.contains("hunter2"), "{error}");
        std::fs::write(&path, "[]").unwrap();
        let error = read(&component).unwrap_err().to_string();
        assert_eq!(error, "(from a secret):1: a secrets file holds one JSON object");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = open("{}", &[("SecretsFile", "/nonexistent/s.json")]).unwrap_err().to_string();
        assert!(error.starts_with("c.yaml:2: cannot read the secretsFile `/none"), "{error}");
        let error = open("{}", &[("SecretsFile", "")]).unwrap_err().to_string();
        assert_eq!(error, "c.yaml:2: a secretstores.local.file needs the metadata `secretsFile`");
    }
}
