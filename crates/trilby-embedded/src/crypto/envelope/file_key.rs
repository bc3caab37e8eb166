//! The key of one message, and the keys that follow from it.

use std::fmt;

use ring::aead::{LessSafeKey, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::{hkdf, hmac};
use zeroize::Zeroizing;

use super::{Cipher, Fault};

/// The length of a file key.
pub(in crate::crypto) const FILE_KEY_BYTES: usize = 32;

/// The key of one message. It never encrypts data itself.
pub(in crate::crypto) struct FileKey(Zeroizing<[u8; FILE_KEY_BYTES]>);

/// What the nonces of one message have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::crypto) struct NoncePrefix(pub(super) [u8; 7]);

impl FileKey {
    pub(in crate::crypto) fn new(bytes: Zeroizing<[u8; FILE_KEY_BYTES]>) -> Self {
        Self(bytes)
    }

    pub(in crate::crypto) fn random() -> Result<Self, Fault> {
        let mut bytes = Zeroizing::new([0; FILE_KEY_BYTES]);
        fill(bytes.as_mut())?;
        Ok(Self(bytes))
    }

    pub(in crate::crypto) fn bytes(&self) -> &[u8] {
        self.0.as_ref()
    }

    /// The key of the header's MAC.
    pub(super) fn header_key(&self) -> Result<hmac::Key, Fault> {
        let key = self.extract(&[]);
        let key = key.expand(&[b"header"], hmac::HMAC_SHA256).map_err(|_| DERIVATION)?;
        Ok(key.into())
    }

    /// The key of the segments.
    pub(super) fn payload_key(
        &self,
        cipher: Cipher,
        NoncePrefix(salt): NoncePrefix,
    ) -> Result<LessSafeKey, Fault> {
        let key = self.extract(&salt);
        let key = key.expand(&[b"payload"], cipher.algorithm()).map_err(|_| DERIVATION)?;
        Ok(LessSafeKey::new(UnboundKey::from(key)))
    }

    fn extract(&self, salt: &[u8]) -> hkdf::Prk {
        hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(self.bytes())
    }
}

impl NoncePrefix {
    pub(in crate::crypto) fn random() -> Result<Self, Fault> {
        let mut bytes = [0; 7];
        fill(&mut bytes)?;
        Ok(Self(bytes))
    }
}

const DERIVATION: Fault = Fault::System("a key cannot be derived");

fn fill(bytes: &mut [u8]) -> Result<(), Fault> {
    let filled = SystemRandom::new().fill(bytes);
    filled.map_err(|_| Fault::System("the system gives no random numbers"))
}

/// Shows nothing of the key.
impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileKey(..)")
    }
}
