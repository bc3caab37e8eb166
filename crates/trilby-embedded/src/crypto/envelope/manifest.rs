//! The manifest: the second line of a message.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::{aead, hmac};
use serde::Deserialize;

use super::segments::{Direction, SEGMENT_BYTES, Segments};
use super::{Fault, FileKey, NoncePrefix, SCHEME};
use crate::crypto::key::KeyWrap;
use crate::json;

/// How the data of a message is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::crypto) enum Cipher {
    /// AES-256-GCM.
    AesGcm,
    /// ChaCha20-Poly1305, RFC 8439.
    ChaCha20Poly1305,
}

impl Cipher {
    /// The cipher that a request names, in any case. The error is daprd's sentence about the name.
    pub(in crate::crypto) fn named(name: &str) -> Result<Self, String> {
        match name.to_uppercase().as_str() {
            "AES-GCM" => Ok(Self::AesGcm),
            "CHACHA20-POLY1305" => Ok(Self::ChaCha20Poly1305),
            name => Err(format!("cipher {name} is not supported")),
        }
    }

    fn numbered(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::AesGcm),
            2 => Some(Self::ChaCha20Poly1305),
            _ => None,
        }
    }

    fn number(self) -> u8 {
        match self {
            Self::AesGcm => 1,
            Self::ChaCha20Poly1305 => 2,
        }
    }

    pub(super) fn algorithm(self) -> &'static aead::Algorithm {
        match self {
            Self::AesGcm => &aead::AES_256_GCM,
            Self::ChaCha20Poly1305 => &aead::CHACHA20_POLY1305,
        }
    }
}

/// What a message says about itself.
#[derive(Debug)]
pub(in crate::crypto) struct Manifest {
    /// The name of the key to decrypt with; may be empty.
    pub(in crate::crypto) key_name: String,
    pub(in crate::crypto) algorithm: KeyWrap,
    /// The file key, encrypted.
    pub(in crate::crypto) wrapped: Vec<u8>,
    pub(in crate::crypto) cipher: Cipher,
    pub(in crate::crypto) nonce_prefix: NoncePrefix,
}

/// The manifest as JSON has it.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    k: String,
    kw: u8,
    wfk: String,
    cph: u8,
    np: String,
}

impl Manifest {
    /// Reads the line. Like daprd, the error does not say what is wrong.
    pub(super) fn parse(line: &[u8]) -> Result<Self, Fault> {
        Self::read(line).ok_or(Fault::Header("invalid manifest"))
    }

    fn read(line: &[u8]) -> Option<Self> {
        let line: Line = serde_json::from_slice(line).ok()?;
        let wrapped = BASE64.decode(line.wfk).ok().filter(|wrapped| !wrapped.is_empty())?;
        Some(Self {
            key_name: line.k,
            algorithm: KeyWrap::numbered(line.kw)?,
            wrapped,
            cipher: Cipher::numbered(line.cph)?,
            nonce_prefix: NoncePrefix(BASE64.decode(line.np).ok()?.try_into().ok()?),
        })
    }

    /// The header of a message with this manifest, and what encrypts its data.
    pub(in crate::crypto) fn seal(&self, file_key: &FileKey) -> Result<(Vec<u8>, Segments), Fault> {
        let key = file_key.payload_key(self.cipher, self.nonce_prefix)?;
        let segments = Segments::new(Direction::Encrypt, key, self.nonce_prefix);
        let mut header = format!("{SCHEME}\n{}\n", self.line());
        let mac = hmac::sign(&file_key.header_key()?, header.as_bytes());
        BASE64.encode_string(mac, &mut header);
        header.push('\n');
        // A reader takes a header that is longer than a segment for damaged.
        if header.len() > SEGMENT_BYTES {
            return Err(Fault::HeaderTooLong);
        }
        Ok((header.into_bytes(), segments))
    }

    /// The members in daprd's order, and text with the escapes of Go's encoder, so that the same
    /// manifest is the same line.
    fn line(&self) -> String {
        let mut line = "{".to_owned();
        if !self.key_name.is_empty() {
            line.push_str("\"k\":");
            json::write_string(&self.key_name, &mut line);
            line.push(',');
        }
        let (algorithm, cipher) = (self.algorithm.number(), self.cipher.number());
        let (wrapped, prefix) = (BASE64.encode(&self.wrapped), BASE64.encode(self.nonce_prefix.0));
        let rest = format!(
            "\"kw\":{algorithm},\"wfk\":\"{wrapped}\",\"cph\":{cipher},\"np\":\"{prefix}\"}}"
        );
        line.push_str(&rest);
        line
    }
}
