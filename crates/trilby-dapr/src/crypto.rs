//! Encryption with keys that the guest never sees.

use async_trait::async_trait;

use crate::stream::ByteStream;
use crate::{CallContext, Result};

/// Encryption and decryption of streams, in Dapr's envelope (`dapr.io/enc/v1`).
#[async_trait]
pub trait Crypto: Send + Sync {
    /// Encrypts. The deadline of `cx` is for the beginning of the answer.
    async fn encrypt(
        &self,
        cx: &CallContext,
        request: Encrypt,
        plain: ByteStream,
    ) -> Result<ByteStream>;

    /// Decrypts. Each piece is authentic; only the end says that nothing is missing.
    async fn decrypt(
        &self,
        cx: &CallContext,
        request: Decrypt,
        envelope: ByteStream,
    ) -> Result<ByteStream>;
}

/// How to encrypt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encrypt {
    /// The component's name.
    pub component: String,
    /// The key's name.
    pub key: String,
    /// What wraps the data's own key, such as `A256KW`.
    pub algorithm: String,
    /// What encrypts the data: `aes-gcm` or `chacha20-poly1305`; Dapr takes the first.
    pub cipher: Option<String>,
    /// The key's name that the envelope is to carry instead.
    pub decryption_key: Option<String>,
    /// Whether the envelope is to carry no key's name.
    pub omit_decryption_key: bool,
}

/// How to decrypt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decrypt {
    /// The component's name.
    pub component: String,
    /// The key's name, whatever the envelope says.
    pub key: String,
}
