//! A moment on the monotonic clock of a run.
//!
//! A type of its own, so that the compiler tells when something is from how long it takes.

use std::ops::{Add, Sub};
use std::time::Duration;

/// A moment: the time since some fixed one, which differs from host to host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(Duration);

impl Instant {
    /// The moment this long after the fixed one.
    pub const fn since_origin(time: Duration) -> Self {
        Self(time)
    }

    /// How long after the fixed one it is.
    pub const fn origin_age(self) -> Duration {
        self.0
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, time: Duration) -> Self {
        Self(self.0.saturating_add(time))
    }
}

impl Sub for Instant {
    type Output = Duration;

    /// The time from `earlier` to this, zero if it is not earlier.
    fn sub(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    /// The moment this much earlier, but not before the fixed one.
    fn sub(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(time))
    }
}
