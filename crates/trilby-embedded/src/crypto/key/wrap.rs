//! Wrapping: how the key of one message is encrypted with a key of the component.

use aes_kw::{KeyInit as _, KwAes256};
use zeroize::Zeroizing;

use super::{Key, Problem};
use crate::crypto::envelope::{FILE_KEY_BYTES, FileKey};

/// What AES key wrap adds: its integrity check, RFC 3394, section 2.2.3.
const CHECK_BYTES: usize = 8;

/// The key-wrap algorithms that the scheme knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::crypto) enum KeyWrap {
    /// AES key wrap, RFC 3394, with a key of 256 bits.
    Aes256Kw,
    /// AES-CBC without padding. The scheme has numbers for them; daprd refuses them, as it has no
    /// place for the initialization vector.
    AesCbc(AesCbc),
    /// RSA-OAEP with SHA-256, which only a sidecar has.
    RsaOaep256,
}

/// The AES-CBC algorithms, by the length of their keys in bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::crypto) enum AesCbc {
    Aes128,
    Aes192,
    Aes256,
}

impl KeyWrap {
    const ALL: [Self; 5] = [
        Self::Aes256Kw,
        Self::AesCbc(AesCbc::Aes128),
        Self::AesCbc(AesCbc::Aes192),
        Self::AesCbc(AesCbc::Aes256),
        Self::RsaOaep256,
    ];

    /// The algorithm that a request names, in any case; `AES` and `RSA` are short names. The error
    /// is daprd's sentence about the name.
    pub(in crate::crypto) fn named(name: &str) -> Result<Self, String> {
        let name = name.to_uppercase();
        match name.as_str() {
            "AES" => Ok(Self::Aes256Kw),
            "RSA" => Ok(Self::RsaOaep256),
            name => Self::ALL
                .into_iter()
                .find(|known| known.name() == name)
                .ok_or_else(|| format!("algorithm {name} is not supported")),
        }
    }

    /// The algorithm of a number in a manifest.
    pub(in crate::crypto) fn numbered(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.number() == number)
    }

    /// The number in a manifest.
    pub(in crate::crypto) fn number(self) -> u8 {
        match self {
            Self::Aes256Kw => 1,
            Self::AesCbc(AesCbc::Aes128) => 2,
            Self::AesCbc(AesCbc::Aes192) => 3,
            Self::AesCbc(AesCbc::Aes256) => 4,
            Self::RsaOaep256 => 5,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Aes256Kw => "A256KW",
            Self::AesCbc(AesCbc::Aes128) => "A128CBC-NOPAD",
            Self::AesCbc(AesCbc::Aes192) => "A192CBC-NOPAD",
            Self::AesCbc(AesCbc::Aes256) => "A256CBC-NOPAD",
            Self::RsaOaep256 => "RSA-OAEP-256",
        }
    }

    /// Refuses an algorithm that is for no symmetric key.
    pub(in crate::crypto) fn check(self) -> Result<(), Problem> {
        match self {
            Self::Aes256Kw | Self::AesCbc(_) => Ok(()),
            Self::RsaOaep256 => Err(Problem::Asymmetric),
        }
    }
}

impl Key {
    /// Encrypts the key of a message.
    pub(in crate::crypto) fn wrap(
        &self,
        algorithm: KeyWrap,
        file_key: &FileKey,
    ) -> Result<Vec<u8>, Problem> {
        let cipher = self.cipher("wrapKey", algorithm)?;
        let mut wrapped = [0; FILE_KEY_BYTES + CHECK_BYTES];
        cipher.wrap_key(file_key.bytes(), &mut wrapped).map_err(|_| Problem::Mismatch)?;
        Ok(wrapped.to_vec())
    }

    /// Decrypts the key of a message.
    pub(in crate::crypto) fn unwrap(
        &self,
        algorithm: KeyWrap,
        wrapped: &[u8],
    ) -> Result<FileKey, Problem> {
        let cipher = self.cipher("unwrapKey", algorithm)?;
        let wrapped: &[u8; FILE_KEY_BYTES + CHECK_BYTES] =
            wrapped.try_into().map_err(|_| Problem::Integrity)?;
        let mut bytes = Zeroizing::new([0; FILE_KEY_BYTES]);
        cipher.unwrap_key(wrapped, bytes.as_mut()).map_err(|_| Problem::Integrity)?;
        Ok(FileKey::new(bytes))
    }

    fn cipher(&self, operation: &'static str, algorithm: KeyWrap) -> Result<KwAes256, Problem> {
        self.uses.allow(operation, algorithm.name())?;
        if algorithm != KeyWrap::Aes256Kw {
            return Err(Problem::Unsupported);
        }
        KwAes256::new_from_slice(&self.bytes).map_err(|_| Problem::Mismatch)
    }
}
