//! Runs that are not alone: beside another run, a resync of the server, or users who delete.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::as_root;
use mc_wasi_tests::background::{Background, Ended};
use mc_wasi_tests::minio::{Id, Ids, Pair, Written, ids};

/// For the target to get what was triggered.
const DRAIN: Duration = Duration::from_secs(90);

/// A pair with a stuck backlog of this many versions.
fn stuck(count: usize) -> (Pair, Vec<Written>) {
    let mut pair = Pair::start();
    pair.stick();
    let written = pair.put_many("obj-", count, b"hello");
    pair.wait_backlog(count);
    pair.release();
    (pair, written)
}

/// Nothing failed, nothing was left out, and the run knows it.
#[track_caller]
fn assert_nothing_failed(ended: &Ended) {
    let summary = &ended.summary;
    assert_eq!((ended.status, &summary["complete"]), (0, &true.into()), "{summary}");
    assert_eq!((ended.count("failed"), ended.count("notReached")), (0, 0), "{summary}");
}

/// Each version was triggered here, or replicated by somebody else before this run came to it.
#[track_caller]
fn assert_none_left_out(ended: &Ended) {
    let ours = ended.count("processed");
    assert!(ours > 0, "{}", ended.summary);
    assert_eq!(ours + ended.count("replicated"), ended.count("total"), "{}", ended.summary);
}

#[test]
fn two_runs_at_once_share_a_backlog_without_a_failure() {
    let (pair, written) = stuck(1500);
    let mc = as_root(&pair);
    let runs = [&mc, &mc].map(|mc| Background::start(mc, &["source/src", "--rate-limit", "300"]));
    let ended = runs.map(Background::end);
    let mut seen = Ids::new();
    for ended in &ended {
        assert_nothing_failed(ended);
        assert_none_left_out(ended);
        seen.extend(ended.outcomes.keys().cloned());
    }
    assert_eq!(seen, ids(&written));
    pair.wait_empty(DRAIN);
    assert_eq!(ids(&pair.target_versions("dst")), ids(&written));
}

#[test]
fn a_run_during_a_resync_of_the_server_invents_no_failure() {
    let (pair, written) = stuck(1000);
    let mc = as_root(&pair);
    let arn = &pair.links()[0].arn;
    let mut run = Background::start(&mc, &["source/src", "--rate-limit", "200"]);
    run.reach(50);
    pair.mc().run(&["replicate", "resync", "start", "source/src", "--remote-bucket", arn]);
    // One that began before it, and one that begins amidst.
    let amidst = Background::start(&mc, &["source/src"]).end();
    for ended in [run.end(), amidst] {
        assert_nothing_failed(&ended);
        assert_none_left_out(&ended);
    }
    pair.drain("", || assert_eq!(mc.run(&["source/src"]).status, 0));
    assert_eq!(ids(&pair.target_versions("dst")), ids(&written));
}

#[test]
fn versions_that_are_deleted_during_the_run_are_no_failures() {
    let (pair, written) = stuck(600);
    let mc = as_root(&pair);
    let mut run = Background::start(&mc, &["source/src", "--rate-limit", "60"]);
    run.reach(60);
    // From the end on, so that some are deleted before the run comes to them and some behind it.
    let (hidden, purged): (Vec<_>, Vec<_>) =
        written.iter().rev().step_by(3).enumerate().partition(|(number, _)| number % 2 == 0);
    let mut markers = Ids::new();
    for ((_, hidden), (_, purged)) in hidden.iter().zip(&purged) {
        markers.insert((hidden.key.clone(), pair.delete(&hidden.key)));
        pair.delete_version(&purged.key, &purged.version_id);
    }
    let ended = run.end();
    assert_nothing_failed(&ended);
    assert_eq!(ended.count("total"), 600, "{}", ended.summary);
    assert!(ended.count("vanished") > 0, "{}", ended.summary);
    assert_eq!(ended.count("vanished") + ended.count("processed"), 600, "{}", ended.summary);
    pair.drain("", || assert_eq!(mc.run(&["source/src"]).status, 0));

    let purged: Ids = purged.iter().map(|(_, written)| Id::from(*written)).collect();
    let expected: Ids = ids(&written).difference(&purged).chain(&markers).cloned().collect();
    // A purge that overtakes the version it is of is sent once more by the server.
    let began = Instant::now();
    while ids(&pair.target_versions("dst")) != expected && began.elapsed() < DRAIN {
        sleep(Duration::from_millis(500));
    }
    assert_eq!(ids(&pair.target_versions("dst")), expected, "nothing lost, nothing invented");
    assert_eq!(ids(&pair.source_versions_requeue("")), expected);
}
