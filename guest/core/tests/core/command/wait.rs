//! `--wait`: the backlog is looked at until what was triggered has left it.

use super::{User, ran};
use crate::world::{
    Break, Fate, Mishap, Refusal, Replication, Version, World, objects, serving, uuid,
};
use resync_core::wire::Method;
use serde_json::json;
use std::time::Duration;

/// Ten versions wait for one target, five for two; all are replicated after this long.
fn two_targets(millis: u64) -> World {
    let version = |n, arns| Version::new(&format!("object-{n:03}"), &uuid(n)).targets(arns);
    let one = (0..10).map(|n| version(n, &["arn:a"][..]));
    let both = (10..15).map(|n| version(n, &["arn:a", "arn:b"][..]));
    let mut world = serving(one.chain(both).collect());
    world.net.latency = 10..11;
    world.net.server.replication = Replication::After(Duration::from_millis(millis));
    world
}

/// When the backlog was listed, in seconds.
fn looks(user: &User) -> Vec<u64> {
    user.world.net.server.asked(Method::Post).map(|asked| asked.at.as_secs()).collect()
}

#[test]
fn it_ends_as_soon_as_everything_has_left_the_backlog() {
    let mut user = User::of(two_targets(1500));
    let text = "✓ Replication trigger completed
  Total: 15
  Processed: 15
  Failed: 0
  Replicated: 15
  arn:a: 15 replicated, 0 pending, 0 failed again
  arn:b: 5 replicated, 0 pending, 0 failed again
";
    assert_eq!(user.run("a/bucket --wait 5m").whole(), (text, "", true));
    assert_eq!(looks(&user), [0, 1, 3], "the listing, and two looks");
    assert_eq!(user.world.starts.len(), 15, "no object is touched while it waits");
}

#[test]
fn looks_become_rarer_up_to_every_half_minute() {
    // One more is replicated before each look.
    let times = [0, 2, 6, 14, 30, 60, 90, 120];
    let versions = times.iter().enumerate().map(|(n, seconds)| {
        let after = Replication::After(Duration::from_secs(*seconds));
        Version::new(&format!("{n}"), "null").replication(after)
    });
    let mut user = User::of(serving(versions.collect()));
    assert!(user.run("a/bucket --wait 1h").success);
    assert_eq!(looks(&user), [0, 1, 3, 7, 15, 31, 61, 91, 121]);
}

#[test]
fn a_server_that_takes_long_for_a_look_has_three_times_as_long_to_itself() {
    let mut world = two_targets(300_000);
    world.net.latency = 30_000..30_001;
    let mut user = User::of(world);
    assert!(user.run("a/bucket --wait 1h").success);
    let looks = looks(&user);
    // The listing, a look after a second, and then one that began 30 s and more before its end.
    let pauses = looks.windows(2).skip(1).map(|pair| pair[1] - pair[0]);
    assert!(looks.len() > 3 && pauses.min() >= Some(4 * 30), "{looks:?}");
}

#[test]
fn it_ends_when_the_time_is_over_with_a_last_look() {
    for (wait, last) in [("1s", 1), ("10s", 10), ("500ms", 0), ("40s", 40)] {
        let mut user = User::of(two_targets(3_600_000));
        let ran = user.run(&format!("a/bucket --wait {wait}"));
        assert!(ran.out.contains("  Still pending: 15\n") && !ran.success, "{}", ran.out);
        assert_eq!(looks(&user).pop(), Some(last), "{wait}");
    }
}

#[test]
fn what_stays_is_triggered_again_three_times_at_most_and_the_run_fails() {
    let world = || {
        let mut world = two_targets(0);
        world.net.server.versions[12].replication = Some(Replication::Never);
        world
    };
    for (time, rounds) in [("5s", 0), ("10s", 1), ("1h", 3)] {
        let mut user = User::of(world());
        let ran = user.run(&format!("a/bucket --json --wait {time}"));
        let summary = ran.summary();
        let tally = |replicated: u32, pending: u32| json!({ "replicated": replicated, "pending": pending, "failedAgain": 0 });
        assert_eq!(
            summary["wait"],
            json!({
                "replicated": 14, "pending": 1, "failedAgain": 0, "stale": 0, "rounds": rounds, "exact": true,
                "targets": { "arn:a": tally(14, 1), "arn:b": tally(4, 1) },
            }),
            "{time}"
        );
        assert_eq!((&summary["complete"], &summary["processed"]), (&true.into(), &15.into()));
        assert_eq!(user.world.starts.len(), 15 + rounds, "only what stayed is triggered again");
        assert_eq!(ran.json().len(), 16, "and is not reported twice");
    }
    let text = "✓ Replication trigger completed
  Total: 15
  Processed: 15
  Failed: 0
  Replicated: 14
  Still pending: 1
  arn:a: 14 replicated, 1 pending, 0 failed again
  arn:b: 4 replicated, 1 pending, 0 failed again

⚠ Some objects were triggered and not replicated.
  You can re-run this command to trigger them again:
  $ mc-wasi replicate resync-backlog a/bucket --wait 5s
";
    assert_eq!(ran(world(), "a/bucket --wait 5s").whole(), (text, "", false));
}

