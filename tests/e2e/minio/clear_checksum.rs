//! `--clear-checksum` replaces checksums and changes nothing else; `--validate` tries it on one
//! version; what cannot be copied is counted failed with its reason.

use std::collections::BTreeMap;

use super::as_root;
use mc_wasi_tests::minio::{Certs, DiffEntry, Id, Look, MinioOptions, Pair, Version, untimed};
use mc_wasi_tests::shared::Shared;
use mc_wasi_tests::wait::wait_until;

const AES256: (&str, &str) = ("x-amz-server-side-encryption", "AES256");
const KMS: [(&str, &str); 2] = [
    ("x-amz-server-side-encryption", "aws:kms"),
    ("x-amz-server-side-encryption-aws-kms-key-id", "test-key"),
];
/// A customer key and its MD5, which only go over TLS.
const CUSTOMER: [(&str, &str); 3] = [
    ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
    ("x-amz-server-side-encryption-customer-key", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="),
    ("x-amz-server-side-encryption-customer-key-md5", "hRasmdxgYDKV3nvbahU1MA=="),
];
const DESCRIBED: [(&str, &str); 5] = [
    ("content-type", "text/x-odd; charset=utf-8"),
    ("cache-control", "max-age=60"),
    ("content-disposition", "attachment; filename=\"a b.txt\""),
    ("x-amz-meta-colour", "blue"),
    ("x-amz-meta-empty-ish", "-"),
];

/// Everything that can be copied, under `prefix`; returns how many versions that are.
fn write_copyable(pair: &Pair, prefix: &str) -> usize {
    let key = |name: &str| format!("{prefix}{name}");
    let described = pair.put_with_checksum(&key("described"), b"described", &DESCRIBED);
    pair.tag(&key("described"), &described, "team", "blue");
    pair.put_multipart(&key("parts"), 2, &DESCRIBED);
    pair.put(&key("without"), b"no checksum was asked for", &[]);
    pair.put_with_checksum(&key("empty"), b"", &[]);
    pair.put_with_checksum(&key("folder/"), b"", &[]);
    pair.put_with_checksum(&key("odd é+ %&?"), b"odd", &[]);
    pair.put_with_checksum(&key("versions"), b"oldest", &[]);
    pair.put_with_checksum(&key("versions"), b"older", &[]);
    pair.put_with_checksum(&key("versions"), b"latest", &[]);
    pair.put_with_checksum(&key("deleted"), b"under a delete marker", &[]);
    pair.delete(&key("deleted"));
    pair.put_with_checksum(&key("sse-s3"), b"sealed", &[AES256]);
    pair.put_with_checksum(&key("sse-kms"), b"sealed", &KMS);
    13
}

type Looks = BTreeMap<Id, Look>;

fn looks(pair: &Pair, entries: &[DiffEntry]) -> Looks {
    let look = |entry: &DiffEntry| pair.look_requeue(&entry.object, &entry.version_id);
    entries.iter().map(|entry| (Id::from(entry), look(entry))).collect()
}

/// The versions whose looks differ.
fn differing<'a>(before: &'a Looks, after: &'a Looks) -> Vec<&'a Id> {
    assert!(before.keys().eq(after.keys()), "the same versions");
    before.iter().filter(|(id, look)| after.get(*id) != Some(look)).map(|(id, _)| id).collect()
}

/// One checksum is left, the new one, and nothing else has changed but what a copy cannot keep: the
/// `-2` in the ETag of an object that was uploaded in parts, and an ETag that is encrypted.
#[track_caller]
fn assert_cleared(key: &str, before: &Look, after: &Look) {
    let new: Vec<&str> = after.checksum.keys().map(String::as_str).collect();
    assert_eq!(new, ["crc64nvme", "type"], "{key}: {after:?}");
    assert_eq!(after.checksum.get("type").map(String::as_str), Some("FULL_OBJECT"));
    assert_ne!(before.checksum, after.checksum, "{key}");
    let etag_may_change = key.ends_with("parts") || key.contains("sse-");
    let changed: Vec<&str> =
        before.changed(after).into_iter().filter(|n| !(etag_may_change && *n == "etag")).collect();
    assert_eq!(changed, Vec::<&str>::new(), "{key}\n{before:#?}\n{after:#?}");
    assert_eq!((before.status, &before.tags), (after.status, &after.tags), "{key}");
}

fn order(versions: &[Version]) -> Vec<(String, String, bool, bool, String)> {
    let fields = |v: &Version| {
        (v.key.clone(), v.version_id.clone(), v.delete_marker, v.latest, v.last_modified.clone())
    };
    versions.iter().map(fields).collect()
}

/// Servers on which every kind of object can be written, and a target that refuses all of them for
/// good: what is written under a prefix is its backlog, whatever is done to it.
static STUCK: Shared<Pair> = Shared::new(|| {
    let source = MinioOptions::default().tls(Certs::generate());
    let pair = Pair::builder().source(source).lock().kms().start();
    pair.stick();
    pair
});

#[test]
fn a_default_retention_which_would_lock_every_copy_is_refused() {
    let pair = Pair::builder().lock().start();
    pair.stick();
    pair.put_with_checksum("a", b"a", &[]);
    pair.wait_backlog(1);
    let before = looks(&pair, &pair.backlog(""));
    let backlog = pair.wait_backlog(1);
    pair.mc().run(&["retention", "set", "--default", "GOVERNANCE", "30d", "source/src"]);
    for words in
        [&["source/src", "--clear-checksum"][..], &["source/src", "--clear-checksum", "--validate"]]
    {
        as_root(&pair).run(words).assert_refused(
            "Unable to clear checksums in bucket `src`. It has a default retention (GOVERNANCE for \
             30 days), which the server would put on every object copied. Nothing was copied. \
             Remove it for the time of the run: mc retention clear --default ALIAS/src.",
        );
    }
    pair.mc().run(&["retention", "clear", "--default", "source/src"]);
    assert!(differing(&before, &looks(&pair, &backlog)).is_empty(), "nothing was copied");
    as_root(&pair).run(&["source/src", "--clear-checksum"]).assert_completed(1);
}

#[test]
fn the_test_run_copies_one_version_and_leaves_all_others_alone() {
    let pair = STUCK.get();
    pair.put_with_checksum("test/a", b"a", &DESCRIBED);
    pair.put_with_checksum("test/b", b"b", &[]);
    pair.put_with_checksum("test-not/c", b"outside of TARGET", &[]);
    pair.wait_backlog_of("test", 3);
    let before = looks(&pair, &pair.backlog("test"));
    let backlog = pair.wait_backlog_of("test", 3);

    let ran = as_root(&pair).run(&["source/src/test/", "--clear-checksum", "--validate"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    let tested = looks(&pair, &backlog);
    let changed = differing(&before, &tested);
    let [id] = changed.as_slice() else { panic!("only one is copied: {changed:?}") };
    let (was, is) = (&before[*id], &tested[*id]);
    assert_cleared(&id.0, was, is);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(lines[0].starts_with("Copied `src/test/a` (") && lines[0].ends_with(") onto itself."));
    assert_eq!(
        lines[1..3],
        [
            format!("  Checksum       sha256 {} (full_object)", was.checksum["sha256"]),
            format!("    now          crc64nvme {} (full_object)", is.checksum["crc64nvme"]),
        ]
    );
    for row in ["Version ID", "Size", "ETag", "Last-Modified", "Content-Type", "Metadata", "Tags"] {
        let line = lines.iter().find(|line| line.starts_with(&format!("  {row} "))).expect(row);
        assert!(line.ends_with("  kept"), "{line}");
    }
    assert!(ran.stdout.contains("x-amz-meta-colour=blue"), "{}", ran.stdout);
    assert!(
        ran.stdout.ends_with(
            "\n✓ Validation succeeded: the checksum was replaced, nothing else changed
  Run again without --validate to process all backlogged objects:
  $ mc-wasi replicate resync-backlog source/src/test/ --clear-checksum\n"
        ),
        "{}",
        ran.stdout
    );
    let after = pair.wait_backlog_of("test", 3);
    assert_eq!(untimed(&after), untimed(&backlog), "to the nanosecond");
}

#[test]
fn the_test_run_names_the_checksum_of_an_object_in_parts() {
    let pair = STUCK.get();
    pair.put_multipart("in/parts", 2, &DESCRIBED);
    pair.wait_backlog_of("in/", 1);
    let ran = as_root(&pair).run(&["source/src/in/", "--clear-checksum", "--validate", "--json"]);
    let verdict = ran.summary();
    assert_eq!((ran.status, &verdict["valid"]), (0, &true.into()), "{verdict}");
    let composite = verdict["checksumBefore"].as_str().expect("a checksum");
    assert!(composite.starts_with("sha256 ") && composite.ends_with("-2 (composite)"), "{verdict}");
}

#[test]
fn the_test_run_says_why_there_is_nothing_to_test() {
    let pair = STUCK.get();
    let held = pair.put_with_checksum("alone/held", b"held", &[]);
    pair.legal_hold("alone/held", &held, true);
    pair.wait_backlog_of("alone/", 1);
    for (prefix, reason) in [
        ("nothing", "There is no object version in the backlog."),
        (
            "alone/held",
            "None of 1 versions looked at can be copied. The last one: The object is under legal hold \
             and cannot be overwritten.",
        ),
    ] {
        let target = format!("source/src/{prefix}");
        as_root(&pair).run(&[&target, "--clear-checksum", "--validate"]).assert_refused(&format!(
            "Unable to validate checksum clearing in bucket `src`. {reason}"
        ));
    }
}

#[test]
fn all_that_can_be_copied_is_and_what_cannot_is_named_and_nothing_else_changes() {
    let pair = STUCK.get();
    let copyable = write_copyable(&pair, "all/");
    let locked = pair.put_with_checksum("all/locked", b"locked", &[]);
    pair.retain("all/locked", &locked, "GOVERNANCE", "2099-01-01T00:00:00Z");
    let held = pair.put_with_checksum("all/held", b"held", &[]);
    pair.legal_hold("all/held", &held, true);
    let customer = pair.put("all/sse-c", b"only its owner can read it", &CUSTOMER);
    pair.put_with_checksum("all-not/a", b"outside of TARGET", &[]);
    let count = copyable + 3 + 1;
    pair.wait_backlog_of("all", count);
    let before = looks(&pair, &pair.backlog("all"));
    let listed = order(&pair.source_versions_requeue("all"));
    let backlog = pair.wait_backlog_of("all", count);

    let ran = as_root(&pair).run(&["source/src/all/", "--clear-checksum"]);
    let mut named: Vec<&str> = ran.stderr.lines().collect();
    named.sort_unstable();
    let unable = "mc-wasi: <ERROR> Unable to clear the checksum of";
    assert_eq!(
        named,
        [
            format!(
                "{unable} `src/all/held` ({held}). The object is under legal hold and cannot be overwritten."
            ),
            format!(
                "{unable} `src/all/locked` ({locked}). The object is locked (GOVERNANCE until 2099-01-01T00:00:00.000Z) and cannot be overwritten."
            ),
            format!(
                "{unable} `src/all/sse-c` ({customer}). The object is encrypted with a customer key (SSE-C), which only its owner can copy."
            ),
        ]
    );
    assert_eq!(
        ran.stdout,
        format!(
            "✓ Replication trigger completed
  Total: {}
  Processed: {copyable}
  Failed: 3

⚠ Some objects failed to trigger replication.
  You can re-run this command to retry failed objects:
  $ mc-wasi replicate resync-backlog source/src/all/ --clear-checksum\n",
            copyable + 3
        )
    );
    assert_eq!(ran.status, 1);
    // The target still refuses everything, so that the listing shows the copies: the same versions,
    // none more, with the same times to the nanosecond.
    assert_eq!(untimed(&pair.wait_backlog_of("all", count)), untimed(&backlog));
    let after = looks(&pair, &backlog);
    let changed = differing(&before, &after);
    assert_eq!(changed.len(), copyable - 1, "all but the delete marker");
    for id in changed {
        assert_cleared(&id.0, &before[id], &after[id]);
        let refused = ["all/held", "all/locked", "all/sse-c"].contains(&id.0.as_str());
        assert!(!refused && id.0.starts_with("all/"), "{id:?}");
    }
    assert_eq!(order(&pair.source_versions_requeue("all")), listed, "order, latest, times");
}

#[test]
fn what_is_cleared_is_replicated_in_the_same_run_with_its_order_and_times() {
    let mut pair = Pair::builder().lock().kms().start();
    pair.stick();
    let copyable = write_copyable(&pair, "");
    pair.wait_backlog(copyable);
    let before = looks(&pair, &pair.backlog(""));
    let listed = order(&pair.source_versions_requeue(""));
    pair.wait_backlog(copyable);
    pair.release();
    let backlog = pair.wait_backlog(copyable);

    let root = as_root(&pair);
    let ran = root.run(&["source/src", "--clear-checksum", "--json", "-c", "3"]);
    let summary = ran.summary();
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    assert_eq!((&summary["total"], &summary["copied"]), (&copyable.into(), &(copyable - 1).into()));
    pair.drain("", || assert_eq!(root.run(&["source/src"]).status, 0));
    for (id, is) in looks(&pair, &backlog).iter().filter(|(_, look)| look.status == 200) {
        assert_cleared(&id.0, &before[id], is);
    }
    assert_eq!(order(&pair.source_versions_requeue("")), listed, "order, latest, times");
    assert_eq!(order(&pair.target_versions("dst")), listed, "the same on the target");
    let client = pair.target_client();
    let parts = client.head("dst", "parts", None);
    assert!(parts.header("x-amz-checksum-crc64nvme").is_some(), "{parts:?}");
    let sealed = client.head("dst", "sse-s3", None);
    assert_eq!(sealed.header("x-amz-server-side-encryption"), Some("AES256"));
}

#[test]
fn a_null_version_under_a_newer_one_stays_where_it_is() {
    let mut pair = Pair::builder().unversioned().start();
    assert_eq!(pair.put_with_checksum("key", b"from before versioning", &DESCRIBED), "null");
    pair.set_versioning("enable", &[]);
    pair.put_with_checksum("key", b"newer", &[]);
    pair.add_rules();
    pair.stick();
    let backlog = pair.wait_backlog(2);
    let before = looks(&pair, &backlog);
    let listed = order(&pair.source_versions_requeue(""));
    let backlog = pair.wait_backlog(2);
    assert!(backlog.iter().any(|entry| entry.version_id == "null"), "{backlog:?}");

    let mc = as_root(&pair);
    let summary = mc.run(&["source/src", "--clear-checksum", "--json"]).summary();
    assert_eq!((&summary["copied"], &summary["failed"]), (&2.into(), &0.into()), "{summary}");
    let after = looks(&pair, &backlog);
    for (id, was) in &before {
        assert_cleared(&id.0, was, &after[id]);
    }
    assert_eq!(order(&pair.source_versions_requeue("")), listed);
    pair.wait_backlog(2);
    pair.release();
    assert_eq!(mc.run(&["source/src"]).status, 0);
    pair.drain("", || assert_eq!(mc.run(&["source/src"]).status, 0));
    assert_eq!(order(&pair.target_versions("dst")), listed);
}

#[test]
fn what_a_compressing_server_copies_has_the_checksum_of_its_data() {
    let source = MinioOptions::default().env("MINIO_COMPRESSION_ENABLE", "on");
    let mut pair = Pair::builder().source(source).start();
    pair.stick();
    let text = b"what is said again and again ".repeat(5_000);
    let plain = [("content-type", "text/plain")];
    pair.put_with_checksum("one.txt", &text, &plain);
    pair.put_multipart("parts.txt", 2, &plain);
    pair.put("without.txt", &text, &plain);
    pair.wait_backlog(3);
    pair.release();
    let tried = as_root(&pair).run(&["source/src", "--clear-checksum", "--validate"]);
    assert_eq!(tried.status, 0, "its data was read back: {tried:?}");
    let ran = as_root(&pair).run(&["source/src", "--clear-checksum", "--wait", "90s"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    for key in ["one.txt", "parts.txt", "without.txt"] {
        let client = pair.source_client();
        let target = format!("/src/{key}");
        let read = client
            .send("GET", &target, &[("x-amz-checksum-mode", "ENABLED")], b"")
            .ok("an object that was copied");
        assert!(read.header("x-minio-compressed").is_none(), "{key}");
        if key != "parts.txt" {
            assert_eq!(read.body, text, "{key}");
        }
    }
    assert_eq!(pair.target_versions("dst").len(), 3);
}

#[test]
fn what_a_default_encryption_would_encrypt_is_refused_and_left_as_it_is() {
    let pair = Pair::builder().kms().start();
    pair.stick();
    pair.put_with_checksum("plain", b"plain", &[]);
    pair.put_with_checksum("sealed", b"sealed", &[AES256]);
    let backlog = pair.wait_backlog(2);
    let before = looks(&pair, &backlog);
    pair.wait_backlog(2);
    pair.mc().run(&["encrypt", "set", "sse-s3", "source/src"]);
    let ran = as_root(&pair).run(&["source/src", "--clear-checksum", "--json"]);
    let summary = ran.summary();
    assert_eq!((&summary["processed"], &summary["failed"]), (&1.into(), &1.into()), "{summary}");
    assert!(ran.stdout.contains("The bucket encrypts what is written"), "{}", ran.stdout);
    let after = looks(&pair, &backlog);
    let changed: Vec<&str> =
        differing(&before, &after).into_iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(changed, ["sealed"]);
}

#[test]
fn what_is_in_a_tier_is_refused_and_stays_there() {
    let pair = Pair::start();
    pair.stick();
    pair.put_with_checksum("here", b"here", &[]);
    let (target, keys) = (pair.target().url(), pair.target().root());
    let mc = pair.mc();
    mc.run(&["mb", "target/warm"]);
    mc.run(
        &[
            ["ilm", "tier", "add", "minio", "source", "WARM"].as_slice(),
            &["--endpoint", &target, "--access-key", &keys.access, "--secret-key", &keys.secret],
            &["--bucket", "warm"],
        ]
        .concat(),
    );
    let rule = ["--transition-days", "0", "--transition-tier", "WARM"];
    mc.run(&[&["ilm", "rule", "add", "source/src"][..], &rule].concat());
    pair.put_with_checksum("moved", b"moved", &[]);
    let class = || {
        let head = pair.source_client().head("src", "moved", None);
        head.header("x-amz-storage-class").unwrap_or_default().to_owned()
    };
    wait_until("moved into the tier", || class() == "WARM");
    pair.wait_backlog(2);
    let ran = as_root(&pair).run(&["source/src", "--clear-checksum", "--json"]);
    let summary = ran.summary();
    assert_eq!((&summary["copied"], &summary["failed"]), (&1.into(), &1.into()), "{summary}");
    assert!(ran.stdout.contains("in the tier `WARM` (ILM transition)"), "{}", ran.stdout);
    assert_eq!(class(), "WARM");
}
