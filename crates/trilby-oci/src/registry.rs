//! One reference's talk with its registry.

use std::sync::Arc;

use futures_util::StreamExt;
use http::HeaderValue;
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::{DigestError, OciDistributionError};
use oci_client::manifest::{
    IMAGE_MANIFEST_LIST_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE,
    OCI_IMAGE_MEDIA_TYPE, OciDescriptor,
};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, RegistryOperation};
use rustls::crypto::CryptoProvider;
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;

use crate::classify::Question;
use crate::credentials::{self, Credentials};
use crate::digest::Hasher;
use crate::manifest::{Layer, MANIFEST_BYTES_MAX};
use crate::{Digest, Error, Options, Reference, identity, store};

const USER_AGENT: &str = concat!("trilby/", env!("CARGO_PKG_VERSION"));
const MANIFEST_TYPES: [&str; 4] = [
    OCI_IMAGE_MEDIA_TYPE,
    IMAGE_MANIFEST_MEDIA_TYPE,
    OCI_IMAGE_INDEX_MEDIA_TYPE,
    IMAGE_MANIFEST_LIST_MEDIA_TYPE,
];

/// A client that has shown its credentials.
pub(crate) struct Session<'a> {
    question: Question<'a>,
    client: Client,
    auth: RegistryAuth,
    target: oci_client::Reference,
}

impl<'a> Session<'a> {
    /// Looks the credentials up and shows them to the registry.
    pub(crate) async fn open(
        reference: &'a Reference,
        options: &'a Options,
    ) -> Result<Self, Error> {
        let file = options.auth_file.as_ref();
        let credentials = credentials::load(file, reference.registry()).await?;
        let shown = (credentials != Credentials::Anonymous).then_some(file).flatten();
        let question = Question { reference, credentials: shown.map(|file| file.path()) };
        let target = target(reference);
        let plain = options.is_plain(reference);
        let auth = match credentials {
            Credentials::Anonymous => RegistryAuth::Anonymous,
            Credentials::Basic { username, password } => RegistryAuth::Basic(username, password),
            Credentials::IdentityToken(token) => {
                let host = target.resolve_registry();
                let url = format!("{}://{host}/v2/", if plain { "http" } else { "https" });
                let timeout = options.connect_timeout;
                RegistryAuth::Bearer(identity::exchange(question, &url, &token, timeout).await?)
            }
        };
        let client = client(plain.then(|| target.resolve_registry().to_owned()), options).await?;
        let session = Self { question, client, auth, target };
        session.authenticate().await?;
        Ok(session)
    }

