//! What stands behind the building blocks in a test.

/// One column of the matrix. Each must give the same answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// The embedded runtime, with state in memory.
    EmbeddedMemory,
    /// The embedded runtime, with state in SQLite.
    EmbeddedSqlite,
    /// A daprd, with state and topics in its memory.
    DaprdMemory,
    /// A daprd, with state in SQLite.
    DaprdSqlite,
    /// A daprd, with state and topics in Redis.
    DaprdRedis,
}

impl Backend {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::EmbeddedMemory,
        Self::EmbeddedSqlite,
        Self::DaprdMemory,
        Self::DaprdSqlite,
        Self::DaprdRedis,
    ];

    /// Whether a daprd is part of it.
    #[must_use]
    pub fn is_sidecar(self) -> bool {
        matches!(self, Self::DaprdMemory | Self::DaprdSqlite | Self::DaprdRedis)
    }

    /// Whether a part of it is not there; says which.
    ///
    /// # Panics
    ///
    /// With `CI` set, where every part must be there.
    #[must_use]
    pub fn is_left_out(self) -> bool {
        let absent = |variable: &str| std::env::var_os(variable).is_none_or(|v| v.is_empty());
        if self.is_sidecar() && absent("TRILBY_TEST_DAPRD") {
            leave_out("TRILBY_TEST_DAPRD (a daprd; `cargo xtask test` builds one)");
            return true;
        }
        if self == Self::DaprdRedis && absent("TRILBY_TEST_REDIS") {
            leave_out("TRILBY_TEST_REDIS (redis-server)");
            return true;
        }
        false
    }
}

/// Says that a test is left out because a part is missing.
///
/// # Panics
///
/// With `CI` set, where every part must be there.
#[expect(clippy::print_stderr, reason = "a test's own output")]
pub fn leave_out(missing: &str) {
    assert!(std::env::var_os("CI").is_none(), "missing: {missing}");
    eprintln!("left out, for want of {missing}");
}
