//! `dapr_configuration_v1`: configuration.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use trilby_dapr::configuration::GetConfiguration;
use trilby_dapr::{Code, Error, Metadata};
use trilby_sandbox::State;
use wasmtime::Linker;

use crate::Host;
use crate::answer::Answer;
use crate::operation::{Ask, BodyCall, Imports};
use crate::options::METADATA;
use crate::{records, shown};

pub(super) fn link(linker: &mut Linker<State<Host>>) -> wasmtime::Result<()> {
    Imports::of(linker, "dapr_configuration_v1").add("get", &[METADATA], get)
}

/// A key to read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    key: String,
}

/// A key that is there.
#[derive(Serialize)]
struct Found<'a> {
    key: &'a str,
    value: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    version: &'a str,
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    metadata: &'a Metadata,
}

/// In `configuration.azure.appconfig` these lead to a key of the same name in another environment,
/// which is not what was granted.
fn check_metadata(metadata: &Metadata) -> Result<(), Error> {
    const LEADING: [&str; 2] = ["label", "sentinelKey"];
    let leads = |name: &&String| LEADING.iter().any(|known| name.eq_ignore_ascii_case(known));
    match metadata.keys().find(leads) {
        None => Ok(()),
        Some(name) => Err(Error::new(
            Code::PermissionDenied,
            format!("metadata `{}` could lead to a key that is not granted", shown(name)),
        )
        .with_reason("TRILBY_NOT_GRANTED")),
    }
}

/// No keys mean all to Dapr, too: what is not granted then stays here.
async fn get(ask: Ask, call: BodyCall<1>) -> Result<Answer, Error> {
    let BodyCall { names: [store], options, body } = call;
    check_metadata(&options.metadata)?;
    let mut keys = records::read(&body, |_, record: Asked| Ok(record.key))?;
    for key in &keys {
        ask.access.configuration(&store, key)?;
    }
    if keys.is_empty() {
        keys = ask.access.configuration_keys(&store)?.unwrap_or_default();
    }
    let request = GetConfiguration { store: store.clone(), keys, metadata: options.metadata };
    let items = ask.blocks.get_configuration(&ask.cx, request).await?;
    let granted = items.iter().filter(|(key, _)| ask.access.configuration(&store, key).is_ok());
    let records = granted.map(|(key, item)| Found {
        key,
        value: &item.value,
        version: &item.version,
        metadata: &item.metadata,
    });
    let body: Bytes = records::write(records)?;
    Ok(Answer::new(Vec::new(), body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_leads_to_no_other_key() {
        let of = |name: &str| check_metadata(&Metadata::from([(name.to_owned(), "x".to_owned())]));
        assert_eq!(of("pgNotifyChannel"), Ok(()));
        for name in ["label", "Label", "sentinelkey"] {
            assert_eq!(of(name).map_err(|e| e.code), Err(Code::PermissionDenied), "{name}");
        }
    }
}
