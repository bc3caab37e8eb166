//! Registries that answer with something else than what was asked for.

use super::*;

async fn error_of(store: &Store, reference: &Reference, options: &Options) -> Error {
    fetch(store, reference, options).await.unwrap_err()
}

/// No content of a failed pull may be left for a later one.
fn content_count(folder: &TempDir, content: &[u8]) -> usize {
    let entries = fs::read_dir(folder.path().join("sha256")).unwrap();
    entries.filter(|entry| fs::read(entry.as_ref().unwrap().path()).unwrap() == content).count()
}

#[tokio::test]
async fn a_layer_with_other_content_is_refused() {
    let registry = FakeRegistry::start().await;
    let (folder, store) = store();
    registry.push("1", &[(WAGI, MODULE)]);
    registry.state().blobs.insert(Digest::of(MODULE).to_string(), OTHER.into());
    let error = error_of(&store, &registry.reference("1"), &Options::anonymous()).await;
    let Error::Mismatch { what: "layer", expected, found, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*expected, Digest::of(MODULE));
    assert_eq!(*found, Digest::of(OTHER).to_string());
    assert_eq!(content_count(&folder, OTHER), 0);
}

#[tokio::test]
async fn a_manifest_with_other_content_is_refused() {
    let registry = FakeRegistry::start().await;
    let (folder, store) = store();
    let pinned = registry.push("1", &[(WAGI, MODULE)]);
    registry.push("2", &[(WAGI, OTHER)]);
    let manifest = registry.state().manifests["acme/hello/2"].clone();
    registry.state().manifests.insert(format!("acme/hello/{pinned}"), manifest.clone());
    let error = error_of(&store, &registry.pinned(&pinned), &Options::anonymous()).await;
    let Error::Mismatch { what: "manifest", expected, found, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*expected, pinned);
    assert_eq!(*found, Digest::of(&manifest).to_string());
    assert_eq!(content_count(&folder, &manifest), 0);
}

#[tokio::test]
async fn a_module_over_the_limit_is_refused_whatever_the_manifest_says() {
    let registry = FakeRegistry::start().await;
    let (folder, store) = store();
    let reference = registry.reference("1");
    registry.push("1", &[(WAGI, MODULE)]);
    let limit = |module_bytes_max| Options { module_bytes_max, ..Options::anonymous() };
    let error = error_of(&store, &reference, &limit(7)).await;
    assert!(matches!(error, Error::TooLarge { bytes_max: 7, .. }), "{error:?}");
    let requests = registry.take_requests();
    assert!(!requests.iter().any(|request| request.contains("/blobs/")), "{requests:?}");

    let manifest = String::from_utf8(registry.state().manifests["acme/hello/1"].to_vec()).unwrap();
    registry.push_manifest("1", &manifest.replace(r#""size":8"#, r#""size":1"#));
    let error = error_of(&store, &reference, &limit(7)).await;
    assert!(matches!(error, Error::TooLarge { bytes_max: 7, .. }), "{error:?}");
    assert_eq!(content_count(&folder, MODULE), 0);
    fetch(&store, &reference, &limit(8)).await.unwrap();
}

#[tokio::test]
async fn an_artifact_without_a_module_is_refused() {
    let registry = FakeRegistry::start().await;
    let (_folder, store) = store();
    registry.push("1", &[("application/vnd.oci.image.layer.v1.tar+gzip", b"tar")]);
    let error = error_of(&store, &registry.reference("1"), &Options::anonymous()).await;
    assert!(matches!(error, Error::NoModule { .. }), "{error:?}");
    assert!(error.to_string().contains("layer.v1.tar+gzip"), "{error}");

    registry.push_manifest("2", "<html>");
    let error = error_of(&store, &registry.reference("2"), &Options::anonymous()).await;
    assert!(matches!(error, Error::Manifest { .. }), "{error:?}");
}

#[tokio::test]
async fn an_index_of_indexes_is_refused() {
    let registry = FakeRegistry::start().await;
    let (_folder, store) = store();
    let index = |digest: &Digest| {
        let entry = format!(r#"{{"mediaType":"i","digest":"{digest}","size":1}}"#);
        format!(r#"{{"schemaVersion":2,"manifests":[{entry}]}}"#)
    };
    let inner = registry.push_manifest("inner", &index(&Digest::of(b"")));
    registry.push_manifest("1", &index(&inner));
    let error = error_of(&store, &registry.reference("1"), &Options::anonymous()).await;
    assert!(error.to_string().contains("index of indexes"), "{error}");
}

#[tokio::test]
async fn a_huge_manifest_is_refused() {
    let registry = FakeRegistry::start().await;
    let (_folder, store) = store();
    registry.push_manifest("1", &" ".repeat(MANIFEST_BYTES_MAX as usize + 1));
    let error = error_of(&store, &registry.reference("1"), &Options::anonymous()).await;
    assert!(error.to_string().contains("larger than 4194304 bytes"), "{error}");
}

#[tokio::test]
async fn what_the_registry_does_not_have_is_named() {
    let registry = FakeRegistry::start().await;
    let (_folder, store) = store();
    let error = error_of(&store, &registry.reference("1"), &Options::anonymous()).await;
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    registry.push("1", &[(WAGI, MODULE)]);
    registry.state().blobs.clear();
    let error = error_of(&store, &registry.reference("1"), &Options::anonymous()).await;
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
}
