//! The differences that are meant, each a row of `crates/trilby-embedded/DIFFERENCES.md`.

/// How a difference shows in a line of a transcript.
#[derive(Debug)]
pub(super) struct Difference {
    /// Its id in the document.
    pub(super) id: &'static str,
    /// What daprd's line contains.
    pub(super) daprd: &'static str,
    /// What our line contains in its place.
    pub(super) ours: &'static str,
}

/// All of them.
pub(super) const DIFFERENCES: &[Difference] = &[
    Difference { id: "D0", daprd: "a", ours: "b" },
];
