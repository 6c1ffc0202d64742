//! `cargo xtask bench --backlog`: millions of versions in bounded memory, and what that costs.
//!
//! A queue with a budget means that a large backlog is listed several times. The server keeps what
//! was triggered in its listings, as one whose target is away does: the most that there is to skip.

use crate::bench::{BUCKET, Cost, check, cost, server, statistics, verdict};
use crate::sh::{Result, build_all, built};
use crate::tools;
use std::process::{Command, Stdio};

/// The size at which listing again has to stay cheap, and the one that has to fit at all.
const SIZES: [u64; 2] = [5_000_000, 10_000_000];

/// Entries that the server makes for each version at most, up to [`SIZES`]`[0]`.
const MAX_LISTED: f64 = 2.0;

/// Memory of the whole process.
const MAX_MIB: f64 = 256.0;

const CONCURRENT: &str = "100";

/// Runs both sizes and prints the table.
pub fn run() -> Result {
    tools::wasm_target()?;
    build_all()?;
    // Compiles the component, which takes memory, and keeps the code.
    cost(mc_wasi().arg("--help").stdout(Stdio::null()))?;
    println!("\nDefault --memory, -c {CONCURRENT}, server and client on this machine\n");
    println!(
        "| versions | objects/s | CPU µs/object | peak RSS MiB | listings | entries listed per version |"
    );
    println!("|---:|---:|---:|---:|---:|---:|");
    let mut missed = Vec::new();
    for versions in SIZES {
        measure(versions, &mut missed)?;
    }
    verdict(&missed)
}

fn measure(versions: u64, missed: &mut Vec<String>) -> Result {
    let (server, address) = server(versions, &["--keep"])?;
    let mut command = mc_wasi();
    command.args(["-c", CONCURRENT, &format!("a/{BUCKET}")]);
    command.env("MC_HOST_a", format!("http://minioadmin:minioadmin@{address}"));
    let Cost { wall, cpu, rss_kib, .. } =
        cost(command.stdout(Stdio::null()).stderr(Stdio::null()))?;
    let stats = statistics(server)?;
    let count = |name: &str| {
        stats[name].as_u64().ok_or_else(|| format!("the server's statistics have no {name}"))
    };
    let (triggered, again) = (count("triggered")?, count("triggeredAgain")?);
    let work = count("listed")? as f64 / versions as f64;
    let mib = rss_kib as f64 / 1024.0;
    println!(
        "| {versions} | {:.0} | {:.1} | {mib:.0} | {} | {work:.2} |",
        versions as f64 / wall,
        cpu * 1e6 / versions as f64,
        count("listings")?,
    );
    check(
        missed,
        triggered == versions && again == 0,
        format!("{versions}: {triggered} were triggered, and {again} times one again"),
    );
    check(missed, mib < MAX_MIB, format!("{versions}: {mib:.0} MiB, not below {MAX_MIB}"));
    check(
        missed,
        versions > SIZES[0] || work <= MAX_LISTED,
        format!("{versions}: {work:.2} entries listed per version, above {MAX_LISTED}"),
    );
    Ok(())
}

fn mc_wasi() -> Command {
    let mut command = Command::new(built("mc-wasi"));
    command.args(["replicate", "resync-backlog"]);
    command
}
