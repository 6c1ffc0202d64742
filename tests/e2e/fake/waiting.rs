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
use serde_json::json;
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
fn a_version_that_stays_is_triggered_again_and_the_run_fails() {
    let mut options = two_targets();
    options.backlog = Backlog::of(
        (0..5).map(|name| version(name, &[DST])).chain([version(5, &[DST, DST2]).inert()]),
    );
    let server = FakeServer::start(options);
    let ran = run(&server, &["--wait", "10s", "--json"]);
    let summary = ran.summary();
    assert_eq!((ran.status, &summary["status"]), (1, &json!("error")));
    assert_eq!((&summary["complete"], &summary["processed"]), (&json!(true), &json!(6)));
    let tally = |replicated, pending| json!({"replicated": replicated, "pending": pending, "failedAgain": 0});
    assert_eq!(
        summary["wait"],
        json!({
            "replicated": 5, "pending": 1, "failedAgain": 0, "rounds": 1, "exact": true,
            "targets": {DST: tally(5, 1), DST2: tally(0, 1)},
        })
    );
    assert_eq!(server.triggers(), (6, 1), "only what stayed was triggered again");
    assert_eq!(ran.json().len(), 7, "and is not reported twice");

    let text = run(&server, &["--wait", "1s"]);
    assert_eq!(text.status, 1);
    assert!(text.stdout.contains("  Still pending: 1\n"), "{}", text.stdout);
    let warning = "⚠ Some objects were triggered and not replicated.";
    assert!(text.stdout.contains(warning), "{}", text.stdout);
}

#[test]
fn without_it_nothing_is_said_about_replication() {
    let server = FakeServer::start(two_targets());
    let ran = run(&server, &[]);
    assert!(!ran.stdout.to_lowercase().contains("replicated"), "{}", ran.stdout);
    assert!(run(&server, &["--json"]).summary().get("wait").is_none());
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
fn a_look_that_breaks_proves_nothing() {
    let server = FakeServer::start(two_targets());
    // The first two are negotiation and the listing itself.
    server.inject(Fault::on(Route::Diff, Effect::Cut { after: 0, how: Cut::InsideLine }).after(1));
    let ran = run(&server, &["--wait", "4s", "--json"]);
    let wait = &ran.summary()["wait"];
    assert_eq!((ran.status, &wait["exact"]), (1, &json!(false)));
    assert_eq!((&wait["replicated"], &wait["pending"]), (&json!(0), &json!(15)), "{wait}");
}

#[test]
fn what_an_early_end_hid_is_found_by_listing_once_more() {
    let cut = || Fault::on(Route::Diff, Effect::Cut { after: 60, how: Cut::Silent }).times(1);
    let start = || {
        let server = FakeServer::start(Options::with_backlog(Backlog::synthetic(100, 1)));
        server.inject(cut());
        server
    };
    let server = start();
    assert_eq!(run(&server, &["--json"]).summary()["total"], 60, "nobody can see that");

    let server = start();
    let summary = run(&server, &["--json", "--verify-listing"]).summary();
    let number = |name: &str| summary[name].as_u64();
    assert_eq!((number("total"), number("appeared")), (Some(100), Some(40)), "{summary}");
    assert_eq!(server.triggers(), (100, 0));

    let server = start();
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
    assert_eq!(ran.status, 0);
}
