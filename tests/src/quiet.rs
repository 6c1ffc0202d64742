//! Tests of one binary run at the same time, as many as `--test-threads` allows. That does no harm to
//! most: they compare what was said and done. A few measure how long something took, within a bound
//! that a machine with nothing else to do keeps easily; and a few take all of the machine for a
//! while. These two kinds must not meet, and only they say so: everything else still runs beside
//! either.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

static QUIET: RwLock<()> = RwLock::new(());

/// For a test that measures time closely: while the guard lives, no test is loud. Others that measure
/// may run beside it, they take next to nothing.
pub fn kept() -> RwLockReadGuard<'static, ()> {
    // A test that failed has not made the machine louder.
    QUIET.read().unwrap_or_else(PoisonError::into_inner)
}

/// For a test that takes all of the machine: while the guard lives, no test measures time and no
/// other one is loud.
pub fn broken() -> RwLockWriteGuard<'static, ()> {
    QUIET.write().unwrap_or_else(PoisonError::into_inner)
}
