//! A user who stops the run is told at once, or after the answers under way, how far it came.

use super::{Ran, User};
use crate::world::{Break, Mishap, Refusal, Replication, World, made, ok};
use resync_core::wire::Net;
use serde_json::Value;
use std::time::Duration;

/// A run that is stopped after this many milliseconds, and how many more it took.
fn stopped(mut world: World, millis: u64, line: &str) -> (User, Ran, u128) {
    world.net.stop_at = Some(Duration::from_millis(millis));
    let mut user = User::of(world);
    let ran = user.run(line);
    let took = user.world.now().origin_age().as_millis();
    (user, ran, took.saturating_sub(u128::from(millis)))
}

#[test]
fn whatever_is_waited_for_is_left_at_once() {
    let silent = || made(9, |world| world.breaks = [(0, Break::Silence)].into());
    let busy = || made(9, |world| world.breaks = [(0, Break::BUSY); 9].into());
    let asks = Mishap::Refused(Refusal::new(503, "SlowDown").retry_after("3600"));
    let paused = || made(9, |world| world.out = (Duration::ZERO..Duration::MAX, asks));
    let out = || made(9, |world| world.out = (Duration::ZERO..Duration::MAX, Mishap::Closed));
    let offline = || {
        made(9, |world| {
            let target = r#"[{ "arn": "arn:a", "isOnline": false, "totalDowntime": 1 }]"#;
            world.net.server.remote_targets = ok(target).into();
        })
    };
    let calm = || made(9, |_| {});
    let rows: [(&str, World, &str); 8] = [
        ("a listing that does not come", silent(), ""),
        ("a listing that is asked for again", busy(), ""),
        ("the pause that the server asked for", paused(), ""),
        ("a server that is out", out(), ""),
        ("a target that is offline", offline(), ""),
        ("the rate limit", calm(), "--rate-limit 0.1"),
        ("a silent listing of a dry run", silent(), "--dry-run"),
        ("copies", paused(), "--clear-checksum"),
    ];
    for (what, world, flags) in rows {
        let (user, ran, late) = stopped(world, 3456, &format!("a/bucket --json {flags}"));
        let summary = ran.summary();
        assert_eq!(
            (&summary["complete"], &summary["status"]),
            (&Value::Bool(false), &"error".into()),
            "{what}"
        );
        assert!(late <= 20, "{what}: {late} ms later");
        let begun = user.world.starts.iter().filter(|at| at.as_millis() > 3456).count();
        assert_eq!(begun, 0, "{what}");
    }
}

#[test]
fn nothing_is_begun_by_a_run_that_is_stopped_before() {
    for flags in ["", "--dry-run", "--verify-listing", "--wait 1h"] {
        let (user, ran, late) = stopped(made(9, |_| {}), 0, &format!("a/bucket --json {flags}"));
        assert_eq!(
            (ran.success, ran.json().len(), user.world.starts.len()),
            (false, 1, 0),
            "{flags}"
        );
        assert!(late <= 30, "{flags}: {late} ms");
    }
}

#[test]
fn answers_under_way_are_waited_for_and_counted() {
    // Before the second copy, the settings of the bucket are looked at and the first copy is proven.
    for (flags, stop) in [("", 4000), ("--clear-checksum", 9000)] {
        let world = made(100, |world| world.net.latency = 900..901);
        let (user, ran, late) = stopped(world, stop, &format!("a/bucket --json {flags}"));
        let summary = ran.summary();
        let server = &user.world.net.server;
        assert_eq!(summary["processed"], server.queued.len(), "{summary}");
        assert_eq!(summary["failed"], 0, "{summary}");
        assert!((1..=1800).contains(&late), "{late} ms");
        let copied = if flags.is_empty() { 0 } else { server.queued.len() };
        assert_eq!((server.copied.len(), &summary["copied"]), (copied, &copied.into()));
    }
}

#[test]
fn answers_that_do_not_come_are_given_up_after_five_seconds() {
    for flags in ["", "--clear-checksum"] {
        let world =
            made(50, |world| world.out = (Duration::from_secs(1)..Duration::MAX, Mishap::Hang));
        let line = format!("a/bucket --json --rate-limit 20 {flags}");
        let (_, ran, late) = stopped(world, 2000, &line);
        let summary = ran.summary();
        assert!((5000..6100).contains(&late), "{late} ms");
        let number = |name: &str| summary[name].as_u64().expect("a number");
        assert_eq!((number("total"), number("failed")), (50, 0), "{summary}");
        assert_eq!(number("notReached"), 50 - number("processed"), "{summary}");
        assert!((18..=22).contains(&number("processed")), "{summary}");
    }
}

#[test]
fn a_wait_that_is_stopped_tells_what_is_known() {
    let world = || made(15, |world| world.net.server.replication = Replication::Never);
    let (_, ran, late) = stopped(world(), 5000, "a/bucket --wait 1h");
    assert_eq!(
        ran.out,
        "✓ Replication trigger completed
  Total: 15
  Processed: 15
  Failed: 0
  Replicated: 0
  Still pending: 15
  The last look at the backlog did not reach its end: only what an earlier one showed counts as replicated.
  arn:a: 0 replicated, 15 pending, 0 failed again

⚠ Some objects were triggered and not replicated.
  You can re-run this command to trigger them again:
  $ mc-wasi replicate resync-backlog a/bucket --wait 1h
"
    );
    assert!(late <= 20 && !ran.success, "{late} ms");
    let (_, ran, _) = stopped(world(), 500, "a/bucket --wait 1h --json");
    let wait = &ran.summary()["wait"];
    assert_eq!(
        (&wait["pending"], &wait["exact"]),
        (&15.into(), &false.into()),
        "before the first look"
    );
}

#[test]
fn a_second_listing_that_is_stopped_makes_the_run_an_interrupted_one() {
    let world = made(9, |world| {
        world.breaks = [(4, Break::EarlyEnd), (6, Break::Silence)].into();
        world.net.server.replication = Replication::Never;
    });
    let (_, ran, _) = stopped(world, 2000, "a/bucket --verify-listing");
    let begins = "⚠ Replication trigger interrupted: the numbers are lower bounds\n  Total: 5\n  Processed: 5\n  Failed: 0\n  Appeared: 1 (only in the second listing; part of the total)\n";
    assert!(ran.out.starts_with(begins), "{}", ran.out);
}

#[test]
fn what_is_asked_before_the_first_trigger_says_that_it_was_stopped() {
    let err = "mc-wasi: <ERROR> Unable to clear checksums in bucket `bucket`. minio.example:9000: stopped by the user.\n";
    for line in ["a/bucket --clear-checksum", "a/bucket --clear-checksum --validate"] {
        let (user, ran, late) = stopped(made(9, |_| {}), 5, line);
        assert_eq!(ran.whole(), ("", err, false), "{line}");
        assert_eq!((late, user.world.net.server.log.len()), (0, 1), "{line}");
    }
}
