//! A job about versions that a program names.

use super::{Ends, Ran, job};
use crate::world::{
    Fate, Mishap, Name, Refusal, Replication, Version, World, objects, serving, uuid,
};
use proptest::prelude::*;
use resync_core::job::{Counts, End, Filter, Mode, Note, Outcome, Shard, Spec, Status};
use resync_core::listing::Operation;
use resync_core::wire::{Method, Net, VersionId};
use std::collections::BTreeMap;
use std::time::Duration;

/// Runs a job about these versions to its end, without a listing. Returns what was said of the queue, too.
fn run_noting(spec: Spec, names: &[Name], world: &mut World) -> (Ran, Vec<Note>) {
    let (mut ends, mut notes) = (Ends::default(), Vec::new());
    let names = names.iter().map(|(key, id)| (key.clone(), VersionId::given(id)));
    let mut job = job(spec).of_names(names, &mut ends);
    while job.advance(world, &mut ends, None) {
        notes.append(&mut job.notes());
    }
    assert_eq!(world.net.server.asked(Method::Post).count(), 0, "nothing is listed");
    let (end, counts, listings) = (job.end(), job.counts().clone(), job.listings());
    (Ran { end, counts, listings, ends: ends.0 }, notes)
}

fn run(spec: Spec, names: &[Name], world: &mut World) -> Ran {
    run_noting(spec, names, world).0
}

/// One at a time, so that the order shows.
fn in_order() -> Spec {
    Spec { concurrent: 1, ..Spec::default() }
}

fn names(versions: &[Version]) -> Vec<Name> {
    versions.iter().map(|version| version.name.clone()).collect()
}

/// The versions that came to their ends, in that order.
fn ended(ran: &Ran) -> Vec<Name> {
    ran.ends.iter().map(|(name, ..)| name.clone()).collect()
}

#[test]
fn they_are_handled_in_their_order_and_no_others() {
    let mut versions = objects(10);
    versions[3] = Version::new("data/000002/nested", "null").unlisted();
    let all = names(&versions);
    let named = [&all[7], &all[3], &all[0]].map(Clone::clone);
    let mut world = serving(versions);
    let ran = run(in_order(), &named, &mut world);
    assert_eq!((&ran.end, ran.counts.total, ran.counts.triggered), (&End::Complete, 3, 3));
    assert_eq!(ended(&ran), named);
    assert_eq!((world.net.server.queued.len(), ran.listings), (3, 0));
}

#[test]
fn an_id_that_is_left_out_is_the_latest_version() {
    let mut world = serving(vec![Version::new("k", &uuid(1)), Version::new("k", &uuid(2))]);
    let ran = run(in_order(), &[("k".to_owned(), String::new())], &mut world);
    assert_eq!((&ran.end, ran.counts.triggered), (&End::Complete, 1));
    let asked = world.net.server.asked(Method::Head).next().expect("a HEAD");
    assert_eq!(asked.target, "/bucket/k?versionId=");
}

#[test]
fn none_at_all_is_soon_complete() {
    let mut world = serving(objects(3));
    let ran = run(Spec::default(), &[], &mut world);
    assert_eq!((ran.end, ran.counts), (End::Complete, Counts::default()));
    assert!(world.net.server.log.is_empty());
}

#[test]
fn a_filter_leaves_out_what_is_not_known_of_them_as_it_does_with_from() {
    let age = Some(Duration::from_secs(1));
    for (filter, triggered) in [
        (Filter { older_than: age, ..Filter::default() }, 10),
        (Filter { newer_than: age, ..Filter::default() }, 10),
        (Filter { status: Some(Status::Failed), ..Filter::default() }, 0),
        (Filter { operation: Some(Operation::Put), ..Filter::default() }, 10),
        (Filter { operation: Some(Operation::Delete), ..Filter::default() }, 0),
    ] {
        let mut world = serving(objects(10));
        let named = names(&world.net.server.versions);
        let spec = Spec { filter: filter.clone(), arn: Some("arn:a".into()), ..Spec::default() };
        let ran = run(spec, &named, &mut world);
        let counts = &ran.counts;
        assert_eq!(
            (counts.triggered, counts.filtered, ran.end),
            (triggered, 10 - triggered, End::Complete),
            "{filter:?}"
        );
    }
}

#[test]
fn a_dry_run_shows_them_and_asks_nothing() {
    let mut world = serving(objects(3));
    let named = names(&world.net.server.versions);
    let ran = run(Spec { mode: Mode::DryRun, ..Spec::default() }, &named, &mut world);
    assert_eq!((&ran.end, ran.counts.total), (&End::Complete, 3));
    assert!(
        ran.ends.iter().all(|(_, outcome, attempts)| (outcome, *attempts) == (&Outcome::Listed, 0))
    );
    assert!(world.net.server.log.is_empty());
}

