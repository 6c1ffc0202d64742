//! A version of an object, and what becomes of it.

use super::server::MODIFIED;
use super::{Mishap, Refusal};
use std::time::Duration;

/// Key and version id.
pub(crate) type Name = (String, String);

/// What a version answers to a HEAD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// 200, queued.
    Queued,
    /// 405 of a delete marker, queued.
    Marker,
    /// 405 of a version that waits for its purge, queued.
    Purge,
    /// 400 of an object under a customer's key, queued.
    CustomerKey,
    /// 404.
    Gone,
    /// 200 from another site.
    Elsewhere,
    /// This, and not queued.
    Refused(Refusal),
}

/// What a version answers to a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Copying {
    /// 200, in place.
    InPlace,
    /// 200, as a new version.
    AsNewVersion,
    /// This, and not copied.
    Refused(Refusal),
    /// A 200 with this in its body: the answer was begun before the copy had failed.
    RefusedLate(Refusal),
}

/// What becomes of versions that were queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replication {
    /// They are replicated, and leave the backlog, after this long.
    After(Duration),
    /// They are replicated when they have been queued this often.
    OnceQueued(usize),
    /// They stay as they are.
    Never,
    /// They are tried and fail.
    Fails,
    /// They are replicated, which the server knows, and are listed all the same.
    Stale,
}

/// A version and its fate.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) name: Name,
    pub(crate) fate: Fate,
    pub(crate) copying: Copying,
    /// Whether a listing shows it. Real servers leave out what is nested below another key.
    pub(crate) listed: bool,
    /// What becomes of it, where that is not what becomes of all.
    pub(crate) replication: Option<Replication>,
    /// The ARNs it waits for; none for an existing object that was never replicated.
    pub(crate) targets: Vec<&'static str>,
    /// How it stands with them, and with one of them where that is not the same.
    pub(crate) status: &'static str,
    pub(crate) status_at: Option<(&'static str, &'static str)>,
    /// When it was last modified.
    pub(crate) modified: &'static str,
    /// Headers of a HEAD, in the place of the usual ones or besides them.
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    /// The same after a copy. An empty one is gone.
    pub(crate) headers_after: Vec<(&'static str, &'static str)>,
    /// Requests that go wrong before it answers: HEADs, and copies.
    pub(crate) mishaps: Vec<Mishap>,
    pub(crate) copy_mishaps: Vec<Mishap>,
}

impl Version {
    pub(crate) fn new(key: &str, id: &str) -> Self {
        Self {
            name: (key.to_owned(), id.to_owned()),
            fate: Fate::Queued,
            copying: Copying::InPlace,
            listed: true,
            replication: None,
            targets: vec!["arn:a"],
            status: "FAILED",
            status_at: None,
            modified: MODIFIED,
            headers: Vec::new(),
            headers_after: Vec::new(),
            mishaps: Vec::new(),
            copy_mishaps: Vec::new(),
        }
    }

    pub(crate) fn fate(self, fate: Fate) -> Self {
        Self { fate, ..self }
    }

    pub(crate) fn refused(self, refusal: Refusal) -> Self {
        self.fate(Fate::Refused(refusal))
    }

    pub(crate) fn unlisted(self) -> Self {
        Self { listed: false, ..self }
    }

    pub(crate) fn copying(self, copying: Copying) -> Self {
        Self { copying, ..self }
    }

    pub(crate) fn replication(self, replication: Replication) -> Self {
        Self { replication: Some(replication), ..self }
    }

    pub(crate) fn status(self, status: &'static str) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn status_at(self, arn: &'static str, status: &'static str) -> Self {
        Self { status_at: Some((arn, status)), ..self }
    }

    pub(crate) fn modified(self, modified: &'static str) -> Self {
        Self { modified, ..self }
    }

    pub(crate) fn targets(self, targets: &[&'static str]) -> Self {
        Self { targets: targets.to_vec(), ..self }
    }

    pub(crate) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn header_after(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers_after.push((name, value));
        self
    }

    pub(crate) fn mishaps(self, mishaps: &[Mishap]) -> Self {
        Self { mishaps: mishaps.to_vec(), ..self }
    }

    pub(crate) fn copy_mishaps(self, mishaps: &[Mishap]) -> Self {
        Self { copy_mishaps: mishaps.to_vec(), ..self }
    }
}
