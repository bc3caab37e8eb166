//! Credentials, plain HTTP and TLS.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::PrivateKeyDer;

use super::*;
use crate::fake_registry::Auth;

fn basic(text: &str) -> String {
    format!("Basic {}", STANDARD.encode(text))
}

/// Options with one entry for this registry.
fn options(folder: &TempDir, registry: &FakeRegistry, entry: &str) -> Options {
    let file = folder.path().join("config.json");
    fs::write(&file, format!(r#"{{"auths":{{"{}":{entry}}}}}"#, registry.address)).unwrap();
    Options { auth_file: Some(AuthFile::at(file)), ..Options::anonymous() }
}

fn login(text: &str) -> String {
    format!(r#"{{"auth":"{}"}}"#, STANDARD.encode(text))
}

#[tokio::test]
async fn a_registry_with_basic_authentication_wants_the_right_login() {
    let registry = FakeRegistry::start().await;
    let (folder, store) = store();
    let reference = registry.reference("1");
    registry.push("1", &[(WAGI, MODULE)]);
    registry.state().auth = Auth::Basic(basic("me:secret"));

    let error = fetch(&store, &reference, &Options::anonymous()).await.unwrap_err();
    assert!(matches!(error, Error::CredentialsMissing { .. }), "{error:?}");
    let wrong = options(&folder, &registry, &login("me:hunter2"));
    let error = fetch(&store, &reference, &wrong).await.unwrap_err();
    assert!(matches!(error, Error::CredentialsRefused { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    let right = options(&folder, &registry, &login("me:secret"));
    assert!(!fetch(&store, &reference, &right).await.unwrap().from_store);
}

#[tokio::test]
async fn a_registry_with_a_token_service_wants_the_right_login() {
    let registry = FakeRegistry::start().await;
    let (folder, store) = store();
    let reference = registry.reference("1");
    registry.push("1", &[(WAGI, MODULE)]);
    let authorization = Some(basic("me:secret"));
    registry.state().auth = Auth::Bearer { authorization, refresh_token: None };

    let error = fetch(&store, &reference, &Options::anonymous()).await.unwrap_err();
    assert!(matches!(error, Error::CredentialsMissing { .. }), "{error:?}");
    let wrong = options(&folder, &registry, &login("me:hunter2"));
    let error = fetch(&store, &reference, &wrong).await.unwrap_err();
    assert!(matches!(error, Error::CredentialsRefused { .. }), "{error:?}");
    let right = options(&folder, &registry, &login("me:secret"));
    assert!(!fetch(&store, &reference, &right).await.unwrap().from_store);
}

#[tokio::test]
async fn a_token_service_may_serve_anyone() {
    let registry = FakeRegistry::start().await;
    let (_folder, store) = store();
    registry.push("1", &[(WAGI, MODULE)]);
    registry.state().auth = Auth::Bearer { authorization: None, refresh_token: None };
    fetch(&store, &registry.reference("1"), &Options::anonymous()).await.unwrap();
    let requests = registry.take_requests();
    assert_eq!(requests.iter().filter(|request| *request == "GET /token").count(), 1);
}

#[tokio::test]
async fn an_identity_token_is_traded() {
    let registry = FakeRegistry::start().await;
    let (folder, store) = store();
    let reference = registry.reference("1");
    registry.push("1", &[(WAGI, MODULE)]);
    let refresh_token = Some("identity".to_owned());
    registry.state().auth = Auth::Bearer { authorization: None, refresh_token };

    let wrong = options(&folder, &registry, r#"{"identitytoken":"hunter2"}"#);
    let error = fetch(&store, &reference, &wrong).await.unwrap_err();
    assert!(matches!(error, Error::CredentialsRefused { .. }), "{error:?}");
    let right = options(&folder, &registry, r#"{"identitytoken":"identity"}"#);
    fetch(&store, &reference, &right).await.unwrap();

    registry.state().auth = Auth::None;
    let error = fetch(&store, &reference, &right).await.unwrap_err();
    assert!(error.to_string().contains("names no token service"), "{error}");
    registry.state().status = Some(StatusCode::SERVICE_UNAVAILABLE);
    assert!(fetch(&store, &reference, &right).await.unwrap().from_store);
}

#[tokio::test]
async fn a_token_that_is_no_header_is_refused() {
    let registry = FakeRegistry::start().await;
    let (_folder, store) = store();
    registry.push("1", &[(WAGI, MODULE)]);
    registry.state().auth = Auth::Bearer { authorization: None, refresh_token: None };
    registry.state().token = "a\nb".to_owned();
    let error = fetch(&store, &registry.reference("1"), &Options::anonymous()).await.unwrap_err();
    assert!(error.to_string().contains("does not fit into a header"), "{error}");
}

#[tokio::test]
async fn a_revoked_login_is_not_replaced_by_the_store() {
    let registry = FakeRegistry::start().await;
    let (_folder, store) = store();
    registry.push("1", &[(WAGI, MODULE)]);
    let reference = registry.reference("1");
    fetch(&store, &reference, &Options::anonymous()).await.unwrap();
    registry.state().auth = Auth::Basic(basic("me:secret"));
    let error = fetch(&store, &reference, &Options::anonymous()).await.unwrap_err();
    assert!(matches!(error, Error::CredentialsMissing { .. }), "{error:?}");
}

#[tokio::test]
async fn a_broken_configuration_is_named() {
    let registry = FakeRegistry::start().await;
    let (folder, store) = store();
    registry.push("1", &[(WAGI, MODULE)]);
    let broken = options(&folder, &registry, "{");
    let error = fetch(&store, &registry.reference("1"), &broken).await.unwrap_err();
    assert!(matches!(error, Error::AuthFileInvalid { .. }), "{error:?}");
    assert_eq!(registry.take_requests(), [""; 0]);
}

#[tokio::test]
async fn plain_http_away_from_this_machine_has_to_be_allowed() {
    // Any address but 127.0.0.1 counts as another machine.
    let registry = FakeRegistry::start_at("127.0.0.2").await;
    let (_folder, store) = store();
    registry.push("1", &[(WAGI, MODULE)]);
    let reference = registry.reference("1");
    let error = fetch(&store, &reference, &Options::anonymous()).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert_eq!(registry.take_requests(), [""; 0]);

    let insecure_registries = vec![registry.address.to_string()];
    let options = Options { insecure_registries, ..Options::anonymous() };
    fetch(&store, &reference, &options).await.unwrap();
}

/// A registry behind TLS, and its certificate in PEM.
async fn tls_registry() -> (FakeRegistry, String) {
    let certified = rcgen::generate_simple_self_signed(["127.0.0.2".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let registry = FakeRegistry::start_tls("127.0.0.2", acceptor).await;
    registry.push("1", &[(WAGI, MODULE)]);
    (registry, certified.cert.pem())
}

#[tokio::test]
async fn a_certificate_of_nobody_known_is_refused() {
    let (registry, _pem) = tls_registry().await;
    let (_folder, store) = store();
    let error = fetch(&store, &registry.reference("1"), &Options::anonymous()).await.unwrap_err();
    assert!(matches!(error, Error::Certificate { .. }), "{error:?}");
    assert_eq!(registry.take_requests(), [""; 0]);
}

/// The variable is read from the process, so the fetch is made by a second one: this test again.
#[tokio::test]
async fn ssl_cert_file_names_the_certificates_to_trust() {
    const REFERENCE: &str = "TRILBY_TEST_REFERENCE";
    let (folder, store) = store();
    if let Ok(text) = std::env::var(REFERENCE) {
        let reference = Reference::parse(&text).unwrap();
        fetch(&store, &reference, &Options::anonymous()).await.unwrap();
        return;
    }
    let (registry, pem) = tls_registry().await;
    let file = folder.path().join("ca.pem");
    fs::write(&file, pem).unwrap();
    let name = std::thread::current().name().unwrap().to_owned();
    let mut again = tokio::process::Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", &name]).env("SSL_CERT_FILE", file);
    again.env(REFERENCE, registry.reference("1").to_string()).kill_on_drop(true);
    let output = again.output().await.unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}");
    let requests = registry.take_requests();
    assert!(requests.iter().any(|request| request.contains("/blobs/")), "{requests:?}");
}
