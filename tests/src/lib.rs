//! Test support for `mc-wasi`: servers that a replication backlog can be triggered on, one of them
//! real and one not.

pub mod fake;
pub mod guests;
pub mod mcwasi;
pub mod minio;
pub mod stock;
pub mod terminal;
pub mod tinyproxy;
pub mod watch;
