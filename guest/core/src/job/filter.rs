//! Which of the versions listed are asked for, beyond the prefix and the target.

use crate::job::shard::Shard;
use crate::listing::{Item, Operation, Statuses};
use std::time::Duration;

/// A replication status that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Queued, or forgotten in a queue.
    Pending,
    /// Tried in vain.
    Failed,
}

impl Status {
    /// As the server writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Failed => "FAILED",
        }
    }
}

/// What a version must be to be handled. Each member narrows; the default lets everything through.
///
/// What it leaves out is counted and stays in the backlog, so that a run that was complete is not taken
/// for a backlog that is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only what was last modified this long before [`Filter::at`], or longer. A version whose time the
    /// server does not give, or not in a form that can be read, is kept, here and in `newer_than`: to
    /// trigger it is harmless, and to drop it would be a loss that nobody sees.
    pub older_than: Option<Duration>,
    /// Only what was last modified less than this long before [`Filter::at`], or after it.
    pub newer_than: Option<Duration>,
    /// The moment by which ages are judged, in seconds since 1970: the start of the run by the wall clock.
    /// One for all listings, so that no version passes in one of them and not in the next for having
    /// grown older.
    pub at: u64,
    /// Only what has this status: at any target, or at that of `Spec::arn` where there is one. The status
    /// of a purge is what counts for a version that waits for one. What was never replicated has none.
    pub status: Option<Status>,
    /// Only this kind of change.
    pub operation: Option<Operation>,
    /// Only keys of this shard.
    pub shard: Option<Shard>,
}

impl Filter {
    /// Whether it can leave anything out.
    pub fn is_set(&self) -> bool {
        *self != Self { at: self.at, ..Self::default() }
    }

    /// Whether no version has an age that is asked for.
    pub fn lets_no_age_through(&self) -> bool {
        self.older_than.zip(self.newer_than).is_some_and(|(older, newer)| older >= newer)
    }

    /// Whether the version is to be handled.
    pub(crate) fn allows(&self, item: &Item, statuses: &Statuses, arn: Option<&str>) -> bool {
        self.shard.is_none_or(|shard| shard.takes(&item.key))
            && self.operation.is_none_or(|only| statuses.operation(item.delete_marker) == only)
            && self.status.is_none_or(|status| statuses.include(status.as_str(), arn))
            && self.allows_age(item)
    }

    fn allows_age(&self, item: &Item) -> bool {
        if self.older_than.is_none() && self.newer_than.is_none() {
            return true;
        }
        let Some(modified) = item.modified.nanos() else { return true };
        let age = i128::from(self.at) * 1_000_000_000 - modified;
        let reaches = |time: Duration| i128::try_from(time.as_nanos()).is_ok_and(|t| age >= t);
        self.older_than.is_none_or(reaches) && !self.newer_than.is_some_and(reaches)
    }
}
