//! `--validate`: which version is copied onto itself, and what is told where none is.

use super::{User, ran};
use crate::world::{Break, Copying, Fate, Mishap, Refusal, Version, World, objects, serving};
use std::time::Duration;

const LINE: &str = "a/bucket --clear-checksum --validate";

/// A world with this version in its backlog.
fn of(version: Version) -> World {
    serving(vec![version])
}

fn object() -> Version {
    Version::new("k", "null")
}

/// What is told when there is nothing to compare.
fn unable(said: &str) -> String {
    format!("mc-wasi: <ERROR> Unable to validate checksum clearing in bucket `bucket`. {said}\n")
}

#[test]
fn a_copy_that_is_refused_is_told_with_its_version_and_the_remedy() {
    let refused = |status, code| object().copying(Copying::Refused(Refusal::new(status, code)));
    let late = |code| object().copying(Copying::RefusedLate(Refusal::new(200, code)));
    for (version, said) in [
        (
            refused(403, "AccessDenied"),
            "Access Denied. The account needs s3:PutObject on arn:aws:s3:::bucket/*.",
        ),
        (
            refused(412, "PreconditionFailed"),
            "At least one of the pre-conditions you specified did not hold.",
        ),
        (refused(404, "NoSuchVersion"), "The specified version does not exist."),
        (late("NoSuchVersion"), "The specified version does not exist."),
        (late("InternalError"), "InternalError (the server answered 200 OK)."),
        (
            object().copying(Copying::AsNewVersion),
            "The server copied version null to a new version another instead of in place.",
        ),
    ] {
        let err = format!(
            "mc-wasi: <ERROR> Validation failed: unable to copy `bucket/k` (null) onto itself. {said}\n"
        );
        assert_eq!(ran(of(version), LINE).whole(), ("", err.as_str(), false));
    }
}

#[test]
fn versions_that_cannot_be_copied_are_passed_over() {
    let hold = Version::new("a", "null").header("x-amz-object-lock-legal-hold", "ON");
    let rest = [
        Version::new("b", "null").fate(Fate::Marker),
        Version::new("c", "null").fate(Fate::Purge),
        Version::new("d", "null").fate(Fate::Gone),
        Version::new("e", "null").fate(Fate::CustomerKey),
        Version::new("f", "null").fate(Fate::Elsewhere),
        Version::new("g", "null").refused(Refusal::INVALID),
        Version::new("h", "null"),
        Version::new("i", "null"),
    ];
    let mut user = User::of(serving([vec![hold], rest.to_vec()].concat()));
    let ran = user.run(LINE);
    assert!(ran.out.starts_with("Copied `bucket/h` (null) onto itself.\n"), "{ran:?}");
    assert_eq!(user.world.net.server.copied.len(), 1);
    let markers = ["b", "c"].map(|key| (key.to_owned(), "null".to_owned()));
    let queued = &user.world.net.server.queued;
    assert!(markers.iter().all(|name| !queued.contains_key(name)), "no marker is looked at");
}

#[test]
fn where_no_version_suits_it_says_how_many_were_looked_at_and_why_the_last_does_not() {
    let hold = |n: usize| {
        Version::new(&format!("{n:03}"), "null").header("x-amz-object-lock-legal-hold", "ON")
    };
    let last = " The last one: The object is under legal hold and cannot be overwritten.";
    for (versions, said, heads) in [
        (Vec::new(), "There is no object version in the backlog.".to_owned(), 0),
        (
            vec![object().fate(Fate::Marker)],
            "There is no object version in the backlog.".to_owned(),
            0,
        ),
        (
            (0..3).map(hold).collect(),
            format!("None of 3 versions looked at can be copied.{last}"),
            3,
        ),
        (
            vec![object().fate(Fate::Gone)],
            "None of 1 versions looked at can be copied.".to_owned(),
            1,
        ),
        // A look triggers, and a test must not become the run.
        (
            (0..300).map(hold).collect(),
            format!("None of 100 versions looked at can be copied.{last}"),
            100,
        ),
    ] {
        let mut user = User::of(serving(versions));
        let ran = user.run(LINE);
        assert_eq!(ran.whole(), ("", unable(&said).as_str(), false));
        assert_eq!(user.world.starts.len(), heads, "{said}");
    }
}

