//! TLS: a certificate and its key from files, read again when they change.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How often the files are looked at.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// What a listener needs to speak TLS. New connections get the files' newest good content.
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    config: ArcSwap<ServerConfig>,
    /// The state of the files when they were last looked at.
    seen: Mutex<Option<Seen>>,
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read, or is not PEM with what it should have.
    #[error("cannot read {what} from {}: {reason}", path.display())]
    Read {
        /// `a certificate` or `a private key`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Certificate and key do not belong together.
    #[error(
        "the key of {} is not that of the certificate of {}; both files must be of one certificate",
        key.display(),
        certificate.display()
    )]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// Certificate or key are of a kind that TLS does not use.
    #[error("the certificate of {} cannot be used: {reason}", path.display())]
    Unusable {
        /// The certificate's file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// What shows that a file has changed.
type Seen = [(SystemTime, u64, u64); 2];

impl Tls {
    /// Reads a certificate chain and its key, both in PEM.
    ///
    /// # Errors
    ///
    /// When the files cannot be read or do not fit together.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let seen = seen(certificate, key);
        let config = config(certificate, key)?;
        Ok(Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            config: ArcSwap::from_pointee(config),
            seen: Mutex::new(seen),
        })
    }

    /// Looks for new files once a second, for ever. Files that are no good are told in the log, and
    /// the old ones serve on.
    pub async fn watch(self: Arc<Self>) {
        let mut ticks = interval(WATCH_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let this = Arc::clone(&self);
            // The disk may hang, and must hold up nobody.
            match tokio::task::spawn_blocking(move || this.reload()).await {
                Ok(Ok(true)) => {
                    tracing::info!(file = %self.certificate.display(), "new TLS certificate");
                }
                Ok(Ok(false)) | Err(_) => {}
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the TLS certificate stays the old one");
                }
            }
        }
    }

    /// Reads the files again if they have changed, and says whether they have.
    fn reload(&self) -> Result<bool, TlsError> {
        let now = seen(&self.certificate, &self.key);
        let before = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *seen, now)
        };
        // A file that is being replaced may be gone for a moment.
        if now.is_none() || now == before {
            return Ok(false);
        }
        self.config.store(Arc::new(config(&self.certificate, &self.key)?));
        Ok(true)
    }

    /// Shakes hands. Bounded by the caller.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        TlsAcceptor::from(self.config.load_full()).accept(stream).await
    }
}

fn seen(certificate: &Path, key: &Path) -> Option<Seen> {
    Some([state_of(certificate)?, state_of(key)?])
}

fn state_of(path: &Path) -> Option<(SystemTime, u64, u64)> {
    let data = path.metadata().ok()?;
    Some((data.modified().ok()?, data.len(), inode(&data)))
}

#[cfg(unix)]
fn inode(data: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(data)
}

#[cfg(not(unix))]
fn inode(_data: &Metadata) -> u64 {
    0
}

fn config(certificate: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let chain = read_chain(certificate)?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| TlsError::Read {
        what: "a private key",
        path: key.to_owned(),
        reason: reason(error, "PRIVATE KEY"),
    })?;
    let unusable = |error: rustls::Error| match error {
        rustls::Error::InconsistentKeys(_) => {
            TlsError::Mismatch { certificate: certificate.to_owned(), key: key.to_owned() }
        }
        error => TlsError::Unusable { path: certificate.to_owned(), reason: error.to_string() },
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    const LABEL: &str = "CERTIFICATE";
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let chain = match chain {
        Ok(chain) if chain.is_empty() => Err(pem::Error::NoItemsFound),
        chain => chain,
    };
    chain.map_err(|error| TlsError::Read {
        what: "a certificate",
        path: path.to_owned(),
        reason: reason(error, LABEL),
    })
}

/// What is wrong with a file of PEM. Nothing of its content is repeated but a label: it may be a key.
fn reason(error: pem::Error, label: &str) -> String {
    match error {
        pem::Error::NoItemsFound => {
            format!("there is none in it; the file is PEM, with `BEGIN {label}`")
        }
        pem::Error::MissingSectionEnd { .. } => "a section has no line with its `END`".to_owned(),
        pem::Error::IllegalSectionStart { .. } => {
            "a line with `BEGIN` has more on it than that".to_owned()
        }
        pem::Error::Io(error) => error.to_string(),
        _ => "it is not PEM".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, host: &str) -> (PathBuf, PathBuf) {
        let made = rcgen::generate_simple_self_signed([host.to_owned()]).expect("can be made");
        let (certificate, key) = (folder.join("tls.crt"), folder.join("tls.key"));
        std::fs::write(&certificate, made.cert.pem()).expect("can write");
        std::fs::write(&key, made.signing_key.serialize_pem()).expect("can write");
        (certificate, key)
    }

    #[test]
    fn changed_files_are_read_again_and_bad_ones_are_not_used() {
        let folder = tempfile::tempdir().expect("can make a folder");
        let (certificate, key) = write(folder.path(), "a.test");
        let tls = Tls::load(&certificate, &key).expect("good");
        assert!(!tls.reload().expect("good"));
        let first = tls.config.load_full();
        std::fs::write(&key, "no key").expect("can write");
        let error = tls.reload().expect_err("no key").to_string();
        assert!(error.starts_with("cannot read a private key from "), "{error}");
        assert!(Arc::ptr_eq(&first, &tls.config.load_full()));
        write(folder.path(), "longer.name.test");
        assert!(tls.reload().expect("good"));
        assert!(!Arc::ptr_eq(&first, &tls.config.load_full()));
    }

    #[test]
    fn what_cannot_be_used_is_told_why() {
        let folder = tempfile::tempdir().expect("can make a folder");
        let (certificate, key) = write(folder.path(), "a.test");
        let other = tempfile::tempdir().expect("can make a folder");
        let (_, strange) = write(other.path(), "b.test");
        let told = |certificate: &Path, key: &Path| {
            Tls::load(certificate, key).map(|_| ()).expect_err("no good").to_string()
        };
        assert!(told(&folder.path().join("none"), &key).contains("a certificate from "));
        assert!(told(&key, &key).contains("there is none in it"));
        assert!(told(&certificate, &certificate).contains("a private key from "));
        assert!(told(&certificate, &strange).contains("both files must be of one certificate"));
    }
}
