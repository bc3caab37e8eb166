//! What the callers of the component are told.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;
use trilby_dapr::Code;
use zeroize::Zeroizing;

use super::*;

#[tokio::test]
async fn what_cannot_be_encrypted_is_said_as_daprd_says_it() {
    let (folder, vault) = vault();
    std::fs::write(folder.path().join("k16"), [1; 16]).unwrap();
    std::fs::write(folder.path().join("empty"), "").unwrap();
    let missing = "failed to wrap the file key: failed to retrieve the key encryption key: failed \
                   to load key 'missing'";
    let mismatch = "failed to wrap the file key: failed to encrypt data: key type mismatch";
    let unsupported = "failed to wrap the file key: failed to encrypt data: unsupported algorithm";
    let empty = "failed to wrap the file key: failed to retrieve the key encryption key: failed to \
                 parse key from secret: key is empty";
    let table = [
        ("missing", "A256KW", "", missing),
        ("k16", "A256KW", "", mismatch),
        ("empty", "A256KW", "", empty),
        ("kek", "a256cbc-nopad", "", unsupported),
        ("k16", "A128CBC-NOPAD", "", unsupported),
        ("kek", "foo", "", "option Algorithm is not valid: algorithm FOO is not supported"),
        (
            "kek",
            "A128KW",
            "foo",
            "option Algorithm is not valid: algorithm A128KW is not supported",
        ),
        ("kek", "AES", "foo", "option Cipher is not valid: cipher FOO is not supported"),
    ];
    for (key_name, algorithm, cipher, why) in table {
        let asked = Encrypt {
            algorithm: algorithm.to_owned(),
            cipher: Some(cipher.to_owned()),
            ..request(key_name)
        };
        let error = encrypt(&vault, asked, b"data").await.unwrap_err();
        assert_eq!(error.message, format!("failed to perform operation: {why}"));
        assert_eq!((error.code, &*error.reason), (Code::Internal, ""));
    }
}

#[tokio::test]
async fn options_that_are_missing_are_named() {
    let (_folder, vault) = vault();
    let no_algorithm = Encrypt { algorithm: String::new(), ..request("kek") };
    for (asked, name) in [(request(""), "keyName"), (no_algorithm, "keyWrapAlgorithm")] {
        let error = encrypt(&vault, asked, b"").await.unwrap_err();
        let expected = format!("invalid request: missing property '{name}' in the options message");
        assert_eq!(error.message, expected);
        assert_eq!((error.code, &*error.reason), (Code::InvalidArgument, ""));
    }
}

