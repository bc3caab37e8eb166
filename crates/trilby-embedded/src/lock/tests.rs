//! Who holds a lock, and for how long.

use tokio::time::advance;

use super::*;

fn store() -> LockStore {
    let component = Component::for_test("locks", "lock.in-memory", &[], 1);
    LockStore::open(&component, "app").unwrap()
}

fn lock(resource: &str, owner: &str, seconds: u64) -> TryLock {
    TryLock {
        store: "locks".to_owned(),
        resource: resource.to_owned(),
        owner: owner.to_owned(),
        expiry: Duration::from_secs(seconds),
    }
}

fn unlock(resource: &str, owner: &str) -> Unlock {
    Unlock { store: "locks".to_owned(), resource: resource.to_owned(), owner: owner.to_owned() }
}

#[tokio::test(start_paused = true)]
async fn one_holds_a_lock_until_it_is_given_back_or_over() {
    let store = store();
    let take = |resource, owner| store.try_lock(lock(resource, owner, 10)).unwrap();
    let give = |resource, owner| store.unlock(&unlock(resource, owner)).unwrap();
    assert_eq!(give("r", "a"), Unlocked::Missing);
    assert!(take("r", "a"));
    assert!(!take("r", "a"), "not even the same owner");
    assert!(!take("r", "b"));
    assert!(take("s", "b"), "another lock");
    assert_eq!(give("r", "b"), Unlocked::OfOthers);
    assert_eq!(give("r", "a"), Unlocked::Done);
    assert!(take("r", "b"));
    advance(Duration::from_secs(9)).await;
    assert!(!take("r", "a"));
    advance(Duration::from_secs(1)).await;
    assert_eq!(give("r", "b"), Unlocked::Missing, "it is over");
    assert!(take("r", "a"));
    advance(Duration::from_secs(10)).await;
    assert!(take("r", "b"), "it is over");
    let held = store.held();
    assert_eq!(held.owners.len(), held.expiries.len());
}

#[tokio::test(start_paused = true)]
async fn a_lock_given_back_does_not_end_the_next_one() {
    let store = store();
    assert!(store.try_lock(lock("r", "a", 5)).unwrap());
    store.unlock(&unlock("r", "a")).unwrap();
    assert!(store.try_lock(lock("r", "b", 100)).unwrap());
    advance(Duration::from_secs(6)).await;
    assert!(!store.try_lock(lock("r", "a", 5)).unwrap());
    assert!(store.try_lock(lock("s", "a", u64::MAX)).unwrap(), "no time is too long");
}

#[tokio::test(start_paused = true)]
async fn locks_have_a_bound() {
    let store = store();
    for number in 0..LOCKS_MAX {
        assert!(store.try_lock(lock(&number.to_string(), "a", 10)).unwrap());
    }
    let error = store.try_lock(lock("one more", "a", 10)).unwrap_err();
    assert_eq!((error.code, &*error.reason), (Code::ResourceExhausted, "TRILBY_TOO_MANY_LOCKS"));
    assert!(!store.try_lock(lock("0", "a", 10)).unwrap(), "one that is held is known");
    store.unlock(&unlock("7", "a")).unwrap();
    assert!(store.try_lock(lock("one more", "a", 10)).unwrap());
    advance(Duration::from_secs(10)).await;
    for left in [LOCKS_MAX - 16, LOCKS_MAX - 32] {
        assert!(store.try_lock(lock(&left.to_string(), "a", 10)).unwrap(), "{left} is over");
        assert_eq!(store.held().owners.len(), left, "what is over is forgotten in steps");
        assert_eq!(store.held().expiries.len(), left);
    }
}

#[test]
fn the_separator_is_refused_with_daprds_words() {
    let store = store();
    let words = "input key/keyPrefix 'a||b' can't contain '||'";
    let error = store.try_lock(lock("a||b", "o", 1)).unwrap_err();
    assert_eq!(error.message, format!("failed to try acquiring lock: {words}"));
    assert_eq!(error.code, Code::Internal);
    let error = store.unlock(&unlock("a||b", "o")).unwrap_err();
    assert_eq!(error.message, format!("failed to release lock: {words}"));
    assert_eq!(error.code, Code::Internal);
}
