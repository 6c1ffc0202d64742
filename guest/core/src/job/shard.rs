//! A part of the backlog, so that several runs share one.
//!
//! Which part a key belongs to is a promise: runs on other machines, of other versions of this program, and
//! programs of others must find the same. So the hash is written out here and in `docs/at-scale.md`, and
//! does not change. The one that a listing is remembered by is the standard library's, which may.

/// Shards at most. Each run lists the whole bucket, so there are never so many.
pub const MAX_SHARDS: u32 = 1000;

/// One of several shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    count: u32,
}

impl Shard {
    /// Shard `index` of `count`, the first one being 0; `None` unless `index < count` and
    /// `count <=` [`MAX_SHARDS`].
    pub fn new(index: u32, count: u32) -> Option<Self> {
        (index < count && count <= MAX_SHARDS).then_some(Self { index, count })
    }

    /// Whether the versions of this key are in it: all of them, or none.
    pub fn takes(self, key: &str) -> bool {
        Self::hash(key) % u64::from(self.count) == u64::from(self.index)
    }

    /// The hash of a key: FNV-1a, 64 bits, over its bytes in UTF-8, and after it the last steps of
    /// `MurmurHash3`. FNV alone leaves too much of the last byte in the low bits, which decide.
    pub fn hash(key: &str) -> u64 {
        let mut hash = key.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        for factor in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53] {
            hash = (hash ^ (hash >> 33)).wrapping_mul(factor);
        }
        hash ^ (hash >> 33)
    }
}
