//! No more is triggered than is replicated, but for the queue.

use super::{Ran, run};
use crate::world::{Fate, Refusal, Replication, Version, World, objects, ok, serving, uuid};
use proptest::prelude::*;
use resync_core::job::{End, Filter, Mode, Shard, Spec};
use std::time::Duration;

/// A server that replicates this many in a second.
fn replicating(versions: Vec<Version>, rate: f64) -> World {
    let mut world = serving(versions);
    world.net.latency = 1..2;
    world.net.server.queue.rate = Some(rate);
    // Not but by the queue.
    world.net.server.replication = Replication::Never;
    world
}

fn queue(max_queue: u64) -> Spec {
    Spec { max_queue, concurrent: 100, ..Spec::default() }
}

#[track_caller]
fn assert_drained(world: &World, ran: &Ran, versions: usize, peak: usize) {
    let counts = &ran.counts;
    assert_eq!((&ran.end, counts.triggered), (&End::Complete, versions as u64));
    let most = world.net.server.queue.peak;
    assert!(most <= peak, "{most} waited");
    assert!(world.net.server.queued.values().all(|times| times.len() == 1), "each once");
}

#[test]
fn a_slow_replication_is_never_ahead_of_by_more_than_the_queue() {
    for (rate, max_queue) in [(300.0, 2_000), (1_000.0, 5_000), (50.0, 200)] {
        let versions = if rate < 100.0 { 2_000 } else { 20_000 };
        let mut world = replicating(objects(versions), rate);
        let ran = run(queue(max_queue), &mut world);
        assert_drained(&world, &ran, versions, max_queue as usize);
        // Every five minutes the backlog is looked at.
        let minutes = world.net.now_is().as_secs() / 60;
        assert!(u64::from(ran.listings) <= 1 + minutes / 5, "its counters are enough");
        // The queue never runs dry for long.
        let time = world.net.now_is().as_secs_f64();
        let least = (versions as f64 - max_queue as f64) / rate;
        assert!(time < least * 1.5 + 20.0, "{time} s instead of {least} s");
    }
}

#[test]
fn without_a_bound_the_queue_takes_what_comes() {
    let mut world = replicating(objects(20_000), 300.0);
    let ran = run(queue(0), &mut world);
    assert_drained(&world, &ran, 20_000, 20_000);
    let most = world.net.server.queue.peak;
    assert!(most > 15_000, "{most}");
    assert_eq!(world.net.server.queue.asked, 0);
}

#[test]
fn a_small_run_asks_for_no_counters() {
    let mut world = replicating(objects(3_900), 1.0);
    let ran = run(Spec::default(), &mut world);
    assert_drained(&world, &ran, 3_900, 3_900);
    assert_eq!(world.net.server.queue.asked, 0);
}

#[test]
fn what_shares_one_worker_is_triggered_no_further_ahead_than_that_takes() {
    let markers = objects(20_000).into_iter().map(|version| version.fate(Fate::Marker)).collect();
    let one_name = (0..20_000).map(|n| Version::new("data/log", &uuid(n))).collect();
    for versions in [markers, one_name] {
        let mut world = replicating(versions, 500.0);
        let ran = run(Spec { concurrent: 100, ..Spec::default() }, &mut world);
        assert_drained(&world, &ran, 20_000, 10_000);
    }
}

#[test]
fn the_traffic_of_others_does_not_fill_the_queue() {
    let mut world = replicating(objects(100_000), 300.0);
    world.net.server.queue.others = 100.0;
    let ran = run(queue(10_000), &mut world);
    // The backlog is looked at every five minutes: by then, 30,000 of others are taken for ours.
    assert_drained(&world, &ran, 100_000, 10_000 + 30_000 + 2_000);
}

#[test]
fn a_server_that_starts_anew_has_an_empty_queue() {
    let mut world = replicating(objects(10_000), 100.0);
    world.net.server.queue.restart = Some(Duration::from_secs(30));
    let ran = run(queue(5_000), &mut world);
    assert_drained(&world, &ran, 10_000, 5_000);
}

#[test]
fn a_node_that_comes_and_goes_empties_no_queue_but_its_own() {
    for counted in [1, 7_000, 1_000_000] {
        let mut world = replicating(objects(30_000), 200.0);
        let away = Duration::from_secs(20)..Duration::from_secs(40);
        world.net.server.queue.other_node = Some((counted, away));
        let ran = run(queue(5_000), &mut world);
        assert_drained(&world, &ran, 30_000, 5_000);
        let time = world.net.now_is();
        assert!(time < Duration::from_secs(300), "{time:?}");
    }
}

