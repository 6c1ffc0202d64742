//! The drives of a cluster, as its listings show them.
//!
//! Before RELEASE.2024-05-07 the server walked its erasure sets side by side and its pools one after the
//! other, so that only what comes from one set of one pool was sorted, and a set that came to a bad entry
//! ended without a word (observed on a 2024-01-31).

use std::collections::VecDeque;
use std::ops::Range;

use serde_json::Value;

use super::version::mix;

/// How objects are spread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Erasure sets of each pool.
    pub sets: u64,
    /// Pools.
    pub pools: u64,
    /// The listings in which the first set ends after half of its entries, counted from 1.
    pub lame: Range<u64>,
}

impl Default for Layout {
    /// One set, so that listings are sorted.
    fn default() -> Self {
        Self { sets: 1, pools: 1, lame: 0..0 }
    }
}

impl Layout {
    /// Whether it shows in a listing.
    pub(crate) fn shows(&self) -> bool {
        *self != Self::default()
    }

    /// The lines of a listing in the order in which the drives give them, differently in each.
    pub(crate) fn arrange(&self, lines: Vec<Vec<u8>>, listing: u64) -> VecDeque<Vec<u8>> {
        let mut sets: Vec<VecDeque<Vec<u8>>> = Vec::new();
        sets.resize_with((self.sets * self.pools) as usize, VecDeque::new);
        for line in lines {
            let entry: Value = serde_json::from_slice(&line).unwrap_or_default();
            let key = entry["object"].as_str().unwrap_or_default();
            let hash = key.bytes().fold(0, |hash, byte| mix(hash ^ u64::from(byte)));
            sets[(hash % (self.sets * self.pools)) as usize].push_back(line);
        }
        if self.lame.contains(&listing) {
            let half = sets[0].len() / 2;
            sets[0].truncate(half);
        }
        let mut arranged = VecDeque::new();
        for pool in sets.chunks_mut(self.sets as usize) {
            let mut drawn = listing;
            while pool.iter().any(|set| !set.is_empty()) {
                drawn = mix(drawn.wrapping_add(1));
                let next = (drawn % pool.len() as u64) as usize;
                arranged.extend(pool[next].pop_front());
            }
        }
        arranged
    }
}
