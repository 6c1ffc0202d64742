//! A set of versions, for comparing two listings.

use crate::listing::entry::Item;
use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

/// Versions by a 64-bit hash of key and version id: 16 bytes each, whatever their names. Among ten
/// million versions two share a hash with a chance of 1 in 400,000.
#[derive(Debug, Clone, Default)]
pub struct VersionSet(HashSet<u64>);

impl VersionSet {
    /// Adds a version.
    pub fn insert(&mut self, item: &Item) {
        self.0.insert(hash(item));
    }

    /// Adds all of another set.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether the version is inside.
    pub fn contains(&self, item: &Item) -> bool {
        self.0.contains(&hash(item))
    }

    /// Versions inside.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn hash(item: &Item) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&item.key, &item.version).hash(&mut hasher);
    hasher.finish()
}
