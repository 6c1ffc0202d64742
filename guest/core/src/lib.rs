//! `mc replicate resync-backlog` as plain Rust, in five floors. Each knows the floors below it and
//! none above: `command → report → job → listing → wire`.
//!
//! The way of one version: [`listing`] asks for the replication diff and reads each line into an
//! item; [`job`] keeps it in a spool until it has a place in flight and the rate limit allows a start;
//! [`wire`] makes and signs the request; [`job`] reads from the answer whether the server queued the
//! version, tries again where that may help, and counts it; [`report`] says what became of it.
//! [`command`] is the program around that: arguments, alias, messages, exit status.
//!
//! Nothing here knows WASI, a runtime or a socket: the world comes in through [`wire::Net`] and
//! [`report::Console`]. Modules are private; what other crates may use is listed in each floor's
//! `mod.rs`.

pub mod command;
pub mod job;
pub mod listing;
pub mod report;
pub mod wire;
