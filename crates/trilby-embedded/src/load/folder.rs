//! The files of a components folder.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::fields::mistake;
use crate::Error;

/// No component file is near this size; a larger file is in the wrong folder.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The YAML files of a folder in the order of their names. Folders in it are not looked into.
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |source| Error::Read { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let extension = path.extension().unwrap_or_default();
        let is_yaml = ["yaml", "yml"].iter().any(|yaml| extension.eq_ignore_ascii_case(yaml));
        // A link to a file counts as a file. What cannot be looked at is kept, so that reading it
        // gives the reason.
        if is_yaml && !path.is_dir() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The text of a file.
pub(super) fn read(file: &Path) -> Result<String, Error> {
    let failed = |source| Error::Read { path: file.to_owned(), source };
    let mut bytes = Vec::new();
    let opened = fs::File::open(file).map_err(failed)?;
    opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if u64::try_from(bytes.len()).is_ok_and(|size| size > FILE_BYTES_MAX) {
        let message = "this file is larger than 1 MiB, too large for a component file; move it \
                       out of the components folder";
        return Err(mistake(file, 1, message));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        mistake(file, line, "this is not UTF-8 text; save the file as UTF-8")
    })
}
