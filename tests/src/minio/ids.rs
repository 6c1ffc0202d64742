//! Versions by what names them, to be compared as sets.

use std::collections::BTreeSet;

use super::{DiffEntry, Version, Written};

/// Key and version id.
pub type Id = (String, String);

/// Versions in any order.
pub type Ids = BTreeSet<Id>;

/// What names these versions.
pub fn ids<'a, T>(versions: impl IntoIterator<Item = &'a T>) -> Ids
where
    T: 'a,
    Id: From<&'a T>,
{
    versions.into_iter().map(Id::from).collect()
}

impl From<&Version> for Id {
    fn from(version: &Version) -> Self {
        (version.key.clone(), version.version_id.clone())
    }
}

impl From<&DiffEntry> for Id {
    fn from(entry: &DiffEntry) -> Self {
        (entry.object.clone(), entry.version_id.clone())
    }
}

impl From<&Written> for Id {
    fn from(written: &Written) -> Self {
        (written.key.clone(), written.version_id.clone())
    }
}
