//! Test support for `mc-wasi`: servers that a replication backlog can be triggered on, one of them
//! real and one not.

pub mod background;
pub mod daemon;
pub mod dex;
pub mod dice;
pub mod faketime;
pub mod guests;
pub mod image;
pub mod kube;
pub mod mcwasi;
pub mod minio;
pub mod nginx;
pub mod platforms;
pub mod process;
pub mod quiet;
pub mod registry;
pub mod relay;
pub mod shared;
pub mod signals;
pub mod soak;
pub mod squid;
pub mod stock;
pub mod sts;
pub mod terminal;
pub mod tinyproxy;
pub mod wait;
pub mod watch;

/// The server that is not a real one.
pub use fake_minio as fake;

/// What reads components, at the version that the build writes them with.
pub use {wasm_metadata, wit_component};
