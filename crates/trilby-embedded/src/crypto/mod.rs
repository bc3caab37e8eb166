//! `crypto.dapr.localstorage`: streams encrypted under keys that are files in a folder.
//!
//! In the order of a call: the `store` reads the `key` that the caller names, the `key` wraps the
//! key of one message, and the `envelope` encrypts the message segment by segment while the
//! `stream` goes by. What daprd encrypts is decrypted here, and the other way round. Asymmetric
//! keys are refused: they need a sidecar.

mod envelope;
mod key;
pub(crate) mod refusals;
mod store;
mod stream;

use bytes::Bytes;
use futures_util::StreamExt;
use trilby_dapr::Error as DaprError;
use trilby_dapr::crypto::{Decrypt, Encrypt};
use trilby_dapr::stream::ByteStream;

use crate::Error;
use crate::component::Component;
use crate::text::shown;
use envelope::{Cipher, FileKey, Header, HeaderReader, Manifest, NoncePrefix};
use key::{KeyWrap, Problem};
use store::KeyStore;
use stream::Coded;

/// The component.
#[derive(Debug)]
pub(crate) struct LocalStorageCrypto {
    name: String,
    keys: KeyStore,
}

impl LocalStorageCrypto {
    /// Opens the folder of keys that the metadata `path` names. Keys are read at each call.
    pub(crate) fn open(component: &Component) -> Result<Self, Error> {
        let keys = KeyStore::open(component)?;
        Ok(Self { name: component.name.clone(), keys })
    }

    /// Encrypts a stream. What is wrong with the request or the key is said before `input` is
    /// read; an error of `input` ends the answer.
    pub(crate) async fn encrypt(
        &self,
        request: Encrypt,
        input: ByteStream,
    ) -> trilby_dapr::Result<ByteStream> {
        required(&request.key, "keyName")?;
        required(&request.algorithm, "keyWrapAlgorithm")?;
        let algorithm = KeyWrap::named(&request.algorithm)
            .map_err(|why| refusals::operation(format!("option Algorithm is not valid: {why}")))?;
        let cipher = request.cipher.as_deref().filter(|name| !name.is_empty());
        let cipher = cipher
            .map_or(Ok(Cipher::AesGcm), Cipher::named)
            .map_err(|why| refusals::operation(format!("option Cipher is not valid: {why}")))?;
        let file_key = FileKey::random().map_err(refusals::operation)?;
        let wrapped = match self.wrap(&request.key, algorithm, &file_key).await {
            Ok(wrapped) => wrapped,
            Err(Problem::Asymmetric) => return Err(self.asymmetric(&request.key)),
            Err(why) => {
                let message = format!("failed to wrap the file key: {why}");
                return Err(refusals::operation(message));
            }
        };
        let manifest = Manifest {
            key_name: shown_key_name(request),
            algorithm,
            wrapped,
            cipher,
            nonce_prefix: NoncePrefix::random().map_err(refusals::operation)?,
        };
        let (header, codec) = manifest.seal(&file_key).map_err(refusals::operation)?;
        Ok(Box::pin(Coded::new(header, codec, Bytes::new(), input)))
    }

    /// Decrypts a stream. Reads `input` up to the end of the header, at most 64 KiB, before it
    /// answers: the wait is the caller's to bound. Bytes come out only once they are known to be
    /// those that were encrypted; a message that ends too early, or was changed, ends in an error.
    pub(crate) async fn decrypt(
        &self,
        request: Decrypt,
        mut input: ByteStream,
    ) -> trilby_dapr::Result<ByteStream> {
        let (header, rest) = read_header(&mut input).await?;
        let manifest = &header.manifest;
        // Without a name in the request, whoever made the message chooses among the keys.
        let key_name = if request.key.is_empty() { manifest.key_name.clone() } else { request.key };
        if key_name.is_empty() {
            let message = "document's manifest does not contain a key name, and no key name was \
                           provided";
            return Err(refusals::operation(message));
        }
        let file_key = match self.unwrap(&key_name, manifest).await {
            Ok(file_key) => Some(file_key),
            Err(Problem::Asymmetric) => return Err(self.asymmetric(&key_name)),
            Err(why) => {
                // The caller learns no more than that it is not the right key, as from daprd.
                let (key, why) = (shown(&key_name), shown(&why.to_string()));
                tracing::debug!(component = self.name, key, why, "cannot unwrap");
                None
            }
        };
        let codec = header.open(file_key.as_ref()).map_err(refusals::operation)?;
        Ok(Box::pin(Coded::new(Vec::new(), codec, rest, input)))
    }

    async fn wrap(
        &self,
        key_name: &str,
        algorithm: KeyWrap,
        file_key: &FileKey,
    ) -> Result<Vec<u8>, Problem> {
        algorithm.check()?;
        self.keys.get(key_name).await?.wrap(algorithm, file_key)
    }

    async fn unwrap(&self, key_name: &str, manifest: &Manifest) -> Result<FileKey, Problem> {
        manifest.algorithm.check()?;
        self.keys.get(key_name).await?.unwrap(manifest.algorithm, &manifest.wrapped)
    }

    fn asymmetric(&self, key_name: &str) -> DaprError {
        refusals::asymmetric(&self.name, key_name)
    }
}

fn required(value: &str, name: &str) -> trilby_dapr::Result<()> {
    if value.is_empty() { Err(refusals::missing_option(name)) } else { Ok(()) }
}

/// The key name that the reader of the message sees.
fn shown_key_name(request: Encrypt) -> String {
    if request.omit_decryption_key {
        return String::new();
    }
    request.decryption_key.filter(|name| !name.is_empty()).unwrap_or(request.key)
}

/// The header, and what came after it in the same piece.
async fn read_header(input: &mut ByteStream) -> trilby_dapr::Result<(Header, Bytes)> {
    let mut reader = HeaderReader::default();
    while let Some(piece) = input.next().await {
        let mut piece = piece?;
        if let Some(header) = reader.push(&mut piece).map_err(refusals::operation)? {
            return Ok((header, piece));
        }
    }
    Err(refusals::operation(reader.finish()))
}

#[cfg(test)]
mod tests;
