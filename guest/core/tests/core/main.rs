//! What the core promises, natively: the job under properties and faults, the command as a table
//! of claims. The world is a server on a virtual clock, so that an hour of waiting takes no time.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod command;
mod job;
mod world;
