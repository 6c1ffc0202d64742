//! What happens to a run when its servers fail: it ends with the truth, and what it triggered is on
//! the target.

use std::thread::sleep;
use std::time::Duration;

use super::as_user;
use crate::mc_wasi;
use mc_wasi_tests::background::{Background, Ended};
use mc_wasi_tests::dice::Dice;
use mc_wasi_tests::faketime;
use mc_wasi_tests::mcwasi::Ran;
use mc_wasi_tests::minio::{Ids, Keys, MinioOptions, Pair, ids};
use mc_wasi_tests::relay::Relay;
use mc_wasi_tests::wait::wait_until;

/// The smallest policy that also shows whether the target is online.
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":["admin:ReplicationDiff","admin:GetBucketTarget"]},
    {"Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::src/*"]}]}"#;

/// A pair with a stuck backlog of this many versions, the user who is to mend that, and the
/// versions.
fn stuck(mut pair: Pair, count: usize) -> (Pair, Keys, Ids) {
    let keys = pair.admin_user("operator", POLICY);
    pair.stick();
    let written = pair.put_many("obj-", count, b"hello");
    pair.wait_backlog(count);
    pair.release();
    (pair, keys, ids(&written))
}

fn in_backlog(pair: &Pair) -> Ids {
    ids(&pair.backlog(""))
}

fn on_target(pair: &Pair) -> Ids {
    ids(&pair.target_versions("dst"))
}

/// Nothing is in the backlog but what this run has found replicated. A server whose drives were away may list such a
/// version for ever: a drive answers for it that was not there.
#[track_caller]
fn assert_only_stale_ones_are_listed(pair: &Pair, run: &Ended) {
    let is_stale = |version: &_| run.outcomes.get(version).is_some_and(|how| how == "replicated");
    let left = in_backlog(pair);
    assert!(left.iter().all(is_stale), "{left:?}: {}", run.summary);
}

/// Every version that this run did not trigger still waits, and nothing is lost to those that follow.
#[track_caller]
fn assert_mended_by_running_again(pair: &Pair, keys: &Keys, ended: &Ended, all: &Ids) {
    let left = in_backlog(pair);
    for version in all {
        let triggered = ended.outcomes.get(version).is_some_and(|outcome| outcome == "triggered");
        assert!(triggered || left.contains(version), "{version:?} is gone without a trigger");
    }
    // A server that lost its drives leaves a version or two pending for longer than one run waits.
    let mended = (0..4).any(|_| {
        let run = Background::start(&as_user(pair, keys), &["source/src", "--wait", "40s"]).end();
        if run.status == 0 {
            assert_only_stale_ones_are_listed(pair, &run);
        }
        run.status == 0
    });
    assert!(mended, "four runs did not mend it");
    assert_eq!(on_target(pair), *all);
}

#[track_caller]
fn assert_replicated(pair: &Pair, all: &Ids) {
    assert_eq!(in_backlog(pair), Ids::new());
    assert_eq!(on_target(pair), *all);
}

#[test]
fn a_source_that_is_killed_and_comes_back_costs_nothing() {
    let (mut pair, keys, all) = stuck(Pair::start(), 600);
    let words = ["source/src", "--rate-limit", "100", "--wait", "90s"];
    let mut run = Background::start(&as_user(&pair, &keys), &words);
    run.reach(100);
    pair.source_mut().kill();
    sleep(Duration::from_secs(5));
    pair.source_mut().restart();
    let ended = run.end();
    ended.assert_triggered(600);
    assert!(ended.count("retries") > 0 && ended.count("outages") > 0, "{}", ended.summary);
    // What was queued when the source died is lost to its queue, and was triggered again.
    assert_eq!(ended.summary["wait"]["replicated"], 600, "{}", ended.summary);
    assert_replicated(&pair, &all);
}

#[test]
fn a_source_that_is_restarted_between_listing_and_triggers_costs_nothing() {
    let (mut pair, keys, all) = stuck(Pair::start(), 300);
    let mut run = Background::start(&as_user(&pair, &keys), &["source/src", "--rate-limit", "50"]);
    run.reach(10);
    pair.source_mut().stop();
    pair.source_mut().restart();
    let ended = run.end();
    ended.assert_triggered(300);
    assert_eq!(ended.count("listings"), 1, "all of it was listed before");
    assert_mended_by_running_again(&pair, &keys, &ended, &all);
}

