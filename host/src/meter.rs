//! Keeps a component within its limits of memory and tables.

use mc_wasi_policy::Limits;
use wasmtime::ResourceLimiter;

/// Entries of all function tables. A component of 1 MB has 1,000.
const TABLE_ENTRIES: usize = 100_000;

/// Counts what a component has of what it may have.
#[derive(Debug)]
pub(crate) struct Meter {
    memory: Budget,
    tables: Budget,
}

#[derive(Debug)]
struct Budget {
    used: usize,
    most: usize,
    refused: bool,
}

impl Budget {
    fn new(most: usize) -> Self {
        Self { used: 0, most, refused: false }
    }

    fn grow(&mut self, current: usize, desired: usize) -> bool {
        let used = self.used.saturating_add(desired.saturating_sub(current));
        self.refused = used > self.most;
        if !self.refused {
            self.used = used;
        }
        !self.refused
    }
}

impl Meter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { memory: Budget::new(limits.memory), tables: Budget::new(TABLE_ENTRIES) }
    }

    /// Whether the component was last refused memory, which is why it then crashed.
    pub(crate) fn refused_memory(&self) -> bool {
        self.memory.refused
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.memory.grow(current, desired))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.tables.grow(current, desired))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_that_of_all_memories_together() {
        let limits = Limits { memory: 100, ..Limits::new(None, &|_| None).unwrap() };
        let mut meter = Meter::new(&limits);
        assert!(meter.memory_growing(0, 60, None).unwrap());
        assert!(!meter.memory_growing(0, 60, None).unwrap(), "a second memory");
        assert!(meter.refused_memory());
        assert!(meter.memory_growing(60, 100, None).unwrap());
        assert!(!meter.table_growing(0, TABLE_ENTRIES + 1, None).unwrap());
    }
}
