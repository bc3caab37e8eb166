//! Where files may be.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Symbolic links followed in one name before it counts as a loop, as in Linux's path lookup.
const LINKS_MAX: usize = 40;

/// Folders that belong to the system or hold credentials. Daprd's list, and what Linux
/// distributions resolve `/var/run/secrets` to.
const DISALLOWED: [&str; 5] = ["/proc", "/sys", "/boot", "/var/run/secrets", "/run/secrets"];

/// Checks and makes the root folder; the error completes the sentence "rootPath …".
pub(super) fn root(root_path: &str) -> Result<PathBuf, String> {
    let absolute = std::path::absolute(root_path)
        .map_err(|error| format!("cannot be made absolute: {error}"))?;
    let absolute = clean(&absolute);
    // A folder that does not exist yet is judged by the nearest one above it that does.
    let existing =
        absolute.ancestors().find(|path| path.exists()).unwrap_or_else(|| Path::new("/"));
    if !existing.is_dir() {
        let problem = "is a file and not a folder, or below one; name a folder";
        return Err(problem.to_owned());
    }
    let resolved =
        fs::canonicalize(existing).map_err(|error| format!("cannot be resolved: {error}"))?;
    let below = absolute.strip_prefix(existing).unwrap_or_else(|_| Path::new(""));
    let root = if below.as_os_str().is_empty() { resolved } else { resolved.join(below) };
    if DISALLOWED.iter().any(|folder| root.starts_with(folder)) {
        return Err("points to a disallowed location; name a folder of your own".to_owned());
    }
    fs::create_dir_all(&root).map_err(|error| format!("cannot be created: {error}"))?;
    Ok(root)
}

/// Resolves `.` and `..` by the text alone, as Go's `filepath.Clean`.
fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(name) => cleaned.push(name),
            Component::ParentDir => {
                cleaned.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::CurDir => {}
        }
    }
    cleaned
}

/// The path below `root` that a name leads to, relative to `root` and free of links.
///
/// The name is resolved as if `root` were the root of the file system: `..` stops there, and so do
/// symbolic links, absolute ones included. (A link that somebody makes between this check and the
/// use of the path is followed; guests cannot make links.)
pub(super) fn within(root: &Path, name: &str) -> io::Result<PathBuf> {
    let mut below = PathBuf::new();
    let mut ahead: VecDeque<OsString> = parts(Path::new(name)).collect();
    let mut links = 0;
    while let Some(part) = ahead.pop_front() {
        if part == ".." {
            below.pop();
            continue;
        }
        below.push(&part);
        let Ok(target) = fs::read_link(root.join(&below)) else { continue };
        links += 1;
        if links > LINKS_MAX {
            return Err(io::Error::other("too many levels of symbolic links"));
        }
        below.pop();
        if target.is_absolute() {
            below.clear();
        }
        for part in parts(&target).collect::<Vec<_>>().into_iter().rev() {
            ahead.push_front(part);
        }
    }
    Ok(below)
}

/// The names and `..` of a path.
fn parts(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use proptest::prelude::*;

    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("d/e")).unwrap();
        symlink("/d", root.join("abs")).unwrap();
        symlink("../../../d", root.join("d/up")).unwrap();
        symlink("e", root.join("d/near")).unwrap();
        symlink("..", root.join("d/e/back")).unwrap();
        symlink("b", root.join("a")).unwrap();
        symlink("a", root.join("b")).unwrap();
        folder
    }

    #[test]
    fn names_stay_below_the_root() {
        let folder = folder();
        let table = [
            ("", ""),
            ("x", "x"),
            ("/x//y/./z", "x/y/z"),
            ("../../x", "x"),
            ("d/../../x", "x"),
            ("missing/../x", "x"),
            ("abs/x", "d/x"),
            ("abs/../x", "x"),
            ("d/up/x", "d/x"),
            ("d/near/x", "d/e/x"),
            ("d/e/back/back/x", "d/back/x"),
        ];
        for (name, expected) in table {
            assert_eq!(within(folder.path(), name).unwrap(), Path::new(expected), "{name}");
        }
        assert!(within(folder.path(), "a/x").is_err(), "a loop");
    }

    proptest! {
        #[test]
        fn no_name_leads_out(name in "(\\.\\.|/|\\.|d|e|abs|up|near|back|x){0,24}") {
            let folder = folder();
            if let Ok(below) = within(folder.path(), &name) {
                let names = below.components().all(|part| matches!(part, Component::Normal(_)));
                prop_assert!(names, "{}", below.display());
            }
        }
    }
}