/// What the source says of its target, and since when.
fn wait_until_target_is(pair: &Pair, known_as: &str) {
    let target = "/minio/admin/v3/list-remote-targets?bucket=src&type=replication";
    wait_until(known_as, || {
        let text = pair.source_client().send("GET", target, &[], b"").ok("the targets").text();
        text.contains(known_as) && !text.contains("\"lastOnline\":\"0001")
    });
}

#[test]
fn a_target_that_is_down_is_named_and_what_was_triggered_is_not_called_replicated() {
    let (mut pair, keys, mut all) = stuck(Pair::start(), 200);
    // A source that was just started knows its target once it has replicated something.
    let known = pair.put("known", b"hello", &[]);
    pair.wait_backlog(200);
    wait_until_target_is(&pair, "\"isOnline\":true");
    pair.target_mut().kill();
    wait_until_target_is(&pair, "\"isOnline\":false");

    let arn = pair.links()[0].arn.clone();
    let mc = as_user(&pair, &keys);
    let text = mc.run(&["source/src"]);
    let warning = format!(
        "⚠ Target {arn} (bucket dst) is offline: versions are triggered and stay in the \
         backlog until it is back.\n"
    );
    assert_eq!((text.status, text.stderr.as_str()), (0, warning.as_str()));
    assert!(text.stdout.starts_with("✓ Replication trigger completed\n  Total: 200\n"), "{text:?}");
    assert!(!text.stdout.to_lowercase().contains("replicated"), "{}", text.stdout);
    assert_eq!(in_backlog(&pair), all);

    let ended = Background::start(&mc, &["source/src", "--wait", "3s"]).end();
    let summary = &ended.summary;
    assert_eq!((ended.status, &summary["status"]), (1, &"error".into()), "{summary}");
    assert_eq!(summary["offlineTargets"][0], arn.as_str());
    let wait = &summary["wait"];
    let left = wait["pending"].as_u64().zip(wait["failedAgain"].as_u64());
    assert_eq!(
        (&wait["replicated"], left.map(|(a, b)| a + b)),
        (&0.into(), Some(200)),
        "{summary}"
    );
    assert_eq!(in_backlog(&pair), all);

    pair.target_mut().restart();
    all.insert(("known".to_owned(), known));
    let ended = Background::start(&mc, &["source/src", "--wait", "90s"]).end();
    ended.assert_triggered(200);
    assert_replicated(&pair, &all);
}

/// Four drives: three are more than can be missed.
fn four_drives() -> Pair {
    Pair::builder().source(MinioOptions::default().drives(4)).start()
}

#[test]
fn drives_that_come_back_cost_nothing() {
    let (pair, keys, all) = stuck(four_drives(), 300);
    let mut run = Background::start(&as_user(&pair, &keys), &["source/src", "--rate-limit", "50"]);
    run.reach(20);
    pair.source().lose_drives(3);
    sleep(Duration::from_secs(6));
    pair.source().return_drives();
    let ended = run.end();
    ended.assert_triggered(300);
    assert!(ended.count("retries") > 0, "{}", ended.summary);
    assert_mended_by_running_again(&pair, &keys, &ended, &all);
}

#[test]
fn drives_that_stay_away_end_the_run_with_what_it_did() {
    let (pair, keys, all) = stuck(four_drives(), 300);
    let mut run = Background::start(&as_user(&pair, &keys), &["source/src", "--rate-limit", "50"]);
    run.reach(20);
    pair.source().lose_drives(3);
    let ended = run.end();
    pair.source().return_drives();
    ended.assert_stopped(
        "Resource requested is unreadable, please reduce your request rate. `mc admin info` shows \
         whether the server has lost drives; if not, it is overloaded.",
    );
    assert!(ended.took < Duration::from_secs(100), "{:?}", ended.took);
    assert!(ended.count("notReached") > 0 && ended.count("processed") >= 20, "{}", ended.summary);
    assert!((20..80).contains(&ended.count("failed")), "{}", ended.summary);
    assert_mended_by_running_again(&pair, &keys, &ended, &all);
}

