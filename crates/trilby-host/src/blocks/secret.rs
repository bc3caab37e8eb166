//! `dapr_secret_v1`: secrets.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;
use trilby_dapr::secret::{GetSecret, GetSecrets};
use trilby_dapr::{Code, Error, Metadata};
use trilby_sandbox::State;
use wasmtime::Linker;

use crate::Host;
use crate::answer::Answer;
use crate::operation::{Ask, Call, Imports};
use crate::options::METADATA;
use crate::{records, shown};

pub(super) fn link(linker: &mut Linker<State<Host>>) -> wasmtime::Result<()> {
    let mut imports = Imports::of(linker, "dapr_secret_v1");
    imports.add("get", &[METADATA], get)?;
    imports.add("get_bulk", &[], get_bulk)
}

async fn get(ask: Ask, call: Call<2>) -> Result<Answer, Error> {
    let Call { names: [store, key], options } = call;
    ask.access.secret(&store, &key)?;
    check_metadata(&options.metadata)?;
    let request = GetSecret { store, key, metadata: options.metadata };
    let secret = ask.blocks.get_secret(&ask.cx, request).await?;
    let only = (secret.values.len() == 1).then(|| secret.values.values().next().cloned()).flatten();
    let body = only.map(Bytes::from).unwrap_or_default();
    let headers = secret.values.into_iter().map(|(k, v)| (format!("value.{k}"), v)).collect();
    Ok(Answer::new(headers, body))
}

/// Metadata may choose a version of the granted secret, and nothing that leads to another one, as
/// `namespace` does in `secretstores.kubernetes`.
fn check_metadata(metadata: &Metadata) -> Result<(), Error> {
    const HARMLESS: [&str; 3] = ["version", "version_id", "version_stage"];
    let known = |name: &&String| HARMLESS.iter().any(|known| name.eq_ignore_ascii_case(known));
    match metadata.keys().find(|name| !known(name)) {
        None => Ok(()),
        Some(name) => Err(Error::new(
            Code::PermissionDenied,
            format!(
                "metadata `{}` could lead to a secret that is not granted; a secret takes \
                 `version`, `version_id` and `version_stage`",
                shown(name)
            ),
        )
        .with_reason("TRILBY_NOT_GRANTED")),
    }
}

/// A secret. It has no `Debug`.
#[derive(Serialize)]
struct Named<'a> {
    key: &'a str,
    values: &'a BTreeMap<String, String>,
}

/// The store gives all that it has; the guest gets what it is granted.
async fn get_bulk(ask: Ask, call: Call<1>) -> Result<Answer, Error> {
    let Call { names: [store], .. } = call;
    ask.access.some_secrets(&store)?;
    let request = GetSecrets { store: store.clone(), metadata: Metadata::new() };
    let secrets = ask.blocks.get_secrets(&ask.cx, request).await?;
    let granted = secrets.iter().filter(|(key, _)| ask.access.secret(&store, key).is_ok());
    let records = granted.map(|(key, secret)| Named { key, values: &secret.values });
    Ok(Answer::new(Vec::new(), records::write(records)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_chooses_a_version_and_no_other_secret() {
        let of = |name: &str| check_metadata(&Metadata::from([(name.to_owned(), "x".to_owned())]));
        for name in ["version", "VERSION_ID", "version_stage"] {
            assert_eq!(of(name), Ok(()), "{name}");
        }
        for name in ["namespace", "versions", "", "version "] {
            assert_eq!(of(name).map_err(|e| e.code), Err(Code::PermissionDenied), "{name}");
        }
    }
}
