//! A version of an object, and what becomes of it.

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
    /// 400.
    Refused,
    /// 403.
    Denied,
}

/// What a version answers to a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Copying {
    /// 200, in place.
    InPlace,
    /// 200, as a new version.
    AsNewVersion,
    /// 403.
    Denied,
    /// 412.
    Changed,
}

/// What becomes of versions that were queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replication {
    /// They are replicated, and leave the backlog, after this long.
    After(Duration),
    /// They stay as they are.
    Never,
    /// They are tried and fail.
    Fails,
}

/// A version and its fate.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) name: Name,
    pub(crate) fate: Fate,
    pub(crate) copying: Copying,
    /// The ARNs it waits for; none for an existing object that was never replicated.
    pub(crate) targets: Vec<&'static str>,
    /// More headers of a HEAD.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Requests that go wrong before it answers: HEADs, and copies.
    pub(crate) mishaps: Vec<super::Mishap>,
    pub(crate) copy_mishaps: Vec<super::Mishap>,
}

impl Version {
    pub(crate) fn new(key: &str, id: &str) -> Self {
        Self {
            name: (key.to_owned(), id.to_owned()),
            fate: Fate::Queued,
            copying: Copying::InPlace,
            targets: vec!["arn:a"],
            headers: Vec::new(),
            mishaps: Vec::new(),
            copy_mishaps: Vec::new(),
        }
    }

    pub(crate) fn fate(self, fate: Fate) -> Self {
        Self { fate, ..self }
    }

    pub(crate) fn targets(self, targets: &[&'static str]) -> Self {
        Self { targets: targets.to_vec(), ..self }
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}
