//! `mc-wasi` by itself: how it starts, reads, keeps a rate, and what a request costs at the gate.

use crate::measure::{Cost, ROUNDS, Targets, cost, mc_wasi, median, peer, server};
use std::process::{Command, Stdio};
use xtask::sh::{Result, built, cargo, handed_out, root, run};

/// Versions in the listing that is only read.
const LISTED: u64 = 1_000_000;

/// CPU of `mc-wasi` for a dry run in JSON, divided by that of a native program that parses and writes
/// the same lines with serde_json.
const MAX_OF_READER: f64 = 1.75;

/// `--help`.
pub fn start_up() -> Result<Cost> {
    let mut runs = Vec::new();
    for _ in 0..=ROUNDS {
        let mut command = Command::new(handed_out());
        command.args(["replicate", "resync-backlog", "--help"]);
        runs.push(cost(command.stdout(Stdio::null()))?);
    }
    Ok(median(&mut runs[1..], |cost| *cost))
}

/// The reader alone: a dry run in JSON, beside a native reader of the same lines.
pub fn listing(targets: &mut Targets) -> Result {
    let (server, url) = server(LISTED, &[])?;
    let (mut ours, mut readers) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let mut command = mc_wasi(&url);
        ours.push(cost(command.args(["--dry-run", "--json"]).stdout(Stdio::null()))?);
        let mut reader = peer(built("native-floor"), &url);
        readers.push(cost(reader.arg("-list").stdout(Stdio::null()).stderr(Stdio::null()))?);
    }
    server.stop()?;
    let (ours, reader) = (median(&mut ours, |cost| *cost), median(&mut readers, |cost| *cost));
    let each = |cost: &Cost| cost.cpu * 1e6 / LISTED as f64;
    let ratio = ours.cpu / reader.cpu;
    println!(
        "\n`--dry-run --json` of {LISTED} versions: {:.0} entries/s, {:.2} µs CPU each, {ratio:.2} of a \
         native reader's {:.2} µs, {} MiB",
        LISTED as f64 / ours.wall,
        each(&ours),
        each(&reader),
        ours.rss_kib / 1024
    );
    targets.check(
        ratio <= MAX_OF_READER,
        format!("the reader takes {ratio:.2} of the CPU of a native one, not {MAX_OF_READER}"),
    );
    Ok(())
}

/// How evenly `--rate-limit` is kept.
pub fn pacing() -> Result {
    println!("\n`--rate-limit` as the server sees it\n");
    run(Command::new(built("pacing")).arg(handed_out()))
}

/// The grant check and signing of one request; it fails above its target of 4 µs.
pub fn gate() -> Result {
    run(&mut cargo("run --quiet --release --example gate_cost"))
}

/// How long a start takes and what the component weighs.
pub fn size(start_up: &Cost) {
    println!(
        "\nStart-up (`--help`, of any run): {:.0} ms, {} MiB",
        start_up.wall * 1e3,
        start_up.rss_kib / 1024
    );
    let component = component_build::path(&root().join("target/component"));
    let bytes = std::fs::metadata(component).map(|file| file.len().to_string());
    println!("Component: {} bytes", bytes.unwrap_or_else(|_| "?".to_owned()));
}
