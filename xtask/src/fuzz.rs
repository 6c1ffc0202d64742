//! The fuzz targets of `fuzz/`, which need nightly Rust and cargo-fuzz.

use crate::sh::{self, Result, cargo, output, root, run};
use std::process::Command;

const TARGETS: [&str; 4] = ["listing", "grant", "config", "canonical"];

/// Seconds for each in `cargo xtask test`: enough to see that they build and run.
const SMOKE: &str = "-max_total_time=5";

/// Brings nightly and cargo-fuzz.
pub fn tool() -> Result {
    let nightly = output(Command::new("rustup").args(["run", "nightly", "rustc", "--version"]));
    if nightly.is_none() {
        run(Command::new("rustup").args([
            "toolchain",
            "install",
            "nightly",
            "--profile",
            "minimal",
        ]))?;
    }
    if sh::tool("cargo-fuzz").is_file() {
        return Ok(());
    }
    let folder = root().join("target/tools");
    let install = ["install", "--locked", "cargo-fuzz", "--root"];
    let build = folder.join("build");
    run(cargo(&install.join(" ")).arg(&folder).env("CARGO_TARGET_DIR", &build))?;
    // What it is made of is of no use afterwards.
    std::fs::remove_dir_all(build).map_err(|error| error.to_string())
}

/// Runs each for a few seconds.
pub fn smoke() -> Result {
    for target in TARGETS {
        // Called by its own name, it is the subcommand `fuzz`; rustup chooses the toolchain.
        run(Command::new(sh::tool("cargo-fuzz"))
            .current_dir(root())
            .args(["fuzz", "run", "--sanitizer", "none", "--target-dir"])
            .arg(root().join("target/fuzz"))
            .args([target, "--", SMOKE])
            .env("RUSTUP_TOOLCHAIN", "nightly")
            .env_remove("CARGO"))?;
    }
    Ok(())
}
