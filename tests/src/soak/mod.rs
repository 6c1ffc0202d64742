//! A soak: a real source and target, somebody who writes all the time, faults at random, and
//! `mc-wasi` run over and over between them. In the end nothing may be lost, and no run may have
//! claimed more than was true.
//!
//! Three things go on at once: `writer` writes and deletes, `faults` kills servers, closes
//! connections and locks the source out of the target, and `runs` runs the command and compares
//! what it says with the backlog before it. When the time is up everything is repaired, the command
//! is run until the backlog is empty, and `truth` compares the two servers version by version.
//!
//! Faults, flags and writes follow from a seed. Their timing does not, so a seed narrows a failure
//! down and does not bring it back for certain.

mod faults;
mod journal;
mod report;
mod runs;
mod truth;
mod writer;

use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub use self::report::Report;

use self::faults::Faults;
use self::journal::Journal;
use self::runs::{Runner, Tally};
use self::truth::Truth;
use crate::dice::Dice;
use crate::mcwasi::McWasi;
use crate::minio::Pair;
use crate::relay::Relay;
use crate::watch::open_files;

/// What a soak is to do.
#[derive(Debug)]
pub struct Options {
    /// The program under test.
    pub mc_wasi: String,
    /// How long writes and faults go on.
    pub time: Duration,
    /// What everything random follows from.
    pub seed: u64,
    /// Where each fault and each run is noted.
    pub journal: Option<File>,
}

/// Ends the other threads when this one ends, and when it panics.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Soaks. `stop` ends writes and faults early; the truth is found out all the same.
///
/// # Panics
/// When a server does not start, or does not come back.
#[must_use]
pub fn run(options: Options, stop: &AtomicBool) -> Report {
    let dice = |name: &str| Dice::new(options.seed, name);
    let (began, journal) = (Instant::now(), Journal::new(options.journal));
    let mut pair = Pair::start();
    let source = pair.source();
    let relay =
        Relay::start(source.authority(), dice("relay")).expect("a relay on a port of its own");
    let url = source.alias_url(source.root());
    let mc_wasi = McWasi::new(&options.mc_wasi)
        .alias("relay", &url.replace(&source.authority(), &relay.authority()))
        .alias("source", &url);
    // Compiles the component once, and not in each of the first runs.
    assert_eq!(mc_wasi.run(&["--help"]).status, 0, "mc-wasi runs");
    let (client, target) = (pair.source_client(), pair.target_client());
    let tally = Tally::default();
    let mut runner =
        Runner { mc_wasi: &mc_wasi, client: &client, target: &target, journal: &journal, tally };
    let files_first = open_files(std::process::id());

    let over = AtomicBool::new(false);
    let until = Instant::now() + options.time;
    let done = || stop.load(Ordering::Relaxed) || Instant::now() >= until;
    let (written, faults) = thread::scope(|scope| {
        let ends = Over(&over);
        let writer = scope.spawn(|| writer::write(&client, dice("writer"), &over));
        let runs = scope.spawn(|| {
            let _ends = Over(&over);
            runner.repeat(dice("runs"), &over);
        });
        let done = || done() || over.load(Ordering::Relaxed);
        let faults = Faults::new(&mut pair, &relay, dice("faults"), &journal).befall(&done);
        drop(ends);
        runs.join().expect("the runs end");
        (writer.join().expect("the writer ends"), faults)
    });

    let mut truth = Truth::default();
    truth::quiesce(&mut runner, &mut truth);
    let tally = runner.tally;
    truth::compare(&pair, &written, &mut truth);
    pair.source_mut().kill();
    pair.target_mut().kill();
    Report {
        seed: options.seed,
        took: began.elapsed(),
        written,
        faults,
        closed: relay.closed(),
        tally,
        truth,
        files: [files_first, open_files(std::process::id())],
        _servers: pair,
    }
}
