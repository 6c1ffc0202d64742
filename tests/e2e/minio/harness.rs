//! The harness for real MinIO servers keeps what its module promises: a backlog stays stuck until
//! somebody asks for its versions, one by one.

use std::thread::sleep;
use std::time::Duration;

use mc_wasi_tests::minio::{Certs, DiffEntry, Keys, MinioOptions, Pair, SOURCE_BUCKET, ids};

const DRAIN: Duration = Duration::from_secs(60);
/// What the least privileged user of the command needs.
const RESYNC_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":["admin:ReplicationDiff"]},
    {"Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::src/*"]}]}"#;

/// Enough to list the backlog and too little to trigger any of it.
const LIST_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":["admin:ReplicationDiff"]}]}"#;

/// What the program under test does, done by hand.
fn trigger(pair: &Pair, entry: &DiffEntry) -> u16 {
    pair.source_client().head(SOURCE_BUCKET, &entry.object, Some(&entry.version_id)).status
}

#[test]
fn a_backlog_stays_stuck_until_its_versions_are_asked_for() {
    let mut pair = Pair::start();
    pair.stick();
    let written = pair.put_many("obj-", 100, b"hello");
    pair.wait_backlog(100);
    pair.release();

    sleep(Duration::from_secs(4));
    let backlog = pair.backlog("");
    assert_eq!(backlog.len(), 100, "nothing retries them");
    assert!(backlog.iter().all(|entry| entry.status == "FAILED"), "{backlog:?}");
    assert!(pair.target_versions("dst").is_empty());
    assert_eq!(pair.backlog("obj-00001").len(), 10, "the prefix is a plain string");

    for entry in &backlog {
        assert_eq!(trigger(&pair, entry), 200);
    }
    pair.wait_empty(DRAIN);
    assert_eq!(ids(&pair.target_versions("dst")), ids(&written));
}

#[test]
fn every_kind_of_version_can_be_written_and_gets_through() {
    let mut pair = Pair::builder().lock().kms().start();
    pair.put("replicated", b"1", &[]);
    pair.wait_empty(DRAIN);
    pair.stick();
    let odd = "odd/ä +%&?#='\"()*!~\\\u{1F600} ";
    pair.put(odd, b"odd", &[("x-amz-meta-colour", "blue")]);
    let checked = pair.put_with_checksum("checked", b"checked", &[]);
    pair.put_multipart("parts", 2, &[]);
    pair.put("sealed", b"sealed", &[("x-amz-server-side-encryption", "AES256")]);
    pair.tag("checked", &checked, "team", "blue");
    let locked = pair.put("locked", b"locked", &[]);
    pair.retain("locked", &locked, "GOVERNANCE", "2099-01-01T00:00:00Z");
    let held = pair.put("held", b"held", &[]);
    pair.legal_hold("held", &held, true);
    let purged = pair.put("purged", b"purged", &[]);
    pair.wait_backlog(7);
    pair.delete_version("purged", &purged);
    let marker = pair.delete("replicated");
    let backlog = pair.wait_backlog(8);
    let find = |key: &str| backlog.iter().find(|entry| entry.object == key).expect(key);
    assert_eq!(find("replicated").version_id, marker);
    assert!(find("replicated").delete_marker);
    assert_eq!(find("purged").delete_status, "FAILED");
    pair.release();

    let statuses: Vec<_> =
        backlog.iter().map(|entry| (entry.object.as_str(), trigger(&pair, entry))).collect();
    let expected = |key| if key == "purged" || key == "replicated" { 405 } else { 200 };
    assert!(statuses.iter().all(|(key, status)| *status == expected(*key)), "{statuses:?}");
    pair.wait_empty(DRAIN);
    let target = pair.target_versions("dst");
    assert_eq!(target.len(), 8, "{target:?}");
    let client = pair.target_client();
    assert_eq!(client.head("dst", odd, None).header("x-amz-meta-colour"), Some("blue"));
    assert!(
        client
            .head("dst", "parts", None)
            .header("x-amz-checksum-sha256")
            .is_some_and(|sum| sum.ends_with("-2"))
    );
    assert_eq!(
        client.head("dst", "checked", Some(&checked)).header("x-amz-tagging-count"),
        Some("1")
    );
    assert_eq!(client.head("dst", "held", None).header("x-amz-object-lock-legal-hold"), Some("ON"));
    assert_eq!(
        client.head("dst", "sealed", None).header("x-amz-server-side-encryption"),
        Some("AES256")
    );
}

