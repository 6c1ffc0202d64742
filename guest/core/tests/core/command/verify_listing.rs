//! `--verify-listing`: what a listing that ended early did not show is found by listing once more.

use super::{User, ran};
use crate::world::{Break, Fate, Mishap, Refusal, Replication, World, objects, serving};
use resync_core::wire::Method;

/// A server whose first listing ends after 60 of 100 entries, and nothing shows that.
fn ends_early() -> World {
    let mut world = serving(objects(100));
    world.breaks = [(60, Break::EarlyEnd)].into();
    world
}

#[test]
fn what_an_early_end_hid_is_found() {
    let text = "✓ Replication trigger completed
  Total: 100
  Processed: 100
  Failed: 0
  Appeared: 40 (only in the second listing; part of the total)
";
    assert_eq!(ran(ends_early(), "a/bucket --verify-listing").whole(), (text, "", true));
    let without = ran(ends_early(), "a/bucket --json").summary();
    assert_eq!((&without["total"], &without["appeared"]), (&60.into(), &0.into()));
    for replication in [Replication::After(std::time::Duration::ZERO), Replication::Never] {
        let mut user = User::of(ends_early());
        user.world.net.server.replication = replication;
        let ran = user.run("a/bucket --json --verify-listing");
        let summary = ran.summary();
        for (member, value) in
            [("total", 100), ("processed", 100), ("appeared", 40), ("listings", 2)]
        {
            assert_eq!(summary[member], value, "{member}: {summary}");
        }
        assert_eq!(ran.json().len(), 101, "each version once");
        assert_eq!(user.world.starts.len(), 100, "and none is triggered twice");
    }
}

#[test]
fn a_listing_that_showed_everything_is_only_read_once_more() {
    let mut world = serving(objects(100));
    world.net.server.replication = Replication::Never;
    let mut user = User::of(world);
    let text = "✓ Replication trigger completed\n  Total: 100\n  Processed: 100\n  Failed: 0\n";
    assert_eq!(user.run("a/bucket --verify-listing").whole(), (text, "", true));
    assert_eq!(user.world.starts.len(), 100);
    assert_eq!(user.world.net.server.asked(Method::Post).count(), 2);
}

#[test]
fn what_the_first_listing_showed_is_not_tried_again_whatever_became_of_it() {
    let mut world = ends_early();
    world.net.server.replication = Replication::Never;
    let mut versions = std::mem::take(&mut world.net.server.versions);
    versions[0].fate = Fate::Refused(Refusal::INVALID);
    versions[1].fate = Fate::Gone;
    versions[2].fate = Fate::Elsewhere;
    world.net.server.versions = versions;
    let mut user = User::of(world);
    let summary = user.run("a/bucket --json --verify-listing").summary();
    for (member, value) in [
        ("total", 100),
        ("processed", 97),
        ("failed", 1),
        ("vanished", 1),
        ("elsewhere", 1),
        ("appeared", 40),
    ] {
        assert_eq!(summary[member], value, "{member}: {summary}");
    }
    assert_eq!(user.world.starts.len(), 100);
}

#[test]
fn both_passes_are_counted_together() {
    let mut versions = objects(100);
    versions[10].mishaps = vec![Mishap::Refused(Refusal::new(503, "SlowDown").retry_after("3"))];
    versions[90].mishaps = vec![Mishap::Refused(Refusal::new(503, "SlowDown").retry_after("5")); 2];
    versions[91].fate = Fate::Refused(Refusal::INVALID);
    versions[92].fate = Fate::Marker;
    let mut world = serving(versions);
    world.breaks = [(60, Break::EarlyEnd)].into();
    let summary = ran(world, "a/bucket --json --verify-listing").summary();
    for (member, value) in [
        ("retries", 3),
        ("overloads", 3),
        ("retryAfter", 5),
        ("failed", 1),
        ("deleteMarkers", 1),
        ("appeared", 40),
    ] {
        assert_eq!(summary[member], value, "{member}: {summary}");
    }
    assert_eq!(summary["backlog"], serde_json::json!({ "FAILED": { "PUT": 99, "DEL": 1 } }));
}

#[test]
fn a_second_listing_that_breaks_leaves_the_run_incomplete() {
    let mut world = ends_early();
    world.net.server.replication = Replication::Never;
    world.breaks.extend([(80, Break::ErrorEntry); 2]);
    let ran = ran(world, "a/bucket --verify-listing");
    let begins = "✗ Replication trigger incomplete: the backlog was not listed to its end, the numbers are lower bounds\n  Total: 80\n  Processed: 80\n  Failed: 0\n  Appeared: 20 (only in the second listing; part of the total)\n";
    assert!(ran.out.starts_with(begins) && !ran.success, "{}", ran.out);
    assert!(ran.err.contains("Everything after `data/000079` is missing."), "{}", ran.err);
}

#[test]
fn a_second_listing_that_cannot_be_opened_does_not_hide_what_was_done() {
    let mut world = ends_early();
    world.breaks.push_back((0, Break::Refused(Refusal::DENIED)));
    let ran = ran(world, "a/bucket --verify-listing");
    let begins = "✗ Replication trigger incomplete: the backlog was not listed to its end, the numbers are lower bounds\n  Total: 60\n  Processed: 60\n  Failed: 0\n";
    assert!(ran.out.starts_with(begins) && !ran.success, "{ran:?}");
    let err = "mc-wasi: <ERROR> Unable to list the replication backlog of bucket `bucket`. Access Denied. The account needs the permission admin:ReplicationDiff.\n";
    assert_eq!(ran.err, err);
}

#[test]
fn a_run_that_ended_early_is_not_listed_again() {
    let mut broken = serving(objects(100));
    broken.net.server.replication = Replication::Never;
    broken.breaks = [(60, Break::ErrorEntry); 2].into();
    let mut denied = serving(objects(100));
    denied.net.server.versions[9].fate = Fate::Refused(Refusal::LOCKED_OUT);
    for (world, listings) in [(broken, 2), (denied, 1)] {
        let summary = ran(world, "a/bucket --json --verify-listing").summary();
        assert_eq!((&summary["listings"], &summary["appeared"]), (&listings.into(), &0.into()));
    }
}

#[test]
fn a_dry_run_shows_only_what_is_new_of_the_second_listing() {
    let mut user = User::of(ends_early());
    let ran = user.run("a/bucket --dry-run --verify-listing");
    let rows = ran.out.lines().take_while(|line| !line.is_empty()).count();
    assert_eq!((rows, user.world.starts.len(), ran.success), (100, 0, true));
    assert!(ran.out.ends_with("\n  Total: 100\n  FAILED: 100 (100 PUT)\n"), "{}", ran.out);
}
