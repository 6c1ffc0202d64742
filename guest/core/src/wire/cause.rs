//! Why something failed: the server said so, it did not answer, or this program declines.

use crate::wire::foreign::Foreign;
use crate::wire::net::TransportError;
use crate::wire::s3error::S3Error;
use std::fmt;

/// Why something failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The server said so.
    Server(Box<S3Error>),
    /// The server did not answer.
    Transport(TransportError),
    /// Something else answered in its place.
    Foreign(Box<Foreign>),
    /// A cache answered with what it had kept.
    Kept,
    /// This program declines, in its own words.
    Declined(String),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(error) => error.fmt(f),
            Self::Transport(error) => error.fmt(f),
            Self::Foreign(answer) => answer.fmt(f),
            Self::Kept => f.write_str("answered by a cache; nothing reached the server"),
            Self::Declined(words) => f.write_str(words),
        }
    }
}

impl std::error::Error for Cause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Server(error) => Some(error.as_ref()),
            Self::Transport(error) => Some(error),
            Self::Foreign(_) | Self::Kept | Self::Declined(_) => None,
        }
    }
}
