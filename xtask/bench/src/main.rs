//! `cargo xtask bench`: what a run costs, beside the Go client and a native floor, and with millions of
//! versions. Ends with an error when a target is missed.

mod alone;
mod backlog;
mod comparison;
mod measure;

use measure::Targets;
use std::process::ExitCode;
use xtask::sh::Result;

/// Versions in the comparison.
const OBJECTS: u64 = 100_000;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result {
    let mut targets = Targets::default();
    match words {
        [] => everything(OBJECTS, &mut targets)?,
        ["--objects", number] => {
            let objects = number.parse().map_err(|_| "--objects takes a number")?;
            everything(objects, &mut targets)?;
        }
        ["--backlog"] => backlog::run(&mut targets)?,
        _ => return Err("usage: cargo xtask bench [--objects N | --backlog]".to_owned()),
    }
    targets.verdict()
}

fn everything(objects: u64, targets: &mut Targets) -> Result {
    let start_up = alone::start_up()?;
    comparison::run(objects, &start_up, targets)?;
    comparison::over_tls(objects, targets)?;
    alone::listing(targets)?;
    alone::pacing()?;
    alone::gate()?;
    alone::size(&start_up);
    Ok(())
}
