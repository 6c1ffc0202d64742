//! What the command does to a backlog on real servers: everything in it is replicated, and nothing
//! outside of TARGET and `--arn` is touched.

use std::thread::sleep;
use std::time::Duration;

use super::{as_root, in_lines};
use mc_wasi_tests::minio::{Ids, MinioOptions, Pair, SOURCE_BUCKET, ids};

/// For the target to get what was triggered; it takes seconds, and much longer on a busy machine.
const DRAIN: Duration = Duration::from_secs(90);

#[test]
fn five_hundred_objects_are_replicated_prefix_by_prefix_and_a_dry_run_touches_none() {
    let mut pair = Pair::start();
    pair.stick();
    let logs = pair.put_many("logs/2026/", 60, b"hello");
    let rest = pair.put_many("obj-", 440, b"hello");
    let backlog = pair.wait_backlog(500);
    pair.release();
    let mc = as_root(&pair);

    let dry = mc.run(&["source/src", "--dry-run"]);
    assert_eq!((dry.status, dry.stderr.as_str()), (0, ""));
    let (rows, totals) = dry.stdout.split_once("\n\n").expect("rows, a blank line, totals");
    let entry = backlog.last().expect("500 entries");
    let modified = entry.last_modified.replace('T', " ");
    assert_eq!(rows.lines().count(), 500);
    assert_eq!(
        rows.lines().last(),
        Some(
            format!(
                "FAILED    PUT    {} UTC  {}  {}",
                &modified[..19],
                entry.version_id,
                "obj-000439"
            )
            .as_str()
        )
    );
    assert_eq!(
        totals,
        "✓ Dry run completed, nothing was triggered\n  Total: 500\n  FAILED: 500 (500 PUT)\n"
    );
    let dry = mc.run(&["source/src/logs/", "--dry-run", "--json"]);
    let lines = dry.json();
    assert_eq!(in_lines(&lines), ids(&logs));
    assert_eq!(lines[0]["targets"][&pair.links()[0].arn]["rStatus"], "FAILED");
    assert_eq!(lines[0]["lastModified"], backlog[0].last_modified.as_str());
    assert_eq!(dry.summary()["backlog"]["FAILED"]["PUT"], 60);
    sleep(Duration::from_secs(2));
    assert_eq!(pair.backlog(""), backlog, "a dry run triggers nothing");
    assert!(pair.target_versions("dst").is_empty());

    mc.run(&["source/src/logs/2026/"]).assert_completed(60);
    let left = pair.wait_backlog(440);
    assert_eq!(ids(&left), ids(&rest), "nothing outside of the prefix");
    assert_eq!(ids(&pair.target_versions("dst")), ids(&logs));

    // A prefix is a plain string: `obj-0000` has a hundred objects and no folder.
    mc.run(&["source/src/obj-0000", "--concurrent", "1"]).assert_completed(100);
    mc.run(&["source/src/nothing/here"]).assert_completed(0);
    pair.wait_backlog(340);

    mc.run(&["source/src", "-c", "50"]).assert_completed(340);
    pair.wait_empty(DRAIN);
    let all = [logs, rest].concat();
    assert_eq!(ids(&pair.target_versions("dst")), ids(&all));
    mc.run(&["source/src"]).assert_completed(0);
}

#[test]
fn versions_left_pending_by_a_target_that_hangs_are_replicated() {
    let mut pair = Pair::start();
    pair.stick_pending();
    let written = pair.put_many("p/", 5, b"hello");
    pair.wait_backlog(5);
    pair.release();
    let mc = as_root(&pair);
    let dry = mc.run(&["source/src", "--dry-run"]);
    assert!(dry.stdout.ends_with("  Total: 5\n  PENDING: 5 (5 PUT)\n"), "{}", dry.stdout);
    mc.run(&["source/src"]).assert_completed(5);
    pair.wait_empty(DRAIN);
    assert_eq!(ids(&pair.target_versions("dst")), ids(&written));
}

#[test]
fn null_and_existing_versions_reach_both_targets_and_arn_chooses_between_them() {
    let mut pair = Pair::builder().unversioned().second_target(MinioOptions::default()).start();
    assert_eq!(pair.put("before", b"null version", &[]), "null");
    pair.set_versioning("enable", &[]);
    let under = pair.put("before", b"a version over the null one", &[]);
    let existing = pair.put("existing", b"older than the rules", &[]);
    pair.add_rules();
    let backlog = pair.wait_backlog(3);
    let mc = as_root(&pair);
    let dry = mc.run(&["source/src", "--dry-run"]);
    assert!(dry.stdout.ends_with("  Total: 3\n  EXISTING: 3 (3 PUT)\n"), "{}", dry.stdout);
    assert!(dry.stdout.contains(&format!("  {:<36}  before\n", "null")), "{}", dry.stdout);
    assert_eq!(pair.backlog(""), backlog);
    mc.run(&["source/src"]).assert_completed(3);
    pair.wait_empty(DRAIN);
    let expected: Ids = [("before", "null"), ("before", &under), ("existing", &existing)]
        .map(|(key, id)| (key.to_owned(), id.to_owned()))
        .into();
    assert_eq!(ids(&pair.target_versions("dst")), expected);
    assert_eq!(ids(&pair.target_versions("dst2")), expected);

    pair.stick_one("dst");
    let first = pair.put_many("first/", 4, b"lacking on dst");
    pair.wait_backlog(4);
    pair.unstick_one("dst");
    pair.stick_one("dst2");
    let second = pair.put_many("second/", 5, b"lacking on dst2");
    pair.wait_backlog(9);
    pair.stick_one("dst");
    let both = pair.put_many("third/", 6, b"lacking on both");
    let backlog = pair.wait_backlog(15);
    pair.release();
    let arns: Vec<String> = pair.links().iter().map(|link| link.arn.clone()).collect();
    let of_second = [second, both].concat();

    let dry = mc.run(&["source/src", "--arn", &arns[1], "--dry-run", "--json"]);
    assert_eq!(in_lines(&dry.json()), ids(&of_second));
    let ran = mc.run(&["source/src/second", "--arn", &arns[0]]);
    ran.assert_completed(0);
    let unknown = mc.run(&["source/src", "--arn", "arn:minio:replication::no-such:dst"]);
    assert_eq!((unknown.status, unknown.stdout.as_str()), (1, ""));
    assert_eq!(
        unknown.stderr,
        "mc-wasi: <ERROR> Unable to list the replication backlog of bucket `src`. Invalid Request \
         (invalid arn : 'arn:minio:replication::no-such:dst'). `mc replicate ls ALIAS/src` shows \
         the ARNs of the bucket's targets.\n"
    );
    assert_eq!(pair.backlog(""), backlog, "nothing of that triggers anything");

    mc.run(&["source/src", "--arn", &arns[1]]).assert_completed(11);
    let left = pair.wait_backlog(4);
    assert_eq!(ids(&left), ids(&first), "only the first target's own are left");
    mc.run(&["--arn", &arns[0], "source/src"]).assert_completed(4);
    pair.wait_empty(DRAIN);
    let rules = pair.mc().run(&["replicate", "ls", &format!("source/{SOURCE_BUCKET}")]);
    assert!(arns.iter().all(|arn| rules.contains(arn)), "{rules}");
}
