//! The compilation cache: compiled modules in files, keyed by content and engine.

use std::fs;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

const CHECKSUM_BYTES: usize = 32;

/// A folder of compiled modules. It is safe to delete at any time, and to share between
/// processes: files are written under a temporary name and renamed.
///
/// A cached file holds native code, so the folder must be this user's own and writable by nobody
/// else; it is made with mode 0700, and any other folder is not used.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Opens a folder, making it if needed.
    ///
    /// # Errors
    ///
    /// When it cannot be made, or when other users own it or may write to it.
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
    // only this user can write to the folder, the checksum holds, and wasmtime itself refuses
    // code of another version or configuration.
    unsafe { wasmtime::Module::deserialize(engine, code) }
}

fn write_atomically(path: &Path, code: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension(format!("tmp-{:016x}", unique()));
    let write = || {
        let mut file = fs::File::create_new(&temporary)?;
        file.write_all(Sha256::digest(code).as_slice())?;
        file.write_all(code)?;
        fs::rename(&temporary, path)
    };
    write().inspect_err(|_| {
        // Best effort: a leftover is only a file too many.
        let _ = fs::remove_file(&temporary);
    })
}

/// Different for every writer, also in containers that share the folder, where every process has
/// the id 1.
fn unique() -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // Seeded at random for each process.
    static SEED: OnceLock<RandomState> = OnceLock::new();
    SEED.get_or_init(RandomState::new).hash_one(COUNT.fetch_add(1, Ordering::Relaxed))
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
    use std::os::unix::fs::MetadataExt;
    let data = fs::metadata(folder)?;
    let user = rustix::process::geteuid().as_raw();
    match distrust(data.mode(), data.uid(), user) {
        None => Ok(()),
        Some(why) => Err(io::Error::new(io::ErrorKind::PermissionDenied, why)),
    }
}

/// Why the code in a folder of this mode and owner cannot be trusted.
#[cfg(unix)]
fn distrust(mode: u32, owner: u32, user: u32) -> Option<&'static str> {
    if owner != user {
        return Some("it belongs to another user, so its code cannot be trusted; name another one");
    }
    (mode & 0o022 != 0).then_some(
        "others may write to this folder, so its code cannot be trusted; run chmod go-w on it",
    )
}

#[cfg(not(unix))]
fn check_private(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULE: &[u8] = b"(module (func (export \"f\")))";

    fn engine(fuel: bool) -> wasmtime::Engine {
        let mut config = wasmtime::Config::new();
        config.consume_fuel(fuel);
        wasmtime::Engine::new(&config).expect("can be set up")
    }

    fn filled(engine: &wasmtime::Engine) -> (tempfile::TempDir, Cache, PathBuf) {
        let folder = tempfile::tempdir().expect("can write");
        let cache = Cache::open(folder.path()).expect("private");
        assert!(cache.load(engine, MODULE).is_none());
        let module = wasmtime::Module::new(engine, MODULE).expect("valid");
        cache.store(engine, MODULE, &module);
        let path = cache.path(engine, MODULE);
        (folder, cache, path)
    }

    #[test]
    fn what_is_stored_is_found_and_nothing_else() {
        let engine = engine(false);
        let (folder, cache, _) = filled(&engine);
        assert!(cache.load(&engine, MODULE).is_some());
        assert!(cache.load(&engine, b"(module)").is_none());
        assert!(cache.load(&self::engine(true), MODULE).is_none());
        assert_eq!(fs::read_dir(folder.path()).expect("there").count(), 1, "a file is left over");
    }

    #[test]
    fn a_damaged_file_is_not_used() {
        let engine = engine(false);
        let (_folder, cache, path) = filled(&engine);
        let whole = fs::read(&path).expect("there");
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        for damaged in [&[][..], &whole[..CHECKSUM_BYTES], &whole[..whole.len() - 1], &flipped] {
            fs::write(&path, damaged).expect("can write");
            assert!(cache.load(&engine, MODULE).is_none());
        }
        fs::write(&path, &whole).expect("can write");
        assert!(cache.load(&engine, MODULE).is_some());
    }

    #[test]
    fn writers_of_the_same_module_do_not_disturb_each_other() {
        let engine = engine(false);
        let (folder, cache, _) = filled(&engine);
        let module = wasmtime::Module::new(&engine, MODULE).expect("valid");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| cache.store(&engine, MODULE, &module));
            }
        });
        assert!(cache.load(&engine, MODULE).is_some());
        assert_eq!(fs::read_dir(folder.path()).expect("there").count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_users_own_folder_is_trusted() {
        assert_eq!(distrust(0o700, 1000, 1000), None);
        assert_eq!(distrust(0o755, 1000, 1000), None);
        for (mode, owner) in [(0o770, 1000), (0o707, 1000), (0o700, 0), (0o755, 1001)] {
            assert!(distrust(mode, owner, 1000).is_some(), "{mode:o} of {owner}");
        }
    }
}