#[tokio::test]
async fn asymmetric_keys_and_algorithms_need_a_sidecar() {
    let (folder, vault) = vault();
    std::fs::write(folder.path().join("rsa.pem"), "-----BEGIN PRIVATE KEY-----\n").unwrap();
    std::fs::write(folder.path().join("ec.json"), r#"{"kty":"EC","crv":"P-256"}"#).unwrap();
    let message = encrypt(&vault, request("kek"), b"data").await.unwrap();
    for (key_name, algorithm) in
        [("rsa.pem", "A256KW"), ("ec.json", "AES"), ("kek", "RSA"), ("kek", "rsa-oaep-256")]
    {
        let asked = Encrypt { algorithm: algorithm.to_owned(), ..request(key_name) };
        let mut errors = vec![encrypt(&vault, asked, b"data").await.unwrap_err()];
        if key_name != "kek" {
            errors.push(decrypt(&vault, with_key(key_name), &message).await.unwrap_err());
        }
        for error in errors {
            assert_eq!(error.code, Code::Unimplemented);
            assert_eq!(error.reason, "TRILBY_ASYMMETRIC_KEY");
            let text = format!("the key `{key_name}` of `vault` or its algorithm is asymmetric");
            assert!(error.message.starts_with(&text), "{error}");
        }
    }
    let message = String::from_utf8_lossy(&message).replacen("\"kw\":1", "\"kw\":5", 1);
    let error = decrypt(&vault, with_key("kek"), message.as_bytes()).await.unwrap_err();
    assert_eq!(error.reason, "TRILBY_ASYMMETRIC_KEY");
}

#[tokio::test]
async fn whether_a_key_is_there_is_not_told_to_whoever_made_the_message() {
    let (folder, vault) = vault();
    std::fs::write(folder.path().join("k16"), [1; 16]).unwrap();
    let message = encrypt(&vault, request("kek"), b"data").await.unwrap();
    for key_name in ["missing", "k16", "../kek", "a/b"] {
        let error = decrypt(&vault, with_key(key_name), &message).await.unwrap_err();
        let expected = "failed to perform operation: failed to validate the document's signature";
        assert_eq!(error.message, expected);
        assert_eq!((error.code, &*error.reason), (Code::Internal, ""));
    }
}

/// What anybody can make, without any key: a header whose file key is all zeros.
#[tokio::test]
async fn a_message_without_a_key_is_not_taken_for_valid() {
    let (_folder, vault) = vault();
    let zeros = FileKey::new(Zeroizing::new([0; 32]));
    for key_name in ["kek", "missing"] {
        let manifest = Manifest {
            key_name: key_name.to_owned(),
            algorithm: KeyWrap::Aes256Kw,
            wrapped: vec![0; 40],
            cipher: Cipher::AesGcm,
            nonce_prefix: NoncePrefix::random().unwrap(),
        };
        let (mut forged, mut codec) = manifest.seal(&zeros).unwrap();
        codec.push(b"forged", &mut forged).unwrap();
        codec.finish(&mut forged).unwrap();
        let error = decrypt(&vault, Decrypt::default(), &forged).await.unwrap_err();
        assert!(error.message.ends_with("failed to validate the document's signature"));
    }
}

/// A header that is signed well but says what the scheme does not know.
#[tokio::test]
async fn broken_headers_are_told_apart() {
    let (_folder, vault) = vault();
    let lines = |manifest: &str, mac: &str| format!("dapr.io/enc/v1\n{manifest}\n{mac}\nabc");
    let mac = BASE64.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &[0; 32]), b"x"));
    let good = r#"{"k":"kek","kw":1,"wfk":"AAAA","cph":1,"np":"AAAAAAAAAA=="}"#;
    let table = [
        (lines(good, &mac), "failed to validate the document's signature"),
        (lines(good, "??"), "failed to decode header's signature: it is not base64"),
        (lines(&good.replace("\"kw\":1", "\"kw\":6"), &mac), "invalid header: invalid manifest"),
        (lines(&good.replace("\"cph\":1", "\"cph\":3"), &mac), "invalid header: invalid manifest"),
        (lines(&good.replace("AAAA\"", "\""), &mac), "invalid header: invalid manifest"),
        (lines(&good.replace("AAAAAAAAAA==", "AAAA"), &mac), "invalid header: invalid manifest"),
        (lines("hello", &mac), "invalid header: invalid manifest"),
        (lines("", &mac), "invalid header: invalid format"),
        ("age-encryption.org/v1\n".to_owned(), "invalid header: unsupported scheme"),
        (String::new(), "invalid header: scheme name not found"),
        ("dapr.io/enc/v1".to_owned(), "invalid header: scheme name not found"),
        ("x".repeat(1 << 20), "invalid header: scheme name not found"),
        ("dapr.io/enc/v1\n{}".to_owned(), "invalid header: manifest not found"),
        (format!("dapr.io/enc/v1\n{}", " ".repeat(70_000)), "invalid header: manifest not found"),
        (
            format!("dapr.io/enc/v1\n{good}\n{mac}"),
            "invalid header: message authentication code not found",
        ),
    ];
    for (message, why) in table {
        let found = decrypt(&vault, Decrypt::default(), message.as_bytes()).await;
        let expected = format!("failed to perform operation: {why}");
        assert_eq!(found.unwrap_err().message, expected, "{message:.100}");
    }
}

#[tokio::test]
async fn an_error_of_the_input_ends_the_output() {
    let (_folder, vault) = vault();
    let message = encrypt(&vault, request("kek"), &[0; 100_000]).await.unwrap();
    let broken = |data: &[u8]| -> ByteStream {
        let error = stream::iter([Err(DaprError::deadline("the body"))]);
        Box::pin(input(data, 1000).chain(error))
    };
    let mut answers = vec![
        vault.encrypt(request("kek"), broken(&[0; 100_000])).await,
        vault.decrypt(Decrypt::default(), broken(&message)).await,
    ];
    for output in answers.drain(..) {
        let items: Vec<_> = output.unwrap().collect().await;
        let (last, before) = items.split_last().unwrap();
        assert_eq!(last.as_ref().unwrap_err().code, Code::DeadlineExceeded);
        assert!(!before.is_empty() && before.iter().all(Result::is_ok));
    }
    let early = vault.decrypt(Decrypt::default(), broken(b"dapr")).await;
    assert_eq!(early.err().unwrap().code, Code::DeadlineExceeded);
}

#[test]
fn providers_that_are_not_there_are_refused_as_by_daprd() {
    let table = [
        ("v", true, Code::Internal, ""),
        ("v", false, Code::InvalidArgument, ""),
        ("", false, Code::InvalidArgument, ""),
    ];
    for (name, none, code, reason) in table {
        let error = refusals::provider(name, none);
        assert_eq!((error.code, &*error.reason), (code, reason));
    }
    assert_eq!(refusals::provider("v", false).message, "crypto provider v not found");
}
