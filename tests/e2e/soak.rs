//! A short soak, so that `cargo xtask soak` cannot rot.

use crate::MC_WASI;
use mc_wasi_tests::quiet;
use mc_wasi_tests::soak::{Options, run};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Long enough for three faults, and for two on a busy machine. With what comes before and behind it
/// the test takes 40 s.
const TIME: Duration = Duration::from_secs(25);

#[test]
fn nothing_is_lost_between_two_real_servers_that_fail_and_no_run_claims_too_much() {
    let _loud = quiet::broken();
    let options =
        Options { mc_wasi: MC_WASI.to_owned(), time: TIME, seed: 20_261_124, journal: None };
    let report = run(options, &AtomicBool::new(false));
    println!("{report}");
    assert_eq!(report.wrong(), [""; 0]);
    // It is no proof if nothing went wrong, or nothing was there to be triggered.
    assert!(report.faults().len() >= 2, "{:?}", report.faults());
    assert!(report.triggered() > 0 && report.checked() > 0, "{report}");
}
