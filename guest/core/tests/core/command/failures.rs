//! Versions that fail: the first are named, the others counted, and each says what to do.

use super::{User, ran};
use crate::world::{Copying, Fate, Mishap, Refusal, Screen, Version, objects, ok, serving};

/// Versions of which this many are refused.
fn refused(count: usize, of: usize) -> Vec<Version> {
    let mut versions = objects(of);
    for version in &mut versions[..count] {
        version.fate = Fate::Refused(Refusal::INVALID);
    }
    versions
}

#[test]
fn twenty_failures_are_named_and_the_others_counted() {
    for (count, more) in [
        (19, ""),
        (20, ""),
        (21, "mc-wasi: <ERROR> 1 more failed; --json lists every one with its reason.\n"),
        (25, "mc-wasi: <ERROR> 5 more failed; --json lists every one with its reason.\n"),
    ] {
        let ran = ran(serving(refused(count, 30)), "a/bucket -c 1");
        let named = (0..count.min(20)).map(|n| {
            format!("mc-wasi: <ERROR> Unable to trigger replication of `bucket/data/{n:06}` (00000000-0000-0000-0000-{n:012x}). Invalid version id specified\n")
        });
        assert_eq!(ran.err, named.collect::<String>() + more, "{count}");
        let counted = format!("  Total: 30\n  Processed: {}\n  Failed: {count}\n", 30 - count);
        assert!(ran.out.contains(&counted) && !ran.success, "{}", ran.out);
    }
    let json = ran(serving(refused(25, 30)), "a/bucket --json").json();
    assert_eq!(json.iter().filter(|line| line["outcome"] == "failed").count(), 25, "all of them");
}

#[test]
fn a_second_pass_goes_on_counting_where_the_first_left_off() {
    let mut world = serving(refused(15, 30));
    world.breaks = [(10, crate::world::Break::EarlyEnd)].into();
    let ran = ran(world, "a/bucket --verify-listing -c 1");
    assert_eq!(ran.err.lines().count(), 15, "{}", ran.err);
    let mut world = serving(refused(25, 30));
    world.breaks = [(10, crate::world::Break::EarlyEnd)].into();
    let ran = super::ran(world, "a/bucket --verify-listing -c 1");
    assert_eq!(ran.err.lines().count(), 21, "{}", ran.err);
}

/// Why an object is not copied: what its HEAD or its copy says, and what is told.
#[test]
fn an_object_that_must_not_or_cannot_be_copied_fails_with_its_reason() {
    let object = || Version::new("k", "null");
    let again = "The server copied version null to a new version another instead of in place.";
    let locked = |until| {
        object()
            .header("x-amz-object-lock-mode", "GOVERNANCE")
            .header("x-amz-object-lock-retain-until-date", until)
    };
    let changed = Copying::Refused(Refusal::new(412, "PreconditionFailed"));
    let customer =
        "The object is encrypted with a customer key (SSE-C), which only its owner can copy.";
    for (version, said) in [
        (
            object().header("x-amz-object-lock-legal-hold", "ON"),
            "The object is under legal hold and cannot be overwritten.",
        ),
        (
            locked("2099-01-01T00:00:00Z"),
            "The object is locked (GOVERNANCE until 2099-01-01T00:00:00Z) and cannot be overwritten.",
        ),
        (
            object().header("content-length", "5497558138881"),
            "The object is larger than 5 TiB, which no server copies in one request.",
        ),
        (
            object().header("etag", ""),
            "The server returned no ETag, without which the copy is not safe.",
        ),
        (object().fate(Fate::CustomerKey), customer),
        (object().header("x-amz-server-side-encryption-customer-algorithm", "AES256"), customer),
        (
            object().copying(changed),
            "At least one of the pre-conditions you specified did not hold",
        ),
        (object().copying(Copying::AsNewVersion), again),
    ] {
        let ran = ran(serving(vec![version]), "a/bucket --clear-checksum");
        let line = ran.err.lines().next().unwrap_or_default();
        let named = "mc-wasi: <ERROR> Unable to clear the checksum of `bucket/k` (null).";
        assert_eq!((line, ran.success), (format!("{named} {said}").as_str(), false));
    }
    for version in [
        locked("2020-01-01T00:00:00Z"),
        object().copy_mishaps(&[Mishap::Lost, Mishap::Closed]),
        object().fate(Fate::Marker),
        object().fate(Fate::Purge),
    ] {
        let ran = ran(serving(vec![version]), "a/bucket --clear-checksum");
        assert!(ran.success && ran.err.is_empty(), "{ran:?}");
    }
}