    /// Asks for a token now, because a failure would pass for anonymity later.
    async fn authenticate(&self) -> Result<(), Error> {
        let pull = RegistryOperation::Pull;
        let token = self.client.auth(&self.target, &self.auth, pull).await;
        match token.map_err(|error| self.question.error(error))? {
            // `oci-client` would panic on it.
            Some(token) if HeaderValue::from_str(&token).is_err() => {
                Err(self.question.answer("its token does not fit into a header".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// The manifest of the reference, or that of a digest in the same repository. Its digest is
    /// checked if one is known before.
    pub(crate) async fn manifest(&self, digest: Option<&Digest>) -> Result<Vec<u8>, Error> {
        let target = match digest {
            Some(digest) => &self.target.clone_with_digest(digest.to_string()),
            None => &self.target,
        };
        let pulled = self.client.pull_manifest_raw(target, &self.auth, &MANIFEST_TYPES).await;
        let (bytes, _) = pulled.map_err(|error| match error {
            OciDistributionError::DigestError(DigestError::VerificationError {
                expected,
                actual,
            }) => self.mismatch("manifest", &expected, actual),
            error => self.question.error(error),
        })?;
        if bytes.len() as u64 > MANIFEST_BYTES_MAX {
            let problem = format!("its manifest is larger than {MANIFEST_BYTES_MAX} bytes");
            return Err(self.question.answer(problem));
        }
        let found = Digest::of(&bytes);
        match digest.or_else(|| self.question.reference.digest()) {
            Some(expected) if *expected != found => {
                Err(self.mismatch("manifest", &expected.to_string(), found.to_string()))
            }
            _ => Ok(bytes.into()),
        }
    }

    /// Writes the layer into the file, and checks its size and its digest.
    pub(crate) async fn layer(
        &self,
        layer: &Layer,
        bytes_max: u64,
        part: &NamedTempFile,
    ) -> Result<(), Error> {
        let failed = |source| store::failed(part.path(), source);
        let mut file = tokio::fs::File::from_std(part.reopen().map_err(failed)?);
        // Without the descriptor's `urls`: content comes from the registry and nowhere else.
        let descriptor = OciDescriptor {
            digest: layer.digest.to_string(),
            media_type: layer.media_type.clone(),
            ..OciDescriptor::default()
        };
        let answer = self.client.pull_blob_stream(&self.target, &descriptor).await;
        let mut stream = answer.map_err(|error| self.question.error(error))?.stream;
        let (mut hasher, mut size_bytes) = (Hasher::default(), 0);
        while let Some(chunk) = stream.next().await {
            let chunk = match chunk {
                Ok(chunk) => chunk,
                // The client's own check comes after the last byte; the one below says more.
                Err(error) if is_digest_error(&error) => break,
                Err(error) => return Err(self.question.unreached(error)),
            };
            size_bytes += chunk.len() as u64;
            if size_bytes > bytes_max {
                let reference = self.question.reference.to_string();
                return Err(Error::TooLarge { reference, bytes_max });
            }
            hasher.update(&chunk);
            file.write_all(&chunk).await.map_err(failed)?;
        }
        file.flush().await.map_err(failed)?;
        let found = hasher.finish();
        if found != layer.digest {
            return Err(self.mismatch("layer", &layer.digest.to_string(), found.to_string()));
        }
        Ok(())
    }

    fn mismatch(&self, what: &'static str, expected: &str, found: String) -> Error {
        match Digest::parse(expected) {
            Some(expected) => {
                let reference = self.question.reference.to_string();
                Error::Mismatch { reference, what, expected, found }
            }
            None => self.question.answer(format!(
                "it announces a {what} with the digest `{}`",
                crate::manifest::one_line(expected)
            )),
        }
    }
}

fn is_digest_error(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(|cause| cause.is::<DigestError>())
}

fn target(reference: &Reference) -> oci_client::Reference {
    let registry = reference.registry().to_owned();
    let repository = reference.repository().to_owned();
    match (reference.digest(), reference.tag()) {
        (Some(digest), _) => {
            oci_client::Reference::with_digest(registry, repository, digest.to_string())
        }
        (None, tag) => {
            let tag = tag.unwrap_or("latest").to_owned();
            oci_client::Reference::with_tag(registry, repository, tag)
        }
    }
}

/// The client for one registry, which speaks plain HTTP to `plain` only.
async fn client(plain: Option<String>, options: &Options) -> Result<Client, Error> {
    install_crypto();
    let config = ClientConfig {
        protocol: ClientProtocol::HttpsExcept(plain.into_iter().collect()),
        connect_timeout: Some(options.connect_timeout),
        read_timeout: Some(options.pull_timeout),
        user_agent: USER_AGENT,
        ..ClientConfig::default()
    };
    // It reads the system's certificates.
    let built = tokio::task::spawn_blocking(|| Client::try_from(config)).await;
    match built {
        Ok(Ok(client)) => Ok(client),
        Ok(Err(source)) => Err(Error::Client { source: source.into() }),
        Err(source) => Err(Error::Client { source: source.into() }),
    }
}

/// `oci-client` takes its cryptography from the process. If the program has chosen some, it stays.
fn install_crypto() {
    if CryptoProvider::get_default().is_none() {
        // It fails if another thread was faster, which comes to the same.
        let _: Result<(), Arc<CryptoProvider>> =
            rustls::crypto::ring::default_provider().install_default();
    }
}
