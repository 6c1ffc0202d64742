//! `cargo xtask soak`: hours, if need be, between two real servers that fail at random.

use crate::sh::{Result, build_all, built};
use crate::tools;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Builds everything and becomes the soak, so that Ctrl-C is the soak's own.
pub fn run(words: &[&str]) -> Result {
    tools::servers()?;
    build_all()?;
    let error = Command::new(built("soak")).args(words).exec();
    Err(format!("target/release/soak does not start: {error}"))
}
