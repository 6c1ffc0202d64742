//! `--wait` for a large backlog: what the counters and the targets say of a look that costs much.

use super::User;
use super::from::given;
use crate::world::{Break, Fate, Refusal, Replication, Screen, Version, World, made, ok, serving};
use resync_core::wire::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// A server that replicates 20 versions in a second, and takes the better part of a minute for a listing.
fn slow(count: usize, make: impl FnOnce(&mut World)) -> User {
    User::of(made(count, |world| {
        world.net.server.replication = Replication::Never;
        world.net.server.queue.rate = Some(20.0);
        world.net.latency = 1_000..1_001;
        make(world);
    }))
}

/// How often the backlog was listed.
fn listings(user: &User) -> usize {
    user.world.net.server.asked(Method::Post).count()
}

const COUNT: usize = 30_000;
const RUN: &str = "a/bucket --json -c 1000 --wait 1h --max-queue";

#[test]
fn while_the_counters_go_on_the_backlog_is_not_looked_at() {
    let mut user = slow(COUNT, |_| {});
    let summary = user.run(&format!("{RUN} 100000")).summary();
    assert_eq!(
        (&summary["wait"]["replicated"], &summary["status"]),
        (&COUNT.into(), &"success".into())
    );
    assert_eq!(
        listings(&user),
        3,
        "one to trigger, a look after five minutes, and one when all was done"
    );
    // It is over soon after the last version: 1,500 s for all of them.
    let seconds = summary["duration"].as_f64().unwrap_or_default() / 1e9;
    assert!((1500.0..1600.0).contains(&seconds), "{seconds} s");
}

#[test]
fn without_counters_or_with_those_of_others_it_looks_again_and_again_and_ends_all_the_same() {
    type Make = fn(&mut World);
    let denied: Make = |world| {
        world.net.server.queue.refuses = Some(Refusal::DENIED.in_xml());
    };
    let busy: Make = |world| world.net.server.queue.others = 1_000.0;
    let anew: Make = |world| world.net.server.queue.restart = Some(Duration::from_secs(60));
    let page: Make = |world| world.net.server.queue.refuses = Some(ok("<html>hello</html>"));
    for (what, make) in [("denied", denied), ("busy", busy), ("anew", anew), ("page", page)] {
        let mut user = slow(COUNT, make);
        let summary = user.run(&format!("{RUN} 100000")).summary();
        assert_eq!(summary["wait"]["replicated"], COUNT, "{what}: {summary}");
        // What is queued is forgotten there, and the counters of the rest go on.
        assert!(what == "anew" || listings(&user) > 3, "{what}");
    }
    // It never asks for them if the user does not want it to.
    let mut user = slow(COUNT, |_| {});
    assert!(user.run(&format!("{RUN} 0")).success);
    assert_eq!(user.world.net.server.queue.asked, 0);
}

#[test]
fn what_is_waited_for_is_shown_with_its_rate_and_the_time_left() {
    let mut user = slow(COUNT, |_| {}).at(Screen::terminal());
    let ran = user.run("a/bucket -c 1000 --wait 1h");
    let pace = "to replicate, 20/s, ";
    assert!(ran.err.contains("waiting for ") && ran.err.contains(pace), "{}", ran.err);
    assert!(ran.err.contains(" min left, next look in "), "{}", ran.err);
    assert!(ran.err.contains("looking at the backlog: "), "{}", ran.err);
}

/// A target that is offline, or was.
fn target(online: bool) -> Value {
    json!([{
        "targetbucket": "copy", "arn": "arn:a", "type": "replication", "isOnline": online,
        "lastOnline": "2026-11-24T08:00:00Z", "totalDowntime": 1,
    }])
}

#[test]
fn it_ends_early_when_the_target_is_offline_for_a_minute() {
    for (flags, from) in [("", ""), ("--from -", "bucket,a,null\n")] {
        let mut world = given(vec![Version::new("a", "null")], from);
        world.net.server.replication = Replication::Never;
        world.net.server.remote_targets = ok(&target(false).to_string()).into();
        let mut user = User::of(world);
        let ran = user.run(&format!("a/bucket --wait 1h {flags}"));
        let text = "  Not waited for any longer: every target of what is left is offline, and has been for a minute.\n";
        assert!(ran.out.contains(text) && !ran.success, "{flags}: {}", ran.out);
        assert_eq!(ran.err.matches("is offline").count(), 1, "{}", ran.err);
        let seconds = user.world.net.now_is().as_secs();
        assert!((60..200).contains(&seconds), "{flags}: {seconds} s");
        if flags.is_empty() {
            assert_eq!(user.world.starts.len(), 1, "nothing is triggered again for it");
        }
    }
    let mut world = serving(vec![Version::new("a", "null")]);
    world.net.server.replication = Replication::Never;
    world.net.server.remote_targets = ok(&target(false).to_string()).into();
    let summary = User::of(world).run("a/bucket --json --wait 1h").summary();
    assert_eq!(summary["wait"]["offline"], true, "{summary}");
    assert_eq!(summary["offlineTargets"], json!(["arn:a"]));
}

