//! Unix sockets, each a file that only this user may open.

use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

use crate::Error;

/// The file of a socket, as daprd names it. An app id has no `/`, whatever a manifest says.
pub(crate) fn path(folder: &Path, app_id: &str, protocol: &str) -> PathBuf {
    folder.join(format!("dapr-{}-{protocol}.socket", app_id.replace(['/', '\0'], "_")))
}

/// Listens on a socket. One that another process left behind is replaced, but none that is served.
pub(super) fn bind(path: &Path) -> Result<UnixListener, Error> {
    check(path)?;
    let failed = |source| Error::Socket { path: path.to_owned(), source };
    // Nobody can open it before its mode is set: it has its name only then.
    let mut unnamed = path.as_os_str().to_owned();
    unnamed.push(format!(".{}", std::process::id()));
    let unnamed = PathBuf::from(unnamed);
    let listener = UnixListener::bind(&unnamed).map_err(failed)?;
    let named = std::fs::set_permissions(&unnamed, std::fs::Permissions::from_mode(0o600))
        .and_then(|()| std::fs::rename(&unnamed, path));
    if let Err(source) = named {
        // The first error counts.
        let _ = std::fs::remove_file(&unnamed);
        return Err(failed(source));
    }
    Ok(listener)
}

/// Whether a socket may be made here: nothing is there, or a socket that nobody serves.
fn check(path: &Path) -> Result<(), Error> {
    let found = match std::fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(Error::Socket { path: path.to_owned(), source }),
    };
    if !found.file_type().is_socket() {
        return Err(Error::NoSocket { path: path.to_owned() });
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(Error::SocketInUse { path: path.to_owned() }),
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_is_taken_over_only_when_nobody_serves_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = path(folder.path(), "a1", "grpc");
        assert!(path.ends_with("dapr-a1-grpc.socket"));
        let served = bind(&path).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(bind(&path), Err(Error::SocketInUse { .. })));
        drop(served);
        let served = bind(&path).unwrap();
        UnixStream::connect(&path).unwrap();
        drop(served);
        let left: Vec<_> = folder.path().read_dir().unwrap().collect();
        assert_eq!(left.len(), 1);
    }

    #[tokio::test]
    async fn a_file_that_is_no_socket_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = path(folder.path(), "a/1", "http");
        std::fs::write(&path, "precious").unwrap();
        assert!(matches!(bind(&path), Err(Error::NoSocket { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
        let missing = folder.path().join("none").join("x");
        assert!(matches!(bind(&missing), Err(Error::Socket { .. })));
    }
}