#[test]
fn versions_older_than_the_rule_are_a_backlog_without_status() {
    let mut pair = Pair::builder().unversioned().second_target(MinioOptions::default()).start();
    assert_eq!(pair.put("first", b"null version", &[]), "null");
    pair.set_versioning("enable", &[]);
    pair.put("second", b"a version", &[]);
    pair.add_rules();
    let backlog = pair.wait_backlog(2);
    assert!(
        backlog.iter().all(|entry| entry.status.is_empty() && entry.targets.is_empty()),
        "{backlog:?}"
    );
    assert_eq!(backlog[0].version_id, "null");

    for entry in &backlog {
        assert_eq!(trigger(&pair, entry), 200);
    }
    pair.wait_empty(DRAIN);
    assert_eq!(ids(&pair.target_versions("dst")), ids(&pair.target_versions("dst2")));

    pair.stick_one("dst2");
    pair.put("third", b"on dst only", &[]);
    let backlog = pair.wait_backlog(1);
    let missing: Vec<_> = backlog[0].targets.keys().collect();
    assert_eq!(missing, [&pair.links()[1].arn]);
}

#[test]
fn a_frozen_target_leaves_versions_pending() {
    let mut pair = Pair::start();
    pair.stick_pending();
    pair.put_many("p/", 5, b"hello");
    let backlog = pair.wait_backlog(5);
    assert!(backlog.iter().all(|entry| entry.status == "PENDING"), "{backlog:?}");
    pair.release();
    assert_eq!(pair.backlog(""), backlog);
    assert!(pair.target_versions("dst").is_empty());
    for entry in &backlog {
        assert_eq!(trigger(&pair, entry), 200);
    }
    pair.wait_empty(DRAIN);
}

#[test]
fn a_user_may_do_exactly_what_the_policy_says() {
    let pair = Pair::start();
    pair.stick();
    let version = pair.put("object", b"hello", &[]);
    pair.wait_backlog(1);
    let user = pair.admin_user("resync", RESYNC_POLICY);
    let nobody = pair.admin_user("nobody", LIST_POLICY);
    let head = |keys: &Keys| {
        pair.source().client_for(keys.clone()).head(SOURCE_BUCKET, "object", Some(&version)).status
    };
    assert_eq!(head(&nobody), 403);
    assert_eq!(head(&user), 200);
    assert_eq!(head(&pair.service_account(&user, "service")), 200);
    let temporary = pair.assume_role(&user);
    assert!(temporary.token.is_some());
    assert_eq!(head(&temporary), 200);
    assert_eq!(head(&Keys { token: None, ..temporary }), 403);
}

#[test]
fn a_corrupt_object_breaks_the_listing_off() {
    let pair = Pair::start();
    pair.stick();
    pair.put_many("obj-", 5, b"hello");
    pair.wait_backlog(5);
    pair.corrupt("obj-000003");
    let target = "/minio/admin/v3/replication/diff?bucket=src";
    let listing = pair.source_client().send("POST", target, &[], b"").ok("diff").text();
    let lines: Vec<_> = listing.lines().collect();
    assert_eq!(lines.len(), 4, "{listing}");
    assert!(lines[3].contains(r#""error":"file is corrupted""#), "{listing}");
}

#[test]
fn a_source_with_tls_and_a_region_works_like_any_other() {
    let options = MinioOptions::default().tls(Certs::generate()).region("eu-west-1").drives(4);
    let mut pair = Pair::builder().source(options).start();
    pair.stick();
    pair.put_many("obj-", 10, b"hello");
    let backlog = pair.wait_backlog(10);
    pair.release();
    assert!(pair.source().url().starts_with("https://"));
    for entry in &backlog {
        assert_eq!(trigger(&pair, entry), 200);
    }
    pair.wait_empty(DRAIN);
    assert_eq!(pair.target_versions("dst").len(), 10);
}
