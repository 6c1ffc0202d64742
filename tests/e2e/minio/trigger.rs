//! What the command does to a backlog on real servers: everything in it is replicated, and nothing
//! outside of TARGET and `--arn` is touched.

use super::as_root;
use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::Duration;

use mc_wasi_tests::minio::{DiffEntry, MinioOptions, Pair, SOURCE_BUCKET, Version, Written};
use serde_json::Value;

/// For the target to get what was triggered; it takes seconds, and much longer on a busy machine.
const DRAIN: Duration = Duration::from_secs(90);

type Ids = BTreeSet<(String, String)>;

fn on_target(versions: &[Version]) -> Ids {
    versions.iter().map(|v| (v.key.clone(), v.version_id.clone())).collect()
}

fn in_backlog(entries: &[DiffEntry]) -> Ids {
    entries.iter().map(|e| (e.object.clone(), e.version_id.clone())).collect()
}

fn of_written(written: &[Written]) -> Ids {
    written.iter().map(|w| (w.key.clone(), w.version_id.clone())).collect()
}

/// Key and version id of the lines of a `--json` run, the summary left out.
fn in_lines(lines: &[Value]) -> Ids {
    let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let versions = lines.iter().filter(|line| line.get("object").is_some());
    versions.map(|line| (text(line, "object"), text(line, "versionId"))).collect()
}

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
    assert_eq!(in_lines(&lines), of_written(&logs));
    assert_eq!(lines[0]["targets"][&pair.links()[0].arn]["rStatus"], "FAILED");
    assert_eq!(lines[0]["lastModified"], backlog[0].last_modified.as_str());
    assert_eq!(dry.summary()["backlog"]["FAILED"]["PUT"], 60);
    sleep(Duration::from_secs(2));
    assert_eq!(pair.backlog(""), backlog, "a dry run triggers nothing");
    assert!(pair.target_versions("dst").is_empty());

    mc.run(&["source/src/logs/2026/"]).assert_completed(60);
    let left = pair.wait_backlog(440);
    assert_eq!(in_backlog(&left), of_written(&rest), "nothing outside of the prefix");
    assert_eq!(on_target(&pair.target_versions("dst")), of_written(&logs));

    // A prefix is a plain string: `obj-0000` has a hundred objects and no folder.
    mc.run(&["source/src/obj-0000", "--concurrent", "1"]).assert_completed(100);
    mc.run(&["source/src/nothing/here"]).assert_completed(0);
    pair.wait_backlog(340);

    mc.run(&["source/src", "-c", "50"]).assert_completed(340);
    pair.wait_empty(DRAIN);
    let all = [logs, rest].concat();
    assert_eq!(on_target(&pair.target_versions("dst")), of_written(&all));
    mc.run(&["source/src"]).assert_completed(0);
}

