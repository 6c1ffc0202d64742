//! `mc-wasi`, the Go client and a native floor on the same backlog, in one run.
//!
//! The machine is noisy, so ratios of medians within one run are compared, and CPU time of the
//! client rather than wall time. The server runs in a process of its own.

use crate::measure::{Cost, ROUNDS, Targets, cost, mc_wasi, median, peer, server, statistics};
use std::path::Path;
use std::process::{Command, Stdio};
use xtask::sh::{Result, built, tool};

const CONCURRENCY: [u32; 3] = [10, 100, 1000];

/// CPU of `mc-wasi` divided by that of the Go client and of the floor, up to [`RATIOS_UP_TO`].
const MAX_OF_PEER: f64 = 0.45;
const MAX_OF_FLOOR: f64 = 2.0;

/// The same over TLS, at any number.
const MAX_OF_PEER_OVER_TLS: f64 = 0.5;

/// At a thousand the ratios are shown and not judged.
const RATIOS_UP_TO: u32 = 100;

/// Memory on top of a start that does nothing.
const MAX_MIB_ABOVE_START_UP: u64 = 80;

/// Who runs, in the order of the table.
#[derive(Clone, Copy)]
enum Contestant {
    McWasi,
    Peer,
    Floor,
}

const CONTESTANTS: [Contestant; 3] = [Contestant::McWasi, Contestant::Peer, Contestant::Floor];

/// What one run cost, and the connections that the server saw.
#[derive(Clone, Copy)]
struct Ran {
    cost: Cost,
    connections: u64,
    /// Those that took up the TLS session of one before.
    resumed: u64,
}

/// Prints the tables.
pub fn run(objects: u64, start_up: &Cost, targets: &mut Targets) -> Result {
    println!("\n{objects} versions, median of {ROUNDS} runs, client and server on this machine\n");
    println!(
        "| client | -c | objects/s | CPU µs/object | peak RSS MiB | connections | CPU of peer | CPU of floor |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    for concurrency in CONCURRENCY {
        let medians = medians(&CONTESTANTS, concurrency, objects, None)?;
        print(&medians, concurrency, objects);
        judge(&medians, concurrency, start_up, targets);
    }
    Ok(())
}

/// The same over TLS, without the floor, which speaks none.
pub fn over_tls(objects: u64, targets: &mut Targets) -> Result {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    println!("\nThe same over TLS\n");
    println!("| client | -c | objects/s | CPU µs/object | connections | resumed | CPU of peer |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for concurrency in CONCURRENCY {
        let [ours, peer] = medians(
            &[Contestant::McWasi, Contestant::Peer],
            concurrency,
            objects,
            Some(folder.path()),
        )?;
        let ratio = ours.cost.cpu / peer.cost.cpu;
        for (contestant, ran) in [(Contestant::McWasi, ours), (Contestant::Peer, peer)] {
            println!(
                "| {} | {concurrency} | {:.0} | {:.1} | {} | {} | {:.2} |",
                contestant.name(),
                objects as f64 / ran.cost.wall,
                ran.cost.cpu * 1e6 / objects as f64,
                ran.connections,
                ran.resumed,
                ran.cost.cpu / peer.cost.cpu,
            );
        }
        targets.check(
            ratio <= MAX_OF_PEER_OVER_TLS,
            format!("-c {concurrency} over TLS: CPU above {MAX_OF_PEER_OVER_TLS} of the Go peer's"),
        );
    }
    Ok(())
}

/// One after the other in each round, so that a slow minute of the machine hits all of them.
fn medians<const N: usize>(
    contestants: &[Contestant; N],
    concurrency: u32,
    objects: u64,
    tls: Option<&Path>,
) -> Result<[Ran; N]> {
    let mut runs: [Vec<Ran>; N] = std::array::from_fn(|_| Vec::new());
    for _ in 0..ROUNDS {
        for (contestant, runs) in contestants.iter().zip(&mut runs) {
            runs.push(contestant.run(concurrency, objects, tls)?);
        }
    }
    Ok(runs.map(|mut runs| median(&mut runs, |ran| ran.cost)))
}

fn print(medians: &[Ran; 3], concurrency: u32, objects: u64) {
    let [_, peer, floor] = medians;
    for (contestant, ran) in CONTESTANTS.into_iter().zip(medians) {
        println!(
            "| {} | {concurrency} | {:.0} | {:.1} | {:.0} | {} | {:.2} | {:.2} |",
            contestant.name(),
            objects as f64 / ran.cost.wall,
            ran.cost.cpu * 1e6 / objects as f64,
            ran.cost.rss_kib as f64 / 1024.0,
            ran.connections,
            ran.cost.cpu / peer.cost.cpu,
            ran.cost.cpu / floor.cost.cpu,
        );
    }
}

fn judge([ours, peer, floor]: &[Ran; 3], concurrency: u32, start_up: &Cost, targets: &mut Targets) {
    if concurrency <= RATIOS_UP_TO {
        for (whose, other, most) in
            [("the Go peer's", peer, MAX_OF_PEER), ("the floor's", floor, MAX_OF_FLOOR)]
        {
            targets.check(
                ours.cost.cpu / other.cost.cpu <= most,
                format!("-c {concurrency}: CPU above {most:.1} of {whose}"),
            );
        }
    }
    // One more than objects in flight: the listing has a connection of its own.
    targets.check(
        ours.connections <= u64::from(concurrency) + 1,
        format!("-c {concurrency}: more than {} connections", concurrency + 1),
    );
    let above = ours.cost.rss_kib.saturating_sub(start_up.rss_kib) / 1024;
    targets.check(
        above <= MAX_MIB_ABOVE_START_UP,
        format!("-c {concurrency}: {above} MiB above start-up"),
    );
}

impl Contestant {
    fn name(self) -> &'static str {
        match self {
            Self::McWasi => "mc-wasi",
            Self::Peer => "Go peer",
            Self::Floor => "native floor",
        }
    }

    /// Triggers a backlog of its own, over TLS with a folder for the authority.
    fn run(self, concurrency: u32, objects: u64, tls: Option<&Path>) -> Result<Ran> {
        let folder = tls.map(|folder| folder.display().to_string());
        let words: Vec<&str> = folder.iter().flat_map(|folder| ["--tls-dir", folder]).collect();
        let (server, url) = server(objects, &words)?;
        let mut command = self.command(&url);
        if let Some(folder) = tls {
            command.env("SSL_CERT_FILE", folder.join("ca.pem"));
        }
        command.args(["-c", &concurrency.to_string()]);
        let cost = cost(command.stdout(Stdio::null()).stderr(Stdio::null()))?;
        let stats = statistics(server)?;
        if stats["triggered"].as_u64() != Some(objects) {
            return Err(format!(
                "only {} of {objects} versions were triggered",
                stats["triggered"]
            ));
        }
        let count = |what: &str| stats[what].as_u64().unwrap_or(0);
        Ok(Ran { cost, connections: count("connections"), resumed: count("resumed") })
    }

    fn command(self, url: &str) -> Command {
        let program = match self {
            Self::McWasi => return mc_wasi(url),
            Self::Peer => tool("peer"),
            Self::Floor => built("native-floor"),
        };
        peer(program, url)
    }
}
