//! How a job ends, and each of its versions.

use crate::job::failure::Failure;
use crate::job::outcome::Outcome;
use crate::listing::{Item, Statuses, Unfinished};

/// Takes the end of every version.
pub trait Sink {
    /// The end of one version, after this many attempts. Each version comes once.
    fn version(&mut self, item: &Item, statuses: &Statuses, outcome: &Outcome, attempts: u32);

    /// Whether what it keeps of the versions no longer fits into memory, which ends the job.
    fn is_full(&self) -> bool {
        false
    }
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The listing was read to its end and every version in it handled.
    Complete,
    /// The listing was not read to its end.
    Listing(Box<Unfinished>),
    /// What every further version would need was refused, or the server no longer answers.
    Fatal(Failure),
    /// The user stopped it.
    Stopped,
}