#[test]
fn it_goes_on_when_another_target_takes_what_is_left_or_the_target_comes_back() {
    let stuck = |arns: &[&'static str]| {
        let mut world = serving(vec![Version::new("a", "null").targets(arns)]);
        world.net.server.replication = Replication::Never;
        world.net.server.remote_targets = ok(&target(false).to_string()).into();
        world
    };
    // arn:b is not among the offline ones.
    let summary = User::of(stuck(&["arn:a", "arn:b"])).run("a/bucket --json --wait 10m").summary();
    assert!(summary["wait"]["offline"].is_null(), "{summary}");
    assert!(summary["duration"].as_f64() >= Some(600e9), "{summary}");
    let mut world = stuck(&["arn:a"]);
    world.net.server.versions[0].replication = Some(Replication::OnceQueued(2));
    // It is asked for every second, and not while it is waited for a look.
    let targets = std::array::from_fn::<_, 31, _>(|n| ok(&target(n == 30).to_string()));
    world.net.server.remote_targets = targets.into();
    let summary = User::of(world).run("a/bucket --json --wait 10m").summary();
    assert_eq!(summary["wait"]["replicated"], 1, "triggered again when it was back: {summary}");
}

#[test]
fn more_than_are_remembered_are_told_from_others_by_what_is_known_of_them() {
    // Room for 2,048 of them.
    let run = "a/bucket --json -c 100 --memory 64KiB --wait 10s --max-queue 0";
    let world = |make: &dyn Fn(&mut World)| {
        made(5_000, |world| {
            world.net.server.versions[10].fate = Fate::Refused(Refusal::INVALID);
            make(world);
        })
    };
    let stays: &dyn Fn(&mut World) = &|world| {
        world.net.server.versions[3].replication = Some(Replication::Never);
        world.net.server.versions[4_990].replication = Some(Replication::Never);
    };
    for (make, left) in [(&(|_: &mut World| {}) as &dyn Fn(&mut World), 0), (stays, 2)] {
        let summary = User::of(world(make)).run(run).summary();
        let wait = &summary["wait"];
        assert_eq!(
            (&wait["replicated"], &wait["pending"], &summary["failed"]),
            (&(4_999 - left).into(), &left.into(), &1.into()),
            "{summary}"
        );
    }
    // What stays is triggered again, as far as it is remembered.
    let mut user = User::of(world(stays));
    let summary = user.run(&run.replace("10s", "1h")).summary();
    assert_eq!((&summary["wait"]["rounds"], &summary["wait"]["pending"]), (&3.into(), &2.into()));
    assert_eq!(user.world.starts.len(), 5_000 + 3 * 2);
    // A look that breaks proves nothing here either.
    let mut broken = world(&|_| {});
    broken.breaks = [(usize::MAX, Break::EarlyEnd)].into();
    broken.breaks.extend([(0, Break::HalfLine); 99]);
    let summary = User::of(broken).run(run).summary();
    assert_eq!(
        (&summary["wait"]["exact"], &summary["wait"]["replicated"]),
        (&false.into(), &0.into())
    );
}

#[test]
fn a_success_is_no_early_end_however_the_targets_looked_before() {
    let mut late = 0;
    for (flags, from) in [("", ""), ("--from -", "bucket,a,null\n")] {
        for seconds in (10..120).step_by(5) {
            let mut world = given(vec![Version::new("a", "null")], from);
            world.net.server.replication = Replication::After(Duration::from_secs(seconds));
            world.net.server.remote_targets = ok(&target(false).to_string()).into();
            let mut user = User::of(world);
            let ran = user.run(&format!("a/bucket --wait 1h {flags}"));
            assert_eq!(ran.success, !ran.out.contains("Not waited for"), "{flags}: {}", ran.out);
            late += u32::from(ran.success && user.world.net.now_is() > Duration::from_secs(80));
        }
    }
    assert!(late > 0, "none was a success a minute after the target was first seen offline");
}

#[test]
fn what_was_written_as_the_run_ended_is_not_taken_for_replicated() {
    // The date of the last answer is a whole second, and the version is younger than that.
    let mut world = made(5_000, |_| {});
    world.net.server.versions[4_990].modified = "2026-11-24T08:46:40.9Z";
    world.net.server.versions[4_990].replication = Some(Replication::Never);
    let line = "a/bucket --json -c 1000 --memory 64KiB --wait 2s --max-queue 0";
    let summary = User::of(world).run(line).summary();
    assert_eq!(summary["wait"]["pending"], 1, "{summary}");
}
