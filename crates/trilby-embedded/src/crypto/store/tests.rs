use std::os::unix::fs::symlink;

use super::*;

fn component(path: &str) -> Component {
    Component::for_test("vault", "crypto.dapr.localstorage", &[("path", path)], 4)
}

/// A folder `keys` beside a file `outside`, with the store on it.
fn store() -> (tempfile::TempDir, KeyStore) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("outside"), [2; 32]).unwrap();
    let keys = folder.path().join("keys");
    fs::create_dir(&keys).unwrap();
    fs::write(keys.join("kek"), [1; 32]).unwrap();
    let store = KeyStore::open(&component(keys.to_str().unwrap())).unwrap();
    (folder, store)
}

async fn problem(store: &KeyStore, name: &str) -> String {
    let problem = store.get(name).await.unwrap_err().to_string();
    let prefix = "failed to retrieve the key encryption key: ";
    problem.strip_prefix(prefix).unwrap_or(&problem).to_owned()
}

/// What the log says of a key that cannot be read.
fn why(store: &KeyStore, name: &str) -> String {
    content(&store.folder, &store.folder.join(name)).unwrap_err()
}

#[tokio::test]
async fn names_that_lead_out_of_the_folder_are_refused() {
    let (_folder, store) = store();
    fs::create_dir(store.folder.join("below")).unwrap();
    fs::write(store.folder.join("below/key"), [1; 32]).unwrap();
    let slash = "cannot contain '/'; a key is a file in the folder itself";
    let table = [
        ("../outside", "cannot contain '..'"),
        ("..", "cannot contain '..'"),
        ("below/../kek", "cannot contain '..'"),
        ("a..b", "cannot contain '..'"),
        ("", "it names no file"),
        (".", "it names no file"),
        ("/etc/hostname", slash),
        ("below/key", slash),
        ("./kek", slash),
        ("kek/", slash),
        ("/", slash),
        ("kek\0", "cannot contain a NUL"),
    ];
    for (name, why) in table {
        assert_eq!(problem(&store, name).await, format!("invalid key path: {why}"), "{name:?}");
    }
    store.get("kek").await.unwrap();
}

#[tokio::test]
async fn links_are_followed_within_the_folder_only() {
    let (folder, store) = store();
    let link = |target: &Path, name: &str| symlink(target, store.folder.join(name)).unwrap();
    link(&folder.path().join("outside"), "absolute");
    link(Path::new("../outside"), "relative");
    link(Path::new("../keys/absolute"), "twice");
    for name in ["absolute", "relative", "twice"] {
        assert_eq!(problem(&store, name).await, format!("failed to load key '{name}'"));
        assert!(why(&store, name).ends_with("it is a link that leads out of the folder"));
    }
    link(Path::new("loop"), "loop");
    assert!(why(&store, "loop").contains("too many levels of symbolic links"));
    // As Kubernetes mounts secrets.
    fs::create_dir(store.folder.join("..2024")).unwrap();
    fs::write(store.folder.join("..2024/mounted"), [1; 32]).unwrap();
    link(Path::new("..2024"), "..data");
    link(Path::new("..data/mounted"), "mounted");
    store.get("mounted").await.unwrap();
}

#[tokio::test]
async fn why_a_key_cannot_be_read_is_not_for_guests() {
    let (_folder, store) = store();
    fs::create_dir(store.folder.join("below")).unwrap();
    File::create(store.folder.join("large")).unwrap().set_len(65_537).unwrap();
    File::create(store.folder.join("full")).unwrap().set_len(65_536).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(store.folder.join("socket")).unwrap();
    let table = [
        ("missing", "no such file or directory"),
        ("below", "is a directory"),
        ("large", "it is larger than 64 KiB"),
        ("socket", "it is not a file"),
    ];
    for (name, expected) in table {
        assert_eq!(problem(&store, name).await, format!("failed to load key '{name}'"));
        assert_eq!(why(&store, name), expected);
    }
    store.get("full").await.unwrap();
    let long = "k".repeat(1 << 20);
    assert_eq!(why(&store, &long), "file name too long");
}

#[test]
fn the_folder_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let file = file.to_str().unwrap();
    let table = [
        (
            "/nonexistent/keys",
            "c.yaml:4: path `/nonexistent/keys` cannot be opened: no such file or directory; name \
             a folder of keys"
                .to_owned(),
        ),
        (file, format!("c.yaml:4: path `{file}` is not a folder; name a folder of keys")),
        ("", "c.yaml:4: a crypto.dapr.localstorage needs the metadata `path`".to_owned()),
    ];
    for (path, expected) in table {
        assert_eq!(KeyStore::open(&component(path)).unwrap_err().to_string(), expected);
    }
    let mut secret = component("/nonexistent/hunter2");
    secret.secret_names.insert("path".to_owned());
    let error = KeyStore::open(&secret).unwrap_err().to_string();
    assert!(error.starts_with("c.yaml:4: path `(from a secret)` cannot be opened"), "{error}");
}
