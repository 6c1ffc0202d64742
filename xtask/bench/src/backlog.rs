//! `cargo xtask bench --backlog`: millions of versions in bounded memory, and what that costs.
//!
//! The server keeps what was triggered in its listings, as one whose target is away does: the most that
//! there would be to skip if the bucket were listed again.

use crate::measure::{Cost, Targets, cost, mc_wasi, server, statistics};
use std::process::Stdio;
use xtask::sh::Result;

const SIZES: [u64; 6] = [1_000, 10_000, 100_000, 1_000_000, 5_000_000, 10_000_000];

/// Entries that the server makes for each version at most.
const MAX_LISTED: f64 = 1.05;

/// Memory of the whole process.
const MAX_MIB: f64 = 256.0;

const CONCURRENT: &str = "100";

/// Runs all sizes and prints the table.
pub fn run(targets: &mut Targets) -> Result {
    println!("\nDefault --memory, -c {CONCURRENT}, server and client on this machine\n");
    println!(
        "| versions | objects/s | CPU µs/object | peak RSS MiB | listings | entries listed per version |"
    );
    println!("|---:|---:|---:|---:|---:|---:|");
    SIZES.into_iter().try_for_each(|versions| measure(versions, targets))
}

fn measure(versions: u64, targets: &mut Targets) -> Result {
    let (server, url) = server(versions, &["--keep"])?;
    let mut command = mc_wasi(&url);
    command.args(["-c", CONCURRENT]).stdout(Stdio::null()).stderr(Stdio::null());
    let Cost { wall, cpu, rss_kib } = cost(&mut command)?;
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
    targets.check(
        triggered == versions && again == 0,
        format!("{versions}: {triggered} were triggered, and {again} times one again"),
    );
    targets.check(mib < MAX_MIB, format!("{versions}: {mib:.0} MiB, not below {MAX_MIB}"));
    targets.check(
        work <= MAX_LISTED,
        format!("{versions}: {work:.2} entries listed per version, above {MAX_LISTED}"),
    );
    Ok(())
}
