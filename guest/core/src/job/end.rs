//! How a job ends, and each of its versions.

use crate::job::failure::Failure;
use crate::job::outcome::Outcome;
use crate::listing::{Item, Statuses, Unfinished};

/// Takes the end of every version.
pub trait Sink {
    /// The end of one version, after this many attempts. Each version comes once.
    fn version(&mut self, item: &Item, statuses: &Statuses, outcome: &Outcome, attempts: u32);

    /// A line of what the user gives that cannot be used, with its number and the reason.
    fn bad_line(&mut self, _number: u64, _why: &str) {}

    /// A line of what the user gives that says that the run which wrote it did not come to its end.
    fn unfinished(&mut self, _number: u64) {}

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
