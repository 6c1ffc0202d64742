//! `cargo xtask bench`: `mc-wasi`, the Go peer and a native floor on the same backlog, in one run.
//!
//! The machine is noisy, so ratios of medians within one run are compared, and CPU time of the
//! client rather than wall time. The server runs in a process of its own.

use crate::backlog;
use crate::sh::{Result, Server, build_all, built, tool};
use crate::tools;
use nix::sys::resource::{Usage, UsageWho, getrusage};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const OBJECTS: u64 = 100_000;
const LISTED: u64 = 1_000_000;
const ROUNDS: usize = 3;
const CONCURRENCY: [u32; 3] = [10, 100, 1000];
pub const BUCKET: &str = "bucket";

/// The contestants, in the order of the table.
#[derive(Clone, Copy, PartialEq)]
enum Client {
    McWasi,
    Peer,
    Floor,
}

/// What one run cost.
#[derive(Clone, Copy)]
pub struct Cost {
    pub wall: f64,
    pub cpu: f64,
    pub rss_kib: u64,
    connections: u64,
}

/// Runs everything and prints the tables.
pub fn run(words: &[&str]) -> Result {
    let objects = match words {
        [] => OBJECTS,
        ["--objects", number] => number.parse().map_err(|_| "--objects takes a number")?,
        ["--backlog"] => return backlog::run(),
        _ => return Err("usage: cargo xtask bench [--objects N | --backlog]".to_owned()),
    };
    tools::servers()?;
    build_all()?;
    let start_up = start_up()?;
    println!("\n{objects} versions, median of {ROUNDS} runs, client and server on this machine\n");
    println!(
        "| client | -c | objects/s | CPU µs/object | peak RSS MiB | connections | CPU of peer | CPU of floor |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    let mut missed = Vec::new();
    for concurrency in CONCURRENCY {
        let mut medians = Vec::new();
        let mut runs = [Vec::new(), Vec::new(), Vec::new()];
        // In turns, so that a slow minute of the machine hits all three.
        for _ in 0..ROUNDS {
            for (client, runs) in
                [Client::McWasi, Client::Peer, Client::Floor].into_iter().zip(&mut runs)
            {
                runs.push(measure(client, concurrency, objects)?);
            }
        }
        for runs in &mut runs {
            medians.push(median(runs));
        }
        let [ours, peer, floor] = medians.as_slice() else {
            return Err("three clients".to_owned());
        };
        for (name, cost) in [("mc-wasi", ours), ("Go peer", peer), ("native floor", floor)] {
            println!(
                "| {name} | {concurrency} | {:.0} | {:.1} | {:.0} | {} | {:.2} | {:.2} |",
                objects as f64 / cost.wall,
                cost.cpu * 1e6 / objects as f64,
                cost.rss_kib as f64 / 1024.0,
                cost.connections,
                cost.cpu / peer.cpu,
                cost.cpu / floor.cpu,
            );
        }
        if concurrency <= 100 {
            check(
                &mut missed,
                ours.cpu / peer.cpu <= 0.6,
                format!("-c {concurrency}: CPU above 0.6 of the Go peer's"),
            );
            check(
                &mut missed,
                ours.cpu / floor.cpu <= 3.0,
                format!("-c {concurrency}: CPU above 3.0 of the floor's"),
            );
        }
        check(
            &mut missed,
            ours.connections <= u64::from(concurrency) + 1,
            format!("-c {concurrency}: more than {} connections", concurrency + 1),
        );
        let above = ours.rss_kib.saturating_sub(start_up.rss_kib) / 1024;
        check(&mut missed, above <= 80, format!("-c {concurrency}: {above} MiB above start-up"));
    }
    listing(&mut missed)?;
    println!("\n`--rate-limit` as the server sees it\n");
    crate::sh::run(Command::new(built("pacing")).arg(built("mc-wasi")))?;
    // The grant check and signing of one request; it fails above its target of 4 µs.
    crate::sh::run(&mut crate::sh::cargo("run --quiet --release --example gate_cost"))?;
    println!(
        "\nStart-up (`--help`, compiled code kept): {:.0} ms, {} MiB",
        start_up.wall * 1e3,
        start_up.rss_kib / 1024
    );
    let component = built("../component/wasm32-wasip2/component/mc_replicate_resync_backlog.wasm");
    let component = std::fs::metadata(component).map(|file| file.len());
    println!(
        "Component: {} bytes",
        component.map_or_else(|_| "?".to_owned(), |bytes| bytes.to_string())
    );
    verdict(&missed)
}

/// The end of a benchmark.
pub fn verdict(missed: &[String]) -> Result {
    if missed.is_empty() {
        println!("Every target is met.");
        Ok(())
    } else {
        Err(format!("targets missed: {}", missed.join("; ")))
    }
}

/// Remembers a target that was not met.
pub fn check(missed: &mut Vec<String>, met: bool, target: String) {
    if !met {
        missed.push(target);
    }
}

fn median(runs: &mut [Cost]) -> Cost {
    runs.sort_by(|a, b| a.cpu.total_cmp(&b.cpu));
    runs[runs.len() / 2]
}

/// `--help`, after a run that fills the cache.
fn start_up() -> Result<Cost> {
    let mut runs = Vec::new();
    for _ in 0..=ROUNDS {
        let mut command = Command::new(built("mc-wasi"));
        command.args(["replicate", "resync-backlog", "--help"]).stdout(Stdio::null());
        runs.push(cost(&mut command)?);
    }
    runs.remove(0);
    Ok(median(&mut runs))
}

/// A fake server with this many versions, and its address.
pub fn server(objects: u64, more: &[&str]) -> Result<(Server, String)> {
    let mut command = Command::new(built("fake-minio"));
    command.args([
        "--objects",
        &objects.to_string(),
        "--bucket",
        BUCKET,
        "--no-verify",
        "--until-eof",
    ]);
    command.args(more);
    let mut server = Server::start(&mut command)?;
    let line = server.line()?;
    let address = line.strip_prefix("listening http://").unwrap_or_default().to_owned();
    Ok((server, address))
}

fn measure(client: Client, concurrency: u32, objects: u64) -> Result<Cost> {
    let (server, address) = server(objects, &[])?;
    let concurrency = concurrency.to_string();
    let url = format!("http://{address}");
    let mut command = match client {
        Client::McWasi => {
            let mut command = Command::new(built("mc-wasi"));
            command.args([
                "replicate",
                "resync-backlog",
                &format!("a/{BUCKET}"),
                "-c",
                &concurrency,
            ]);
            command.env("MC_HOST_a", format!("http://minioadmin:minioadmin@{address}"));
            command
        }
        Client::Peer => {
            let mut command = Command::new(tool("peer"));
            command.args(["-c", &concurrency, "-endpoint", &url, "-bucket", BUCKET]);
            command
        }
        Client::Floor => {
            let mut command = Command::new(built("native-floor"));
            command.args(["-c", &concurrency, "--endpoint", &url, "--bucket", BUCKET]);
            command
        }
    };
    command.env("PEER_ACCESS_KEY", "minioadmin").env("PEER_SECRET_KEY", "minioadmin");
    let mut cost = cost(command.stdout(Stdio::null()).stderr(Stdio::null()))?;
    let stats = statistics(server)?;
    if stats["triggered"].as_u64() != Some(objects) {
        return Err(format!("only {} of {objects} versions were triggered", stats["triggered"]));
    }
    cost.connections = stats["connections"].as_u64().unwrap_or(0);
    Ok(cost)
}

/// Ends a server; what it has counted.
pub fn statistics(server: Server) -> Result<serde_json::Value> {
    serde_json::from_str(&server.stop()?)
        .map_err(|error| format!("the server's statistics: {error}"))
}

/// The reader alone: a dry run in JSON.
fn listing(missed: &mut Vec<String>) -> Result {
    let (server, address) = server(LISTED, &[])?;
    let mut runs = Vec::new();
    for _ in 0..ROUNDS {
        let mut command = Command::new(built("mc-wasi"));
        command.args([
            "replicate",
            "resync-backlog",
            &format!("a/{BUCKET}"),
            "--dry-run",
            "--json",
        ]);
        command.env("MC_HOST_a", format!("http://minioadmin:minioadmin@{address}"));
        runs.push(cost(command.stdout(Stdio::null()))?);
    }
    server.stop()?;
    let median = median(&mut runs);
    let rate = LISTED as f64 / median.wall;
    println!(
        "\n`--dry-run --json` of {LISTED} versions: {rate:.0} entries/s, {:.2} µs CPU each, {} MiB",
        median.cpu * 1e6 / LISTED as f64,
        median.rss_kib / 1024
    );
    check(missed, rate > 200_000.0, format!("the reader does {rate:.0} entries/s, not 200000"));
    Ok(())
}

/// Runs a client to its end and adds up what it used.
pub fn cost(command: &mut Command) -> Result<Cost> {
    let before = children()?;
    let began = Instant::now();
    let mut child =
        command.spawn().map_err(|error| format!("{:?}: {error}", command.get_program()))?;
    let mut rss_kib = 0;
    let status = loop {
        // The high-water mark only grows, so the last reading is the peak.
        rss_kib = rss_kib.max(high_water_mark(child.id()).unwrap_or(0));
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) => std::thread::sleep(Duration::from_millis(2)),
            Err(error) => return Err(error.to_string()),
        }
    };
    let wall = began.elapsed().as_secs_f64();
    if !status.success() {
        return Err(format!("{:?} ended with {status}", command.get_program()));
    }
    Ok(Cost { wall, cpu: children()? - before, rss_kib, connections: 0 })
}

fn children() -> Result<f64> {
    let usage: Usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|error| error.to_string())?;
    let seconds =
        |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

fn high_water_mark(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
