//! Every check and every test, in the order in which they find mistakes soonest.

use crate::{fuzz, tools};
use std::process::Command;
use xtask::sh::{Result, build_all, built, cargo, headline, run};

/// Sets up the tools and runs everything.
pub fn run_everything() -> Result {
    headline("Tools");
    tools::all()?;
    headline("Format and lints");
    run(&mut cargo("fmt --all --check"))?;
    run(&mut cargo("clippy --release --all-targets -- -D warnings"))?;
    run(&mut cargo(
        "clippy -p mc-replicate-resync-backlog --target wasm32-wasip2 --profile component \
         --target-dir target/component -- -D warnings",
    ))?;
    build_all()?;
    run(&mut Command::new(built("xtask-dist")))?;
    headline("Tests: the job natively, the component in the host, real servers");
    run(&mut cargo("test --release --no-fail-fast"))?;
    headline("Fuzz targets, a few seconds each");
    fuzz::smoke()
}
