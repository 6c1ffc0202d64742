//! The fuzz targets of `fuzz/`, which need nightly Rust and cargo-fuzz.

use std::process::Command;
use xtask::python;
use xtask::sh::{Result, output, root, run};

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
    python::install("xtask/wheels/cargo-fuzz.txt").map(drop)
}

/// Runs each for a few seconds.
pub fn smoke() -> Result {
    for target in TARGETS {
        // Called by its own name, it is the subcommand `fuzz`; rustup chooses the toolchain.
        run(Command::new(python::program("cargo-fuzz"))
            .current_dir(root())
            .args(["fuzz", "run", "--sanitizer", "none", "--target-dir"])
            .arg(root().join("target/fuzz"))
            .args([target, "--", SMOKE])
            .env("RUSTUP_TOOLCHAIN", "nightly")
            .env_remove("CARGO"))?;
    }
    Ok(())
}
