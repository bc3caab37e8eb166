//! The real daprd and its control plane, built from `tests/daprd` once and kept outside the
//! checkout.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use crate::{cached, root, say};

const LINK_FLAGS: &str = "-s -w -X github.com/dapr/dapr/pkg/buildinfo.version=1.18.3";

/// What is built: daprd is the module itself, the others are `tool`s of its `go.mod`.
const PACKAGES: [&str; 3] =
    [".", "github.com/dapr/dapr/cmd/scheduler", "github.com/dapr/dapr/cmd/placement"];

/// The paths of Dapr's programs.
pub(crate) struct Programs {
    pub(crate) daprd: PathBuf,
    /// Jobs and reminders need it.
    pub(crate) scheduler: PathBuf,
    /// Actors need it.
    pub(crate) placement: PathBuf,
}

impl Programs {
    fn of(folder: &Path) -> Self {
        Self {
            daprd: folder.join("daprd"),
            scheduler: folder.join("scheduler"),
            placement: folder.join("placement"),
        }
    }
}

/// The programs, made from what `tests/daprd` holds now.
pub(crate) fn build() -> Result<Programs> {
    let source = root().join("tests/daprd");
    let key = cached::key(&[LINK_FLAGS, &PACKAGES.join(" ")], &cached::go_files(&source)?)?;
    let folder = cached::folder(&format!("daprd-{key}"), |folder| {
        say("building daprd, scheduler and placement, once: some minutes");
        // Go takes a path that ends in a separator for a folder, into which each program goes by
        // name.
        let status = Command::new("go")
            .args(["build", "-mod=readonly", "-trimpath", "-ldflags", LINK_FLAGS, "-o"])
            .arg(folder.join(""))
            .args(PACKAGES)
            .current_dir(&source)
            .env("CGO_ENABLED", "0")
            .status()?;
        ensure!(status.success(), "go build of daprd failed ({status})");
        Ok(())
    })?;
    Ok(Programs::of(&folder))
}
