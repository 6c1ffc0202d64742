//! A fake MinIO server with a replication backlog, for demonstrations,
//! benchmarks and hosts that no test starts.
//!
//! It prints `listening http://127.0.0.1:PORT` when it is ready and, at the
//! end, one line of JSON with what happened.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use fake_minio::{Backlog, Effect, FakeServer, Fault, Options, Route, S3Error};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

/// The same ids in every run, so that runs can be compared.
const SEED: u64 = 20_261_124;

/// A fake MinIO server with a replication backlog.
#[derive(Debug, Parser)]
struct Args {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    address: SocketAddr,
    /// Access key of the only user.
    #[arg(long, default_value = "minioadmin")]
    access_key: String,
    /// Secret key of the only user.
    #[arg(long, default_value = "minioadmin")]
    secret_key: String,
    /// The only bucket.
    #[arg(long, default_value = "mybucket")]
    bucket: String,
    /// How many versions wait for replication; they take one bit each.
    #[arg(long, value_name = "N", default_value_t = 0)]
    objects: u64,
    /// How many of them fail for ever.
    #[arg(long, value_name = "N", default_value_t = 0)]
    fail: u64,
    /// How they fail.
    #[arg(long, value_enum, default_value = "internal-error")]
    fail_with: Failure,
    /// How many of them are delete markers.
    #[arg(long, value_name = "N", default_value_t = 0)]
    delete_markers: u64,
    /// Instead, a hundred and fifty versions with names as people give them.
    #[arg(long, conflicts_with_all = ["objects", "fail", "delete_markers"])]
    demo: bool,
    /// Versions stay in the backlog when they are triggered.
    #[arg(long)]
    keep: bool,
    /// Does not check signatures, which saves the processor for the client.
    #[arg(long)]
    no_verify: bool,
    /// Site region.
    #[arg(long)]
    region: Option<String>,
    /// Answers 429 to more S3 requests at a time than this.
    #[arg(long, value_name = "N")]
    max_requests: Option<u64>,
    /// Answers object requests so many milliseconds later.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency: u64,
    /// Serves TLS and writes the authority to trust to ca.pem in this directory.
    #[arg(long, value_name = "DIR")]
    tls_dir: Option<PathBuf>,
    /// Ends when standard input does.
    #[arg(long)]
    until_eof: bool,
}

/// An error that every `HEAD` of a version is answered with.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Failure {
    /// 500, which clients try again.
    InternalError,
    /// 503, which clients try again.
    SlowDownRead,
    /// 403, which they do not.
    AccessDenied,
    /// 400, which they do not.
    InvalidArgument,
}

impl From<Failure> for S3Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::InternalError => Self::new(500, "InternalError"),
            Failure::SlowDownRead => Self::new(503, "SlowDownRead"),
            Failure::AccessDenied => Self::new(403, "AccessDenied"),
            Failure::InvalidArgument => Self::new(400, "InvalidArgument"),
        }
    }
}

impl Args {
    fn options(&self) -> Options {
        let backlog = if self.demo {
            Backlog::demo()
        } else {
            let refusal = self.fail_with.into();
            Backlog::mixed(self.objects, SEED, self.delete_markers, self.fail, refusal)
        };
        Options {
            address: self.address,
            access_key: self.access_key.clone(),
            secret_key: self.secret_key.clone(),
            bucket: self.bucket.clone(),
            region: self.region.clone(),
            verify: !self.no_verify,
            log: false,
            replicates: !self.keep,
            max_requests: self.max_requests,
            tls: self.tls_dir.is_some(),
            ..Options::with_backlog(backlog)
        }
    }
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fake-minio: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), io::Error> {
    let server = FakeServer::try_start(args.options())?;
    if let (Some(dir), Some(pem)) = (&args.tls_dir, server.ca_pem()) {
        write_ca(dir, pem)?;
    }
    if args.latency > 0 {
        for route in [Route::Head, Route::Copy] {
            server.inject(Fault::on(route, Effect::Delay(Duration::from_millis(args.latency))));
        }
    }
    say(&format!("listening {}", server.url()))?;
    wait(args.until_eof)?;
    let (triggered, repeated) = server.triggers();
    let stats = json!({
        "requests": server.requests(),
        "connections": server.connections(),
        "resumed": server.resumed(),
        "peakInFlight": server.peak_in_flight(),
        "listings": server.listings(),
        "listed": server.listed(),
        "triggered": triggered,
        "triggeredAgain": repeated,
        "copied": server.copied().len(),
        "badSignatures": server.bad_signatures(),
    });
    say(&stats.to_string())
}

fn write_ca(dir: &Path, pem: &str) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    std::fs::write(dir.join("ca.pem"), pem)
}

/// Whoever started this reads it by the line, and may be gone at the end.
fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        said => said,
    }
}

/// Waits for a signal or the end of standard input.
fn wait(until_eof: bool) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let (at_end, end) = tokio::sync::oneshot::channel::<()>();
        if until_eof {
            // A thread, not the runtime's own standard input, which would have
            // to be read to its end before the runtime could stop.
            std::thread::spawn(move || {
                let mut input = io::stdin().lock();
                while matches!(input.read(&mut [0; 4096]), Ok(1..)) {}
                drop(at_end);
            });
        } else {
            std::mem::forget(at_end);
        }
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = end => {}
        }
        Ok(())
    })
}
