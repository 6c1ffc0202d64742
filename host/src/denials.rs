//! Tells the user what was denied, and stops telling in time.

use crate::grant::Denial;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Denials named; a component that asks for a million things is told no a million times, the user
/// ten times.
const NAMED: u32 = 10;

/// The denials of one run.
pub struct Denials {
    count: AtomicU32,
    last: Mutex<String>,
    tell: Box<dyn Fn(&str) + Send + Sync>,
}

impl fmt::Debug for Denials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Denials").field("count", &self.count).finish_non_exhaustive()
    }
}

impl Denials {
    /// Tells with `tell`.
    pub fn new(tell: impl Fn(&str) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { count: AtomicU32::new(0), last: Mutex::default(), tell: Box::new(tell) })
    }

    /// Counts a denial and names it, unless it was named just before or many were.
    pub fn deny(&self, denial: &Denial) {
        let text = denial.to_string();
        let last = std::mem::replace(
            &mut *self.last.lock().unwrap_or_else(PoisonError::into_inner),
            text.clone(),
        );
        if last == text {
            return;
        }
        match self.count.fetch_add(1, Ordering::Relaxed) {
            0..NAMED => (self.tell)(&text),
            NAMED => (self.tell)("The sandbox denied more requests, which are not named here."),
            _ => {}
        }
    }
}
