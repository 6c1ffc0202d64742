//! Every kind of version is replicated as what it is. One run is enough for all claims about it.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use super::{as_root, in_lines};
use mc_wasi_tests::mcwasi::Ran;
use mc_wasi_tests::minio::{DiffEntry, Pair, Reply, Version, ids};

/// For the target to get what was triggered; it takes seconds, and much longer on a busy machine.
const DRAIN: Duration = Duration::from_secs(90);

const AES256: [(&str, &str); 1] = [("x-amz-server-side-encryption", "AES256")];
const KMS: [(&str, &str); 2] = [
    ("x-amz-server-side-encryption", "aws:kms"),
    ("x-amz-server-side-encryption-aws-kms-key-id", "test-key"),
];

/// A backlog of twelve versions of every kind, what was said of it, and what became of it. The servers
/// are gone by then.
struct Replicated {
    backlog: Vec<DiffEntry>,
    dry: Ran,
    ran: Ran,
    target: Vec<Version>,
    /// What the target says of a key.
    heads: BTreeMap<&'static str, Reply>,
    /// The version of `sealed`.
    sealed: String,
    /// What the target must have of some keys: version ids, newest first, and which are markers.
    expected: [(&'static str, Vec<(String, bool)>); 4],
}

static REPLICATED: LazyLock<Replicated> = LazyLock::new(|| {
    let mut pair = Pair::builder().lock().kms().start();
    let replicated = pair.put("marked", b"1", &[]);
    let retagged = pair.put("retagged", b"1", &[]);
    let unmarked = pair.put("unmarked", b"1", &[]);
    pair.wait_empty(DRAIN);
    pair.stick();
    let marker = pair.delete("marked");
    pair.tag("retagged", &retagged, "team", "blue");
    let sealed = pair.put("sealed", b"sealed", &AES256);
    pair.put("sealed-kms", b"sealed", &KMS);
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
    let expected = [
        ("marked", vec![(marker, true), (replicated, false)]),
        ("versions", vec![(new, false), (old, false)]),
        ("unmarked", vec![(unmarked, false)]),
        ("purged", vec![]),
    ];

    let dry = as_root(&pair).run(&["source/src", "--dry-run"]);
    let ran = as_root(&pair).run(&["source/src", "--json"]);
    pair.wait_empty(DRAIN);
    let target = pair.target_versions("dst");
    let keys = ["retagged", "sealed", "sealed-kms", "locked", "held", "parts", "empty"];
    let heads = keys.map(|key| (key, pair.target_client().head("dst", key, None))).into();
    Replicated { backlog, dry, ran, target, heads, sealed, expected }
});

#[test]
fn a_dry_run_shows_each_as_what_it_is() {
    let dry = &REPLICATED.dry;
    assert_eq!((dry.status, dry.stderr.as_str()), (0, ""));
    for (operation, key) in [("DEL", "marked"), ("purge", "purged"), ("PUT", "sealed")] {
        let row = dry.stdout.lines().find(|row| row.ends_with(&format!("  {key}"))).expect(key);
        assert!(row.starts_with(&format!("FAILED    {operation:<5}  ")), "{row}");
    }
}

#[test]
fn each_is_triggered_at_the_first_attempt_and_counted() {
    let ran = &REPLICATED.ran;
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    let lines = ran.json();
    assert_eq!(in_lines(&lines), ids(&REPLICATED.backlog));
    for line in &lines[..12] {
        let operation = match line["object"].as_str().expect("an object") {
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
}

#[test]
fn the_target_has_the_same_versions_and_markers() {
    for (key, expected) in &REPLICATED.expected {
        let versions = REPLICATED.target.iter().filter(|version| version.key == *key);
        let found: Vec<_> = versions.map(|v| (v.version_id.clone(), v.delete_marker)).collect();
        assert_eq!(found, *expected, "{key}");
    }
}

#[test]
fn the_target_has_the_same_tags_locks_parts_and_encryption() {
    let parts = (10 * 1024 * 1024).to_string();
    for (key, header, expected) in [
        ("retagged", "x-amz-tagging-count", "1"),
        ("sealed", "x-amz-version-id", REPLICATED.sealed.as_str()),
        ("sealed", "x-amz-server-side-encryption", "AES256"),
        ("sealed-kms", "x-amz-server-side-encryption", "aws:kms"),
        ("locked", "x-amz-object-lock-mode", "GOVERNANCE"),
        ("held", "x-amz-object-lock-legal-hold", "ON"),
        ("parts", "content-length", &parts),
        ("empty", "content-length", "0"),
    ] {
        assert_eq!(REPLICATED.heads[key].header(header), Some(expected), "{key}: {header}");
    }
}