#[test]
fn a_second_trigger_that_helps_is_a_success() {
    // The server has forgotten the first one, as it does when it is restarted.
    let mut world = two_targets(0);
    world.net.server.versions[12].replication = Some(Replication::OnceQueued(2));
    let mut user = User::of(world);
    let summary = user.run("a/bucket --json --wait 1h").summary();
    assert_eq!(
        (&summary["wait"]["replicated"], &summary["wait"]["rounds"]),
        (&15.into(), &1.into())
    );
    assert_eq!(user.world.starts.len(), 16);
}

#[test]
fn what_was_tried_since_and_failed_is_told_apart_from_what_waits() {
    let mut world = two_targets(0);
    world.net.server.versions[3].replication = Some(Replication::Fails);
    world.net.server.versions[13].replication = Some(Replication::Fails);
    world.net.server.versions[14].replication = Some(Replication::Never);
    let ran = ran(world, "a/bucket --wait 2s");
    let text = "  Replicated: 12
  Still pending: 1
  Failed again: 2
  arn:a: 12 replicated, 1 pending, 2 failed again
  arn:b: 3 replicated, 1 pending, 1 failed again
";
    assert!(ran.out.contains(text) && !ran.success, "{}", ran.out);
}

#[test]
fn what_failed_while_the_run_was_still_triggering_others_has_failed_again() {
    for flags in ["", "--rate-limit 1"] {
        let mut world = two_targets(0);
        world.net.server.replication = Replication::Fails;
        let ran = ran(world, &format!("a/bucket --json --wait 2s {flags}"));
        let wait = &ran.summary()["wait"];
        assert_eq!((&wait["pending"], &wait["failedAgain"]), (&0.into(), &15.into()), "{wait}");
    }
}

#[test]
fn a_look_that_breaks_proves_nothing() {
    let breaks = |world: &mut World, sound: usize| {
        world.breaks = vec![(usize::MAX, Break::EarlyEnd); sound].into();
        world.breaks.extend([(0, Break::HalfLine); 99]);
    };
    for (sound, time, replicated) in [(1, "4s", 0), (2, "8s", 10)] {
        let mut world = two_targets(0);
        for version in &mut world.net.server.versions[10..] {
            version.replication = Some(Replication::After(Duration::from_millis(1500)));
        }
        breaks(&mut world, sound);
        let mut user = User::of(world);
        let ran = user.run(&format!("a/bucket --wait {time}"));
        let pending = 15 - replicated;
        let text = format!(
            "  Replicated: {replicated}\n  Still pending: {pending}\n  The last look at the backlog did not reach its end: only what an earlier one showed counts as replicated.\n"
        );
        assert!(ran.out.contains(&text) && !ran.success, "{}", ran.out);
    }
    let mut world = two_targets(0);
    breaks(&mut world, 1);
    let wait = &ran(world, "a/bucket --json --wait 4s").summary()["wait"];
    assert_eq!((&wait["exact"], &wait["replicated"]), (&false.into(), &0.into()));
}

#[test]
fn only_what_this_run_triggered_is_waited_for() {
    let mut world = serving(vec![
        Version::new("a", "null"),
        Version::new("b", "null").refused(Refusal::INVALID),
        Version::new("c", "null").fate(Fate::Gone),
        Version::new("d", "null").targets(&["arn:b"]),
    ]);
    world.net.latency = 10..11;
    let mut user = User::of(world);
    let summary = user.run("a/bucket --json --wait 1h --arn arn:a").summary();
    assert_eq!(
        summary["wait"],
        json!({
            "replicated": 1, "pending": 0, "failedAgain": 0, "stale": 0, "rounds": 0, "exact": true,
            "targets": { "arn:a": { "replicated": 1, "pending": 0, "failedAgain": 0 } },
        })
    );
    assert_eq!(looks(&user), [0, 0, 1], "one look is for what had gone");
    let text = "✓ Replication trigger completed\n  Total: 0\n  Processed: 0\n  Failed: 0\n  Replicated: 0\n";
    assert_eq!(ran(serving(Vec::new()), "a/bucket --wait 1h").whole(), (text, "", true));
}

