//! Encrypt and decrypt with keys that stay outside the guest.
//!
//! ```no_run
//! use trilby_guest::crypto::{self, Encrypt};
//!
//! # fn main() -> trilby_guest::Result<()> {
//! let envelope = Encrypt::new("vault", "customers", "RSA-OAEP-256").send("secret")?;
//! let plain = crypto::decrypt("vault", "customers", &envelope)?;
//! assert_eq!(plain, b"secret");
//! # Ok(())
//! # }
//! ```
//!
//! Data of any length goes through a [`Stream`]. Every byte that it gives is authentic, but only
//! its end says that nothing is missing:
//!
//! ```no_run
//! use trilby_guest::crypto;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut stream = crypto::decrypt_open("vault", "customers")?;
//! std::io::copy(&mut std::io::stdin(), &mut stream)?;
//! stream.end()?;
//! std::io::copy(&mut stream, &mut std::io::stdout())?;
//! # Ok(())
//! # }
//! ```

use crate::call::{Answer, Options};
pub use crate::stream::Stream;
use crate::{Result, raw};

/// How the data itself is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cipher {
    /// AES in Galois/Counter Mode: what Dapr takes if none is named.
    AesGcm,
    /// ChaCha20 with Poly1305.
    ChaCha20Poly1305,
}

/// An encryption with options. Name each option once.
#[derive(Clone, Debug)]
#[must_use = "nothing is encrypted before `send` or `open`"]
pub struct Encrypt<'a> {
    component: &'a str,
    key: &'a str,
    options: Options,
}

impl<'a> Encrypt<'a> {
    /// Encrypts for this key of the component. `algorithm` wraps the data's own key, and has to fit
    /// it: `A256KW`, `RSA-OAEP-256` ….
    pub fn new(component: &'a str, key: &'a str, algorithm: &str) -> Self {
        Self { component, key, options: Options::default() }.option("algorithm", algorithm)
    }

    /// How the data itself is encrypted.
    pub fn cipher(self, cipher: Cipher) -> Self {
        let name = match cipher {
            Cipher::AesGcm => "aes-gcm",
            Cipher::ChaCha20Poly1305 => "chacha20-poly1305",
        };
        self.option("cipher", name)
    }

    /// The key that the envelope names for whoever is to decrypt it, if it is not this one.
    pub fn decryption_key(self, key: &str) -> Self {
        self.option("decryption-key", key)
    }

    /// Leaves the key's name out of the envelope.
    pub fn omit_decryption_key(self) -> Self {
        self.option("omit-decryption-key", "true")
    }

    fn option(mut self, name: &str, value: &str) -> Self {
        self.options.push(name, value);
        self
    }

    /// Encrypts data to an envelope.
    pub fn send(self, data: impl AsRef<[u8]>) -> Result<Vec<u8>> {
        let options = self.options.block()?;
        Answer::open(raw::crypto_encrypt(self.component, self.key, options, data))?.rest()
    }

    /// Begins to encrypt what is then written to the stream.
    pub fn open(self) -> Result<Stream> {
        let options = self.options.block()?;
        Stream::open(raw::crypto_encrypt_open(self.component, self.key, options))
    }
}

/// Decrypts an envelope with this key of the component, whichever the envelope names.
pub fn decrypt(component: &str, key: &str, envelope: impl AsRef<[u8]>) -> Result<Vec<u8>> {
    Answer::open(raw::crypto_decrypt(component, key, "", envelope))?.rest()
}

/// Begins to decrypt the envelope that is then written to the stream.
pub fn decrypt_open(component: &str, key: &str) -> Result<Stream> {
    Stream::open(raw::crypto_decrypt_open(component, key, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_written_as_the_abi_names_them() {
        let call = Encrypt::new("c", "k", "A256KW")
            .cipher(Cipher::ChaCha20Poly1305)
            .decryption_key("d")
            .omit_decryption_key();
        let expected = "algorithm: A256KW\ncipher: chacha20-poly1305\ndecryption-key: d\n\
                        omit-decryption-key: true\n";
        assert_eq!(call.options.block().unwrap(), expected);
    }
}
