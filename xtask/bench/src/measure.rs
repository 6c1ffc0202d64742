//! What a run costs, the server it runs against, and the targets it has to meet.

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeVal;
use std::process::Command;
use std::time::{Duration, Instant};
use xtask::sh::{Result, Server, built, handed_out};

/// The only bucket of the server.
const BUCKET: &str = "bucket";

/// Runs of everything that is measured by its median.
pub const ROUNDS: usize = 3;

/// What one run cost.
#[derive(Clone, Copy)]
pub struct Cost {
    pub wall: f64,
    pub cpu: f64,
    pub rss_kib: u64,
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
    Ok(Cost { wall, cpu: children()? - before, rss_kib })
}

fn children() -> Result<f64> {
    let usage: Usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|error| error.to_string())?;
    let seconds = |time: TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

fn high_water_mark(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The median by CPU time, which a busy machine disturbs least.
pub fn median<T: Clone>(runs: &mut [T], cost: impl Fn(&T) -> Cost) -> T {
    runs.sort_by(|a, b| cost(a).cpu.total_cmp(&cost(b).cpu));
    runs[runs.len() / 2].clone()
}

/// A fake server with this many versions, and its URL.
pub fn server(objects: u64, more: &[&str]) -> Result<(Server, String)> {
    let mut command = Command::new(built("fake-minio"));
    command.args(["--objects", &objects.to_string(), "--bucket", BUCKET]);
    command.args(["--no-verify", "--until-eof"]).args(more);
    let mut server = Server::start(&mut command)?;
    let line = server.line()?;
    let url = line.strip_prefix("listening ").unwrap_or_default().to_owned();
    Ok((server, url))
}

/// Ends a server; what it has counted.
pub fn statistics(server: Server) -> Result<serde_json::Value> {
    serde_json::from_str(&server.stop()?)
        .map_err(|error| format!("the server's statistics: {error}"))
}

/// `mc-wasi` on the whole bucket of the server at `url`.
pub fn mc_wasi(url: &str) -> Command {
    let mut command = Command::new(handed_out());
    command.args(["replicate", "resync-backlog", &format!("a/{BUCKET}")]);
    command.env("MC_HOST_a", url.replacen("://", "://minioadmin:minioadmin@", 1));
    command
}

/// Another client, with the Go peer's options, on the same.
pub fn peer(program: impl AsRef<std::ffi::OsStr>, url: &str) -> Command {
    let mut command = Command::new(program);
    command.args(["-endpoint", url, "-bucket", BUCKET]);
    command.env("PEER_ACCESS_KEY", "minioadmin").env("PEER_SECRET_KEY", "minioadmin");
    command
}

/// Targets that were not met so far: all of them are named at the end, not only the first.
#[derive(Default)]
pub struct Targets {
    missed: Vec<String>,
}

impl Targets {
    /// Remembers a target that was not met.
    pub fn check(&mut self, met: bool, target: String) {
        if !met {
            self.missed.push(target);
        }
    }

    /// The end of a benchmark.
    pub fn verdict(&self) -> Result {
        if self.missed.is_empty() {
            println!(
                "Every target checked here is met; docs/performance.md says which aims are not."
            );
            Ok(())
        } else {
            Err(format!("targets missed: {}", self.missed.join("; ")))
        }
    }
}
