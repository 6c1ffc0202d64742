//! Tells the user what was denied, and stops telling in time.

use crate::grant::Denial;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Denials named; a component that asks for a million things is told no a million times, the user
/// ten times, and of each thing once.
const NAMED: usize = 10;

/// The denials of one run.
pub struct Denials {
    named: Mutex<Vec<String>>,
    tell: Box<dyn Fn(&str) + Send + Sync>,
}

impl fmt::Debug for Denials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Denials").field("named", &self.named).finish_non_exhaustive()
    }
}

impl Denials {
    /// Tells with `tell`.
    pub fn new(tell: impl Fn(&str) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { named: Mutex::default(), tell: Box::new(tell) })
    }

    /// Names a denial, unless it or many others were named before.
    pub fn deny(&self, denial: &Denial) {
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if named.len() > NAMED {
            return;
        }
        let mut text = denial.to_string();
        if named.len() == NAMED {
            "The sandbox denied more requests, which are not named here.".clone_into(&mut text);
        }
        if !named.contains(&text) {
            (self.tell)(&text);
            named.push(text);
        }
    }
}
