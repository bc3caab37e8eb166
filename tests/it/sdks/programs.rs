//! The programs of `tests/sdks`, and what runs them. `cargo xtask test` installs the SDKs.

use std::ffi::OsString;
use std::process::Command;

use trilby_testkit::{leave_out, repository};

/// An official SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sdk {
    Python,
    Go,
    Rust,
    Js,
}

impl Sdk {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Go => "go",
            Self::Rust => "rust",
            Self::Js => "js",
        }
    }

    /// Whether its program is an app itself: this SDK gets its events over HTTP. Such a program is
    /// there before daprd, which waits for its app.
    pub(crate) fn is_app(self) -> bool {
        self == Self::Js
    }

    /// Whether it shows its token with every call. Python's does not when it watches configuration.
    pub(crate) fn sends_token(self) -> bool {
        self != Self::Python
    }

    /// Its program; none where the SDK is not installed. With `CI` set, it must be.
    pub(crate) fn program(self) -> Option<Command> {
        let source = repository().join("tests/sdks").join(self.name());
        let command = match self {
            Self::Python => {
                let mut command = Command::new("python3");
                command.env("PYTHONPATH", installed("TRILBY_TEST_SDK_PYTHON")?);
                command.env("PYTHONDONTWRITEBYTECODE", "1").arg(source.join("main.py"));
                command
            }
            Self::Go => Command::new(installed("TRILBY_TEST_SDK_GO")?),
            Self::Rust => Command::new(example("sdk")?),
            Self::Js => {
                let mut command = Command::new("node");
                command.env("NODE_PATH", installed("TRILBY_TEST_SDK_JS")?);
                command.arg(source.join("main.cjs"));
                command
            }
        };
        Some(command)
    }
}

fn installed(variable: &str) -> Option<OsString> {
    let path = std::env::var_os(variable).filter(|path| !path.is_empty());
    if path.is_none() {
        leave_out(&format!("{variable} (`cargo xtask test` installs the SDK)"));
    }
    path
}

/// The program that Cargo builds beside these tests.
fn example(name: &str) -> Option<OsString> {
    let test = std::env::current_exe().ok()?;
    // A test's own binary lies in target/PROFILE/deps.
    let path = test.ancestors().nth(2)?.join("examples").join(name);
    if !path.is_file() {
        leave_out(&format!("{} (`cargo test -p trilby-tests` builds it)", path.display()));
        return None;
    }
    Some(path.into())
}
