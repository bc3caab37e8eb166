use std::os::unix::fs::PermissionsExt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

use super::*;

fn config(text: &str) -> (TempDir, AuthFile) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    std::fs::write(&path, text).unwrap();
    (folder, AuthFile::at(path))
}

fn basic(username: &str, password: &str) -> Credentials {
    Credentials::Basic { username: username.to_owned(), password: password.to_owned() }
}

#[tokio::test]
async fn each_form_of_an_entry_is_read() {
    let auth = STANDARD.encode("me:pa:ss");
    let token = || Credentials::IdentityToken("token".to_owned());
    for (text, registry, expected) in [
        (
            format!(r#"{{"auths":{{"ghcr.io":{{"auth":"{auth}"}}}}}}"#),
            "ghcr.io",
            basic("me", "pa:ss"),
        ),
        (
            format!(r#"{{"auths":{{"https://ghcr.io/v2/":{{"auth":"{auth}"}}}}}}"#),
            "ghcr.io",
            basic("me", "pa:ss"),
        ),
        (
            format!(r#"{{"auths":{{"https://index.docker.io/v1/":{{"auth":"{auth}"}}}}}}"#),
            "docker.io",
            basic("me", "pa:ss"),
        ),
        (
            format!(r#"{{"auths":{{"docker.io":{{"auth":"{auth}"}}}}}}"#),
            "docker.io",
            basic("me", "pa:ss"),
        ),
        (
            r#"{"auths":{"a:5000":{"username":"me","password":"x"}}}"#.to_owned(),
            "a:5000",
            basic("me", "x"),
        ),
        (r#"{"auths":{"ghcr.io":{"identitytoken":"token"}}}"#.to_owned(), "ghcr.io", token()),
        (
            format!(r#"{{"auths":{{"ghcr.io":{{"auth":"{auth}"}}}}}}"#),
            "other.io",
            Credentials::Anonymous,
        ),
        (r#"{"auths":{"ghcr.io":{}}}"#.to_owned(), "ghcr.io", Credentials::Anonymous),
        ("{}".to_owned(), "ghcr.io", Credentials::Anonymous),
    ] {
        let (_folder, file) = config(&text);
        // Not `assert_eq`: it would show nothing, as `Debug` is redacted.
        assert!(load(Some(&file), registry).await.unwrap() == expected, "{registry} in {text}");
    }
}

#[tokio::test]
async fn a_broken_file_is_named_and_its_secrets_are_not() {
    let wrong = STANDARD.encode("hunter2");
    let other = STANDARD.encode("me:hunter2");
    for (text, part) in [
        (r#"{"auths":{"ghcr.io":{"auth":"hunter2"#.to_owned(), "line 1 column"),
        ("[]".to_owned(), "has another form"),
        (r#"{"auths":["hunter2"]}"#.to_owned(), "has another form"),
        (format!(r#"{{"auths":{{"ghcr.io":{{"auth":"{wrong}"}}}}}}"#), "base64 of `NAME:PASSWORD`"),
        (r#"{"auths":{"ghcr.io":{"auth":"hunter2!"}}}"#.to_owned(), "`docker login ghcr.io`"),
        (
            format!(
                r#"{{"auths":{{"ghcr.io":{{"auth":"{other}","username":"a","password":"b"}}}}}}"#
            ),
            "something else",
        ),
        (r#"{"credHelpers":{"ghcr.io":"there-is-none"}}"#.to_owned(), "cannot be run"),
        (r#"{"credsStore":"there-is-none"}"#.to_owned(), "cannot be run"),
    ] {
        let (_folder, file) = config(&text);
        let error = load(Some(&file), "ghcr.io").await.unwrap_err();
        let message = error.to_string();
        assert!(message.contains(part) && message.contains("config.json"), "{text}: {message}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

#[tokio::test]
async fn a_missing_file_matters_only_if_it_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    let optional = AuthFile { path: path.clone(), required: false };
    assert!(load(Some(&optional), "ghcr.io").await.unwrap() == Credentials::Anonymous);
    assert!(load(None, "ghcr.io").await.unwrap() == Credentials::Anonymous);
    let error = load(Some(&AuthFile::at(&path)), "ghcr.io").await.unwrap_err();
    assert!(matches!(error, Error::AuthFileUnreadable { .. }), "{error:?}");

    let huge = vec![b' '; AUTH_FILE_BYTES_MAX as usize + 1];
    std::fs::write(&path, huge).unwrap();
    let error = load(Some(&optional), "ghcr.io").await.unwrap_err();
    assert!(matches!(error, Error::AuthFileUnreadable { .. }), "{error:?}");
}

#[test]
fn the_environment_names_the_file() {
    for (variables, path, required) in [
        (&[("REGISTRY_AUTH_FILE", "/a"), ("DOCKER_CONFIG", "/b")][..], Some("/a"), true),
        (&[("DOCKER_CONFIG", "/b"), ("HOME", "/h")], Some("/b/config.json"), false),
        (&[("REGISTRY_AUTH_FILE", ""), ("HOME", "/h")], Some("/h/.docker/config.json"), false),
        (&[("HOME", "/h")], Some("/h/.docker/config.json"), false),
        (&[], None, false),
    ] {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        };
        let expected = path.map(|path| AuthFile { path: path.into(), required });
        assert_eq!(AuthFile::locate(variable), expected, "{variables:?}");
    }
}

#[test]
fn credentials_do_not_show_their_secrets() {
    for credentials in [basic("me", "hunter2"), Credentials::IdentityToken("hunter2".to_owned())] {
        assert!(!format!("{credentials:?}").contains("hunter2"));
    }
}

/// `docker_credential` looks helpers up in the `PATH` of the process, so a second one asks them:
/// this test again.
#[tokio::test]
async fn a_helper_is_asked() {
    const FOLDER: &str = "TRILBY_TEST_HELPERS";
    if std::env::var_os(FOLDER).is_some() {
        return ask_each_helper().await;
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, body) in [
        ("good", r#"printf '{"Username":"me","Secret":"%s"}' "$(cat)""#),
        ("token", r#"cat >/dev/null; echo '{"Username":"<token>","Secret":"t"}'"#),
        ("none", "cat >/dev/null; echo 'credentials not found in native keychain'; exit 1"),
        ("bad", "cat >/dev/null; echo hunter2; exit 1"),
        ("text", "cat >/dev/null; echo hunter2"),
    ] {
        let path = folder.path().join(format!("docker-credential-{name}"));
        std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
    let name = std::thread::current().name().unwrap().to_owned();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let mut again = tokio::process::Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", &name]).env("PATH", path).env(FOLDER, folder.path()).kill_on_drop(true);
    let output = again.output().await.unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}");
}

async fn ask_each_helper() {
    for (name, expected) in [
        ("good", Ok(basic("me", "ghcr.io"))),
        ("token", Ok(Credentials::IdentityToken("t".to_owned()))),
        ("none", Ok(Credentials::Anonymous)),
        ("bad", Err("fails, `docker-credential-bad`")),
        ("text", Err("does not answer in JSON")),
    ] {
        for text in [
            format!(r#"{{"credHelpers":{{"ghcr.io":"{name}"}}}}"#),
            format!(r#"{{"auths":{{"ghcr.io":{{}}}},"credsStore":"{name}"}}"#),
        ] {
            let (_folder, file) = config(&text);
            match (load(Some(&file), "ghcr.io").await, &expected) {
                (Ok(credentials), Ok(expected)) => assert!(credentials == *expected, "{name}"),
                (Err(error), Err(part)) => {
                    let message = error.to_string();
                    assert!(message.contains(part) && !message.contains("hunter2"), "{message}");
                }
                (result, _) => panic!("{name}: {result:?}"),
            }
        }
    }
}
