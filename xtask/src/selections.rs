//! One wasmtime, however few packages are built.
//!
//! Cargo builds a crate with the features that the packages of one command ask of it. If the packages
//! of the demonstration asked for less than all of them do, the first `cargo test` after it would
//! build wasmtime once more, for minutes. So features stand in the workspace's manifest, and this
//! compares what they come to.

use std::collections::BTreeSet;
use std::process::Command;
use xtask::sh::{Result, cargo, output};

/// What is built by itself, as cargo takes it: the demonstration, the tasks, and all but the tests.
const PARTS: [&str; 3] = ["--package mc-wasi --package fake-minio", "--package xtask", ""];

/// Fails when a part is built of other crates, or of crates with other features, than the tests are.
pub fn check() -> Result {
    let whole = crates("--edges normal,dev")?;
    for part in PARTS {
        let foreign: Vec<String> =
            crates(&format!("--edges normal {part}"))?.difference(&whole).cloned().collect();
        if !foreign.is_empty() {
            return Err(format!(
                "`cargo build {part}` is not a part of what the tests build. Say these features in [workspace.dependencies], or in host/Cargo.toml:\n  {}",
                foreign.join("\n  ")
            ));
        }
    }
    Ok(())
}

/// Each crate with its version and features.
fn crates(selection: &str) -> Result<BTreeSet<String>> {
    let mut tree = cargo("tree --locked --prefix none");
    let tree: &mut Command = tree.args(["--format", "{p} {f}"]).args(selection.split_whitespace());
    let text = output(tree).ok_or("`cargo tree` failed; `cargo metadata --locked` says why")?;
    Ok(text.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect())
}
