//! What failed, and while what was being done.

use crate::wire::Cause;
use std::fmt;

/// What was being done when something failed. Each needs permissions of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum During {
    /// Listing the backlog.
    Listing,
    /// Reading the versions that the user gives.
    Input,
    /// HEAD of a version.
    Trigger,
    /// Copying a version onto itself.
    Copy,
    /// Reading the object lock configuration.
    LockConfiguration,
    /// Reading the default encryption.
    EncryptionConfiguration,
    /// Reading the counters of what is replicated.
    Counters,
}

/// Why a version was not queued, or why no further one will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Why.
    pub cause: Cause,
    /// What was being done.
    pub during: During,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}
