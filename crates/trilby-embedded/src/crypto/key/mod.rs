//! A key from a file, and what it does: wrap the keys of messages.

mod jwk;
mod wrap;

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use jwk::Uses;
pub(super) use wrap::KeyWrap;

/// Bytes of secrets, overwritten when they are done with.
type SecretBytes = Zeroizing<Vec<u8>>;

/// Go's lenient base64: no padding, and bits beyond the last byte do not count.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::RequireNone);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, LENIENT);

/// Why a key cannot be used, in daprd's words; never with a part of the key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Problem {
    /// The key's file is not there, or not to be read.
    #[error("failed to retrieve the key encryption key: {0}")]
    Read(String),
    /// The key's file holds no key.
    #[error("failed to retrieve the key encryption key: failed to parse key from secret: {0}")]
    Parse(String),
    /// The key is an RSA or EC key, or the algorithm is for such keys.
    #[error("the key or its algorithm is asymmetric, which needs a sidecar")]
    Asymmetric,
    /// The JWK says that the key is for other things.
    #[error("key cannot perform the '{0}' operation")]
    Operation(&'static str),
    /// The JWK names another algorithm.
    #[error("key cannot be used with algorithm '{0}'")]
    Algorithm(&'static str),
    /// daprd knows the name of the algorithm, and has it not for any key.
    #[error("failed to encrypt data: unsupported algorithm")]
    Unsupported,
    /// The key's length is not that of the algorithm.
    #[error("failed to encrypt data: key type mismatch")]
    Mismatch,
    /// The wrapped key is damaged, or wrapped with another key.
    #[error("failed to decrypt data: integrity check failed")]
    Integrity,
}

/// How a key is written in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A JWK, RFC 7517.
    Jwk,
    /// PEM, which holds asymmetric keys only.
    Pem,
    /// To be seen from the content.
    Unknown,
}

impl Form {
    /// The form that the extension of a file's name tells.
    pub(super) fn of_file(path: &Path) -> Self {
        let extension = path.extension().unwrap_or_default();
        if extension.eq_ignore_ascii_case("json") {
            Self::Jwk
        } else if extension.eq_ignore_ascii_case("pem") {
            Self::Pem
        } else {
            Self::Unknown
        }
    }

    /// daprd's guess: what begins with `{` is a JWK unless it has the length of an AES key.
    fn resolve(self, content: &[u8]) -> Option<Self> {
        match self {
            Self::Jwk | Self::Pem => Some(self),
            Self::Unknown
                if content.starts_with(b"{") && !matches!(content.len(), 16 | 24 | 32) =>
            {
                Some(Self::Jwk)
            }
            Self::Unknown if content.starts_with(b"-----") && content.len() > 10 => Some(Self::Pem),
            Self::Unknown => None,
        }
    }
}

/// A symmetric key.
pub(super) struct Key {
    bytes: SecretBytes,
    uses: Uses,
}

impl Key {
    /// Reads the content of a key's file as daprd does.
    pub(super) fn parse(content: &[u8], form: Form) -> Result<Self, Problem> {
        if content.is_empty() {
            return Err(Problem::Parse("key is empty".to_owned()));
        }
        match form.resolve(content) {
            Some(Form::Jwk) => jwk::parse(content),
            Some(_) if content.windows(11).any(|part| part == b"-----BEGIN ") => {
                Err(Problem::Asymmetric)
            }
            Some(_) => Err(Problem::Parse(
                "failed to parse PEM encoded key: failed to decode PEM data".to_owned(),
            )),
            None => Ok(Self { bytes: symmetric(content), uses: Uses::default() }),
        }
    }
}

/// Either base64 where it is valid, or else the bytes themselves. Like daprd, this takes an AES
/// key whose bytes happen to be base64 for base64, and a file that ends in `=\r\n` for bytes.
fn symmetric(content: &[u8]) -> SecretBytes {
    let end = content.iter().rposition(|byte| !matches!(byte, b'\n' | b'='));
    let trimmed = end.and_then(|end| content.get(..=end)).unwrap_or_default();
    let mut text = Zeroizing::new(Vec::with_capacity(trimmed.len()));
    text.extend(trimmed.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')));
    let decoded = STANDARD.decode(&*text).or_else(|_| URL_SAFE.decode(&*text));
    Zeroizing::new(decoded.unwrap_or_else(|_| content.to_owned()))
}

/// Shows nothing of the key.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("uses", &self.uses).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