#[test]
fn only_a_version_that_target_and_arn_name_is_copied() {
    let backlog = || {
        vec![
            Version::new("dir/a", "null").targets(&["arn:a"]),
            Version::new("dir/b", "null").targets(&["arn:b"]),
            Version::new("other", "null").targets(&["arn:b"]),
        ]
    };
    for (target, key) in [
        ("a/bucket", "dir/a"),
        ("a/bucket --arn arn:b", "dir/b"),
        ("a/bucket/o", "other"),
        ("a/bucket/o --arn arn:a", ""),
    ] {
        let mut user = User::of(serving(backlog()));
        user.run(&format!("{target} --clear-checksum --validate"));
        let copied: Vec<&str> =
            user.world.net.server.copied.keys().map(|(key, _)| key.as_str()).collect();
        assert_eq!(copied.first().copied().unwrap_or_default(), key, "{target}");
        assert!(copied.len() <= 1);
    }
}

#[test]
fn what_every_version_would_be_refused_for_ends_the_test() {
    let denied = "Access Denied. The account needs s3:GetObject on arn:aws:s3:::bucket/*.";
    let ran = ran(of(object().refused(Refusal::DENIED)), LINE);
    let none =
        unable(&format!("None of 1 versions looked at can be copied. The last one: {denied}"));
    assert_eq!(ran.whole(), ("", none.as_str(), false));
    let mut user = User::of(serving(objects(9)));
    user.world.net.server.lock = Refusal::DENIED.in_xml().into();
    let ran = user.run(LINE);
    assert!(ran.err.starts_with("mc-wasi: <ERROR> Unable to clear checksums in bucket"), "{ran:?}");
    assert_eq!(
        user.world.net.server.log.len(),
        1,
        "nothing is looked at in a bucket that may lock it"
    );
}

#[test]
fn what_may_pass_is_tried_again() {
    let busy = Mishap::Refused(Refusal::new(503, "SlowDown"));
    let version = object().mishaps(&[busy, Mishap::Closed]).copy_mishaps(&[busy, Mishap::Lost]);
    let mut user = User::of(of(version));
    user.world.breaks = [(0, Break::BUSY), (0, Break::Cut)].into();
    assert!(user.run(LINE).success);
    let ran = ran(of(object().mishaps(&[busy; 10])), LINE);
    assert!(ran.err.contains("None of 1 versions looked at can be copied."), "{}", ran.err);
}

#[test]
fn a_listing_that_breaks_is_told_and_is_never_taken_for_an_empty_one() {
    // Everything comes at once: the entry with the error, what was left, and a proper end.
    let at_once = |world: &mut World| {
        world.net.chunks = 5000..5001;
        world.net.latency = 0..1;
    };
    for (count, said) in [
        (0, "file is corrupted. The next object"),
        (9, "file is corrupted. Everything after `000008` is missing. The next object"),
    ] {
        let markers = (0..20).map(|n| Version::new(&format!("{n:06}"), "null").fate(Fate::Marker));
        let mut world = serving(markers.collect());
        at_once(&mut world);
        world.breaks = [(count, Break::ErrorEntry); 2].into();
        let ran = ran(world, LINE);
        let begins = format!(
            "mc-wasi: <ERROR> Unable to list the replication backlog of bucket `bucket`. minio.example:9000: the server's listing failed: {said}"
        );
        assert!(ran.err.starts_with(&begins) && ran.out.is_empty(), "{ran:?}");
    }
}

#[test]
fn a_test_that_is_stopped_says_so() {
    let mut silent = of(object());
    silent.breaks = [(0, Break::Silence)].into();
    let mut slow = of(object().mishaps(&[Mishap::Hang]));
    slow.net.latency = 10..11;
    for (mut world, said) in
        [(silent, "It was interrupted."), (slow, "minio.example:9000: stopped by the user.")]
    {
        world.net.stop_at = Some(Duration::from_secs(3));
        let mut user = User::of(world);
        assert_eq!(user.run(LINE).whole(), ("", unable(said).as_str(), false));
    }
}