#[test]
fn the_permission_that_is_missing_is_named_for_each_request() {
    let head = vec![Version::new("k", "null").refused(Refusal::DENIED)];
    let copy = vec![Version::new("k", "null").copying(Copying::Refused(Refusal::DENIED))];
    let denied = "Access Denied. The account needs";
    for (versions, flag, said) in [
        (head.clone(), "", "s3:GetObject on arn:aws:s3:::bucket/*."),
        (head, "--clear-checksum", "s3:GetObject on arn:aws:s3:::bucket/*."),
        (copy, "--clear-checksum", "s3:PutObject on arn:aws:s3:::bucket/*."),
    ] {
        let ran = ran(serving(versions), &format!("a/bucket {flag}"));
        let last = ran.err.lines().last().unwrap_or_default();
        let what = "mc-wasi: <ERROR> Unable to trigger replication in bucket `bucket`.";
        assert_eq!((last, ran.success), (format!("{what} {denied} {said}").as_str(), false));
    }
    let mut world = serving(objects(1));
    world.net.server.lock = Refusal::DENIED.in_xml().into();
    let mut user = User::of(world);
    let ran = user.run("a/bucket --clear-checksum");
    let err = "mc-wasi: <ERROR> Unable to clear checksums in bucket `bucket`. Access Denied. --clear-checksum needs s3:GetBucketObjectLockConfiguration on arn:aws:s3:::bucket, to see that no default retention locks what it copies.\n";
    assert_eq!(ran.whole(), ("", err, false));
    assert_eq!(user.world.net.server.log.len(), 1, "nothing else was asked");
}

#[test]
fn a_bucket_that_would_lock_what_is_copied_is_left_alone() {
    let rule = |period: &str| {
        ok(&format!(
            "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>{period}</ObjectLockConfiguration>"
        ))
    };
    for (period, told) in [
        (
            "<Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>30</Days></DefaultRetention></Rule>",
            Some("GOVERNANCE for 30 days"),
        ),
        (
            "<Rule><DefaultRetention><Mode>COMPLIANCE</Mode><Years>7</Years></DefaultRetention></Rule>",
            Some("COMPLIANCE for 7 years"),
        ),
        ("", None),
    ] {
        let mut world = serving(objects(2));
        world.net.server.lock = rule(period).into();
        let mut user = User::of(world);
        let ran = user.run("a/bucket --clear-checksum");
        let err = told.map(|told| format!("mc-wasi: <ERROR> Unable to clear checksums in bucket `bucket`. It has a default retention ({told}), which the server would put on every object copied. Nothing was copied. Remove it for the time of the run: mc retention clear --default ALIAS/bucket.\n"));
        assert_eq!((ran.err.as_str(), ran.success), (err.as_deref().unwrap_or(""), err.is_none()));
        assert_eq!(user.world.net.server.copied.len(), if err.is_none() { 2 } else { 0 });
    }
}

#[test]
fn what_the_server_asks_to_wait_is_said_once_and_once_more_when_it_is_too_long() {
    let after = |after| Mishap::Refused(Refusal::new(503, "SlowDown").retry_after(after));
    let pause = "⚠ The server asked for a pause of";
    for (mishaps, told) in [
        (vec![after("7"), after("7"), after("9")], format!("{pause} 7 s (Retry-After).\n")),
        (
            vec![after("7"), after("3600"), after("7200")],
            format!(
                "{pause} 7 s (Retry-After).\n{pause} 3600 s (Retry-After); waiting 120 s, the maximum.\n"
            ),
        ),
        (
            vec![after("121"), after("5")],
            format!("{pause} 121 s (Retry-After); waiting 120 s, the maximum.\n"),
        ),
        (vec![after("120")], format!("{pause} 120 s (Retry-After).\n")),
        (vec![Mishap::Refused(Refusal::new(503, "SlowDown"))], String::new()),
    ] {
        let world = || serving(vec![Version::new("k", "null").mishaps(&mishaps)]);
        let ran = ran(world(), "a/bucket");
        assert_eq!((ran.err.as_str(), ran.success), (told.as_str(), true));
        assert!(
            super::ran(world(), "a/bucket --json").err.is_empty(),
            "JSON says it in its summary"
        );
        let ran = User::of(world()).at(Screen::terminal()).run("a/bucket --quiet");
        assert_eq!(ran.err, told, "it explains why a run stands still, also to who wants it quiet");
    }
}

