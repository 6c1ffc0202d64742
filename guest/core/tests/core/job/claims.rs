//! Single claims about the job, each with the world that shows it.

use super::run;
use crate::world::{Break, Mishap, Refusal, Replication, objects, serving};
use resync_core::job::{End, Spec};
use resync_core::listing;
use resync_core::wire::Net;
use std::time::Duration;

/// More mishaps than a run has patience for.
const ENDLESS: usize = 500;

/// Breaks without a new entry before a listing is given up.
const MAX_FRUITLESS: usize = 5;

fn refused(status: u16) -> Mishap {
    Mishap::Refused(Refusal::new(status, ""))
}

#[test]
fn a_version_whose_answer_never_comes_is_tried_again_after_a_minute() {
    let mut versions = objects(3);
    versions[1].mishaps = vec![Mishap::Hang];
    let mut world = serving(versions);
    let ran = run(Spec::default(), &mut world);
    assert_eq!((ran.end, ran.counts.triggered, ran.counts.retries), (End::Complete, 3, 1));
    let again = world.starts[3] - world.starts[1];
    assert!((60.0..62.0).contains(&again.as_secs_f64()), "{again:?}");
}

#[test]
fn a_listing_that_falls_silent_is_taken_up_again_after_a_minute() {
    let mut world = serving(objects(100));
    world.breaks = [(50, Break::Silence)].into();
    let ran = run(Spec::default(), &mut world);
    assert_eq!((ran.end, ran.counts.triggered, ran.listings), (End::Complete, 100, 2));
    let pause = world.starts[50] - world.starts[49];
    assert!((60.0..62.0).contains(&pause.as_secs_f64()), "{pause:?}");
}

#[test]
fn a_damaged_object_ends_the_listing_at_its_second_appearance() {
    let mut world = serving(objects(100));
    world.net.server.replication = Replication::Never;
    world.breaks = [(40, Break::ErrorEntry); 9].into();
    let ran = run(Spec::default(), &mut world);
    let End::Listing(failure) = ran.end else { panic!("{:?}", ran.end) };
    assert_eq!(failure.cause, listing::Break::Server("file is corrupted".into()));
    assert_eq!(
        (failure.after.as_deref(), ran.listings, ran.counts.triggered),
        (Some("data/000039"), 2, 40)
    );
}

#[test]
fn a_listing_that_never_gets_further_is_given_up() {
    let mut world = serving(objects(100));
    world.net.server.replication = Replication::Never;
    world.breaks = [(40, Break::Cut); 99].into();
    let ran = run(Spec::default(), &mut world);
    let End::Listing(failure) = ran.end else { panic!("{:?}", ran.end) };
    assert_eq!(failure.after.as_deref(), Some("data/000039"));
    assert_eq!((ran.listings as usize, ran.counts.triggered), (1 + MAX_FRUITLESS, 40));
}

#[test]
fn a_server_that_has_lost_its_targets_is_one_that_has_just_started_if_it_had_some() {
    let mut world = serving(objects(100));
    world.breaks = [(40, Break::Cut), (0, Break::STARTING), (0, Break::STARTING)].into();
    let ran = run(Spec::default(), &mut world);
    assert_eq!((ran.end, ran.listings, ran.counts.triggered), (End::Complete, 4, 100));

    let mut world = serving(objects(100));
    world.breaks = [(0, Break::STARTING)].into();
    let End::Listing(failure) = run(Spec::default(), &mut world).end else {
        panic!("there is no target")
    };
    assert!(failure.after.is_none(), "{failure:?}");
}

#[test]
fn a_listing_that_always_gets_further_is_never_given_up() {
    let mut world = serving(objects(100));
    world.net.server.replication = Replication::Never;
    world.breaks = (1..100).map(|entries| (entries, Break::Cut)).collect();
    let ran = run(Spec::default(), &mut world);
    assert_eq!((ran.end, ran.listings, ran.counts.triggered), (End::Complete, 100, 100));
}

#[test]
fn a_full_spool_closes_the_listing_and_takes_it_up_again_without_loss() {
    let memory = 128 << 10;
    let mut world = serving(objects(20_000));
    world.net.chunks = 60_000..64_000;
    world.net.server.replication = Replication::Never;
    let ran = run(Spec { memory, concurrent: 100, ..Spec::default() }, &mut world);
    assert_eq!((ran.end, ran.counts.triggered), (End::Complete, 20_000));
    assert!(ran.listings > 2, "{} listings: the budget was never reached", ran.listings);
    assert!(world.net.server.queued.values().all(|times| times.len() == 1));
}

