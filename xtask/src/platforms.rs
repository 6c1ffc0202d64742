//! Everything that is handed out, made as it is handed out and proved on each platform: what `cargo xtask test` does
//! not do, because four programs that are optimized as a whole take an hour and more.

use crate::{hosts, tools};
use std::process::Command;
use xtask::sh::{Result, build_all, built, cargo, headline, run};

/// Makes `dist/` and runs all its tests, also those that need another platform.
///
/// A program for arm64 runs under qemu and one for Windows under Wine; nothing here runs one for macOS.
pub fn all() -> Result {
    tools::wasm_target()?;
    headline("Tools: qemu, Wine, wkg, krew");
    tools::platforms()?;
    hosts::all()?;
    build_all()?;
    run(&mut Command::new(built("xtask-dist")))?;
    headline("The crates that programs may build on, as a registry would get them");
    run(&mut cargo(
        "package --locked --allow-dirty --package resync-core --package mc-wasi-policy",
    ))?;
    headline("Tests of dist/, on every platform that this machine can be");
    run(&mut cargo(
        "test --release --locked --package mc-wasi --test e2e dist:: -- --include-ignored",
    ))
}
