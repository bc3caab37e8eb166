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

    /// The first part that is not there, if any.
    ///
    /// # Panics
    ///
    /// With `CI` set, where every part must be there.
    #[must_use]
    pub fn missing(self) -> Option<&'static str> {
        let absent = |variable: &str| std::env::var_os(variable).is_none_or(|v| v.is_empty());
        let missing = if self.is_sidecar() && absent("TRILBY_TEST_DAPRD") {
            "TRILBY_TEST_DAPRD (a daprd; `cargo xtask test` builds one)"
        } else if self == Self::DaprdRedis && absent("TRILBY_TEST_REDIS") {
            "TRILBY_TEST_REDIS (redis-server)"
        } else {
            return None;
        };
        assert!(std::env::var_os("CI").is_none(), "not set: {missing}");
        Some(missing)
    }
}
