use tempfile::TempDir;

use super::*;

fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("modules")).unwrap();
    (folder, store)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn what_is_put_is_read_until_it_is_damaged() {
    let (_folder, store) = store();
    let digest = Digest::of(b"content");
    assert_eq!(store.verified(&digest).await.unwrap(), None);

    store.put(&digest, b"content".to_vec()).await.unwrap();
    let path = store.verified(&digest).await.unwrap().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"content");
    assert_eq!(store.read(&digest, 7).await.unwrap().unwrap(), b"content");
    assert_eq!(store.read(&digest, 6).await.unwrap(), None);

    fs::write(&path, b"contemn").unwrap();
    assert_eq!(store.verified(&digest).await.unwrap(), None);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_damaged_manifest_is_not_read() {
    let (_folder, store) = store();
    let digest = Digest::of(b"content");
    fs::write(store.path(&digest), b"").unwrap();
    assert_eq!(store.read(&digest, 7).await.unwrap(), None);
    assert!(!store.path(&digest).exists());
}

#[tokio::test]
async fn only_the_owner_may_look_in() {
    let (folder, store) = store();
    store.put(&Digest::of(b"a"), b"a".to_vec()).await.unwrap();
    store.write_record("a", b"{}".to_vec()).await.unwrap();
    let root = folder.path().join("modules");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for path in [&root, &root.join("sha256"), &root.join("refs")] {
        assert_eq!(mode(path), 0o700, "{}", path.display());
    }
    assert_eq!(mode(&store.path(&Digest::of(b"a"))), 0o600);
    assert_eq!(mode(&store.record_path("a")), 0o600);
}

#[tokio::test]
async fn a_deleted_store_fills_again() {
    let (folder, store) = store();
    let digest = Digest::of(b"content");
    fs::remove_dir_all(folder.path().join("modules")).unwrap();
    assert_eq!(store.verified(&digest).await.unwrap(), None);
    assert_eq!(store.read_record("a").await.unwrap(), None);
    store.put(&digest, b"content".to_vec()).await.unwrap();
    store.write_record("a", b"{}".to_vec()).await.unwrap();
    assert!(store.verified(&digest).await.unwrap().is_some());
    assert_eq!(store.read_record("a").await.unwrap().unwrap(), b"{}");
}

#[tokio::test]
async fn a_part_that_is_not_kept_goes() {
    let (_folder, store) = store();
    let part = store.part().await.unwrap();
    assert_eq!(names(&store.inner.content).len(), 1);
    drop(part);
    assert_eq!(names(&store.inner.content).len(), 0);
}

#[test]
fn old_parts_are_removed_at_the_opening_and_new_ones_are_not() {
    let (folder, store) = store();
    let content = &store.inner.content;
    for name in [".part-old", ".part-new", "old"] {
        File::create(content.join(name)).unwrap();
    }
    let long_ago = SystemTime::now() - 2 * PART_AGE_MAX;
    for name in [".part-old", "old"] {
        let file = File::options().write(true).open(content.join(name)).unwrap();
        file.set_modified(long_ago).unwrap();
    }
    Store::open(folder.path().join("modules")).unwrap();
    let mut left = names(content);
    left.sort();
    assert_eq!(left, [".part-new", "old"]);
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    File::create(&file).unwrap();
    let error = Store::open(file.join("modules")).unwrap_err();
    assert!(error.to_string().contains("file/modules"), "{error}");
}

#[tokio::test]
async fn turns_exclude_each_other_and_are_forgotten() {
    let (_folder, store) = store();
    let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
    let first = store.turn(&one).await;
    let _other = store.turn(&two).await;
    let second = store.turn(&one);
    tokio::pin!(second);
    assert!(futures_util::poll!(&mut second).is_pending());
    drop(first);
    let second = second.await;
    assert_eq!(store.inner.turns.lock().unwrap().len(), 2);
    drop(second);
    let _third = store.turn(&Digest::of(b"3")).await;
    assert_eq!(store.inner.turns.lock().unwrap().len(), 2);
}
