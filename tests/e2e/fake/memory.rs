//! What a large backlog takes of this machine. Ten million versions are for `cargo xtask bench
//! --backlog`; these are as many as a test has time for.

use crate::mc_wasi_at;
use mc_wasi_tests::fake::{Backlog, FakeServer, Options};
use mc_wasi_tests::quiet;
use mc_wasi_tests::wait::wait_until;
use mc_wasi_tests::watch::Watched;
use std::process::Stdio;
use std::time::Duration;

const VERSIONS: u64 = 300_000;

/// A sixth of what they take of the queue.
const BUDGET: &str = "1MiB";

/// Entries that were read and not yet triggered at most: 50,000 in the budget, and what the two programs hold
/// between their sockets and it.
const AHEAD: u64 = 50_000 + 5_000;

/// Less than a line of the listing has, in bytes.
const LINE: u64 = 250;

/// Measured: 38 MiB. Ten million versions may take 256 at the default budget.
const PEAK_MIB: u64 = 80;

/// It takes fourteen seconds on two cores that have other work too.
const LIMIT: Duration = Duration::from_secs(240);

#[test]
fn a_backlog_far_above_the_budget_is_listed_once_and_no_faster_than_it_is_triggered() {
    let _loud = quiet::broken();
    let options = Options {
        verify: false,
        log: false,
        // What was triggered stays in the backlog, so that it would be seen if it were listed again.
        replicates: false,
        ..Options::with_backlog(Backlog::synthetic(VERSIONS, 1))
    };
    let server = FakeServer::start(options);
    let mc_wasi = mc_wasi_at(&server.alias_url());
    // Compiles the component, which takes more memory than anything else, and keeps the code.
    assert_eq!(mc_wasi.run(&["--help"]).status, 0);

    let words = ["replicate", "resync-backlog", "-c", "100", "--memory", BUDGET, "a/mybucket"];
    let run = Watched::start(mc_wasi.command(words).stdout(Stdio::piped()));
    let far = |part| server.triggers().0 >= VERSIONS * part / 10;
    let ahead = AHEAD + socket_buffers() / LINE;
    for part in 1..4 {
        wait_until("it gets on", || far(part));
        // The later one first, so that the difference is not larger than it was.
        let (listed, triggered) = (server.listed(), server.triggers().0);
        assert!(listed < triggered + ahead, "{listed} were listed when {triggered} were triggered");
    }
    let finished = run.finish(LIMIT);

    finished.ran.assert_completed(usize::try_from(VERSIONS).unwrap_or(usize::MAX));
    assert_eq!(server.triggers(), (VERSIONS, 0), "every version once");
    assert_eq!((server.listings(), server.listed()), (1, VERSIONS));
    assert!(finished.peak_mib < PEAK_MIB, "{} MiB", finished.peak_mib);
}

/// What the kernel keeps of one connection between two programs at most, in bytes. It lets the buffers grow as it sees
/// fit, on some machines to some MiB and on others to 36.
fn socket_buffers() -> u64 {
    let largest = |name: &str| {
        let path = format!("/proc/sys/net/ipv4/{name}");
        let sizes = std::fs::read_to_string(&path).expect(&path);
        sizes.split_whitespace().last().and_then(|size| size.parse::<u64>().ok()).expect(&path)
    };
    largest("tcp_rmem") + largest("tcp_wmem")
}
