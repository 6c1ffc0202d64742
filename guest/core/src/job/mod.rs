//! The machine: the listing flows into the spool, and triggers flow out of it.

mod copy;
mod counts;
mod end;
mod failure;
mod flights;
mod machine;
mod outage;
mod outcome;
mod pacing;
mod retention;
mod spec;
mod spool;
mod window;

pub(crate) use copy::{ALGORITHM, Plan};
pub use counts::Counts;
pub use end::{End, Sink};
pub use failure::{During, Failure};
pub use machine::{Job, LAST_ANSWERS};
pub(crate) use outcome::Verdict;
pub use outcome::{Outcome, Trigger};
pub use retention::no_default_retention;
pub use spec::{CONCURRENT, CONCURRENT_RANGE, MEMORY, MIN_MEMORY, Mode, Only, Spec, SpecError};
