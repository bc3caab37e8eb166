use proptest::prelude::*;

use super::*;

const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn every_form_of_a_reference_is_read() {
    let pin = format!("@sha256:{HEX}");
    for (text, full) in [
        ("foo:1", "docker.io/library/foo:1".to_owned()),
        ("foo", "docker.io/library/foo:latest".to_owned()),
        ("foo/bar:1", "docker.io/foo/bar:1".to_owned()),
        ("index.docker.io/foo:1", "docker.io/library/foo:1".to_owned()),
        ("ghcr.io/acme/hello:v1.2", "ghcr.io/acme/hello:v1.2".to_owned()),
        ("//ghcr.io/acme/hello:v1.2", "ghcr.io/acme/hello:v1.2".to_owned()),
        ("GHCR.io/acme/hello:V1", "ghcr.io/acme/hello:V1".to_owned()),
        ("//registry/hello:1", "//registry/hello:1".to_owned()),
        ("//registry:5000/hello", "registry:5000/hello:latest".to_owned()),
        ("localhost/hello:1", "localhost/hello:1".to_owned()),
        ("localhost:5000/a/b/c:1", "localhost:5000/a/b/c:1".to_owned()),
        ("127.0.0.1:5000/hello:1", "127.0.0.1:5000/hello:1".to_owned()),
        ("[::1]:5000/hello:1", "[::1]:5000/hello:1".to_owned()),
        ("//[::1]/hello:1", "[::1]/hello:1".to_owned()),
        ("a.b/c__d.e-f--g_h/i:1", "a.b/c__d.e-f--g_h/i:1".to_owned()),
        (&format!("ghcr.io/a/b{pin}"), format!("ghcr.io/a/b{pin}")),
        (&format!("ghcr.io/a/b:1{pin}"), format!("ghcr.io/a/b:1{pin}")),
        (&format!("foo{pin}"), format!("docker.io/library/foo{pin}")),
    ] {
        let reference = Reference::parse(text).unwrap();
        assert_eq!(reference.to_string(), full, "{text}");
        assert_eq!(Reference::parse(&full).unwrap(), reference, "{text}");
    }
}

#[test]
fn the_parts_are_told_apart() {
    let reference =
        Reference::parse(&format!("//localhost:5000/acme/hello:1@sha256:{HEX}")).unwrap();
    assert_eq!(reference.registry(), "localhost:5000");
    assert_eq!(reference.repository(), "acme/hello");
    assert_eq!(reference.tag(), Some("1"));
    assert_eq!(reference.digest().unwrap().hex(), HEX);
    assert_eq!(Reference::parse(&format!("a/b@sha256:{HEX}")).unwrap().tag(), None);
}

#[test]
fn what_is_wrong_is_named() {
    let long = "a".repeat(256);
    for (text, part) in [
        ("", "names no repository"),
        ("//", "`` is not a host"),
        ("//ghcr.io", "names no repository"),
        ("//ghcr.io/", "names no repository"),
        ("ghcr.io/", "names no repository"),
        ("//-x/hello:1", "`-x` is not a host"),
        ("a..b/hello:1", "`a..b` is not a host"),
        ("localhost:0/hello:1", "`localhost:0` is not a host"),
        ("localhost:99999/hello:1", "`localhost:99999` is not a host"),
        ("localhost:+80/hello:1", "`localhost:+80` is not a host"),
        ("[::g]/hello:1", "`[::g]` is not a host"),
        ("ghcr.io/Acme/hello:1", "`Acme/hello` is not a repository"),
        ("ghcr.io/a//b:1", "`a//b` is not a repository"),
        ("ghcr.io/../b:1", "`../b` is not a repository"),
        ("ghcr.io/a-/b:1", "`a-/b` is not a repository"),
        ("ghcr.io/a___b:1", "`a___b` is not a repository"),
        (&format!("ghcr.io/{long}:1"), "is not a repository"),
        ("foo:", "`` is not a tag"),
        ("foo:.1", "`.1` is not a tag"),
        ("foo:a b", "`a b` is not a tag"),
        (&format!("foo:{}", "1".repeat(129)), "is not a tag"),
        ("foo@sha256:12", "`sha256:12` is not a digest"),
        (&format!("foo@sha512:{HEX}"), "is not a digest"),
        (&format!("foo@sha256:{}", HEX.to_uppercase()), "is not a digest"),
        ("foo@md5:12", "after `@`"),
        ("https://ghcr.io/foo:1", "without `https:`"),
        ("docker://ghcr.io/foo:1", "without `https:`"),
    ] {
        let message = Reference::parse(text).unwrap_err().to_string();
        assert!(message.contains(part), "{text}: {message}");
    }
}

#[test]
fn a_password_in_a_reference_is_not_repeated() {
    for text in [
        "//me:hunter2@ghcr.io/foo:1",
        "me:hunter2@ghcr.io",
        "https://me:hunter2@ghcr.io/foo:1",
        &format!("me:hunter2@ghcr.io/foo@sha256:{HEX}"),
    ] {
        let error = Reference::parse(text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

#[test]
fn only_the_names_of_this_machine_are_loopback() {
    for (text, loopback) in [
        ("localhost/a:1", true),
        ("localhost:5000/a:1", true),
        ("LOCALHOST:5000/a:1", true),
        ("127.0.0.1:1/a:1", true),
        ("[::1]/a:1", true),
        ("[::1]:5000/a:1", true),
        ("127.0.0.2:5000/a:1", false),
        ("localhost.example/a:1", false),
        ("a:1", false),
        ("[::2]:5000/a:1", false),
    ] {
        assert_eq!(Reference::parse(text).unwrap().is_loopback(), loopback, "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(//)?[a-z:/@.\\[\\]0-9_-]{0,40}") {
        if let Ok(reference) = Reference::parse(&text) {
            let full = reference.to_string();
            prop_assert_eq!(Reference::parse(&full).unwrap(), reference);
        }
    }
}
