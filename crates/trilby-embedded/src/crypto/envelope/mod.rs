//! Dapr's encryption scheme `dapr.io/enc/v1`, as code without input and output.
//!
//! A message is three lines and then segments. The lines are the name of the scheme, the manifest
//! as compact JSON, and a MAC of the first two lines in base64. Each segment is 64 KiB of data, the
//! last may be shorter, encrypted with a key of the message, followed by a tag of 16 bytes:
//!
//! | Manifest | Meaning |
//! |---|---|
//! | `k` | the name of the key to decrypt with; may be absent |
//! | `kw` | the number of the key-wrap algorithm |
//! | `wfk` | the file key, 32 random bytes, encrypted with the key that `k` names |
//! | `cph` | the cipher: 1 is AES-256-GCM, 2 is ChaCha20-Poly1305 |
//! | `np` | the first 7 bytes of each segment's nonce, random |
//!
//! The MAC is HMAC-SHA-256 under a key that HKDF-SHA-256 derives from the file key with the info
//! `header`; the segments' key is derived with the salt `np` and the info `payload`. A nonce is
//! `np`, the number of the segment in 4 bytes, big-endian, and 1 in the last segment or 0: segments
//! cannot be left out, put in another order or added.
//!
//! One gap is in the scheme itself: an empty message has no segment. Whoever can cut a message off
//! right after its header therefore turns it into an empty one that is valid.

mod file_key;
mod header;
mod manifest;
mod segments;

pub(super) use file_key::{FILE_KEY_BYTES, FileKey, NoncePrefix};
pub(super) use header::{Header, HeaderReader};
pub(super) use manifest::{Cipher, Manifest};
pub(super) use segments::{SEGMENT_BYTES, Segments};

/// The first line of each message.
const SCHEME: &str = "dapr.io/enc/v1";

/// Why a message cannot be encrypted or decrypted, in daprd's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// The three lines are not as they should be.
    #[error("invalid header: {0}")]
    Header(&'static str),
    /// The name of the key is so long that the header would not fit.
    #[error("failed to sign header: header is too long")]
    HeaderTooLong,
    /// The MAC is no base64.
    #[error("failed to decode header's signature: it is not base64")]
    SignatureForm,
    /// The header is not the one that was made with the key.
    #[error("failed to validate the document's signature")]
    Signature,
    /// A segment was changed, moved, cut or encrypted with another key.
    #[error("error processing segment {0}: failed to decrypt segment")]
    Segment(u32),
    /// More than 2^32 segments.
    #[error("input stream is too large")]
    TooLarge,
    /// The system has no random numbers, or a key cannot be derived.
    #[error("failed to generate file key: {0}")]
    System(&'static str),
}

#[cfg(test)]
mod tests;
