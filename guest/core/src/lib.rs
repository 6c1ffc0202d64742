//! `mc replicate resync-backlog` as plain Rust.
//!
//! The way of one version: [`reader`] asks for the replication diff and cuts it into lines with
//! [`listing`]; [`entry`] reads a line into an item; [`spool`] keeps it until [`job`] has a place
//! in flight and [`pacing`] allows a start; [`client`] makes and signs the request; [`outcome`]
//! reads the answer, and [`retry`] says whether to try again; [`counts`] counts it and [`report`]
//! prints it. [`command`] is the program around that: arguments, alias, messages, summary.
//!
//! Nothing here knows WASI, a runtime or a socket: the world comes in through [`net::Net`] and
//! [`console::Console`].

pub mod alias;
pub mod args;
pub mod client;
pub mod command;
pub mod console;
pub mod copy;
pub mod counts;
pub mod encode;
pub mod entry;
pub mod exchange;
pub mod flags;
mod flights;
pub mod guard;
pub mod help;
pub mod job;
pub mod listing;
pub mod message;
pub mod net;
mod outage;
pub mod outcome;
pub mod pacing;
pub mod progress;
pub mod reader;
pub mod remedy;
pub mod report;
pub mod retry;
pub mod s3error;
pub mod secret;
pub mod seen;
pub mod sigv4;
mod skew;
pub mod spec;
pub mod spool;
pub mod survey;
pub mod target;
pub mod targets;
pub mod timestamp;
pub mod validate;
pub mod window;
pub mod xml;
