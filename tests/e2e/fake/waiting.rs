//! What comes after the triggers: `--wait` tells what became of them, `--verify-listing` finds what
//! a listing that ended early did not show.

use crate::mc_wasi_at;
use mc_wasi_tests::fake::{
    Backlog, Cut, Effect, FakeServer, Fault, Options, Route, Status, Target, TargetState, Version,
};
use mc_wasi_tests::mcwasi::Ran;
use mc_wasi_tests::wait::wait_until;
use mc_wasi_tests::watch::{Finished, Watched};
use nix::sys::signal::Signal;
use std::thread::sleep;
use std::time::Duration;

const DST: &str = "arn:minio:replication::11111111-1111-4111-8111-111111111111:dst";
const DST2: &str = "arn:minio:replication::22222222-2222-4222-8222-222222222222:dst2";

fn run(server: &FakeServer, flags: &[&str]) -> Ran {
    mc_wasi_at(&server.alias_url()).run(&[&["a/mybucket"], flags].concat())
}

fn version(name: usize, arns: &[&str]) -> Version {
    let targets = arns.iter().map(|arn| TargetState::new(*arn, Status::Failed)).collect();
    Version::put(format!("object-{name:03}")).targets(targets)
}

/// Two targets; versions 0 to 9 lack the first, 10 to 14 both.
fn two_targets() -> Options {
    let target = |arn: &str, bucket: &str| Target {
        arn: arn.to_owned(),
        bucket: bucket.to_owned(),
        ..Target::default()
    };
    let one = (0..10).map(|name| version(name, &[DST]));
    let both = (10..15).map(|name| version(name, &[DST, DST2]));
    Options {
        targets: vec![target(DST, "dst"), target(DST2, "dst2")],
        ..Options::with_backlog(Backlog::of(one.chain(both)))
    }
}

#[test]
fn it_ends_as_soon_as_everything_has_left_the_backlog() {
    let delay = Duration::from_millis(1500);
    let server = FakeServer::start(Options { replication_delay: delay, ..two_targets() });
    let ran = run(&server, &["--wait", "5m"]);
    let expected = format!(
        "✓ Replication trigger completed\n  Total: 15\n  Processed: 15\n  Failed: 0\n  Replicated: 15\n  {DST}: 15 replicated, 0 pending, 0 failed again\n  {DST2}: 5 replicated, 0 pending, 0 failed again\n"
    );
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str(), ran.status), (expected.as_str(), "", 0));
    assert_eq!(server.triggers(), (15, 0), "no object is touched while it waits");
}

#[test]
fn a_signal_ends_the_wait_with_what_is_known() {
    let server = FakeServer::start(Options { replicates: false, ..two_targets() });
    let mut command = mc_wasi_at(&server.alias_url()).command([
        "replicate",
        "resync-backlog",
        "a/mybucket",
        "--wait",
        "1h",
    ]);
    let watched = Watched::start(command.stdout(std::process::Stdio::piped()));
    wait_until("triggered", || server.triggers().0 == 15);
    sleep(Duration::from_millis(300));
    watched.signal(Signal::SIGINT);
    let Finished { ran, .. } = watched.finish(Duration::from_secs(20));
    assert_eq!(ran.status, 130, "{}", ran.stdout);
    let known = "  Replicated: 0\n  Still pending: 15\n";
    assert!(ran.stdout.contains(known), "a look cut short proves nothing: {}", ran.stdout);
}

#[test]
fn what_an_early_end_hid_is_found_by_listing_once_more() {
    let server = FakeServer::start(Options::with_backlog(Backlog::synthetic(100, 1)));
    server.inject(Fault::on(Route::Diff, Effect::Cut { after: 60, how: Cut::Silent }).times(1));
    let ran = run(&server, &["--verify-listing"]);
    assert_eq!(
        ran.stdout,
        "✓ Replication trigger completed
  Total: 100
  Processed: 100
  Failed: 0
  Appeared: 40 (only in the second listing; part of the total)
"
    );
    assert_eq!((ran.status, server.triggers()), (0, (100, 0)));
}
