//! What a run is to do.

use crate::listing::{Item, Seen};
use std::rc::Rc;

/// Bytes of spool at which the listing is closed, to be taken up again when it is empty. Two and a
/// half million versions, so that five million are listed twice at most.
pub const MEMORY: usize = 64 << 20;

/// What is done with each version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Only list.
    DryRun,
    /// HEAD.
    Trigger,
    /// HEAD, then copy in place.
    ClearChecksum,
}

/// Which of the listed versions are handled.
#[derive(Debug, Clone, Default)]
pub enum Only {
    /// All.
    #[default]
    All,
    /// Those inside.
    These(Rc<Seen>),
    /// Those outside.
    NotThese(Rc<Seen>),
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
    /// What is done with each version.
    pub mode: Mode,
    /// Versions in flight at most.
    pub concurrent: usize,
    /// Versions started per second at most.
    pub rate_limit: Option<f64>,
    /// Whether modification times are needed behind the listing: for copies always, otherwise for
    /// a sink that shows them.
    pub times: bool,
    /// Bytes of listed versions kept at most, [`MEMORY`] unless there is a reason.
    pub memory: usize,
}

impl Default for Spec {
    /// Triggers everything, ten versions at a time.
    fn default() -> Self {
        Self {
            only: Only::All,
            prefix: String::new(),
            arn: None,
            mode: Mode::Trigger,
            concurrent: 10,
            rate_limit: None,
            times: false,
            memory: MEMORY,
        }
    }
}