#[test]
fn without_it_nothing_is_said_about_replication() {
    let mut user = User::of(two_targets(0));
    let text = "✓ Replication trigger completed\n  Total: 15\n  Processed: 15\n  Failed: 0\n";
    assert_eq!(user.run("a/bucket").whole(), (text, "", true));
    assert_eq!(looks(&user), [0]);
}

#[test]
fn after_an_early_end_what_was_triggered_is_waited_for_too() {
    let mut broken = serving(objects(9));
    broken.breaks = [(4, Break::ErrorEntry), (0, Break::ErrorEntry)].into();
    let mut denied = serving(objects(9));
    denied.net.server.versions[4].fate = Fate::Refused(Refusal::LOCKED_OUT);
    for world in [broken, denied] {
        let summary = ran(world, "a/bucket --json --wait 1h -c 1").summary();
        assert_eq!(
            (&summary["complete"], &summary["wait"]["replicated"]),
            (&false.into(), &4.into()),
            "{summary}"
        );
    }
}

#[test]
fn a_wait_that_saw_everything_leave_answers_for_an_outage() {
    let mut world = serving(objects(60));
    world.out = (Duration::from_secs(1)..Duration::from_secs(4), Mishap::Closed);
    let text = "✓ Replication trigger completed\n  Total: 60\n  Processed: 60\n  Failed: 0\n  Replicated: 60\n  arn:a: 60 replicated, 0 pending, 0 failed again\n";
    assert_eq!(ran(world, "a/bucket --rate-limit 20 --wait 1m").whole(), (text, "", true));
}

#[test]
fn only_the_target_that_was_asked_for_is_waited_for() {
    let stays = |key: &str| {
        Version::new(key, "null").targets(&["arn:a", "arn:b"]).replication(Replication::Never)
    };
    // The server names only the target asked for, and lists what waits for another one without any.
    let mut world = serving(vec![stays("a"), stays("b")]);
    world.net.server.replicated_to = vec!["arn:b"];
    let mut user = User::of(world);
    let summary = user.run("a/bucket --json --arn arn:b --wait 1h").summary();
    assert_eq!(
        summary["wait"],
        json!({
            "replicated": 2, "pending": 0, "failedAgain": 0, "stale": 0, "rounds": 0, "exact": true,
            "targets": { "arn:b": { "replicated": 2, "pending": 0, "failedAgain": 0 } },
        })
    );
    assert_eq!(summary["status"], "success");
}

#[test]
fn what_has_failed_again_is_told_by_the_clock_of_the_server() {
    for ahead in [-900, -60, 60, 3600] {
        for (replication, failed) in [(Replication::Fails, 4), (Replication::Never, 0)] {
            let mut world = serving(objects(4));
            world.net.server.ahead = ahead;
            world.net.server.replication = replication;
            let summary = ran(world, "a/bucket --json --wait 10s").summary();
            assert_eq!(summary["wait"]["failedAgain"], failed, "{ahead} s ahead, {replication:?}");
            assert_eq!(summary["wait"]["pending"], 4 - failed, "{ahead} s ahead, {replication:?}");
        }
    }
}

#[test]
fn a_listing_that_is_stale_is_told_from_what_is_not_replicated() {
    let mut world = serving(objects(6));
    world.net.server.replication = Replication::Stale;
    let mut user = User::of(world);
    let summary = user.run("a/bucket --json --wait 1h").summary();
    assert_eq!(
        (&summary["wait"]["replicated"], &summary["wait"]["stale"], &summary["status"]),
        (&6.into(), &6.into(), &"success".into()),
        "{summary}"
    );
    // The next run finds them so, and triggers nothing that it counts.
    let ran = user.run("a/bucket");
    let text = "✓ Replication trigger completed\n  Total: 6\n  Processed: 0\n  Failed: 0\n  Already replicated: 6 (since they were listed, or the listing of the server is stale)\n";
    assert_eq!(ran.whole(), (text, "", true));
    // One that lacks a newer target has no status in the listing, and is triggered.
    let newer =
        Version::new("k", "null").targets(&[]).header("x-amz-replication-status", "COMPLETED");
    let ran = super::ran(serving(vec![newer]), "a/bucket --json");
    assert_eq!(ran.version("k")["outcome"], "triggered");
}
