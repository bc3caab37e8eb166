mod daprd;
mod errors;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::*;

/// The key of these tests, in the file `kek`.
const KEY: [u8; 32] = [7; 32];

fn open(folder: &Path) -> LocalStorageCrypto {
    let metadata = [("path", folder.to_str().unwrap())];
    let component = Component::for_test("vault", "crypto.dapr.localstorage", &metadata, 3);
    LocalStorageCrypto::open(&component).unwrap()
}

/// A folder with the key `kek`, and the component on it.
fn vault() -> (tempfile::TempDir, LocalStorageCrypto) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("kek"), KEY).unwrap();
    let vault = open(folder.path());
    (folder, vault)
}

fn request(key_name: &str) -> Encrypt {
    let (key, algorithm) = (key_name.to_owned(), "A256KW".to_owned());
    Encrypt { key, algorithm, ..Encrypt::default() }
}

fn with_key(key_name: &str) -> Decrypt {
    Decrypt { key: key_name.to_owned(), ..Decrypt::default() }
}

fn input(data: &[u8], piece_bytes: usize) -> ByteStream {
    let pieces: Vec<_> = data.chunks(piece_bytes).map(Bytes::copy_from_slice).map(Ok).collect();
    Box::pin(stream::iter(pieces))
}

async fn all(output: trilby_dapr::Result<ByteStream>) -> trilby_dapr::Result<Vec<u8>> {
    let pieces: Vec<Bytes> = output?.try_collect().await?;
    Ok(pieces.concat())
}

async fn encrypt(
    vault: &LocalStorageCrypto,
    request: Encrypt,
    data: &[u8],
) -> trilby_dapr::Result<Vec<u8>> {
    all(vault.encrypt(request, input(data, 8192)).await).await
}

async fn decrypt(
    vault: &LocalStorageCrypto,
    request: Decrypt,
    message: &[u8],
) -> trilby_dapr::Result<Vec<u8>> {
    all(vault.decrypt(request, input(message, 8192)).await).await
}

#[tokio::test]
async fn what_is_encrypted_can_be_decrypted() {
    let (_folder, vault) = vault();
    for cipher in [None, Some("aes-gcm"), Some("ChaCha20-Poly1305"), Some("")] {
        for data in [&b""[..], b"some text", &[5; 200_000]] {
            let cipher = cipher.map(str::to_owned);
            let message = Encrypt { cipher, ..request("kek") };
            let message = encrypt(&vault, message, data).await.unwrap();
            let found = decrypt(&vault, Decrypt::default(), &message).await.unwrap();
            assert_eq!(found, data);
            let other = encrypt(&vault, request("kek"), data).await.unwrap();
            assert_ne!(other, message, "no two messages are alike");
        }
    }
}

#[tokio::test]
async fn the_message_names_the_key_that_the_request_says() {
    let (folder, vault) = vault();
    std::fs::write(folder.path().join("other"), [8; 32]).unwrap();
    let named = Encrypt { decryption_key: Some("x".into()), ..request("kek") };
    let silent = Encrypt { omit_decryption_key: true, ..named.clone() };
    let signature = "failed to perform operation: failed to validate the document's signature";
    let nameless = "failed to perform operation: document's manifest does not contain a key name, \
                    and no key name was provided";
    for (made, text, failure) in [
        (request("kek"), Some(r#"{"k":"kek","kw":1,"wfk":"#), None),
        (named, Some(r#"{"k":"x","kw":1,"wfk":"#), Some(signature)),
        (silent, Some(r#"{"kw":1,"wfk":"#), Some(nameless)),
    ] {
        let message = encrypt(&vault, made, b"data").await.unwrap();
        let line = message.split(|byte| *byte == b'\n').nth(1).unwrap();
        assert!(line.starts_with(text.unwrap().as_bytes()), "{}", line.escape_ascii());
        let found = decrypt(&vault, Decrypt::default(), &message).await;
        assert_eq!(found.err().map(|error| error.message).as_deref(), failure);
        // The request's name goes before the message's.
        assert_eq!(decrypt(&vault, with_key("kek"), &message).await.unwrap(), b"data");
        let error = decrypt(&vault, with_key("other"), &message).await.unwrap_err();
        assert_eq!(error.message, signature);
    }
}

#[tokio::test]
async fn a_new_key_counts_from_the_next_call() {
    let (folder, vault) = vault();
    let message = encrypt(&vault, request("kek"), b"data").await.unwrap();
    std::fs::write(folder.path().join("kek"), [9; 32]).unwrap();
    decrypt(&vault, Decrypt::default(), &message).await.unwrap_err();
    std::fs::write(folder.path().join("kek"), KEY).unwrap();
    decrypt(&vault, Decrypt::default(), &message).await.unwrap();
}

/// How many pieces were taken from a stream that would go on for ever.
fn endless() -> (ByteStream, Arc<AtomicUsize>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&taken);
    let pieces = stream::repeat_with(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(Bytes::from_static(&[1; 4096]))
    });
    (Box::pin(pieces), taken)
}

#[tokio::test]
async fn no_more_is_read_than_goes_out() {
    let (_folder, vault) = vault();
    let (plain, taken) = endless();
    let encrypted = vault.encrypt(request("kek"), plain).await.unwrap();
    assert_eq!(taken.load(Ordering::Relaxed), 0);
    let mut decrypted = vault.decrypt(Decrypt::default(), encrypted).await.unwrap();
    for segment in 1..=20 {
        assert_eq!(decrypted.next().await.unwrap().unwrap(), vec![1; SEGMENT]);
        // Each side holds back one segment, and a piece that begins the next.
        assert!(taken.load(Ordering::Relaxed) <= (segment + 1) * SEGMENT / 4096 + 2);
    }
}

const SEGMENT: usize = envelope::SEGMENT_BYTES;

#[tokio::test]
async fn a_large_piece_goes_out_segment_by_segment() {
    let (_folder, vault) = vault();
    let large = input(&[3; 1 << 20], usize::MAX);
    let mut encrypted = vault.encrypt(request("kek"), large).await.unwrap();
    let mut message = Vec::new();
    while let Some(piece) = encrypted.next().await {
        let piece = piece.unwrap();
        assert!(piece.len() <= SEGMENT + 16, "{}", piece.len());
        message.extend_from_slice(&piece);
    }
    let whole = input(&message, usize::MAX);
    let decrypted = vault.decrypt(Decrypt::default(), whole).await.unwrap();
    let pieces: Vec<Bytes> = decrypted.try_collect().await.unwrap();
    assert_eq!(pieces.iter().map(Bytes::len).collect::<Vec<_>>(), [SEGMENT; 16]);
}
