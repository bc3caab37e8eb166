use super::*;

fn reference() -> String {
    "ghcr.io/acme/hello:1".to_owned()
}

fn registry() -> String {
    "ghcr.io".to_owned()
}

#[test]
fn every_message_names_the_thing_and_the_remedy() {
    let io = || io::Error::from(io::ErrorKind::PermissionDenied);
    let file = || PathBuf::from("/home/me/.docker/config.json");
    let (digest, other) = (Digest::of(b"a"), Digest::of(b"b").to_string());
    for (error, words) in [
        (Error::Store { path: "/cache/refs".into(), source: io() }, ["/cache/refs", "check"]),
        (Error::AuthFileUnreadable { file: file(), source: io() }, ["config.json", "cannot read"]),
        (
            Error::AuthFileInvalid { file: file(), problem: "EOF".into() },
            ["config.json", "Docker configuration"],
        ),
        (
            Error::AuthEntry { registry: registry(), file: file(), problem: "x" },
            ["`ghcr.io`", "`docker login ghcr.io`"],
        ),
        (
            Error::AuthHelper { registry: registry(), file: file(), problem: "hangs".into() },
            ["`ghcr.io` hangs", "docker-credential-NAME get"],
        ),
        (Error::Client { source: Box::new(io()) }, ["TLS", "SSL_CERT_FILE"]),
        (
            Error::Unreachable {
                reference: reference(),
                registry: registry(),
                source: Box::new(io()),
            },
            ["oci:ghcr.io/acme/hello:1", "check the name"],
        ),
        (
            Error::Certificate {
                reference: reference(),
                registry: registry(),
                source: Box::new(io()),
            },
            ["oci:ghcr.io/acme/hello:1", "SSL_CERT_FILE"],
        ),
        (
            Error::Unavailable { reference: reference(), registry: registry(), status: 503 },
            ["oci:ghcr.io/acme/hello:1", "503"],
        ),
        (
            Error::TimedOut { reference: reference(), after: Duration::from_secs(120) },
            ["oci:ghcr.io/acme/hello:1", "120s"],
        ),
        (
            Error::CredentialsMissing { reference: reference(), registry: registry() },
            ["oci:ghcr.io/acme/hello:1", "`docker login ghcr.io`"],
        ),
        (
            Error::CredentialsRefused {
                reference: reference(),
                registry: registry(),
                file: file(),
            },
            ["oci:ghcr.io/acme/hello:1", "config.json"],
        ),
        (
            Error::NotFound { reference: reference(), registry: registry() },
            ["oci:ghcr.io/acme/hello:1", "check the repository"],
        ),
        (
            Error::Answer {
                reference: reference(),
                registry: registry(),
                problem: "status 418".into(),
            },
            ["oci:ghcr.io/acme/hello:1", "418"],
        ),
        (
            Error::Manifest { reference: reference(), problem: "no JSON".into() },
            ["oci:ghcr.io/acme/hello:1", "no JSON"],
        ),
        (
            Error::NoModule { reference: reference(), found: "no layers".into() },
            ["oci:ghcr.io/acme/hello:1", "no layers"],
        ),
        (
            Error::Mismatch {
                reference: reference(),
                what: "layer",
                expected: digest,
                found: other,
            },
            ["oci:ghcr.io/acme/hello:1", "do not run it"],
        ),
        (
            Error::TooLarge { reference: reference(), bytes_max: 7 },
            ["oci:ghcr.io/acme/hello:1", "7 bytes"],
        ),
    ] {
        let message = error.to_string();
        for word in words {
            assert!(message.contains(word), "`{word}` is not in: {message}");
        }
        assert!(!message.ends_with('.') && !message.contains('\n'), "{message}");
        assert!(!message.starts_with(char::is_uppercase), "{message}");
    }
}
