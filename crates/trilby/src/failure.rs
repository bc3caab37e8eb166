//! Failures of the program, with the exit code each has.

use std::process::ExitCode;

/// Why `trilby` ends without having done its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something the user wrote is wrong: manifest, component file, module. Exit code 64.
    Configuration(String),
    /// Anything else. Exit code 1.
    Other(anyhow::Error),
    /// A second signal ended the drain. Exit code 130.
    Interrupted,
}

impl Failure {
    pub(crate) fn configuration(message: impl std::fmt::Display) -> Self {
        Self::Configuration(message.to_string())
    }

    /// What is wrong, as it is shown.
    pub(crate) fn text(&self) -> String {
        match self {
            // Problems of a manifest come with their own heading.
            Self::Configuration(text) if text.starts_with("error: ") => text.clone(),
            Self::Configuration(text) => format!("error: {text}"),
            Self::Other(error) => format!("error: {error:#}"),
            Self::Interrupted => {
                "ended by a second signal, without waiting for what was in flight".to_owned()
            }
        }
    }

    /// Prints the failure and gives its exit code.
    #[expect(clippy::print_stderr, reason = "the last words of the program")]
    pub(crate) fn report(&self) -> ExitCode {
        eprintln!("{}", self.text());
        ExitCode::from(match self {
            Self::Configuration(_) => 64,
            Self::Other(_) => 1,
            Self::Interrupted => 130,
        })
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}
