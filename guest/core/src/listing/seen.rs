//! What was read of a listing, so that it can be taken up again.
//!
//! Skipping everything up to the last name is right only if the server lists in order, and the same order
//! each time. Before RELEASE.2024-05-07 a cluster did neither: its erasure sets came interleaved as
//! it happened, its pools one after the other. So the versions themselves are remembered, as long as
//! that takes little; a backlog too long for that is held to its order.

use crate::listing::entry::Item;
use crate::listing::memory;
use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// Versions remembered at most: what fits into 9 MiB, the table being full at 7/8 of a million.
pub(super) const MOST: usize = 900_000;

/// Versions of one name remembered at most, beyond those.
const MOST_OF_ONE_NAME: usize = 1_000_000;

/// A hasher of numbers that are hashes already.
#[derive(Debug, Default, Clone)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Versions by their hashes.
pub(super) type Hashes = HashSet<u64, BuildHasherDefault<AsItIs>>;

/// The versions read.
#[derive(Debug)]
pub(super) struct Seen {
    /// All of them, until they are too many.
    all: Option<Hashes>,
    /// Those of the last name.
    of_last_name: Hashes,
    /// Whether some of the last name are not among them.
    full: bool,
    /// How many were read, and the sum of their hashes, which does not depend on their order.
    pub(super) count: u64,
    pub(super) sum: u64,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            all: Some(Hashes::default()),
            of_last_name: Hashes::default(),
            full: false,
            count: 0,
            sum: 0,
        }
    }
}

/// Key and version as a number: among a million two are the same with a chance of 1 in 37 million.
pub(super) fn hash(item: &Item) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&item.key, &item.version).hash(&mut hasher);
    hasher.finish()
}

impl Seen {
    /// Whether all versions are remembered, so that it is known of each whether it was read.
    pub(super) fn remembers(&self) -> bool {
        self.all.is_some()
    }

    /// Takes a version. Returns whether it is new, as far as is remembered: of all versions, or of those
    /// of the last name. What there is no memory for is new.
    pub(super) fn insert(&mut self, hash: u64, is_last_name: bool) -> bool {
        if !is_last_name {
            self.of_last_name.clear();
            self.full = false;
        }
        let name = &mut self.of_last_name;
        self.full = self.full || name.len() >= MOST_OF_ONE_NAME || !memory::reserve(name, 1);
        let mut new = if self.full { !name.contains(&hash) } else { name.insert(hash) };
        if let Some(all) = &mut self.all {
            if all.len() < MOST && memory::reserve(all, 1) {
                new = all.insert(hash);
            } else {
                new = !all.contains(&hash);
                self.all = None;
            }
        }
        if new {
            self.count += 1;
            self.sum = self.sum.wrapping_add(hash);
        }
        new
    }

    /// Whether the last name has more versions than are remembered.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_to_remember_is_new_and_cannot_be_taken_up_until_the_next_name() {
        let mut seen = Seen::default();
        let versions = (MOST_OF_ONE_NAME + MOST) as u64;
        assert!((0..versions).all(|hash| seen.insert(hash, true)), "none is lost");
        assert_eq!(seen.count, versions);
        assert!(seen.is_full() && !seen.remembers());
        assert!(!seen.insert(7, true), "those remembered are known all the same");
        assert!(seen.insert(versions, false), "another name");
        assert!(!seen.is_full());
        assert!(!seen.insert(versions, true));
    }
}