#[test]
fn purges_that_no_counter_counts_are_drained_at_the_servers_pace() {
    let purge = |version: Version| version.fate(Fate::Purge);
    let all: Vec<Version> = objects(40_000).into_iter().map(purge).collect();
    let some = objects(40_000).into_iter().enumerate();
    let some = some.map(|(n, v)| if n % 3 == 0 { purge(v) } else { v }).collect();
    // At best 80 s. The first look comes after a minute without a count, or after five with the traffic of others.
    for (versions, others, most) in [(all.clone(), 0.0, 200), (all, 20.0, 450), (some, 0.0, 200)] {
        let mut world = replicating(versions, 500.0);
        world.net.server.queue.others = others;
        let ran = run(Spec { concurrent: 100, ..Spec::default() }, &mut world);
        assert_drained(&world, &ran, 40_000, 10_000);
        let time = world.net.now_is();
        assert!(time < Duration::from_secs(most), "{time:?}");
    }
}

#[test]
fn a_target_that_an_existing_object_does_not_concern_is_not_waited_for() {
    let existing = |version: Version| Version { targets: Vec::new(), status: "", ..version };
    let versions = objects(30_000).into_iter().map(existing).collect();
    let mut world = replicating(versions, 500.0);
    world.net.server.queue.gone = Some(12_345);
    let ran = run(queue(5_000), &mut world);
    assert_drained(&world, &ran, 30_000, 5_000);
    let time = world.net.now_is();
    assert!(time < Duration::from_secs(200), "{time:?} instead of 60 s");
}

#[test]
fn without_counters_the_backlog_is_looked_at() {
    let html = ok("<html>welcome</html>");
    for refusal in [Refusal::DENIED.in_xml(), html, ok("{}"), ok("[]")] {
        let mut world = replicating(objects(20_000), 500.0);
        world.net.server.queue.refuses = Some(refusal);
        let ran = run(queue(2_000), &mut world);
        assert_drained(&world, &ran, 20_000, 2_000);
        assert!((5..60).contains(&ran.listings), "{} listings", ran.listings);
    }
}

#[test]
fn a_look_counts_what_the_run_is_about_and_nothing_else() {
    let mut world = replicating(objects(20_000), 200.0);
    world.net.server.queue.refuses = Some(Refusal::DENIED.in_xml());
    let shard = Shard::new(1, 4);
    let filter = Filter { shard, ..Filter::default() };
    let ran = run(Spec { filter, ..queue(2_000) }, &mut world);
    assert_drained(&world, &ran, ran.counts.total as usize, 2_000);
    assert!((4_500..5_500).contains(&ran.counts.total), "{}", ran.counts.total);
    let time = world.net.now_is();
    assert!(time < Duration::from_secs(60), "{time:?}: others were waited for");
}

#[test]
fn versions_that_never_move_do_not_hold_up_the_others() {
    let mut versions = objects(20_000);
    for version in versions.iter_mut().take(4_000) {
        version.replication = Some(Replication::Never);
        version.targets = vec!["arn:gone"];
    }
    let mut world = replicating(versions, 500.0);
    let ran = run(queue(2_000), &mut world);
    assert_eq!((ran.end, ran.counts.triggered), (End::Complete, 20_000));
}

#[test]
fn a_target_that_stays_down_ends_the_run_instead_of_filling_the_queue() {
    let mut world = replicating(objects(200_000), 500.0);
    world.net.server.queue.ignores = true;
    let ran = run(queue(10_000), &mut world);
    assert!(matches!(ran.end, End::Fatal(_)), "{:?}", ran.end);
    assert!(ran.counts.triggered < 100_000, "{}", ran.counts.triggered);
    let time = world.net.now_is();
    assert!(time < Duration::from_secs(900), "{time:?}");
}

#[test]
fn a_dry_run_asks_for_nothing() {
    let mut world = replicating(objects(20_000), 500.0);
    let ran = run(Spec { mode: Mode::DryRun, ..queue(100) }, &mut world);
    assert_eq!((ran.end, world.net.server.queue.asked), (End::Complete, 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_queue_is_kept_and_drained(
        versions in 1usize..6_000,
        rate in 20.0f64..2_000.0,
        max_queue in 1u64..3_000,
        concurrent in 1usize..200,
    ) {
        let mut world = replicating(objects(versions), rate);
        let ran = run(Spec { concurrent, ..queue(max_queue) }, &mut world);
        assert_drained(&world, &ran, versions, max_queue as usize);
    }
}
