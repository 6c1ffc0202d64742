//! The machine: the listing flows into the spool, and triggers flow out of it.

mod copy;
mod counts;
mod end;
mod failure;
mod filter;
mod flights;
mod flow;
mod machine;
mod outage;
mod outcome;
mod pacing;
mod patience;
mod refusals;
mod settings;
mod shard;
mod source;
mod spec;
mod spool;
mod window;

pub(crate) use copy::{ALGORITHM, Plan};
pub use copy::{PLAIN, is_in_tier};
pub use counts::Counts;
pub(crate) use counts::OTHER;
pub use end::{End, Sink};
pub use failure::{During, Failure};
pub use filter::{Filter, Status};
pub use flow::MAX_QUEUE;
pub(crate) use flow::{EVERY, Flow, Shown};
pub(crate) use machine::CHECKS;
pub use machine::{Job, LAST_ANSWERS, Note};
pub(crate) use outcome::Verdict;
pub use outcome::{Outcome, Trigger};
pub use settings::{Settings, check_settings, default_retention, encrypts_by_default};
pub use shard::{MAX_SHARDS, Shard};
pub use spec::{CONCURRENT, CONCURRENT_RANGE, MEMORY, MIN_MEMORY, Mode, Only, Spec, SpecError};
pub(crate) use spool::Spool;
