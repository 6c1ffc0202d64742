//! TARGET, `--arn` and the filters say which versions a run is about.

use super::User;
use crate::world::{Break, Fate, Refusal, Replication, Version, serving};
use resync_core::wire::Method;

/// Versions of two targets, below and beside a folder.
fn backlog() -> Vec<Version> {
    let version = |key, arns| Version::new(key, "null").targets(arns);
    vec![
        version("dir/a", &["arn:a"]),
        version("dir/b", &["arn:b"]),
        version("dir/both", &["arn:a", "arn:b"]),
        version("dir/existing", &[]),
        version("dirty", &["arn:a"]),
        version("other é", &["arn:a"]),
    ]
}

#[test]
fn only_what_target_and_arn_name_is_triggered() {
    let all = ["dir/a", "dir/b", "dir/both", "dir/existing", "dirty", "other é"];
    for (words, keys) in [
        ("a/bucket", &all[..]),
        ("a/bucket/", &all),
        ("a/bucket/dir/", &all[..4]),
        // A prefix is a plain string.
        ("a/bucket/dir", &all[..5]),
        ("a/bucket/dir/a", &all[..1]),
        ("a/bucket/*", &[]),
        ("'a/bucket/other é'", &all[5..]),
        // Of an existing object nobody can see which target it lacks.
        ("a/bucket --arn arn:b", &["dir/b", "dir/both", "dir/existing"]),
        ("a/bucket/dir --arn arn:a", &["dir/a", "dir/both", "dir/existing", "dirty"]),
        ("a/bucket/dirty --arn arn:b", &[]),
        ("a/bucket --arn arn", &["dir/existing"]),
    ] {
        for flags in ["", "--clear-checksum", "--dry-run"] {
            let mut user = User::of(serving(backlog()));
            let ran = user.run(&format!("{words} --json {flags}"));
            let summary = ran.summary();
            assert_eq!(summary["total"], keys.len(), "{words} {flags}");
            let mut shown: Vec<String> =
                ran.json().iter().filter_map(|l| Some(l["object"].as_str()?.to_owned())).collect();
            shown.sort_unstable();
            assert_eq!(shown, keys, "{words} {flags}");
            let server = &user.world.net.server;
            let touched: Vec<&str> = server.queued.keys().map(|(key, _)| key.as_str()).collect();
            assert_eq!(touched, if flags == "--dry-run" { &[] } else { keys }, "{words} {flags}");
        }
    }
}

#[test]
fn the_server_is_told_what_is_asked_for() {
    for (words, query) in [
        ("a/bucket", "bucket=bucket"),
        ("a/bucket/", "bucket=bucket"),
        ("'a/bucket/é &=+/'", "bucket=bucket&prefix=%C3%A9%20%26%3D%2B%2F"),
        ("a/bucket/x --arn 'arn:a b'", "bucket=bucket&arn=arn%3Aa%20b&prefix=x"),
    ] {
        let mut user = User::of(serving(backlog()));
        user.run(words);
        let mut posts = user.world.net.server.asked(Method::Post);
        let target = format!("/minio/admin/v3/replication/diff?{query}");
        assert_eq!(posts.next().map(|asked| asked.target.as_str()), Some(target.as_str()));
    }
}

#[test]
fn an_arn_that_the_bucket_does_not_have_is_an_error() {
    let mut world = serving(backlog());
    let refusal = Refusal::new(400, "InvalidRequest").saying("invalid arn : 'arn:x'");
    world.breaks = [(0, Break::Refused(refusal))].into();
    let err = "mc-wasi: <ERROR> Unable to list the replication backlog of bucket `bucket`. invalid arn : 'arn:x'. `mc replicate ls ALIAS/bucket` shows the ARNs of the bucket's targets.\n";
    assert_eq!(User::of(world).run("a/bucket --arn arn:x").whole(), ("", err, false));
}

/// Versions of several ages, statuses and kinds. The run begins on 2026-11-24 at 08:46:40.
fn mixed() -> Vec<Version> {
    let version = |key| Version::new(key, "null");
    vec![
        version("age/day").modified("2026-11-23T08:46:40Z"),
        version("age/hour").modified("2026-11-24T07:46:40Z"),
        version("age/later").modified("2026-12-01T00:00:00Z"),
        version("age/none").modified("0001-01-01T00:00:00Z"),
        version("age/unreadable").modified("yesterday"),
        version("kind/existing").targets(&[]),
        version("kind/marker").fate(Fate::Marker),
        version("kind/purge").fate(Fate::Purge),
        version("status/both").targets(&["arn:a", "arn:b"]).status_at("arn:b", "PENDING"),
        version("status/pending").status("PENDING"),
    ]
}

