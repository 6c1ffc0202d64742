//! Names the first failures on stderr and counts the others.

/// Failures named. A million of them would bury the reason, which is mostly the same.
const NAMED: u64 = 20;

/// How many failed so far.
#[derive(Debug, Default)]
pub(super) struct Failures(u64);

impl Failures {
    /// Counts one; returns whether it is to be named.
    pub(super) fn add(&mut self) -> bool {
        self.0 += 1;
        self.0 <= NAMED
    }

    /// Those that were not named.
    pub(super) fn unnamed(&self) -> u64 {
        self.0.saturating_sub(NAMED)
    }
}
