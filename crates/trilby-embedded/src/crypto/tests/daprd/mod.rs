//! Messages that daprd made.
//!
//! The files come from daprd 1.18.3 with a component `crypto.dapr.localstorage` whose folder held
//! the key [`KEK`], in base64, in the file `kek`, by
//! `PUT /v1.0-alpha1/crypto/<component>/encrypt` with the headers `dapr-key-name: kek` and
//! `dapr-key-wrap-algorithm: A256KW` (`AES` for `short.enc`), and
//!
//! - `empty.enc`: no body;
//! - `short.enc`: the first 12 bytes of [`plain`], `dapr-data-encryption-cipher:
//!   chacha20-poly1305` and `dapr-omit-decryption-key-name: true`;
//! - `long.enc`: 65537 bytes of [`plain`] and `dapr-decryption-key-name: r&d <key>`.

use super::*;

/// Byte `i` is `7 i + 3`.
const KEK: &str = "AwoRGB8mLTQ7QklQV15lbHN6gYiPlp2kq7K5wMfO1dw=";

const EMPTY: &[u8] = include_bytes!("empty.enc");
const SHORT: &[u8] = include_bytes!("short.enc");
const LONG: &[u8] = include_bytes!("long.enc");

/// The first bytes of the data that the messages hold.
fn plain(length: usize) -> Vec<u8> {
    (0..length).map(|i| u8::try_from((i * 31 + i / 256) % 251).unwrap()).collect()
}

fn daprds_vault() -> (tempfile::TempDir, LocalStorageCrypto) {
    let (folder, vault) = vault();
    std::fs::write(folder.path().join("kek"), KEK).unwrap();
    (folder, vault)
}

#[tokio::test]
async fn daprds_messages_are_decrypted() {
    let (_folder, vault) = daprds_vault();
    for (message, length, asked) in [
        (EMPTY, 0, Decrypt::default()),
        (SHORT, 12, with_key("kek")),
        (LONG, 65_537, with_key("kek")),
    ] {
        assert_eq!(decrypt(&vault, asked, message).await.unwrap(), plain(length));
    }
}

/// With the same random numbers as daprd, the message is daprd's to the byte.
#[tokio::test]
async fn encryption_makes_daprds_bytes() {
    let (_folder, vault) = daprds_vault();
    for (message, length) in [(EMPTY, 0), (SHORT, 12), (LONG, 65_537)] {
        let (header, _) = read_header(&mut input(message, 100)).await.unwrap();
        let file_key = vault.unwrap("kek", &header.manifest).await.unwrap();
        let wrapped = vault.wrap("kek", KeyWrap::Aes256Kw, &file_key).await.unwrap();
        assert_eq!(wrapped, header.manifest.wrapped);
        let (mut made, mut codec) = header.manifest.seal(&file_key).unwrap();
        codec.push(&plain(length), &mut made).unwrap();
        codec.finish(&mut made).unwrap();
        assert!(made == message, "{}", made[..200].escape_ascii());
    }
}

#[tokio::test]
async fn the_name_of_the_key_is_read() {
    let names = [(EMPTY, "kek"), (SHORT, ""), (LONG, "r&d <key>")];
    for (message, name) in names {
        let (header, _) = read_header(&mut input(message, 7)).await.unwrap();
        assert_eq!(header.manifest.key_name, name);
    }
}
