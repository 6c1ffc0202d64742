//! Measures how evenly `mc-wasi` keeps `--rate-limit`, as a server sees it: `pacing MC_WASI`.
//!
//! For each rate it prints the largest deviation from the rate over any five seconds, and the most
//! requests within a tenth of a second beside what is due in that time. It ends with 1 when a
//! deviation is above the 2 % that are promised.

use std::env;
use std::io::{self, Write as _};
use std::time::Duration;

use mc_wasi_tests::fake::{Backlog, FakeServer, Options};
use mc_wasi_tests::mcwasi::McWasi;

/// Objects a second.
const RATES: [f64; 7] = [0.5, 1.0, 10.0, 150.0, 1_000.0, 2_500.0, 5_000.0];

/// Over which the rate is promised.
const WINDOW: f64 = 5.0;

/// What is promised.
const MOST: f64 = 0.02;

/// A run lasts this long, so that there are windows to look at.
const SECONDS: f64 = 12.0;

fn main() -> io::Result<()> {
    let program = env::args().nth(1).ok_or_else(|| io::Error::other("usage: pacing MC_WASI"))?;
    let mut out = io::stdout().lock();
    writeln!(out, "| --rate-limit | worst {WINDOW} s | most in 0.1 s | due in 0.1 s |")?;
    writeln!(out, "|---:|---:|---:|---:|")?;
    let mut worst: f64 = 0.0;
    for rate in RATES {
        let starts = starts(&program, rate)?;
        let deviation = deviation(&starts, rate);
        let (burst, due) = (burst(&starts), (rate / 10.0).max(1.0));
        writeln!(out, "| {rate} | {:+.2} % | {burst} | {due:.0} |", deviation * 100.0)?;
        worst = worst.max(deviation.abs());
    }
    if worst > MOST {
        return Err(io::Error::other(format!("{:.2} % off the rate", worst * 100.0)));
    }
    Ok(())
}

/// When the server saw each HEAD, in seconds.
fn starts(program: &str, rate: f64) -> io::Result<Vec<f64>> {
    let versions = (rate * SECONDS).ceil().max(WINDOW * rate + 2.0) as u64;
    let server = FakeServer::start(Options::with_backlog(Backlog::synthetic(versions, 1)));
    let mc_wasi = McWasi::new(program).alias("a", &server.alias_url());
    let ran = mc_wasi.run(&["a/mybucket", "-c", "100", "--rate-limit", &rate.to_string()]);
    if ran.status != 0 || server.triggers() != (versions, 0) {
        return Err(io::Error::other(format!("{}{}", ran.stdout, ran.stderr)));
    }
    let heads = server.log().into_iter().filter(|logged| logged.method == "HEAD");
    let mut starts: Vec<f64> = heads.map(|logged| logged.at.as_secs_f64()).collect();
    starts.sort_by(f64::total_cmp);
    Ok(starts)
}

/// The largest deviation of the rate over as many starts as are due in a window; positive is faster.
fn deviation(starts: &[f64], rate: f64) -> f64 {
    let count = (WINDOW * rate).ceil().max(1.0);
    let pairs = starts.iter().zip(starts.iter().skip(count as usize));
    let deviations = pairs.map(|(first, last)| count / rate / (last - first) - 1.0);
    deviations.fold(0.0, |worst, one| if one.abs() > f64::abs(worst) { one } else { worst })
}

/// The most starts within a tenth of a second.
fn burst(starts: &[f64]) -> usize {
    let tenth = Duration::from_millis(100).as_secs_f64();
    let within =
        |first: &f64| starts.iter().filter(|at| (*first..first + tenth).contains(at)).count();
    // Quadratic, so not for every start; a burst is longer than one.
    starts.iter().step_by((starts.len() / 500).max(1)).map(within).max().unwrap_or(0)
}
