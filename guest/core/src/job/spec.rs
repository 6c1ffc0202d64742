//! What a run is to do.

use crate::job::filter::Filter;
use crate::job::flow::MAX_QUEUE;
use crate::job::settings::Settings;
use crate::job::spool::BLOCK;
use crate::listing::{Item, VersionSet};
use std::fmt;
use std::ops::RangeInclusive;
use std::rc::Rc;

/// Bytes of spool at which the listing is read no further until there is room. Two and a half million
/// versions, so that most backlogs are known to their end before half of them is triggered.
pub const MEMORY: usize = 64 << 20;

/// The least of [`Spec::memory`]: one block of the spool. With less, the bucket was listed 553 times
/// for 2,000 versions.
pub const MIN_MEMORY: usize = BLOCK;

/// Versions in flight unless there is a reason: mc's own default.
pub const CONCURRENT: usize = 10;

/// What [`Spec::concurrent`] may be.
pub const CONCURRENT_RANGE: RangeInclusive<usize> = 1..=1000;

/// What is done with each version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Only list.
    DryRun,
    /// HEAD.
    Trigger,
    /// HEAD, then copy in place.
    ClearChecksum,
    /// HEAD, to see whether it is replicated.
    Look,
}

impl Mode {
    /// Whether versions are queued for the first time.
    pub(crate) fn triggers(self) -> bool {
        matches!(self, Self::Trigger | Self::ClearChecksum)
    }
}

/// Which of the listed versions are handled, by what another listing showed.
#[derive(Debug, Clone, Default)]
pub enum Only {
    /// All.
    #[default]
    All,
    /// Those inside.
    These(Rc<VersionSet>),
    /// Those outside.
    NotThese(Rc<VersionSet>),
}

impl Only {
    /// Whether the version is to be handled.
    pub fn allows(&self, item: &Item) -> bool {
        match self {
            Self::All => true,
            Self::These(seen) => seen.contains(item),
            Self::NotThese(seen) => !seen.contains(item),
        }
    }
}

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Which of the listed versions.
    pub only: Only,
    /// Only keys that begin so.
    pub prefix: String,
    /// Only versions that wait for this target.
    pub arn: Option<String>,
    /// Only versions that pass it. The others are counted.
    pub filter: Filter,
    /// What is done with each version.
    pub mode: Mode,
    /// Versions in flight at most.
    pub concurrent: usize,
    /// Versions started per second at most.
    pub rate_limit: Option<f64>,
    /// What the bucket does with what is copied.
    pub settings: Settings,
    /// Whether the sink shows modification times. For copies they are kept in any case.
    pub times: bool,
    /// Bytes of listed versions kept at most, [`MEMORY`] unless there is a reason.
    pub memory: usize,
    /// Versions triggered and not yet replicated at most, as the server's counters tell; 0 is any number.
    pub max_queue: u64,
}

impl Default for Spec {
    /// Triggers everything, ten versions at a time.
    fn default() -> Self {
        Self {
            only: Only::All,
            prefix: String::new(),
            arn: None,
            filter: Filter::default(),
            mode: Mode::Trigger,
            concurrent: CONCURRENT,
            rate_limit: None,
            settings: Settings::default(),
            times: false,
            memory: MEMORY,
            max_queue: MAX_QUEUE,
        }
    }
}

impl Spec {
    /// Whether a job can be made of it.
    ///
    /// # Errors
    /// The first member that cannot be used.
    pub fn check(&self) -> Result<(), SpecError> {
        if !CONCURRENT_RANGE.contains(&self.concurrent) {
            return Err(SpecError::Concurrent);
        }
        if self.rate_limit.is_some_and(|rate| !(rate.is_finite() && rate > 0.0)) {
            return Err(SpecError::RateLimit);
        }
        if self.arn.as_deref() == Some("") {
            return Err(SpecError::Arn);
        }
        if self.filter.lets_no_age_through() {
            return Err(SpecError::Ages);
        }
        Ok(())
    }
}

/// A member of [`Spec`] that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpecError {
    /// [`Spec::concurrent`] is out of range.
    Concurrent,
    /// [`Spec::rate_limit`] is not a number above 0.
    RateLimit,
    /// [`Spec::arn`] is empty.
    Arn,
    /// No version is as old and as new as [`Spec::filter`] asks for.
    Ages,
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Concurrent => write!(
                f,
                "`concurrent` must be between {} and {}.",
                CONCURRENT_RANGE.start(),
                CONCURRENT_RANGE.end()
            ),
            Self::RateLimit => {
                f.write_str("`rate-limit` must be a number of versions per second above 0.")
            }
            Self::Arn => f.write_str("`arn` must be the ARN of a replication target."),
            Self::Ages => f.write_str("`older-than` must be less than `newer-than`."),
        }
    }
}

impl std::error::Error for SpecError {}
