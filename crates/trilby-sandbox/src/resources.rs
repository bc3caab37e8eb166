//! What an instance may have, with the pool as without it.

use wasmtime::ResourceLimiter;

/// Memories of an instance.
pub(crate) const MEMORIES_MAX: u32 = 1;

/// Tables of an instance.
pub(crate) const TABLES_MAX: u32 = 2;

/// Elements of a table. An element is a word of the host, so the tables of a guest take at most
/// 3.2 MB besides its memory.
pub(crate) const TABLE_ELEMENTS_MAX: usize = 200_000;

/// Refuses memory and tables beyond the limits, and remembers that it did.
pub(crate) struct Resources {
    memory_bytes_max: usize,
    refused_bytes: Option<usize>,
}

impl Resources {
    pub(crate) fn new(memory_bytes_max: usize) -> Self {
        Self { memory_bytes_max, refused_bytes: None }
    }

    /// What was refused last.
    pub(crate) fn refused_bytes(&self) -> Option<usize> {
        self.refused_bytes
    }
}

impl ResourceLimiter for Resources {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let is_allowed = desired <= self.memory_bytes_max;
        if !is_allowed {
            self.refused_bytes = Some(desired);
        }
        Ok(is_allowed)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let is_allowed = desired <= TABLE_ELEMENTS_MAX;
        if !is_allowed {
            self.refused_bytes = Some(desired.saturating_mul(size_of::<usize>()));
        }
        Ok(is_allowed)
    }

    fn instances(&self) -> usize {
        1
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX as usize
    }

    fn tables(&self) -> usize {
        TABLES_MAX as usize
    }
}
