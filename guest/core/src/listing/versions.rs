//! A set of versions, for comparing two listings.

use crate::listing::entry::Item;
use crate::listing::memory;
use crate::listing::seen::{Hashes, hash};

/// Versions by a 64-bit hash of key and version id: 16 bytes each, whatever their names. Among ten
/// million versions two share a hash with a chance of 1 in 400,000.
///
/// One that has no memory to grow in is full: what is added after that is not inside.
#[derive(Debug, Clone, Default)]
pub struct VersionSet {
    hashes: Hashes,
    full: bool,
}

impl VersionSet {
    /// Adds a version.
    pub fn insert(&mut self, item: &Item) {
        if self.has_room_for(1) {
            self.hashes.insert(hash(item));
        }
    }

    /// Adds all of another set.
    pub fn extend(&mut self, other: Self) {
        self.full |= other.full;
        if self.has_room_for(other.len()) {
            self.hashes.extend(other.hashes);
        }
    }

    /// Whether the version is inside.
    pub fn contains(&self, item: &Item) -> bool {
        self.hashes.contains(&hash(item))
    }

    /// Versions inside.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether something was not added, for want of memory.
    pub fn is_full(&self) -> bool {
        self.full
    }

    fn has_room_for(&mut self, more: usize) -> bool {
        self.full = self.full || !memory::reserve(&mut self.hashes, more);
        !self.full
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }
}
