//! Tells the user what was denied, and stops telling in time.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Why a request is denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// What was asked for, cut to a length that fits a line.
    pub request: String,
    /// What is wrong with it.
    pub reason: String,
    /// What would allow it.
    pub remedy: Remedy,
}

/// What would make a denied request a granted one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Flags of the command line.
    Flag(&'static str),
    /// Another TARGET: another alias, bucket or prefix.
    Target,
    /// An alias that names the address.
    Address,
    /// Nothing does.
    Nothing,
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag} would allow it"),
            Self::Target => f.write_str("only another TARGET would allow it"),
            Self::Address => f.write_str("only an alias that names the address would allow it"),
            Self::Nothing => f.write_str("no flag allows it"),
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "The sandbox denied `{}`: {}; {}.", self.request, self.reason, self.remedy)
    }
}

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
