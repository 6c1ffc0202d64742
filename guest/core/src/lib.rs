//! `mc replicate resync-backlog` as plain Rust.

pub mod command;
pub mod job;
pub mod listing;
pub mod report;
pub mod wire;
