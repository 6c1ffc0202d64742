//! Waiting for what another process or a server does next.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Longer than anything a test waits for without a reason of its own takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);
/// Between two looks.
const GLANCE: Duration = Duration::from_millis(20);

/// Waits until `holds` does.
///
/// # Panics
/// When that takes a minute, with what was waited for.
#[track_caller]
pub fn wait_until(what: &str, holds: impl FnMut() -> bool) {
    wait_for(LIMIT, what, holds);
}

/// Waits until `holds` does, for as long as `limit`.
///
/// # Panics
/// When that takes longer, with what was waited for.
#[track_caller]
pub fn wait_for(limit: Duration, what: &str, holds: impl FnMut() -> bool) {
    wait_each(GLANCE, limit, what, holds);
}

/// The same, with this time between two looks, where one costs more than a glance.
///
/// # Panics
/// When that takes longer, with what was waited for.
#[track_caller]
pub fn wait_each(pause: Duration, limit: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < limit, "never {what}, in {limit:?}");
        sleep(pause);
    }
}
