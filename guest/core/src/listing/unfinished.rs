//! Why a listing was not read to its end.

use crate::wire::{Cause, TransportError};
use std::fmt;
use std::time::Duration;

/// A listing that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// Why.
    pub cause: Break,
    /// The last name read. Without one nothing was begun.
    pub after: Option<String>,
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.after {
            Some(name) => write!(f, "{}, after `{name}`", self.cause),
            None => self.cause.fmt(f),
        }
    }
}

impl std::error::Error for Unfinished {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

/// How a listing ended before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Break {
    /// The server refused it, or did not answer.
    NotOpened(Cause),
    /// The connection ended or fell silent in the middle.
    Cut(String),
    /// Nothing came for this long.
    Silent(Duration),
    /// It ended cleanly before the place where the one before it had ended, at this name.
    Short(String),
    /// It ended cleanly and did not show what was there before, and nobody took away.
    Lacks,
    /// It ended cleanly, and has nothing to show for it: something in between may have covered a cut.
    Unproven,
    /// It shows the same versions over and over; this is one of them.
    Repeats(String),
    /// One name has more versions than can be remembered.
    TooManyVersions,
    /// The server put an error into the listing.
    Server(String),
    /// What came is not a replication diff; its beginning is kept.
    Foreign(String),
    /// An entry without a name.
    NoKey,
    /// Names did not come in order, so that what was read before cannot be skipped.
    Unordered(String),
    /// The server speaks no version of the API.
    Unsupported,
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOpened(cause) => cause.fmt(f),
            Self::Cut(how) => write!(f, "the listing was cut off: {how}"),
            Self::Silent(time) => {
                let error = TransportError::Timeout(*time);
                write!(f, "the listing was cut off: {error}")
            }
            Self::Short(place) => {
                write!(f, "the listing ends before `{place}`, which an earlier one had shown")
            }
            Self::Lacks => f.write_str(
                "the listing ends without some of what an earlier one had shown",
            ),
            Self::Unproven => f.write_str(
                "the listing ends in a way that does not show whether it was cut off",
            ),
            Self::Repeats(key) => {
                write!(f, "the listing shows the same versions over and over, such as `{key}`")
            }
            Self::TooManyVersions => f.write_str(
                "the listing was cut off and cannot be resumed among more than a million versions of one name",
            ),
            Self::Server(error) => write!(f, "the server's listing failed: {error}"),
            Self::Foreign(text) => {
                write!(f, "the server did not send a replication diff but {text:?}")
            }
            Self::NoKey => f.write_str("the server sent an entry without an object name"),
            Self::Unordered(key) => {
                write!(f, "the listing was cut off and cannot be resumed: `{key}` came out of order")
            }
            Self::Unsupported => f.write_str(
                "the server does not know the replication diff API (/minio/admin/v4 and v3), so it may not be a MinIO or AIStor server",
            ),
        }
    }
}

impl std::error::Error for Break {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotOpened(cause) => Some(cause),
            _ => None,
        }
    }
}
