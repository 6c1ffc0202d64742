//! `--max-queue`: what is said of the server's queue.

use super::User;
use crate::world::{Refusal, Replication, World, made, ok};
use std::time::Duration;

/// A server that replicates 100 versions in a second.
fn slow(make: impl FnOnce(&mut World)) -> User {
    User::of(made(3_000, |world| {
        world.net.server.replication = Replication::Never;
        world.net.server.queue.rate = Some(100.0);
        make(world);
    }))
}

#[test]
fn counters_that_cannot_be_read_are_said_once_with_the_permission_that_is_missing() {
    let without = "the backlog is listed again and again; --max-queue 0 triggers without looking.";
    for (refusal, reason) in [
        (
            Refusal::DENIED.in_xml(),
            "cannot be counted (Access Denied). The account needs s3:GetReplicationConfiguration.",
        ),
        (ok("<html>hello</html>"), "cannot be counted (its counters cannot be read). So that"),
    ] {
        let mut user = slow(|world| world.net.server.queue.refuses = Some(refusal));
        let ran = user.run("a/bucket --max-queue 500");
        assert!(ran.success);
        assert_eq!(ran.err.matches("What is replicated ").count(), 1, "{}", ran.err);
        assert!(ran.err.contains(reason) && ran.err.contains(without), "{}", ran.err);
        assert!(user.world.net.server.queue.peak <= 500);
        let refused = user.world.net.server.queue.refuses.take();
        let mut user = slow(|world| world.net.server.queue.refuses = refused);
        let summary = user.run("a/bucket --max-queue 500 --json").summary();
        let notes = summary["notes"].as_array().expect("notes");
        assert!(notes.len() == 1 && notes[0].as_str().is_some_and(|note| note.contains(reason)));
    }
}

#[test]
fn a_server_that_starts_anew_is_said() {
    let mut user = slow(|world| world.net.server.queue.restart = Some(Duration::from_secs(5)));
    let ran = user.run("a/bucket --max-queue 500");
    assert!(ran.success && ran.err.contains("A server has started anew"), "{}", ran.err);
}

#[test]
fn nothing_is_asked_with_max_queue_0_or_in_a_dry_run() {
    for flags in ["--max-queue 0", "--dry-run --max-queue 1"] {
        let mut user = slow(|_| {});
        assert!(user.run(&format!("a/bucket {flags}")).success);
        assert_eq!(user.world.net.server.queue.asked, 0, "{flags}");
    }
}

#[test]
fn a_queue_that_nothing_leaves_ends_the_run_with_the_reason() {
    let mut user = slow(|world| world.net.server.queue.ignores = true);
    let ran = user.run("a/bucket --max-queue 100");
    assert!(!ran.success && !ran.out.contains("completed"), "{}", ran.out);
    assert!(
        ran.err.contains("Nothing was replicated for a minute: 100 versions wait"),
        "{}",
        ran.err
    );
    let dead = "Nothing of what was triggered has been replicated for five minutes";
    assert!(ran.err.contains(dead), "{}", ran.err);
}