#[test]
fn connections_that_are_cut_at_random_cost_nothing() {
    let (pair, keys, all) = stuck(Pair::start(), 2000);
    let relay = Relay::start(pair.source().authority(), Dice::new(5, "relay")).expect("a relay");
    relay.cut(true);
    let url = format!("http://{}:{}@{}", keys.access, keys.secret, relay.authority());
    let mc = mc_wasi().alias("source", &url);
    // Until one was cut; most are quicker than the relay.
    let mut listings = (0..40).map(|_| {
        let dry = mc.run(&["source/src", "--dry-run", "--json"]).summary();
        assert_eq!((&dry["complete"], &dry["total"]), (&true.into(), &2000.into()), "{dry}");
        dry["listings"].as_u64()
    });
    assert!(listings.any(|listings| listings > Some(1)), "no listing was cut");
    let ended = Background::start(&mc, &["source/src", "--rate-limit", "400"]).end();
    ended.assert_triggered(2000);
    assert!(relay.closed() > 20, "{} closed", relay.closed());
    assert!(ended.count("retries") > 0, "{}", ended.summary);
    assert_mended_by_running_again(&pair, &keys, &ended, &all);
}

#[test]
fn a_clock_that_is_wrong_is_named_before_the_run_and_within_it() {
    let (pair, keys, all) = stuck(Pair::start(), 400);
    let mc = as_user(&pair, &keys);
    let remedy = "Compare the clocks of this machine and of the server, and set the wrong one.";
    for clock in ["+16m", "-16m"] {
        faketime::run(&mc, clock, &["source/src"]).assert_refused(&format!(
            "Unable to list the replication backlog of bucket `src`. The difference between the \
             request time and the server's time is too large. {remedy}"
        ));
    }
    assert_eq!(in_backlog(&pair), all);
    // This one is 15 minutes off after 15 seconds, and a minute more for each second of an answer.
    let Ran { status, stdout, stderr } =
        faketime::run(&mc, "+0 x60", &["source/src", "--rate-limit", "20"]);
    let ahead = format!(" minutes ahead of that of the server. {remedy}\n");
    assert!(stderr.contains("`src`. The clock of this machine is 1"), "{stderr}");
    assert!(stderr.ends_with(&ahead), "{stderr}");
    assert!(
        stdout.starts_with(
            "✗ Replication trigger stopped by an error: the numbers are lower bounds\n"
        ),
        "{stdout}"
    );
    assert!(stdout.contains("\n  Failed: ") && stdout.contains("\n  Not reached: "), "{stdout}");
    assert_eq!(status, 1);
    let ended = Background::start(&mc, &["source/src", "--wait", "90s"]).end();
    assert_eq!(ended.status, 0, "{}", ended.summary);
    assert_replicated(&pair, &all);
}

#[test]
fn a_user_that_is_disabled_ends_the_run_and_enabled_again_finishes_it() {
    let (pair, keys, all) = stuck(Pair::start(), 300);
    let mc = as_user(&pair, &keys);
    let mut run = Background::start(&mc, &["source/src", "--rate-limit", "50"]);
    run.reach(20);
    pair.mc().run(&["admin", "user", "disable", "source", &keys.access]);
    let ended = run.end();
    let said = "Your account is disabled; please contact your administrator. `mc admin user \
                enable` lets its user in again.";
    ended.assert_stopped(said);
    assert!((1..=10).contains(&ended.count("failed")), "those in flight: {}", ended.summary);
    assert!(ended.count("processed") >= 20 && ended.count("notReached") > 0, "{}", ended.summary);
    mc.run(&["source/src"])
        .assert_refused(&format!("Unable to list the replication backlog of bucket `src`. {said}"));
    pair.mc().run(&["admin", "user", "enable", "source", &keys.access]);
    assert_mended_by_running_again(&pair, &keys, &ended, &all);
}

/// While a drive was away the others learned that the versions were replicated, and it did not. Then it
/// answers for some of them, and they are listed for ever: no heal of the server sees a difference.
#[test]
fn what_a_drive_that_was_away_lists_is_triggered_again_and_gone_after_that() {
    let (pair, keys, all) = stuck(four_drives(), 40);
    pair.source().lose_drives(1);
    let first = as_user(&pair, &keys).run(&["source/src", "--json", "--wait", "60s"]);
    assert_eq!(first.summary()["wait"]["replicated"], 40, "{}", first.summary());
    pair.source().return_drives();
    let listed = || pair.backlog("").len();
    wait_until("an answer of the drive", || listed() > 0);
    pair.mc().run(&["admin", "heal", "--recursive", "--scan", "deep", "source/src"]);
    assert!(listed() > 0, "healing does not help");
    let second = Background::start(&as_user(&pair, &keys), &["source/src", "--wait", "60s"]).end();
    assert_eq!((second.status, second.count("failed")), (0, 0), "{}", second.summary);
    assert_only_stale_ones_are_listed(&pair, &second);
    assert_eq!(on_target(&pair), all);
}
