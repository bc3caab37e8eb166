use std::fs;
use std::sync::Arc;

use http::StatusCode;
use tempfile::TempDir;
use tokio::sync::Semaphore;

use super::*;
use crate::fake_registry::FakeRegistry;

mod access;
mod offline;
mod wrong;

const WAGI: &str = "application/vnd.wasm.content.layer.v1+wasm";
const MODULE: &[u8] = b"\0asm\x01\0\0\0";
const OTHER: &[u8] = b"(module)";

fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}

#[tokio::test]
async fn a_module_is_pulled() {
    let registry = FakeRegistry::start().await;
    let (_folder, store) = store();
    let manifest = registry.push("1", &[(WAGI, MODULE)]);
    let fetched = fetch(&store, &registry.reference("1"), &Options::anonymous()).await.unwrap();
    assert_eq!(fs::read(&fetched.path).unwrap(), MODULE);
    assert_eq!(fetched.digest, Digest::of(MODULE));
    assert_eq!(fetched.manifest_digest, manifest);
    assert!(!fetched.from_store);
    assert!(fetched.path.ends_with(format!("sha256/{}", Digest::of(MODULE).hex())));
}

#[tokio::test]
async fn a_pinned_module_is_asked_for_once() {
    let registry = FakeRegistry::start().await;
    let (_folder, store) = store();
    let manifest = registry.push("1", &[(WAGI, MODULE)]);
    let pinned = registry.pinned(&manifest);
    let options = Options::anonymous();
    let first = fetch(&store, &pinned, &options).await.unwrap();
    assert!(!first.from_store);
    assert_ne!(registry.take_requests(), [""; 0]);

    let second = fetch(&store, &pinned, &options).await.unwrap();
    assert_eq!(second, Fetched { from_store: true, ..first });
    // The tag beside the digest does not matter.
    let text = format!("//{}/acme/hello:gone@{manifest}", registry.address);
    let tagged = fetch(&store, &Reference::parse(&text).unwrap(), &options).await.unwrap();
    assert_eq!(tagged, second);
    assert_eq!(registry.take_requests(), [""; 0]);
}

#[tokio::test]
async fn a_tag_that_was_fetched_serves_its_digest_too() {
    let registry = FakeRegistry::start().await;
    let (_folder, store) = store();
    let manifest = registry.push("1", &[(WAGI, MODULE)]);
    let pinned = registry.pinned(&manifest);
    fetch(&store, &registry.reference("1"), &Options::anonymous()).await.unwrap();
    registry.stop().await;
    let fetched = fetch(&store, &pinned, &Options::anonymous()).await.unwrap();
    assert_eq!(fetched.digest, Digest::of(MODULE));
}

#[tokio::test]
async fn a_moved_tag_is_seen_and_known_content_is_not_pulled_again() {
    let registry = FakeRegistry::start().await;
    let (_folder, store) = store();
    let reference = registry.reference("1");
    let options = Options::anonymous();
    registry.push("1", &[(WAGI, MODULE)]);
    fetch(&store, &reference, &options).await.unwrap();
    registry.take_requests();

    fetch(&store, &reference, &options).await.unwrap();
    let blobs = |requests: Vec<String>| {
        requests.iter().filter(|request| request.contains("/blobs/")).count()
    };
    assert_eq!(blobs(registry.take_requests()), 0);

    let moved = registry.push("1", &[("application/wasm", OTHER)]);
    let fetched = fetch(&store, &reference, &options).await.unwrap();
    assert_eq!(fetched.manifest_digest, moved);
    assert_eq!(fs::read(&fetched.path).unwrap(), OTHER);
    assert_eq!(blobs(registry.take_requests()), 1);
}

#[tokio::test]
async fn an_index_is_followed_to_its_manifest() {
    let registry = FakeRegistry::start().await;
    let (_folder, store) = store();
    let image = registry.push("image", &[("application/wasm", MODULE)]);
    let entry = format!(
        r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{image}","size":1,
            "platform":{{"os":"wasip1","architecture":"wasm"}}}}"#
    );
    let index =
        registry.push_manifest("1", &format!(r#"{{"schemaVersion":2,"manifests":[{entry}]}}"#));
    let fetched = fetch(&store, &registry.reference("1"), &Options::anonymous()).await.unwrap();
    assert_eq!(fetched.manifest_digest, index);
    assert_eq!(fetched.digest, Digest::of(MODULE));

    let pinned = registry.pinned(&index);
    registry.stop().await;
    let fetched = fetch(&store, &pinned, &Options::anonymous()).await.unwrap();
    assert_eq!(fetched.digest, Digest::of(MODULE));
}

#[tokio::test]
async fn fetches_of_the_same_module_at_once_pull_it_once() {
    let registry = FakeRegistry::start().await;
    let (_folder, store) = store();
    registry.push("1", &[(WAGI, MODULE)]);
    let gate = Arc::new(Semaphore::new(0));
    registry.state().blob_gate = Some(Arc::clone(&gate));
    let mut fetches = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let (store, reference) = (store.clone(), registry.reference("1"));
        fetches.spawn(async move { fetch(&store, &reference, &Options::anonymous()).await });
    }
    let all_wait = async {
        while store.turn_count(&Digest::of(MODULE)) < crate::PULLS_MAX {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all_wait).await.unwrap();
    gate.add_permits(1);
    for fetched in fetches.join_all().await {
        assert_eq!(fetched.unwrap().digest, Digest::of(MODULE));
    }
    let requests = registry.take_requests();
    let blobs = requests.iter().filter(|request| request.contains("/blobs/"));
    assert_eq!(blobs.count(), 1, "{requests:?}");
}

#[tokio::test]
async fn no_more_than_the_limit_are_pulled_at_a_time() {
    let registry = FakeRegistry::start().await;
    let (_folder, store) = store();
    registry.state().stalls = true;
    let options = Options { pull_timeout: Duration::from_millis(200), ..Options::anonymous() };
    let all = store.pulls().acquire_many(PULLS).await.unwrap();
    let reference = registry.reference("1");
    let waiting = fetch(&store, &reference, &options);
    tokio::pin!(waiting);
    assert!(futures_util::poll!(&mut waiting).is_pending());
    assert_eq!(registry.take_requests(), [""; 0]);
    drop(all);
    let error = waiting.await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
    assert_eq!(store.pulls().available_permits(), crate::PULLS_MAX);
}

const PULLS: u32 = crate::PULLS_MAX as u32;
