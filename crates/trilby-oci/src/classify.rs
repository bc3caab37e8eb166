//! What a failure of the registry client means for the one who asked.

use std::path::Path;

use oci_client::errors::{OciDistributionError, OciEnvelope, OciErrorCode};

use crate::manifest::one_line;
use crate::{Error, Reference};

/// Who asked for what.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) reference: &'a Reference,
    /// The file whose credentials were shown, if any were.
    pub(crate) credentials: Option<&'a Path>,
}

impl Question<'_> {
    /// The error of this crate for an error of the client.
    pub(crate) fn error(&self, error: OciDistributionError) -> Error {
        match error {
            OciDistributionError::RequestError(error) => self.unreached(error),
            OciDistributionError::IoError(error) => self.unreached(error),
            OciDistributionError::UnauthorizedError { .. }
            | OciDistributionError::AuthenticationFailure(_) => self.unauthorized(),
            OciDistributionError::RegistryError { envelope, .. } => self.refusal(&envelope),
            OciDistributionError::ServerError { code, message, .. } => self.status(code, &message),
            error => self.answer(one_line(&error.to_string())),
        }
    }

    /// For a connection that does not come about or breaks.
    pub(crate) fn unreached(
        &self,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Error {
        let (reference, registry) = self.names();
        let source: Box<dyn std::error::Error + Send + Sync> = Box::new(source);
        // The client gives no type for this, and rustls says it with these words only.
        let mut cause = source.source();
        while let Some(this) = cause {
            if this.to_string().starts_with("invalid peer certificate") {
                return Error::Certificate { reference, registry, source };
            }
            cause = this.source();
        }
        Error::Unreachable { reference, registry, source }
    }

    /// For a registry that wants other credentials.
    pub(crate) fn unauthorized(&self) -> Error {
        let (reference, registry) = self.names();
        match self.credentials {
            Some(file) => Error::CredentialsRefused { reference, registry, file: file.to_owned() },
            None => Error::CredentialsMissing { reference, registry },
        }
    }

    /// For a status that is not success.
    pub(crate) fn status(&self, status: u16, message: &str) -> Error {
        let (reference, registry) = self.names();
        match status {
            401 | 403 => self.unauthorized(),
            404 => Error::NotFound { reference, registry },
            429 | 500..=599 => Error::Unavailable { reference, registry, status },
            status => self.answer(format!("status {status} {}", one_line(message))),
        }
    }

    /// For an answer that makes no sense.
    pub(crate) fn answer(&self, problem: String) -> Error {
        let (reference, registry) = self.names();
        Error::Answer { reference, registry, problem }
    }

    fn refusal(&self, envelope: &OciEnvelope) -> Error {
        let Some(first) = envelope.errors.first() else {
            return self.answer("an error without a code".to_owned());
        };
        match &first.code {
            OciErrorCode::Unauthorized | OciErrorCode::Denied => self.unauthorized(),
            OciErrorCode::ManifestUnknown
            | OciErrorCode::ManifestBlobUnknown
            | OciErrorCode::BlobUnknown
            | OciErrorCode::NameUnknown
            | OciErrorCode::NotFound => self.status(404, ""),
            OciErrorCode::Toomanyrequests => self.status(429, ""),
            code => self.answer(one_line(&format!("{code:?} {}", first.message))),
        }
    }

    fn names(&self) -> (String, String) {
        (self.reference.to_string(), self.reference.registry().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry_error(code: &str) -> OciDistributionError {
        let text = format!(r#"{{"errors":[{{"code":"{code}","message":"me\nssage"}}]}}"#);
        let envelope = serde_json::from_str(&text).unwrap();
        OciDistributionError::RegistryError { envelope, url: String::new() }
    }

    fn server_error(code: u16) -> OciDistributionError {
        OciDistributionError::ServerError { code, url: String::new(), message: "no\n".to_owned() }
    }

    #[test]
    fn each_answer_has_its_meaning() {
        let reference = Reference::parse("ghcr.io/acme/hello:1").unwrap();
        let question = Question { reference: &reference, credentials: None };
        let empty = OciEnvelope { errors: vec![] };
        for (error, part, transient) in [
            (server_error(401), "wants credentials", false),
            (server_error(403), "wants credentials", false),
            (server_error(404), "has no `oci:", false),
            (server_error(418), "status 418 no", false),
            (server_error(429), "status 429", true),
            (server_error(500), "status 500", true),
            (server_error(503), "status 503", true),
            (registry_error("UNAUTHORIZED"), "wants credentials", false),
            (registry_error("DENIED"), "wants credentials", false),
            (registry_error("MANIFEST_UNKNOWN"), "has no `oci:", false),
            (registry_error("NAME_UNKNOWN"), "has no `oci:", false),
            (registry_error("TOOMANYREQUESTS"), "status 429", true),
            (registry_error("NAME_INVALID"), "me ssage", false),
            (registry_error("LOCKED"), "LOCKED", false),
            (
                OciDistributionError::RegistryError { envelope: empty, url: String::new() },
                "without a code",
                false,
            ),
            (
                OciDistributionError::AuthenticationFailure("no".to_owned()),
                "wants credentials",
                false,
            ),
            (std::io::Error::other("broken").into(), "cannot reach", true),
            (OciDistributionError::RegistryNoDigestError, "as a registry should", false),
        ] {
            let error = question.error(error);
            assert!(error.to_string().contains(part), "`{part}` is not in: {error}");
            assert_eq!(error.is_transient(), transient, "{error}");
        }
    }

    #[test]
    fn credentials_that_were_shown_are_named_by_their_file() {
        let reference = Reference::parse("ghcr.io/acme/hello:1").unwrap();
        let file = Path::new("/home/me/config.json");
        let question = Question { reference: &reference, credentials: Some(file) };
        let message = question.error(server_error(401)).to_string();
        assert!(message.contains("/home/me/config.json"), "{message}");
    }
}
