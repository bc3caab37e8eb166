//! What the store is good for when the registry is not.

use super::*;

#[tokio::test]
async fn a_tag_leads_where_it_led_before_if_the_registry_is_down() {
    let registry = FakeRegistry::start().await;
    let (_folder, store) = store();
    let reference = registry.reference("1");
    let unknown = registry.reference("2");
    registry.push("1", &[(WAGI, MODULE)]);
    let first = fetch(&store, &reference, &Options::anonymous()).await.unwrap();
    registry.stop().await;

    let second = fetch(&store, &reference, &Options::anonymous()).await.unwrap();
    assert_eq!(second, Fetched { from_store: true, ..first });
    let error = fetch(&store, &unknown, &Options::anonymous()).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains(&unknown.to_string()), "{error}");
}

#[tokio::test]
async fn a_registry_that_fails_or_hangs_is_as_good_as_down() {
    let registry = FakeRegistry::start().await;
    let (_folder, store) = store();
    let reference = registry.reference("1");
    registry.push("1", &[(WAGI, MODULE)]);
    fetch(&store, &reference, &Options::anonymous()).await.unwrap();

    registry.state().status = Some(StatusCode::SERVICE_UNAVAILABLE);
    assert!(fetch(&store, &reference, &Options::anonymous()).await.unwrap().from_store);

    registry.state().status = None;
    registry.state().stalls = true;
    let options = Options { pull_timeout: Duration::from_millis(100), ..Options::anonymous() };
    assert!(fetch(&store, &reference, &options).await.unwrap().from_store);
    let error = fetch(&store, &registry.reference("2"), &options).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
}

#[tokio::test]
async fn a_tag_that_is_gone_is_not_served_from_the_store() {
    let registry = FakeRegistry::start().await;
    let (_folder, store) = store();
    let reference = registry.reference("1");
    registry.push("1", &[(WAGI, MODULE)]);
    fetch(&store, &reference, &Options::anonymous()).await.unwrap();
    registry.state().manifests.clear();
    let error = fetch(&store, &reference, &Options::anonymous()).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
}

#[tokio::test]
async fn a_damaged_module_is_pulled_anew() {
    let registry = FakeRegistry::start().await;
    let (_folder, store) = store();
    let manifest = registry.push("1", &[(WAGI, MODULE)]);
    let pinned = registry.pinned(&manifest);
    let first = fetch(&store, &pinned, &Options::anonymous()).await.unwrap();
    fs::write(&first.path, b"damaged").unwrap();
    registry.take_requests();

    let second = fetch(&store, &pinned, &Options::anonymous()).await.unwrap();
    assert_eq!(second, first);
    assert_eq!(fs::read(&second.path).unwrap(), MODULE);
    assert_ne!(registry.take_requests(), [""; 0]);
}

#[tokio::test]
async fn a_damaged_store_does_not_stand_in_for_a_registry() {
    for damage in ["module", "manifest", "record", "foreign record"] {
        let registry = FakeRegistry::start().await;
        let (_folder, store) = store();
        let reference = registry.reference("1");
        registry.push("1", &[(WAGI, MODULE)]);
        let fetched = fetch(&store, &reference, &Options::anonymous()).await.unwrap();
        registry.stop().await;
        let record = store.record_path(&reference.to_string());
        let text = fs::read_to_string(&record).unwrap();
        match damage {
            "module" => fs::write(&fetched.path, b"damaged").unwrap(),
            "manifest" => {
                let file = fetched.path.with_file_name(fetched.manifest_digest.hex());
                fs::write(file, b"damaged").unwrap();
            }
            "record" => fs::write(&record, &text[..text.len() / 2]).unwrap(),
            _ => fs::write(&record, text.replace("hello:1", "hello:2")).unwrap(),
        }
        let error = fetch(&store, &reference, &Options::anonymous()).await.unwrap_err();
        assert!(matches!(error, Error::Unreachable { .. }), "{damage}: {error:?}");
    }
}

#[tokio::test]
async fn the_record_says_what_a_reference_led_to() {
    let registry = FakeRegistry::start().await;
    let (_folder, store) = store();
    let manifest = registry.push("1", &[(WAGI, MODULE)]);
    let reference = registry.reference("1");
    fetch(&store, &reference, &Options::anonymous()).await.unwrap();
    let text = fs::read(store.record_path(&reference.to_string())).unwrap();
    let record: Record = serde_json::from_slice(&text).unwrap();
    assert_eq!(record.reference, reference.to_string());
    assert_eq!(record.manifest, manifest.to_string());
    assert_eq!(record.layer, Digest::of(MODULE).to_string());
    assert!(record.fetched_unix_s > 1_700_000_000);
}
