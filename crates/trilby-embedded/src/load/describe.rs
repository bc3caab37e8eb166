//! A component's type, and the metadata that its type knows.

use std::path::Path;

use super::document::Description;
use super::fields::{list, mistake};
use super::types::{self, Type, nearest};
use crate::Error;

/// A component of a known type. Its references are not resolved yet.
pub(crate) struct Described {
    pub(crate) known: &'static Type,
    pub(super) description: Description,
}

impl Described {
    pub(crate) fn name(&self) -> &str {
        &self.description.name.text
    }

    /// Whether the runtime shall start without it when it cannot be opened (`ignoreErrors`).
    pub(crate) fn ignore_errors(&self) -> bool {
        self.description.ignore_errors
    }
}

pub(super) fn describe(description: Description) -> Result<Described, Error> {
    let file = &description.file;
    let type_name = &description.type_name;
    let known = types::find(&type_name.text)
        .ok_or_else(|| mistake(file, type_name.line, unknown(file, &type_name.text)))?;
    // Dapr counts `v0` as the first version too.
    if let Some(version) = &description.version
        && !["v1", "v0"].iter().any(|v| version.text.eq_ignore_ascii_case(v))
    {
        let message = format!("{} has the version v1, not `{}`", known.name, version.text);
        return Err(mistake(file, version.line, message));
    }
    check_names(&description, known)?;
    Ok(Described { known, description })
}

/// A slip in a metadata name is an error: the setting would silently not be in force. Other
/// unknown names are settings of a newer daprd, or notes.
fn check_names(description: &Description, known: &Type) -> Result<(), Error> {
    let names = known.metadata();
    for item in &description.items {
        let name = &item.name.text;
        if names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            continue;
        }
        if let Some(near) = nearest(name, &names) {
            let message =
                format!("{} has no metadata `{name}`; did you mean `{near}`?", known.name);
            return Err(mistake(&description.file, item.name.line, message));
        }
        tracing::warn!(
            file = %description.file.display(),
            line = item.name.line,
            "the embedded {} does not know the metadata `{name}`; it has no effect",
            known.name,
        );
    }
    Ok(())
}

/// What there is instead of an unknown type, those for the same purpose first, and how to have it
/// all the same.
fn unknown(file: &Path, name: &str) -> String {
    let names = types::names();
    let hint =
        nearest(name, &names).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    let block = name.split('.').next().unwrap_or_default();
    let block = format!("{}.", block.to_ascii_lowercase());
    let (alike, others): (Vec<&str>, Vec<&str>) =
        names.iter().partition(|known| known.starts_with(&block));
    let has = if alike.is_empty() {
        format!("it has {}", list(&others))
    } else {
        format!("it has {}, and {}", list(&alike), list(&others))
    };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.map_or_else(|| ".".to_owned(), |folder| folder.display().to_string());
    format!(
        "the embedded runtime has no type `{name}`{hint}\n  = help: {has}\n  = help: a daprd \
         sidecar has the other types and reads this file as it is: `dapr run --app-id APP \
         --app-port 3000 --resources-path {folder} -- trilby serve`, or beside a daprd that runs, \
         `trilby serve` with `DAPR_GRPC_PORT` and `DAPR_HTTP_PORT` set to its ports"
    )
}
