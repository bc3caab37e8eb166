//! The compilation cache: compiled modules in files, keyed by content and engine.

use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

const CHECKSUM_BYTES: usize = 32;

/// A folder of compiled modules. It is safe to delete at any time, and to share between
/// processes: files are written under a temporary name and renamed.
///
/// A cached file holds native code, so the folder must be writable by its owner only; it is made
/// with mode 0700, and a folder that others may write to is not used.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Opens a folder, making it if needed.
    ///
    /// # Errors
    ///
    /// When it cannot be made, or when other users may write to it.
    pub fn open(folder: &Path) -> io::Result<Self> {
        make_private(folder)?;
        check_private(folder)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// The compiled module for these bytes, if a whole one is there.
    pub(crate) fn load(
        &self,
        engine: &wasmtime::Engine,
        content: &[u8],
    ) -> Option<wasmtime::Module> {
        let path = self.path(engine, content);
        let file = fs::read(&path).ok()?;
        let module = match file.split_at_checked(CHECKSUM_BYTES) {
            Some((checksum, code)) if Sha256::digest(code).as_slice() == checksum => {
                deserialize(engine, code).ok()
            }
            _ => None,
        };
        if module.is_none() {
            tracing::warn!(
                file = %path.display(),
                "damaged file in the compilation cache; compiling anew"
            );
        }
        module
    }

    /// Keeps a compiled module. A failure costs only the next start's time.
    pub(crate) fn store(
        &self,
        engine: &wasmtime::Engine,
        content: &[u8],
        module: &wasmtime::Module,
    ) {
        let path = self.path(engine, content);
        let written = module
            .serialize()
            .map_err(io::Error::other)
            .and_then(|code| write_atomically(&path, &code));
        if let Err(error) = written {
            tracing::warn!(file = %path.display(), %error, "cannot write to the compilation cache");
        }
    }

    fn path(&self, engine: &wasmtime::Engine, content: &[u8]) -> PathBuf {
        let mut key = Key(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut key);
        key.0.update(content);
        let mut name = String::with_capacity(70);
        for byte in key.0.finalize() {
            name.push_str(&format!("{byte:02x}"));
        }
        name.push_str(".cwasm");
        self.folder.join(name)
    }
}

/// Lets wasmtime describe the engine (version, target, settings) into SHA-256.
struct Key(Sha256);

impl Hasher for Key {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

#[expect(unsafe_code, reason = "wasmtime cannot prove that bytes are its own compiled code")]
fn deserialize(engine: &wasmtime::Engine, code: &[u8]) -> wasmtime::Result<wasmtime::Module> {
    // SAFETY: the bytes were written by `Module::serialize` in this process or an earlier one:
    // the folder is writable by its owner only, the checksum holds, and wasmtime itself refuses
    // code of another version or configuration.
    unsafe { wasmtime::Module::deserialize(engine, code) }
}

fn write_atomically(path: &Path, code: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension(format!("tmp-{}", std::process::id()));
    let write = || {
        let mut file = fs::File::create(&temporary)?;
        file.write_all(Sha256::digest(code).as_slice())?;
        file.write_all(code)?;
        fs::rename(&temporary, path)
    };
    write().inspect_err(|_| {
        // Best effort: a leftover is only a file too many.
        let _ = fs::remove_file(&temporary);
    })
}

#[cfg(unix)]
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(unix)]
fn check_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if fs::metadata(folder)?.permissions().mode() & 0o022 != 0 {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "others may write to this folder, so its code cannot be trusted; run chmod go-w on it",
        ));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_private(_folder: &Path) -> io::Result<()> {
    Ok(())
}
