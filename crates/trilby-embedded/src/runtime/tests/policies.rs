//! Calls of components under their policies, and secrets that are out of reach.

use tokio::time::Instant;
use trilby_dapr::secret::GetSecrets;

use super::*;

const POLICIES: &str = "apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: {name: r}
spec:
  policies:
    timeouts: {none: 1ms}
    retries:
      twice: {duration: 1s, maxRetries: 2}
    circuitBreakers:
      third: {trip: totalFailures >= 3, timeout: 10s}
  targets:
    components:
      vault: {outbound: {retry: twice, circuitBreaker: third}}
";

fn vault() -> (TempDir, Runtime) {
    let vault = component(
        "vault",
        "spec: {type: secretstores.local.file, metadata: [{name: secretsFile, value: \
         FOLDER/components/secrets.json}]}",
    );
    let settings = "apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: {name: c}\n\
                    spec:\n  secrets: {scopes: [{storeName: vault, deniedSecrets: [root]}]}\n";
    opened(&[
        ("a.yaml", vault.as_str()),
        ("b.yaml", POLICIES),
        ("c.yaml", settings),
        ("secrets.json", r#"{"token": "x", "root": "y"}"#),
    ])
}

async fn get(runtime: &Runtime, key: &str, cx: CallContext) -> Result<()> {
    let (store, key) = ("vault".to_owned(), key.to_owned());
    runtime.get_secret(&cx, GetSecret { store, key, ..GetSecret::default() }).await.map(|_| ())
}

#[tokio::test(start_paused = true)]
async fn a_component_that_fails_is_asked_again_until_its_breaker_opens() {
    let (_folder, runtime) = vault();
    let begun = Instant::now();
    get(&runtime, "token", cx()).await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    let text = "failed getting secret with key no from secret store vault: ";
    let error = get(&runtime, "no", cx()).await.unwrap_err();
    assert_eq!((error.code, error.message), (Code::Internal, format!("{text}secret no not found")));
    assert_eq!(begun.elapsed(), Duration::from_secs(2));
    let error = get(&runtime, "no", cx()).await.unwrap_err();
    assert_eq!(
        (error.code, error.message),
        (Code::Internal, format!("{text}circuit breaker is open"))
    );
    // What is wrong with a call is told before.
    let error = get(&runtime, "root", cx()).await.unwrap_err();
    assert_eq!(error.code, Code::PermissionDenied);
    tokio::time::advance(Duration::from_millis(10_001)).await;
    get(&runtime, "token", cx()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_callers_deadline_bounds_the_tries() {
    let (_folder, runtime) = vault();
    let begun = Instant::now();
    let short = CallContext::within(Duration::from_millis(1500));
    get(&runtime, "no", short).await.unwrap_err();
    assert_eq!(begun.elapsed(), Duration::from_secs(1));
}

#[tokio::test]
async fn secrets_that_are_denied_are_in_no_answer() {
    let (_folder, runtime) = vault();
    let error = get(&runtime, "root", cx()).await.unwrap_err();
    assert_eq!(error.message, r#"access denied by policy to get "root" from "vault""#);
    assert_eq!(error.reason, "ERR_PERMISSION_DENIED");
    let store = "vault".to_owned();
    let all = runtime.get_secrets(&cx(), GetSecrets { store, ..GetSecrets::default() }).await;
    assert_eq!(all.unwrap().keys().collect::<Vec<_>>(), ["token"]);
}
