//! What a large backlog takes of this machine. Ten million versions are for `cargo xtask bench
//! --backlog`; these are as many as a test has time for.

use crate::mc_wasi_at;
use mc_wasi_tests::fake::{Backlog, FakeServer, Options};
use mc_wasi_tests::quiet;
use mc_wasi_tests::watch::Watched;
use std::process::Stdio;
use std::time::Duration;

const VERSIONS: u64 = 300_000;

/// They take some 6 MiB of the queue, so this much is filled six times.
const BUDGET: &str = "1MiB";

/// Measured: 38 MiB. Ten million versions may take 256 at the default budget.
const PEAK_MIB: u64 = 80;

/// It takes fourteen seconds on two cores that have other work too.
const LIMIT: Duration = Duration::from_secs(240);

#[test]
fn a_backlog_far_above_the_budget_is_listed_again_and_no_version_is_lost_or_triggered_twice() {
    let _loud = quiet::broken();
    let options = Options {
        verify: false,
        log: false,
        // What was triggered is listed again, so that skipping it is the client's own doing.
        replicates: false,
        ..Options::with_backlog(Backlog::synthetic(VERSIONS, 1))
    };
    let server = FakeServer::start(options);
    let mc_wasi = mc_wasi_at(&server.alias_url());
    // Compiles the component, which takes more memory than anything else, and keeps the code.
    assert_eq!(mc_wasi.run(&["--help"]).status, 0);

    let words = ["replicate", "resync-backlog", "-c", "100", "--memory", BUDGET, "a/mybucket"];
    let finished = Watched::start(mc_wasi.command(words).stdout(Stdio::piped())).finish(LIMIT);

    finished.ran.assert_completed(usize::try_from(VERSIONS).unwrap_or(usize::MAX));
    assert_eq!(server.triggers(), (VERSIONS, 0), "every version once");
    let (listings, listed) = (server.listings(), server.listed());
    assert!(listings >= 4, "{listings} listings: the budget was never reached");
    // Each listing starts at the first entry and ends where the budget does, so all of them
    // together have about half of what that many whole ones would.
    assert!(listed < VERSIONS * (listings / 2 + 2), "{listed} entries in {listings} listings");
    assert!(finished.peak_mib < PEAK_MIB, "{} MiB", finished.peak_mib);
}
