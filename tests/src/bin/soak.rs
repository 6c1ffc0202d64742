//! Runs `mc-wasi` over and over between two real MinIO servers that fail at random, and finds out
//! whether anything was lost. `cargo xtask soak` builds and starts it.
//!
//! Ctrl-C ends the faults, not the check; a second one ends it at once.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Parser;
use mc_wasi_tests::signals::on_signal;
use mc_wasi_tests::soak::{Options, run};

/// What the end takes at most, on top of the minutes asked for: the last runs, five minutes until
/// the backlog is empty, and a start of both servers.
const ALLOWANCE: Duration = Duration::from_secs(15 * 60);

/// `timeout` ends so.
const OUT_OF_TIME: i32 = 124;

/// Soaks `mc-wasi` between two real MinIO servers.
#[derive(Debug, Parser)]
struct Args {
    /// How long writes and faults go on.
    #[arg(long, value_name = "M", default_value_t = 10.0)]
    minutes: f64,
    /// What everything random follows from; a new one each time, unless it is given.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// A file for what happens when: a line for each fault and each run.
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// The program under test; the one beside this by default.
    #[arg(long, value_name = "FILE")]
    mc_wasi: Option<PathBuf>,
}

static STOP: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    let args = Args::parse();
    let Ok(time) = Duration::try_from_secs_f64(args.minutes * 60.0) else {
        return fail("--minutes takes a number of minutes");
    };
    let mc_wasi = match args.mc_wasi.map_or_else(beside, Ok) {
        Ok(path) if path.is_file() => path.display().to_string(),
        Ok(path) => return fail(&format!("{} is missing; try cargo xtask soak", path.display())),
        Err(error) => return fail(&error.to_string()),
    };
    let journal = match args.journal.as_ref().map(File::create).transpose() {
        Ok(file) => file,
        Err(error) => return fail(&format!("no journal: {error}")),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = args.seed.unwrap_or(now.as_millis() as u64 % 1_000_000_000);
    if let Err(error) = listen() {
        return fail(&format!("no handler for signals: {error}"));
    }
    thread::spawn(move || {
        thread::sleep(time + ALLOWANCE);
        fail("out of time");
        // The servers are killed by their watches.
        std::process::exit(OUT_OF_TIME);
    });
    say(&format!(
        "Soaking for {} minutes with --seed {seed}; Ctrl-C ends it sooner.",
        args.minutes
    ));
    let report = run(Options { mc_wasi, time, seed, journal }, &STOP);
    say(&format!("\n{report}"));
    let wrong = report.wrong();
    if wrong.is_empty() {
        say("Nothing is lost, and no run claimed more than was true.");
        return ExitCode::SUCCESS;
    }
    fail(&wrong.join("\nsoak: "))
}

fn beside() -> std::io::Result<PathBuf> {
    std::env::current_exe().map(|own| own.with_file_name("mc-wasi"))
}

/// The first signal ends the faults, the second one everything.
fn listen() -> std::io::Result<()> {
    on_signal(|_| {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        say("The faults end; what is true is found out now. Once more to give up.");
    })
}

/// Whoever reads this may be gone.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn fail(why: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "soak: {why}");
    ExitCode::FAILURE
}
