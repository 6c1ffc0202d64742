//! `--validate`: one version was copied onto itself, and what changed is shown.

use super::{Ran, User, ran};
use crate::world::{Refusal, Version, World, objects, ok, serving};
use resync_core::wire::Method;
use serde_json::json;

const LINE: &str = "a/bucket --clear-checksum --validate";

/// A world with this version in its backlog.
fn of(version: Version) -> World {
    serving(vec![version])
}

fn object() -> Version {
    Version::new("k", "null")
}

/// The comparison, up to its verdict.
fn rows(ran: &Ran) -> Vec<&str> {
    ran.out.lines().take_while(|line| !line.is_empty()).collect()
}

#[test]
fn a_copy_that_replaced_the_checksum_and_nothing_else_is_shown_and_passes() {
    let mut user = User::of(serving(objects(3)));
    let ran = user.run(LINE);
    assert_eq!(
        ran.whole(),
        (
            "Copied `bucket/data/000000` (00000000-0000-0000-0000-000000000000) onto itself.
  Checksum       sha256 BBBB
    now          crc64nvme M3eFcAZSQlc=
  Version ID     00000000-0000-0000-0000-000000000000  kept
  Size           5  kept
  ETag           \"e\"  kept
  Last-Modified  Tue, 24 Nov 2026 08:28:26 GMT  kept
  Content-Type   text/plain  kept
  Metadata       -  kept
  Tags           -  kept
  Encryption     -  kept
  Storage class  -  kept
  Read back      M3eFcAZSQlc=  kept

✓ Validation succeeded: the checksum was replaced, nothing else changed
  Run again without --validate to process all backlogged objects:
  $ mc-wasi replicate resync-backlog a/bucket --clear-checksum
",
            "",
            true,
        )
    );
    let server = &user.world.net.server;
    assert_eq!((server.copied.len(), server.queued.len()), (1, 3), "they are of one kind");
    assert_eq!(server.asked(Method::Post).count(), 2, "the listing, on v4 and v3");
}

#[test]
fn json_has_both_checksums_and_every_property() {
    let version = object()
        .header("x-amz-checksum-type", "FULL_OBJECT")
        .header("x-amz-meta-a", "1")
        .header_after("x-amz-meta-a", "2");
    let ran = ran(of(version), &format!("{LINE} --json"));
    let row = |name: &str, before: &str, after: &str| json!({ "name": name, "before": before, "after": after, "ok": before == after });
    let kept = |name, value| row(name, value, value);
    assert_eq!(
        ran.json(),
        [json!({
            "status": "error", "valid": false, "object": "k", "versionId": "null",
            "checksumBefore": "sha256 BBBB (full_object)",
            "checksumAfter": "crc64nvme M3eFcAZSQlc= (full_object)",
            "properties": [
                kept("Version ID", "null"),
                kept("Size", "5"),
                kept("ETag", "\"e\""),
                kept("Last-Modified", "Tue, 24 Nov 2026 08:28:26 GMT"),
                kept("Content-Type", "text/plain"),
                row("Metadata", "x-amz-meta-a=1", "x-amz-meta-a=2"),
                kept("Tags", ""),
                kept("Encryption", ""),
                kept("Storage class", ""),
                kept("Read back", "M3eFcAZSQlc="),
            ],
        })]
    );
    assert!(!ran.success);
    let ran = super::ran(of(object()), &format!("{LINE} --json"));
    let [told] = &ran.json()[..] else { panic!("{ran:?}") };
    assert_eq!(
        (&told["status"], &told["valid"], ran.success),
        (&json!("success"), &json!(true), true)
    );
}

