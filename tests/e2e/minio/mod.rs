//! Against real MinIO servers: what only they can show.

mod access;
mod clear_checksum;
mod connection;
mod faults;
mod harness;
mod interference;
mod keys;
mod load;
mod tls;
mod trigger;
mod waiting;

use crate::mc_wasi;
use mc_wasi_tests::mcwasi::McWasi;
use mc_wasi_tests::minio::{Keys, Pair};

/// `mc-wasi` that knows the source of a pair as `source`, with the keys of root.
fn as_root(pair: &Pair) -> McWasi {
    as_user(pair, pair.source().root())
}

/// `mc-wasi` that knows the source of a pair as `source`, with these keys.
fn as_user(pair: &Pair, keys: &Keys) -> McWasi {
    mc_wasi().alias("source", &pair.source().alias_url(keys))
}
