//! What became of the versions that were triggered, as `--wait` saw it.

use std::collections::BTreeMap;

/// What became of the versions triggered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Waited {
    /// Versions that left the backlog.
    pub replicated: u64,
    /// Versions still in it.
    pub pending: u64,
    /// Versions whose replication was tried since, and failed.
    pub failed_again: u64,
    /// Of those that left it, versions that are still listed although the server knows that they are
    /// replicated.
    pub stale: u64,
    /// Of those pending, versions that were not looked at, because there was no room to remember them.
    pub unseen: u64,
    /// Rounds of triggering what stayed.
    pub rounds: u32,
    /// Whether it ended early, because all targets of what is left had been offline for a while.
    pub offline: bool,
    /// Whether the last look reached the end of the backlog; otherwise the numbers are those of the
    /// last one that did.
    pub exact: bool,
    /// The same per target ARN: replicated, pending, failed again.
    pub targets: BTreeMap<String, [u64; 3]>,
}

impl Waited {
    /// Whether nothing is left.
    pub(crate) fn success(&self) -> bool {
        self.exact && self.pending == 0 && self.failed_again == 0
    }
}
