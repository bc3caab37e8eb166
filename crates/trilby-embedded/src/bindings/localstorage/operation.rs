//! The four operations, on a thread that may block.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use serde_json::json;
use trilby_dapr::messaging::InvokeBinding;

use super::path;

/// The largest file that `get` reads into memory.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// The most files that `list` names.
const FILES_MAX: usize = 100_000;

/// As lenient as Go's decoder.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

#[derive(Clone, Copy, Debug)]
pub(super) enum Operation {
    Create,
    Get,
    List,
    Delete,
}

/// What failed, in daprd's words.
type Outcome<T> = Result<T, String>;

impl Operation {
    pub(super) fn named(name: &str, binding: &str) -> Outcome<Self> {
        match name {
            "create" => Ok(Self::Create),
            "get" => Ok(Self::Get),
            "list" => Ok(Self::List),
            "delete" => Ok(Self::Delete),
            "" => Err("operation field is missing from request".to_owned()),
            _ => Err(format!(
                "binding {binding} does not support operation {name}. \
                 supported operations:create get list delete"
            )),
        }
    }

    /// Does it; the answer's data. Blocks.
    pub(super) fn run(self, root: &Path, request: &InvokeBinding) -> Outcome<Bytes> {
        let name = match request.metadata.get("fileName").map(String::as_str) {
            None | Some("") if matches!(self, Self::Create) => uuid::Uuid::new_v4().to_string(),
            name => name.unwrap_or_default().to_owned(),
        };
        let below = path::within(root, &name).map_err(|error| {
            format!("error getting absolute path for file {name}: {}", reason(&error))
        })?;
        // Joining an empty path would end the root in a slash.
        let path = if below.as_os_str().is_empty() { root.to_owned() } else { root.join(&below) };
        match self {
            Self::Create => create(&path, &below, &request.data),
            Self::Get => get(&path),
            Self::List => list(&path),
            Self::Delete => delete(&path),
        }
    }
}

fn create(path: &Path, below: &Path, data: &Bytes) -> Outcome<Bytes> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(|error| {
        // Go names the part of the path that is in the way.
        let part = folder.ancestors().find(|part| part.is_file()).unwrap_or(folder);
        let (folder, part) = (folder.display(), part.display());
        format!("error creating directory {folder}: mkdir {part}: {}", reason(&error))
    })?;
    fs::write(path, content(data)).map_err(failed("creating file", "open", path))?;
    Ok(json!({ "fileName": below.to_string_lossy() }).to_string().into())
}

/// What to write: like daprd, a JSON string's text instead of the string, and then what base64
/// encodes instead of the base64. (Daprd reads any of Go's literals as a string.)
fn content(data: &Bytes) -> Bytes {
    let text = serde_json::from_slice::<String>(data).map_or_else(|_| data.clone(), Bytes::from);
    let encoded: Vec<u8> =
        text.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    BASE64.decode(encoded).map_or(text, Bytes::from)
}

fn get(path: &Path) -> Outcome<Bytes> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(format!("file not found: {}", path.display()));
        }
        Err(error) => return Err(failed("opening path", "open", path)(error)),
    };
    let mut content = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut content).map_err(failed(
        "reading file",
        "read",
        path,
    ))?;
    if u64::try_from(content.len()).unwrap_or(u64::MAX) > FILE_BYTES_MAX {
        let message = format!("it is larger than {FILE_BYTES_MAX} bytes");
        return Err(failed("reading file", "read", path)(io::Error::other(message)));
    }
    Ok(content.into())
}

fn delete(path: &Path) -> Outcome<Bytes> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir(path),
        _ => fs::remove_file(path),
    };
    removed.map_err(failed("deleting file", "remove", path))?;
    Ok(Bytes::new())
}

/// The absolute paths of all files below a folder, in order; without any, daprd's `null`.
fn list(path: &Path) -> Outcome<Bytes> {
    let metadata = fs::metadata(path).map_err(failed("getting stats for path", "stat", path))?;
    if !metadata.is_dir() {
        return Err(format!(
            "unable to list files as the file specified is not a directory: {}",
            path.display()
        ));
    }
    let files = walk(path).map_err(failed("listing files in the directory", "walk", path))?;
    let files: Vec<_> = files.iter().map(|file| file.to_string_lossy()).collect();
    let answer = if files.is_empty() { json!(null) } else { json!(files) };
    Ok(answer.to_string().into())
}

/// Walks folder by folder, each in the order of its names, without following links.
fn walk(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut ahead = vec![folder.to_owned()];
    while let Some(path) = ahead.pop() {
        // What vanishes or cannot be read meanwhile is left out.
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        if !metadata.is_dir() {
            files.push(path);
            if files.len() > FILES_MAX {
                return Err(io::Error::other(format!("there are more than {FILES_MAX}")));
            }
            continue;
        }
        let Ok(entries) = fs::read_dir(&path) else { continue };
        let mut entries: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        entries.sort_unstable_by(|a, b| b.cmp(a));
        ahead.append(&mut entries);
    }
    Ok(files)
}

/// A failure as daprd and Go word it: what the binding did, and then which call it was.
fn failed(what: &str, call: &str, path: &Path) -> impl Fn(io::Error) -> String {
    let path = path.display();
    move |error| format!("error {what} {path}: {call} {path}: {}", reason(&error))
}

/// The system's text, as Go shows it: in lower case and without the number.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    text.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_unpacked_as_daprd_does() {
        let table: [(&[u8], &[u8]); 9] = [
            (b"plain text", b"plain text"),
            (b"\"quoted\\n text\"", b"quoted\n text"),
            (b"\"SGVsbG8=\"", b"Hello"),
            (b"SGVs\r\nbG8=\n", b"Hello"),
            (b"SGVsbG9=", b"Hello"),
            (b"SGVsbG8", b"SGVsbG8"),
            (b"abcd", b"\x69\xb7\x1d"),
            (b"\xff\xfe", b"\xff\xfe"),
            (b"", b""),
        ];
        for (data, expected) in table {
            let found = content(&Bytes::from_static(data));
            assert_eq!(found, expected, "{}", data.escape_ascii());
        }
    }

    #[test]
    fn a_large_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large");
        // Sparse: it takes no room on the disk.
        File::create(&path).unwrap().set_len(FILE_BYTES_MAX + 1).unwrap();
        let error = get(&path).unwrap_err();
        assert!(error.ends_with("large: it is larger than 67108864 bytes"), "{error}");
        File::create(&path).unwrap().set_len(9).unwrap();
        assert_eq!(get(&path).unwrap().len(), 9);
    }
}
