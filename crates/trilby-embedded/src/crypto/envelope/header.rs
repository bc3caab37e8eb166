//! Reading the three lines before the segments.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use ring::hmac;

use super::segments::{Direction, SEGMENT_BYTES, Segments};
use super::{Fault, FileKey, Manifest, SCHEME};

const LINES: usize = 3;

/// Collects the header from pieces of any size, up to 64 KiB.
#[derive(Debug, Default)]
pub(in crate::crypto) struct HeaderReader {
    read: Vec<u8>,
    /// Where each line that is complete ends, at its line feed.
    ends: Vec<usize>,
}

/// A header that nobody has vouched for yet.
#[derive(Debug)]
pub(in crate::crypto) struct Header {
    pub(in crate::crypto) manifest: Manifest,
    /// The first two lines with their line feeds, which the MAC is of.
    signed: Vec<u8>,
    /// The MAC in base64.
    mac: Vec<u8>,
}

impl HeaderReader {
    /// Takes from `piece` what belongs to the header, and gives the header once it is complete.
    pub(in crate::crypto) fn push(&mut self, piece: &mut Bytes) -> Result<Option<Header>, Fault> {
        while self.ends.len() < LINES {
            let Some(end) = piece.iter().position(|byte| *byte == b'\n') else {
                self.take(piece, piece.len())?;
                return Ok(None);
            };
            self.take(piece, end.saturating_add(1))?;
            self.end_line(self.read.len().saturating_sub(1))?;
        }
        let (signed, mac) = self.read.split_at(self.start());
        let mac = mac.strip_suffix(b"\n").unwrap_or(mac);
        let manifest = Manifest::parse(self.line(1))?;
        Ok(Some(Header { manifest, signed: signed.to_owned(), mac: mac.to_owned() }))
    }

    /// What is missing where the message ends before its header does.
    pub(in crate::crypto) fn finish(&self) -> Fault {
        Fault::Header(match self.ends.len() {
            0 => "scheme name not found",
            1 => "manifest not found",
            _ => "message authentication code not found",
        })
    }

    fn take(&mut self, piece: &mut Bytes, count: usize) -> Result<(), Fault> {
        if self.read.len().saturating_add(count) > SEGMENT_BYTES {
            return Err(self.finish());
        }
        self.read.extend_from_slice(&piece.split_to(count));
        Ok(())
    }

    fn end_line(&mut self, end: usize) -> Result<(), Fault> {
        self.ends.push(end);
        let number = self.ends.len().saturating_sub(1);
        let line = self.line(number);
        if line.is_empty() {
            return Err(Fault::Header("invalid format"));
        }
        if number == 0 && line != SCHEME.as_bytes() {
            return Err(Fault::Header("unsupported scheme"));
        }
        Ok(())
    }

    /// A line without its line feed; empty where it is not complete.
    fn line(&self, number: usize) -> &[u8] {
        let before = number.checked_sub(1).and_then(|before| self.ends.get(before));
        let start = before.map_or(0, |end| end.saturating_add(1));
        let end = self.ends.get(number).copied().unwrap_or_default();
        self.read.get(start..end).unwrap_or_default()
    }

    /// Where the last line starts.
    fn start(&self) -> usize {
        self.ends.get(1).map_or(0, |end| end.saturating_add(1)).min(self.read.len())
    }
}

impl Header {
    /// Checks the header with the file key that came out of it, and gives what decrypts the data.
    ///
    /// Without a file key, because it could not be decrypted, this fails in the same way as with a
    /// wrong one. (daprd goes on with a key of zeros there, so that it takes for valid what anybody
    /// can make with that key.)
    pub(in crate::crypto) fn open(self, file_key: Option<&FileKey>) -> Result<Segments, Fault> {
        let mac = BASE64.decode(&self.mac).map_err(|_| Fault::SignatureForm)?;
        let file_key = file_key.ok_or(Fault::Signature)?;
        hmac::verify(&file_key.header_key()?, &self.signed, &mac).map_err(|_| Fault::Signature)?;
        let nonce_prefix = self.manifest.nonce_prefix;
        let key = file_key.payload_key(self.manifest.cipher, nonce_prefix)?;
        Ok(Segments::new(Direction::Decrypt, key, nonce_prefix))
    }
}