#[test]
fn cuts_between_listings_that_get_further_and_are_closed_on_purpose_do_not_add_up() {
    let mut world = serving(objects(4000));
    // As many chunks as 20,000 versions make in chunks of 64 KB.
    world.net.chunks = 12_000..12_800;
    world.net.server.replication = Replication::Never;
    // Every second listing is cut before it comes to anything new, the others are closed at the budget.
    world.breaks = (0..20).map(|n| (if n % 2 == 0 { usize::MAX } else { 0 }, Break::Cut)).collect();
    let ran = run(Spec { memory: 1, concurrent: 100, ..Spec::default() }, &mut world);
    assert_eq!((ran.end, ran.counts.triggered), (End::Complete, 4000));
    assert!(world.breaks.is_empty(), "only {} listings", ran.listings);
    assert!(world.net.server.queued.values().all(|times| times.len() == 1));
}

#[test]
fn a_server_that_is_gone_ends_the_run_instead_of_failing_version_by_version() {
    let mut versions = objects(5000);
    for version in &mut versions[100..] {
        version.mishaps = vec![Mishap::Closed; ENDLESS];
    }
    let mut world = serving(versions);
    let ran = run(Spec::default(), &mut world);
    assert!(matches!(ran.end, End::Fatal(_)), "{:?}", ran.end);
    let last = world.starts[world.starts.len() - 1];
    assert!((30.0..60.0).contains(&last.as_secs_f64()), "{last:?}");
    let counts = ran.counts;
    assert_eq!(counts.triggered, 100);
    assert!((20..40).contains(&counts.failed), "{counts:?}");
    assert_eq!(counts.total, counts.triggered + counts.failed + counts.not_reached);
}

#[test]
fn a_server_that_is_out_for_a_while_fails_no_version() {
    for mishap in
        [Mishap::Closed, refused(503), Mishap::Refused(Refusal::new(504, "").retry_after("2"))]
    {
        let mut world = serving(objects(5000));
        world.out = (Duration::from_secs(1)..Duration::from_secs(21), mishap);
        let ran = run(Spec { rate_limit: Some(500.0), ..Spec::default() }, &mut world);
        assert_eq!((ran.end, ran.counts.triggered), (End::Complete, 5000), "{mishap:?}");
    }
}

#[test]
fn a_server_without_its_drives_ends_the_run_and_single_lost_objects_do_not() {
    let mut world = serving(objects(5000));
    world.out = (Duration::from_secs(1)..Duration::MAX, refused(503));
    let ran = run(Spec { rate_limit: Some(500.0), ..Spec::default() }, &mut world);
    assert!(matches!(ran.end, End::Fatal(_)), "{:?}", ran.end);
    let counts = ran.counts;
    assert!((20..40).contains(&counts.failed), "{counts:?}");
    assert_eq!(counts.total, counts.triggered + counts.failed + counts.not_reached);

    let mut versions = objects(5000);
    for version in versions.iter_mut().step_by(100) {
        version.mishaps = vec![refused(503); ENDLESS];
    }
    let ran = run(Spec::default(), &mut serving(versions));
    assert_eq!((ran.end, ran.counts.triggered, ran.counts.failed), (End::Complete, 4950, 50));
}

#[test]
fn a_stop_does_not_wait_for_answers_that_do_not_come() {
    let mut versions = objects(10);
    versions[4].mishaps = vec![Mishap::Hang];
    let mut world = serving(versions);
    world.net.stop_at = Some(Duration::from_secs(1));
    let ran = run(Spec::default(), &mut world);
    assert_eq!((ran.end, ran.counts.triggered, ran.counts.not_reached), (End::Stopped, 9, 1));
    let took = world.now().origin_age();
    assert!(took < Duration::from_secs(10), "{took:?}, not the minute of a version's own patience");
}

#[test]
fn a_listing_out_of_order_is_never_resumed_with_a_gap() {
    let mut versions = objects(20_000);
    versions.swap(10, 15_000);
    let mut world = serving(versions);
    world.net.chunks = 60_000..64_000;
    let ran = run(Spec { memory: 1, ..Spec::default() }, &mut world);
    let End::Listing(failure) = ran.end else { panic!("{:?}", ran.end) };
    assert!(matches!(failure.cause, listing::Break::Unordered(_)), "{:?}", failure.cause);
}