#[test]
fn twenty_of_which_none_is_there_are_of_another_bucket_and_fewer_have_vanished() {
    for (count, complete) in [(19, true), (20, false)] {
        let gone = objects(count).into_iter().map(|version| version.fate(Fate::Gone)).collect();
        let mut world = serving(gone);
        let named = names(&world.net.server.versions);
        let ran = run(Spec::default(), &named, &mut world);
        assert_eq!(ran.counts.vanished, count as u64);
        assert_eq!(ran.end == End::Complete, complete, "{:?}", ran.end);
    }
}

/// A server that replicates 100 of 3,000 versions in a second, of which 500 may wait.
fn slowly(make: impl FnOnce(&mut World)) -> (World, Ran, Vec<Note>) {
    let mut world = serving(objects(3_000));
    world.net.latency = 10..11;
    world.net.server.replication = Replication::Never;
    world.net.server.queue.rate = Some(100.0);
    make(&mut world);
    let named = names(&world.net.server.versions);
    let (ran, notes) = run_noting(Spec { max_queue: 500, ..Spec::default() }, &named, &mut world);
    assert_eq!((&ran.end, ran.counts.triggered), (&End::Complete, 3_000));
    (world, ran, notes)
}

#[test]
fn no_more_of_them_wait_on_the_server_than_its_queue_takes() {
    let (world, _, notes) = slowly(|_| {});
    assert!(notes.is_empty() && world.net.server.queue.peak <= 500, "{notes:?}");
}

#[test]
fn what_comes_up_about_the_queue_is_noted_once() {
    let denied = Some(Refusal::DENIED.in_xml());
    let (_, _, notes) = slowly(|world| world.net.server.queue.refuses = denied);
    assert!(matches!(notes.as_slice(), [Note::Unbounded(_)]), "{notes:?}");
    let (_, _, notes) = slowly(|world| world.net.server.queue.ignores = true);
    assert!(matches!(notes.as_slice(), [Note::Stalled { waiting: 500, left: 500 }]), "{notes:?}");
    let restart = Some(Duration::from_secs(5));
    let (_, _, notes) = slowly(|world| world.net.server.queue.restart = restart);
    assert_eq!(notes, [Note::Restart]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_is_triggered_as_often_as_it_is_named_if_its_key_is_asked_for(
        picks in proptest::collection::vec(0usize..60, 0..200),
        prefix in prop_oneof![Just(""), Just("data/00000"), Just("data/000042"), Just("nowhere")],
        shard in proptest::option::of((0u32..3, Just(3u32))),
        concurrent in 1usize..40,
    ) {
        let shard = shard.and_then(|(index, count)| Shard::new(index, count));
        let versions = objects(60);
        let named: Vec<Name> = picks.iter().map(|pick| versions[*pick].name.clone()).collect();
        let mut world = serving(versions);
        let filter = Filter { shard, ..Filter::default() };
        let ran = run(Spec { prefix: prefix.into(), filter, concurrent, ..Spec::default() }, &named, &mut world);
        let below: Vec<&Name> = named.iter().filter(|(key, _)| key.starts_with(prefix)).collect();
        let mut expected = BTreeMap::<Name, usize>::new();
        for name in below.iter().filter(|(key, _)| shard.is_none_or(|shard| shard.takes(key))) {
            *expected.entry((*name).clone()).or_default() += 1;
        }
        let queued = world.net.server.queued.iter().map(|(name, times)| (name.clone(), times.len()));
        prop_assert_eq!(queued.collect::<BTreeMap<_, _>>(), expected);
        prop_assert_eq!(ran.counts.total + ran.counts.filtered, below.len() as u64);
        prop_assert_eq!(ran.end, End::Complete);
    }
}

#[test]
fn a_server_that_was_never_heard_and_cannot_be_fetched_from_ends_the_job_at_once() {
    let mut versions = objects(30);
    for version in &mut versions {
        version.mishaps = vec![Mishap::NotFetched; 500];
    }
    let all = names(&versions);
    let mut world = serving(versions);
    let ran = run(in_order(), &all, &mut world);
    assert!(matches!(ran.end, End::Fatal(_)), "{:?}", ran.end);
    assert_eq!((ran.counts.failed, ran.counts.not_reached, world.starts.len()), (1, 29, 1));
    assert!(world.now().origin_age() < Duration::from_secs(1));
}
