//! What Docker's configuration says about a registry.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use docker_credential::{CredentialRetrievalError, DockerCredential};

use crate::Error;

/// The largest configuration that is read.
const AUTH_FILE_BYTES_MAX: u64 = 1024 * 1024;
/// How long a credential helper may take: some ask the user to unlock a key ring.
const HELPER_TIMEOUT: Duration = Duration::from_secs(30);

/// The file with the credentials, in the format of Docker's `config.json`.
///
/// Of the file are used `auths` (`auth`, `username` with `password`, `identitytoken`),
/// `credHelpers` and `credsStore`, whose programs `docker-credential-NAME` are run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthFile {
    path: PathBuf,
    required: bool,
}

impl AuthFile {
    /// This file, which has to be there.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), required: true }
    }

    /// The file that the environment names: `REGISTRY_AUTH_FILE`, which has to be there, else
    /// `config.json` in `DOCKER_CONFIG`, else `~/.docker/config.json`, both of which may be
    /// missing. `None` without any of these variables and without `HOME`.
    #[must_use]
    pub fn from_env() -> Option<Self> {
        Self::locate(|name| std::env::var_os(name))
    }

    fn locate(variable: impl Fn(&str) -> Option<OsString>) -> Option<Self> {
        let folder = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(path) = folder("REGISTRY_AUTH_FILE") {
            return Some(Self::at(path));
        }
        let docker = folder("DOCKER_CONFIG").or_else(|| Some(folder("HOME")?.join(".docker")))?;
        Some(Self { path: docker.join("config.json"), required: false })
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// How a registry is told who asks.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// It is not told.
    Anonymous,
    /// With a name and a password.
    Basic { username: String, password: String },
    /// With a token that is traded for an access token first.
    IdentityToken(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "Anonymous",
            Self::Basic { .. } => "Basic(redacted)",
            Self::IdentityToken(_) => "IdentityToken(redacted)",
        })
    }
}

/// Looks the registry up, which may run a credential helper.
pub(crate) async fn load(file: Option<&AuthFile>, registry: &str) -> Result<Credentials, Error> {
    let Some(file) = file.cloned() else { return Ok(Credentials::Anonymous) };
    let hangs = Error::AuthHelper {
        registry: registry.to_owned(),
        file: file.path.clone(),
        problem: format!("does not answer within {HELPER_TIMEOUT:?}"),
    };
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let registry = registry.to_owned();
    // A thread of its own: the runtime would wait at its end for a helper that hangs.
    std::thread::spawn(move || sender.send(read(&file, &registry)));
    match tokio::time::timeout(HELPER_TIMEOUT, receiver).await {
        Ok(Ok(credentials)) => credentials,
        Ok(Err(_)) | Err(_) => Err(hangs),
    }
}

fn read(file: &AuthFile, registry: &str) -> Result<Credentials, Error> {
    let path = || file.path.clone();
    let text = match read_bounded(&file.path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !file.required => {
            return Ok(Credentials::Anonymous);
        }
        Err(source) => return Err(Error::AuthFileUnreadable { file: path(), source }),
    };
    // For the place of the mistake, which `docker_credential` does not tell.
    if let Err(error) = serde_json::from_slice::<serde_json::Value>(&text) {
        return Err(Error::AuthFileInvalid { file: path(), problem: error.to_string() });
    }
    for name in names(registry) {
        match docker_credential::get_credential_from_reader(text.as_slice(), name) {
            Ok(DockerCredential::IdentityToken(token)) => {
                return Ok(Credentials::IdentityToken(token));
            }
            Ok(DockerCredential::UsernamePassword(username, password)) => {
                return Ok(Credentials::Basic { username, password });
            }
            Err(error) => problem(&file.path, registry, error)?,
        }
    }
    Ok(Credentials::Anonymous)
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    std::fs::File::open(path)?.take(AUTH_FILE_BYTES_MAX + 1).read_to_end(&mut text)?;
    if text.len() as u64 > AUTH_FILE_BYTES_MAX {
        let problem = format!("it is larger than {AUTH_FILE_BYTES_MAX} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, problem));
    }
    Ok(text)
}

/// Under which names the registry may stand in the file: `docker login` without a host writes the
/// address of Docker Hub's former API.
fn names(registry: &str) -> Vec<&str> {
    match registry {
        "docker.io" => vec!["https://index.docker.io/v1/", "index.docker.io"],
        registry => vec![registry],
    }
}

/// Tells an absent entry from a broken one. What a helper prints is not repeated: it handles
/// secrets.
fn problem(file: &Path, registry: &str, error: CredentialRetrievalError) -> Result<(), Error> {
    let (registry, file) = (registry.to_owned(), file.to_owned());
    let helper = |problem: String| Error::AuthHelper {
        registry: registry.clone(),
        file: file.clone(),
        problem,
    };
    let entry =
        |problem| Error::AuthEntry { registry: registry.clone(), file: file.clone(), problem };
    Err(match error {
        CredentialRetrievalError::NoCredentialConfigured => return Ok(()),
        // The helpers' protocol has no status for this, only these words.
        CredentialRetrievalError::HelperFailure { stdout, .. }
            if stdout.contains("credentials not found") =>
        {
            return Ok(());
        }
        CredentialRetrievalError::HelperFailure { helper: name, .. } => {
            helper(format!("fails, `{name}`"))
        }
        CredentialRetrievalError::HelperCommunicationError => helper("cannot be run".to_owned()),
        CredentialRetrievalError::MalformedHelperResponse => {
            helper("does not answer in JSON".to_owned())
        }
        CredentialRetrievalError::CredentialDecodingError => {
            entry("`auth` is not the base64 of `NAME:PASSWORD`")
        }
        CredentialRetrievalError::CredentialMismatchError => {
            entry("`auth` says something else than `username` and `password`")
        }
        CredentialRetrievalError::ConfigNotFound | CredentialRetrievalError::ConfigReadError => {
            let problem = "`auths`, `credHelpers` or `credsStore` has another form".to_owned();
            Error::AuthFileInvalid { file, problem }
        }
    })
}

#[cfg(test)]
mod tests;