#[test]
fn only_what_the_filters_let_through_is_handled_and_the_rest_is_counted() {
    let unknown = &["age/none", "age/unreadable"][..];
    for (words, wanted) in [
        ("a/bucket/age/ --older-than 1d", &["age/day"][..]),
        ("a/bucket/age/ --older-than 24h0.000000001s", &[]),
        ("a/bucket/age/ --older-than 30m", &["age/day", "age/hour"]),
        ("a/bucket/age/ --newer-than 1d", &["age/hour", "age/later"]),
        ("a/bucket/age/ --newer-than 1d1ms", &["age/day", "age/hour", "age/later"]),
        ("a/bucket/age/ --older-than 1h --newer-than 23h59m", &["age/hour"]),
        ("a/bucket/kind --only puts", &["kind/existing"]),
        ("a/bucket/kind --only deletes", &["kind/marker"]),
        ("a/bucket/kind --only purges", &["kind/purge"]),
        // What counts for a purge is its own status, and what was never replicated has none.
        ("a/bucket/kind --status failed", &["kind/marker"]),
        ("a/bucket/kind --status PENDING", &["kind/purge"]),
        ("a/bucket/status --status Pending", &["status/both", "status/pending"]),
        ("a/bucket/status --status FAILED", &["status/both"]),
        ("a/bucket/status --status FAILED --arn arn:a", &["status/both"]),
        ("a/bucket/status --status FAILED --arn arn:b", &[]),
        ("a/bucket/status --status PENDING --arn arn:b", &["status/both"]),
        ("a/bucket/kind --status pending --only deletes", &[]),
    ] {
        let aged = words.contains("-than");
        let mut keys: Vec<&str> =
            wanted.iter().chain(unknown.iter().filter(|_| aged)).copied().collect();
        keys.sort_unstable();
        let (named, _) = words.split_once(" --").expect("flags");
        let arn =
            words.split_once(" --arn ").map_or(String::new(), |(_, arn)| format!(" --arn {arn}"));
        for flags in ["", "--dry-run", "--verify-listing", "--wait 5m", "--clear-checksum"] {
            let all = User::of(serving(mixed())).run(&format!("{named}{arn} --json {flags}"));
            let mut user = User::of(serving(mixed()));
            let ran = user.run(&format!("{words} --json {flags}"));
            let (all, summary) = (all.summary(), ran.summary());
            assert_eq!(all.get("filtered"), None, "only where something is filtered: {all}");
            let left = all["total"].as_u64().expect("a total") - keys.len() as u64;
            assert_eq!(
                (&summary["total"], &summary["filtered"]),
                (&keys.len().into(), &left.into()),
                "{words} {flags}"
            );
            let mut shown: Vec<String> =
                ran.json().iter().filter_map(|l| Some(l["object"].as_str()?.to_owned())).collect();
            shown.sort_unstable();
            assert_eq!(shown, keys, "{words} {flags}");
            let queued = user.world.net.server.queued.keys().map(|(key, _)| key.as_str());
            assert!(
                queued.eq(keys.iter().copied().filter(|_| flags != "--dry-run")),
                "{words} {flags}"
            );
        }
    }
}

#[test]
fn a_run_that_left_something_out_does_not_say_that_the_backlog_is_done() {
    for (words, out) in [
        (
            "--only deletes",
            "✓ Replication trigger completed for a part of the backlog\n  Total: 1\n  Processed: 1\n  Failed: 0\n  Filtered: 9 (in the backlog, and left out as asked)\n",
        ),
        (
            "--only purges --dry-run",
            "PENDING   purge  2026-11-24 08:28:26 UTC  null                                  kind/purge\n\n✓ Dry run completed for a part of the backlog, nothing was triggered\n  Total: 1\n  PENDING: 1 (1 purge)\n  Filtered: 9 (in the backlog, and left out as asked)\n",
        ),
        (
            "--newer-than 9000w",
            "✓ Replication trigger completed\n  Total: 10\n  Processed: 10\n  Failed: 0\n",
        ),
    ] {
        let ran = User::of(serving(mixed())).run(&format!("a/bucket {words}"));
        assert_eq!(ran.whole(), (out, "", true), "{words}");
    }
    let validate = "a/bucket --clear-checksum --validate --only deletes";
    let err = "mc-wasi: <ERROR> Unable to validate checksum clearing in bucket `bucket`. There is no object version in the backlog that the filters let through.\n";
    assert_eq!(User::of(serving(mixed())).run(validate).whole(), ("", err, false));
}

#[test]
fn ages_are_judged_by_the_start_of_the_run_however_long_it_takes() {
    // The first listing ends early, and is read to that end after 100 s.
    let world = || {
        let versions = (0..100).map(|n| {
            let age = if n < 60 { "2026-11-24T07:46:40Z" } else { "2026-11-24T07:46:41Z" };
            Version::new(&format!("{n:03}"), "null").modified(age)
        });
        let mut world = serving(versions.collect());
        world.breaks = [(90, Break::EarlyEnd)].into();
        world
    };
    for (age, seen, new) in [("--older-than", 60, 0), ("--newer-than", 40, 10)] {
        let mut user = User::of(world());
        let line = format!("a/bucket --json --verify-listing --rate-limit 0.5 {age} 1h");
        let summary = user.run(&line).summary();
        assert_eq!((&summary["total"], &summary["appeared"]), (&seen.into(), &new.into()), "{age}");
        assert_eq!(summary["filtered"], 100 - seen, "{age}: counted once");
    }
}

#[test]
fn what_was_triggered_is_waited_for_whatever_its_status_has_become() {
    let mut world = serving(mixed());
    world.net.server.replication = Replication::Fails;
    let mut user = User::of(world);
    let summary = user.run("a/bucket/status --json --wait 1h --status PENDING").summary();
    assert_eq!((&summary["total"], &summary["filtered"]), (&2.into(), &0.into()));
    let wait = &summary["wait"];
    assert_eq!((&wait["replicated"], &wait["failedAgain"]), (&0.into(), &2.into()), "{wait}");
    let times = user.world.net.server.queued.values().map(Vec::len);
    assert_eq!(times.collect::<Vec<_>>(), [4, 4], "each is triggered again three times");
}
