//! Real MinIO servers for tests: start them, break the replication between them, watch what is
//! left.
//!
//! What only a real server can show (which HEAD re-queues a version, what a purge looks like in the
//! listing, when a policy is enough) is tested against one. This module makes that a matter of a
//! few lines:
//!
//! ```no_run
//! # use std::time::Duration;
//! # use mc_wasi_tests::minio::Pair;
//! let mut pair = Pair::start();
//! pair.stick();
//! pair.put_many("obj-", 500, b"hello");
//! pair.wait_backlog(500);
//! pair.release(); // replication works again, but nothing retries what failed
//! // … run the program under test …
//! pair.wait_empty(Duration::from_secs(30));
//! assert_eq!(pair.target_versions("dst").len(), 500);
//! ```
//!
//! Two rules keep such a backlog stuck. The servers' own healing is off (no scanner, and a source
//! that is killed and started again has forgotten its retry list), and nobody may HEAD, GET or list
//! objects on the source by S3 before counting, because each of these re-queues what it touches. So
//! everything here that looks at the source uses the replication diff, and
//! [`Pair::target_versions`] looks at the target.
//!
//! Everything listens on loopback, lives in a temporary directory and ends with the value that owns
//! it.

mod backlog;
mod builder;
mod certs;
mod client;
mod drives;
mod ids;
mod look;
mod mc;
mod objects;
mod pair;
mod policy;
mod server;
mod tools;
mod xml;

pub use backlog::{DiffEntry, TargetStatus, try_diff, untimed};
pub use builder::PairBuilder;
pub use certs::Certs;
pub use client::{Client, Keys, Reply, encode_key, encode_query};
pub use ids::{Id, Ids, ids};
pub use look::Look;
pub use mc::Mc;
pub use objects::Written;
pub use pair::{Link, Pair, SOURCE_BUCKET};
pub use server::{Minio, MinioOptions};
pub use tools::{mc_path, minio_path, module, tool, workspace_root};
pub use xml::Version;

pub(crate) use client::object_target;