#[test]
fn every_kind_of_version_is_replicated_as_what_it_is() {
    let mut pair = Pair::builder().lock().kms().start();
    let replicated = pair.put("marked", b"1", &[]);
    let retagged = pair.put("retagged", b"1", &[]);
    let unmarked = pair.put("unmarked", b"1", &[]);
    pair.wait_empty(DRAIN);
    pair.stick();
    let marker = pair.delete("marked");
    pair.tag("retagged", &retagged, "team", "blue");
    let sealed = pair.put("sealed", b"sealed", &[("x-amz-server-side-encryption", "AES256")]);
    let kms = [
        ("x-amz-server-side-encryption", "aws:kms"),
        ("x-amz-server-side-encryption-aws-kms-key-id", "test-key"),
    ];
    pair.put("sealed-kms", b"sealed", &kms);
    let locked = pair.put("locked", b"locked", &[]);
    pair.retain("locked", &locked, "GOVERNANCE", "2099-01-01T00:00:00Z");
    let held = pair.put("held", b"held", &[]);
    pair.legal_hold("held", &held, true);
    pair.put("empty", b"", &[]);
    pair.put_multipart("parts", 2, &[]);
    let old = pair.put("versions", b"old", &[]);
    let new = pair.put("versions", b"new", &[]);
    let gone = pair.put("purged", b"never seen by the target", &[]);
    let gone_marker = pair.delete("unmarked");
    pair.wait_backlog(12);
    pair.delete_version("purged", &gone);
    pair.delete_version("unmarked", &gone_marker);
    let backlog = pair.wait_backlog(12);
    pair.release();

    let mc = as_root(&pair);
    let dry = mc.run(&["source/src", "--dry-run"]);
    for (operation, key) in [("DEL", "marked"), ("purge", "purged"), ("PUT", "sealed")] {
        let row = dry.stdout.lines().find(|row| row.ends_with(&format!("  {key}"))).expect(key);
        assert!(row.starts_with(&format!("FAILED    {operation:<5}  ")), "{row}");
    }
    let ran = mc.run(&["source/src", "--json"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    let lines = ran.json();
    assert_eq!(in_lines(&lines), in_backlog(&backlog));
    for line in &lines[..12] {
        let key = line["object"].as_str().expect("an object");
        let operation = match key {
            "marked" => "DEL",
            "purged" | "unmarked" => "purge",
            _ => "PUT",
        };
        assert_eq!(
            (&line["operation"], &line["outcome"]),
            (&operation.into(), &"triggered".into())
        );
        assert_eq!(line["attempts"], 1, "{line}");
    }
    let summary = ran.summary();
    assert_eq!((&summary["total"], &summary["processed"]), (&12.into(), &12.into()));
    assert_eq!((&summary["deleteMarkers"], &summary["purges"]), (&1.into(), &2.into()));
    assert_eq!((&summary["complete"], &summary["retries"]), (&true.into(), &0.into()));

    pair.wait_empty(DRAIN);
    let target = pair.target_versions("dst");
    let ids = |key: &str| -> Vec<(&str, bool)> {
        let versions = target.iter().filter(|version| version.key == key);
        versions.map(|v| (v.version_id.as_str(), v.delete_marker)).collect()
    };
    assert_eq!(ids("marked"), [(marker.as_str(), true), (replicated.as_str(), false)]);
    assert_eq!(ids("versions"), [(new.as_str(), false), (old.as_str(), false)]);
    assert_eq!(ids("unmarked"), [(unmarked.as_str(), false)]);
    assert_eq!(ids("purged"), []);
    let client = pair.target_client();
    let header = |key: &str, name: &str| {
        client.head("dst", key, None).header(name).unwrap_or_default().to_owned()
    };
    assert_eq!(header("retagged", "x-amz-tagging-count"), "1");
    assert_eq!(header("sealed", "x-amz-version-id"), sealed);
    assert_eq!(header("sealed", "x-amz-server-side-encryption"), "AES256");
    assert_eq!(header("sealed-kms", "x-amz-server-side-encryption"), "aws:kms");
    assert_eq!(header("locked", "x-amz-object-lock-mode"), "GOVERNANCE");
    assert_eq!(header("held", "x-amz-object-lock-legal-hold"), "ON");
    assert_eq!(header("parts", "content-length"), (10 * 1024 * 1024).to_string());
    assert_eq!(header("empty", "content-length"), "0");
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
    assert_eq!(on_target(&pair.target_versions("dst")), of_written(&written));
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
    assert_eq!(on_target(&pair.target_versions("dst")), expected);
    assert_eq!(on_target(&pair.target_versions("dst2")), expected);

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
    assert_eq!(in_lines(&dry.json()), of_written(&of_second));
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
    assert_eq!(in_backlog(&left), of_written(&first), "only the first target's own are left");
    mc.run(&["--arn", &arns[0], "source/src"]).assert_completed(4);
    pair.wait_empty(DRAIN);
    let rules = pair.mc().run(&["replicate", "ls", &format!("source/{SOURCE_BUCKET}")]);
    assert!(arns.iter().all(|arn| rules.contains(arn)), "{rules}");
}
