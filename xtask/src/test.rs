//! Every check and every test, in the order in which they find mistakes soonest.

use crate::{check, fuzz, tools};
use std::process::Command;
use std::thread;
use xtask::sh::{Result, build_all, built, cargo, headline, run};

/// What `check` has not tested: the host, the servers, and all of it together.
const PACKAGES: [&str; 5] = ["mc-wasi", "mc-wasi-tests", "fake-minio", "xtask-bench", "xtask-dist"];

/// Sets up the tools and runs everything.
pub fn run_everything() -> Result {
    tools::wasm_target()?;
    headline(
        "Tools, in the background: some 10 minutes the first time, most of it for two Go servers",
    );
    // Nothing of it is built by cargo, and nothing that `check` does needs it.
    let tools = thread::spawn(tools::all);
    check::all()?;
    headline("Waiting for the tools");
    tools.join().map_err(|_| "the tools were not set up")??;
    headline("dist/: the first time everything is built, some 8 minutes on two cores");
    build_all()?;
    run(Command::new(built("xtask-dist")).arg("--as-tested"))?;
    headline("Tests: the component in the host, real servers, other hosts");
    let mut tests = cargo("test --release --locked --no-fail-fast");
    for package in PACKAGES {
        tests.args(["--package", package]);
    }
    run(&mut tests)?;
    headline("Fuzz targets, a few seconds each");
    fuzz::smoke()
}