#[test]
fn what_the_server_asks_to_wait_is_said_of_whatever_it_was_asked() {
    let busy = Refusal::new(503, "SlowDown").retry_after("5");
    let told = "⚠ The server asked for a pause of 5 s (Retry-After).\n";
    let mut listing = serving(objects(1));
    listing.breaks = [(0, crate::world::Break::Refused(busy))].into();
    let mut lock = serving(objects(1));
    lock.net.server.lock = [busy.in_xml(), ok("<ObjectLockConfiguration/>")].into();
    let copy = vec![Version::new("k", "null").copy_mishaps(&[Mishap::Refused(busy)])];
    for (world, line) in [
        (listing, "a/bucket"),
        (lock, "a/bucket --clear-checksum"),
        (serving(copy), "a/bucket --clear-checksum"),
    ] {
        let ran = ran(world, line);
        assert_eq!((ran.err.as_str(), ran.success), (told, true), "{line}");
    }
}

#[test]
fn a_bucket_that_encrypts_what_is_copied_keeps_its_plain_versions() {
    let encrypts = ok(
        "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>",
    );
    let plain = Version::new("plain", "null");
    let encrypted = Version::new("sse", "null").header("x-amz-server-side-encryption", "AES256");
    let mut world = serving(vec![plain, encrypted]);
    world.net.server.encryption = encrypts.into();
    let mut user = User::of(world);
    let ran = user.run("a/bucket --clear-checksum --json");
    assert_eq!(ran.version("sse")["outcome"], "triggered");
    let said = ran.version("plain")["error"]["cause"]["message"].to_string();
    assert!(said.contains("this version is not encrypted"), "{said}");
    assert_eq!(user.world.net.server.copied.len(), 1);

    let mut world = serving(objects(1));
    world.net.server.encryption = Refusal::DENIED.in_xml().into();
    let err = "mc-wasi: <ERROR> Unable to clear checksums in bucket `bucket`. Access Denied. --clear-checksum needs s3:GetEncryptionConfiguration on arn:aws:s3:::bucket, to see whether it encrypts what is copied.\n";
    assert_eq!(User::of(world).run("a/bucket --clear-checksum").whole(), ("", err, false));
}

#[test]
fn a_first_copy_that_did_not_come_out_well_is_the_only_one() {
    for (header, value) in
        [("x-minio-compressed", "s2"), ("x-amz-server-side-encryption", "aws:kms")]
    {
        let versions = objects(300).into_iter().map(|v| v.header_after(header, value)).collect();
        let mut user = User::of(serving(versions));
        let ran = user.run("a/bucket --clear-checksum --json -c 20");
        let summary = ran.summary();
        assert_eq!((&summary["complete"], &summary["failed"]), (&false.into(), &1.into()));
        assert_eq!(user.world.net.server.copied.len(), 1, "{header}");
        let said = summary["error"]["cause"]["message"].as_str().expect("a reason");
        assert!(said.starts_with("The first copy did not come out as it must"), "{said}");
    }
    // One that cannot be copied proves nothing, and the next one is the first.
    let mut versions = objects(300);
    versions[0].copying = Copying::Refused(Refusal::new(412, "PreconditionFailed"));
    let summary = ran(serving(versions), "a/bucket --clear-checksum --json -c 20").summary();
    assert_eq!((&summary["copied"], &summary["failed"]), (&299.into(), &1.into()));
}
