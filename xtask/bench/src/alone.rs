//! `mc-wasi` by itself: how it starts, reads, keeps a rate, and what a request costs at the gate.

use crate::measure::{Cost, ROUNDS, Targets, cost, mc_wasi, median, server};
use std::process::{Command, Stdio};
use xtask::sh::{Result, built, cargo, root, run};

/// Versions in the listing that is only read.
const LISTED: u64 = 1_000_000;

/// Entries a second that the reader has to do.
const MIN_RATE: f64 = 200_000.0;

/// `--help`, after a run that fills the cache.
pub fn start_up() -> Result<Cost> {
    let mut runs = Vec::new();
    for _ in 0..=ROUNDS {
        let mut command = Command::new(built("mc-wasi"));
        command.args(["replicate", "resync-backlog", "--help"]);
        runs.push(cost(command.stdout(Stdio::null()))?);
    }
    Ok(median(&mut runs[1..], |cost| *cost))
}

/// The reader alone: a dry run in JSON.
pub fn listing(targets: &mut Targets) -> Result {
    let (server, address) = server(LISTED, &[])?;
    let mut runs = Vec::new();
    for _ in 0..ROUNDS {
        let mut command = mc_wasi(&address);
        runs.push(cost(command.args(["--dry-run", "--json"]).stdout(Stdio::null()))?);
    }
    server.stop()?;
    let median = median(&mut runs, |cost| *cost);
    let rate = LISTED as f64 / median.wall;
    println!(
        "\n`--dry-run --json` of {LISTED} versions: {rate:.0} entries/s, {:.2} µs CPU each, {} MiB",
        median.cpu * 1e6 / LISTED as f64,
        median.rss_kib / 1024
    );
    targets
        .check(rate > MIN_RATE, format!("the reader does {rate:.0} entries/s, not {MIN_RATE:.0}"));
    Ok(())
}

/// How evenly `--rate-limit` is kept.
pub fn pacing() -> Result {
    println!("\n`--rate-limit` as the server sees it\n");
    run(Command::new(built("pacing")).arg(built("mc-wasi")))
}

/// The grant check and signing of one request; it fails above its target of 4 µs.
pub fn gate() -> Result {
    run(&mut cargo("run --quiet --release --example gate_cost"))
}

/// How long a start takes and what the component weighs.
pub fn size(start_up: &Cost) {
    println!(
        "\nStart-up (`--help`, compiled code kept): {:.0} ms, {} MiB",
        start_up.wall * 1e3,
        start_up.rss_kib / 1024
    );
    let component = component_build::path(&root().join("target/component"));
    let bytes = std::fs::metadata(component).map(|file| file.len().to_string());
    println!("Component: {} bytes", bytes.unwrap_or_else(|_| "?".to_owned()));
}