#[test]
fn every_property_that_changed_is_shown_and_fails_the_test() {
    let encrypted = object().header("x-amz-server-side-encryption", "aws:kms");
    for (version, row, passes) in [
        (
            object().header_after("content-type", "binary/octet-stream"),
            "  Content-Type   text/plain  CHANGED to binary/octet-stream",
            false,
        ),
        (object().header_after("content-length", "6"), "  Size           5  CHANGED to 6", false),
        (object().header_after("etag", "\"f\""), "  ETag           \"e\"  CHANGED to \"f\"", false),
        (
            object().header_after("last-modified", "Wed, 25 Nov 2026 08:28:26 GMT"),
            "  Last-Modified  Tue, 24 Nov 2026 08:28:26 GMT  CHANGED to Wed, 25 Nov 2026 08:28:26 GMT",
            false,
        ),
        (
            object()
                .header("x-amz-storage-class", "STANDARD")
                .header_after("x-amz-storage-class", ""),
            "  Storage class  STANDARD  CHANGED to none",
            false,
        ),
        (
            encrypted.clone().header_after("x-amz-server-side-encryption", ""),
            "  Encryption     aws:kms  CHANGED to none",
            false,
        ),
        (
            object()
                .header("cache-control", "no-store")
                .header("x-amz-meta-b", "1")
                .header_after("cache-control", ""),
            "  Metadata       cache-control=no-store, x-amz-meta-b=1  CHANGED to x-amz-meta-b=1",
            false,
        ),
        (object().header_after("x-amz-checksum-crc64nvme", ""), "    now          none", false),
        // The ETag of many parts becomes that of one, and an encrypted one is made anew.
        (
            object().header("etag", "\"e-2\"").header_after("etag", "\"f\""),
            "  ETag           \"e-2\"  now \"f\" (as every copy does)",
            true,
        ),
        (
            encrypted.header_after("etag", "\"f\""),
            "  ETag           \"e\"  now \"f\" (as every copy does)",
            true,
        ),
        (object().header("x-amz-checksum-sha256", ""), "  Checksum       none", true),
        (
            object().header("x-amz-meta-evil", "\u{1b}[2J"),
            r"  Metadata       x-amz-meta-evil=\u{1b}[2J  kept",
            true,
        ),
    ] {
        let ran = ran(of(version), LINE);
        assert!(rows(&ran).contains(&row), "{row}\n---\n{}", ran.out);
        let verdict = "\n✗ Validation failed: see what changed above\n";
        assert_eq!(ran.out.ends_with(verdict), !passes, "{}", ran.out);
        assert_eq!((ran.success, ran.err.as_str()), (passes, ""), "{row}");
    }
}

#[test]
fn tags_are_compared_as_far_as_they_can_be_read() {
    let tag = |value: &str| {
        ok(&format!(
            "<Tagging><TagSet><Tag><Key>b</Key><Value>{value}</Value></Tag><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>"
        ))
    };
    for (before, after, row, passes) in [
        (tag("2"), tag("2"), "  Tags           a=1, b=2  kept", true),
        (tag("2"), tag("3"), "  Tags           a=1, b=2  CHANGED to a=1, b=3", false),
        (
            Refusal::DENIED.in_xml(),
            Refusal::DENIED.in_xml(),
            "  Tags           not readable (Access Denied.)  kept",
            true,
        ),
    ] {
        let mut world = of(object());
        world.net.server.tags = [before, after].into();
        let ran = ran(world, LINE);
        assert!(rows(&ran).contains(&row), "{row}\n---\n{}", ran.out);
        assert_eq!(ran.success, passes, "{row}");
    }
}

#[test]
fn the_command_to_run_next_is_the_users_own_without_the_test() {
    for (line, next) in [
        ("--validate -q --clear-checksum a/bucket", "-q --clear-checksum a/bucket"),
        ("a/bucket -validate=true -clear-checksum", "a/bucket -clear-checksum"),
        ("a/bucket --clear-checksum --validate=T -c 5", "a/bucket --clear-checksum -c 5"),
    ] {
        let ran = ran(of(object()), line);
        let last = ran.out.lines().last().unwrap_or_default();
        assert_eq!(last, format!("  $ mc-wasi replicate resync-backlog {next}"), "{line}");
    }
}

#[test]
fn a_checksum_of_something_else_than_the_data_is_found_out_by_reading_it() {
    let mut world = of(object());
    world.net.server.checksum = "zvpOj9Ei0Ck=";
    let ran = ran(world, LINE);
    assert!(
        rows(&ran).contains(&"  Read back      zvpOj9Ei0Ck=  CHANGED to M3eFcAZSQlc="),
        "{}",
        ran.out
    );
    assert!(!ran.success);
}

#[test]
fn one_version_of_each_kind_is_tried() {
    let sse =
        |key: &str| Version::new(key, "null").header("x-amz-server-side-encryption", "AES256");
    let versions = vec![
        Version::new("a", "null"),
        Version::new("b", "null"),
        sse("c"),
        Version::new("d", "null").header("etag", "\"e-2\"").header_after("etag", "\"f\""),
        Version::new("e", "null").header("x-amz-checksum-sha256", ""),
        Version::new("f", "null").header("content-length", "70000000"),
        sse("g"),
    ];
    let mut user = User::of(serving(versions));
    let ran = user.run(LINE);
    let copied: Vec<&str> =
        user.world.net.server.copied.keys().map(|(key, _)| key.as_str()).collect();
    assert_eq!((copied, ran.success), (vec!["a", "c", "d", "e"], true), "{}", ran.out);
    assert_eq!(ran.out.matches("✓").count(), 1, "one verdict for all");
    let json = User::of(serving(objects(3))).run(&format!("{LINE} --json"));
    assert_eq!(json.json().len(), 1, "they are of one kind");
}
