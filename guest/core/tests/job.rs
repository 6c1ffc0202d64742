//! What the job promises, for any backlog, any faults and any timing.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

#[allow(unreachable_pub, reason = "an integration test is one crate, and its parts use each other")]
mod sim;

use proptest::prelude::*;
use resync_core::job::{End, Outcome, Spec};
use resync_core::listing;
use sim::{Break, Fate, Mishap, Name, Ran, Sim, Version, run, spec};
use std::collections::BTreeMap;
use std::time::Duration;

/// Attempts at a version before it has failed.
const ATTEMPTS: usize = 10;
/// More mishaps than a run has patience for.
const ENDLESS: usize = 500;

/// Breaks without a new entry before a listing is given up.
const MAX_FRUITLESS: usize = 5;

fn uuid(number: u128) -> String {
    let hex = format!("{number:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

fn objects(count: usize) -> Vec<Version> {
    (0..count).map(|n| Version::new(&format!("data/{n:06}"), &uuid(n as u128))).collect()
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        12 => Just(Fate::Queued),
        2 => Just(Fate::Marker),
        1 => Just(Fate::Gone),
        1 => Just(Fate::Elsewhere),
        1 => Just(Fate::Refused),
    ]
}

fn mishap() -> impl Strategy<Value = Mishap> {
    prop_oneof![
        4 => prop::sample::select(vec![500, 502, 503, 429]).prop_map(|s| Mishap::Status(s, None)),
        1 => Just(Mishap::Status(503, Some("7"))),
        2 => Just(Mishap::Closed),
        2 => Just(Mishap::Lost),
        1 => Just(Mishap::Hang),
    ]
}

/// Mostly none; sometimes as many as attempts are made, and then such as do not look like a server
/// that is gone, which ends a run.
fn mishaps() -> impl Strategy<Value = Vec<Mishap>> {
    prop_oneof![
        8 => Just(Vec::new()),
        4 => prop::collection::vec(mishap(), 1..4),
        1 => Just(vec![Mishap::Status(500, None); ATTEMPTS]),
    ]
}

fn version_id() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => any::<u128>().prop_map(uuid),
        1 => Just("null".to_owned()),
        1 => "[ -~]{1,12}".prop_map(|id| format!("no uuid {id}")),
    ]
}

/// Sorted as the server sorts: bytes of the key, its versions in their own order.
fn backlog() -> impl Strategy<Value = Vec<Version>> {
    let key = "(a|b/|é|😀){0,3}[ -~]{1,4}";
    let versions = prop::collection::btree_map(version_id(), (fate(), mishaps()), 1..4);
    prop::collection::btree_map(key, versions, 0..16).prop_map(|objects| {
        let of_key = |(key, versions): (String, BTreeMap<String, (Fate, Vec<Mishap>)>)| {
            versions.into_iter().map(move |(id, (fate, mishaps))| Version {
                name: (key.clone(), id),
                fate,
                mishaps,
            })
        };
        objects.into_iter().flat_map(of_key).collect()
    })
}

fn breaks(kinds: &'static [Break]) -> impl Strategy<Value = Vec<(usize, Break)>> {
    prop::collection::vec((0usize..30, prop::sample::select(kinds)), 0..8)
}

const ALL: &[Break] = &[
    Break::Cut,
    Break::HalfLine,
    Break::Silence,
    Break::ErrorEntry,
    Break::Keyless,
    Break::Garbage,
    Break::Busy,
    Break::Starting,
    Break::NoAnswer,
];

/// Server and flags of a run.
fn world() -> impl Strategy<Value = (Sim, Spec)> {
    let chunks = prop_oneof![Just(1..3), Just(1..50), Just(1..5000), Just(5000..5001)];
    let latency = prop_oneof![Just(0..1), Just(0..20), Just(100..400)];
    let rate = prop_oneof![3 => Just(None), 2 => (0.5f64..500.0).prop_map(Some)];
    let memory = prop_oneof![Just(resync_core::job::MEMORY), Just(1)];
    let server = (backlog(), breaks(ALL), chunks, latency, any::<bool>(), 1u64..).prop_map(
        |(versions, breaks, chunks, latency, replicates, random)| {
            let mut sim = Sim::new(versions);
            (sim.breaks, sim.chunks, sim.latency) = (breaks.into(), chunks, latency);
            (sim.replicates, sim.random) = (replicates, random);
            sim
        },
    );
    let flags = (1usize..30, rate, memory).prop_map(|(concurrent, rate_limit, memory)| Spec {
        concurrent,
        rate_limit,
        memory,
        ..spec()
    });
    (server, flags)
}

/// What a version with this fate and these mishaps has to end as.
fn expected(version: &Version) -> &'static str {
    match version.fate {
        _ if version.mishaps.len() >= ATTEMPTS => "failed",
        Fate::Queued | Fate::Marker => "triggered",
        Fate::Gone => "vanished",
        Fate::Elsewhere => "elsewhere",
        Fate::Refused | Fate::Denied => "failed",
    }
}

/// What holds at the end of every run, however it ended.
fn check(before: &[Version], sim: &Sim, spec: &Spec, ran: &Ran) {
    let counts = &ran.counts;
    assert_eq!(
        counts.total,
        counts.triggered + counts.failed + counts.vanished + counts.elsewhere + counts.not_reached,
        "{counts:?}"
    );
    for (outcome, count) in [
        ("triggered", counts.triggered),
        ("failed", counts.failed),
        ("vanished", counts.vanished),
        ("elsewhere", counts.elsewhere),
    ] {
        let told = ran.ends.iter().filter(|(_, end, _)| end.as_str() == outcome).count();
        assert_eq!(told as u64, count, "{outcome}");
    }
    let versions: BTreeMap<&Name, &Version> = before.iter().map(|v| (&v.name, v)).collect();
    let mut ended = BTreeMap::new();
    for (name, outcome, _) in &ran.ends {
        assert_eq!(ended.insert(name, outcome), None, "{name:?} ended twice");
        if let Outcome::Triggered(_) = outcome {
            assert!(sim.queued.contains_key(name), "{name:?} was not queued");
        }
        assert_eq!(outcome.as_str(), expected(versions[name]), "{name:?}: {outcome:?}");
    }
    for (name, times) in &sim.queued {
        let lost = versions[name].mishaps.iter().filter(|m| **m == Mishap::Lost).count();
        assert!(*times as usize <= lost + 1, "{name:?} was queued {times} times");
    }
    assert!(sim.peak <= spec.concurrent, "{} in flight", sim.peak);
    if let Some(rate) = spec.rate_limit {
        check_rate(&sim.starts, rate);
    }
    match &ran.end {
        End::Complete => assert_eq!(ended.len(), before.len(), "complete is complete"),
        End::Listing(failure) => {
            assert!(ended.keys().all(|(key, _)| Some(key) <= failure.after.as_ref()));
            if sim.stop_at.is_none() {
                let whole =
                    before.iter().filter(|v| Some(&v.name.0) < failure.after.as_ref()).count();
                assert!(ended.len() >= whole, "all before {:?} is handled", failure.after);
                assert_eq!(counts.not_reached, 0, "what was listed is handled");
            }
        }
        End::Fatal(_) | End::Stopped => {}
    }
}

/// Any stretch of time has at most the starts that fit into it, one more, and those by which a
/// late loop may catch up.
fn check_rate(starts: &[Duration], rate: f64) {
    for (first, from) in starts.iter().enumerate() {
        for (last, to) in starts.iter().enumerate().skip(first) {
            let allowed = (to.saturating_sub(*from)).as_secs_f64() * rate + 1.0 + 0.02 * rate;
            let count = (last - first + 1) as f64;
            assert!(count <= allowed + 0.01, "{count} starts in {from:?}..{to:?} at {rate}/s");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, max_shrink_iters: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_version_is_lost_or_counted_twice_whatever_happens((mut sim, spec) in world()) {
        let before = sim.versions.clone();
        let ran = run(spec.clone(), &mut sim);
        check(&before, &sim, &spec, &ran);
        prop_assert!(matches!(ran.end, End::Complete | End::Listing(_)), "{:?}", ran.end);
    }

    #[test]
    fn a_listing_that_is_only_cut_is_read_to_its_end(
        versions in backlog(),
        breaks in breaks(&[Break::Cut, Break::HalfLine, Break::Silence, Break::Busy, Break::NoAnswer]),
        replicates in any::<bool>(),
    ) {
        let mut sim = Sim::new(versions.clone());
        sim.breaks = breaks.into_iter().take(MAX_FRUITLESS).collect();
        sim.replicates = replicates;
        let ran = run(spec(), &mut sim);
        check(&versions, &sim, &spec(), &ran);
        prop_assert_eq!(ran.end, End::Complete);
    }

    #[test]
    fn a_run_that_is_stopped_counts_what_it_did((mut sim, spec) in world(), stop in 0u64..5000) {
        sim.stop_at = Some(Duration::from_millis(stop));
        let before = sim.versions.clone();
        let ran = run(spec.clone(), &mut sim);
        check(&before, &sim, &spec, &ran);
        if matches!(ran.end, End::Stopped) {
            let late = sim.starts.iter().filter(|at| **at > Duration::from_millis(stop)).count();
            prop_assert_eq!(late, 0, "nothing starts after the stop");
        }
    }

    #[test]
    fn what_every_version_would_be_refused_for_ends_the_run(
        (mut sim, spec) in world(), denied in prop::sample::Index::arbitrary()
    ) {
        prop_assume!(!sim.versions.is_empty());
        let index = denied.index(sim.versions.len());
        sim.versions[index].fate = Fate::Denied;
        sim.versions[index].mishaps.clear();
        sim.breaks.clear();
        let before = sim.versions.clone();
        let ran = run(spec.clone(), &mut sim);
        check(&before, &sim, &spec, &ran);
        prop_assert!(matches!(ran.end, End::Fatal(_)), "{:?}", ran.end);
    }
}

#[test]
fn a_version_whose_answer_never_comes_is_tried_again_after_a_minute() {
    let mut versions = objects(3);
    versions[1].mishaps = vec![Mishap::Hang];
    let mut sim = Sim::new(versions);
    let ran = run(spec(), &mut sim);
    assert_eq!((ran.end, ran.counts.triggered, ran.counts.retries), (End::Complete, 3, 1));
    let again = sim.starts[3] - sim.starts[1];
    assert!((60.0..62.0).contains(&again.as_secs_f64()), "{again:?}");
}

#[test]
fn a_listing_that_falls_silent_is_taken_up_again_after_a_minute() {
    let mut sim = Sim::new(objects(100));
    sim.breaks = [(50, Break::Silence)].into();
    let ran = run(spec(), &mut sim);
    assert_eq!((ran.end, ran.counts.triggered, ran.listings), (End::Complete, 100, 2));
    let pause = sim.starts[50] - sim.starts[49];
    assert!((60.0..62.0).contains(&pause.as_secs_f64()), "{pause:?}");
}

#[test]
fn a_damaged_object_ends_the_listing_at_its_second_appearance() {
    let mut sim = Sim::new(objects(100));
    sim.replicates = false;
    sim.breaks = [(40, Break::ErrorEntry); 9].into();
    let ran = run(spec(), &mut sim);
    let End::Listing(failure) = ran.end else { panic!("{:?}", ran.end) };
    assert_eq!(failure.cause, listing::Break::Server("file is corrupted".into()));
    assert_eq!(
        (failure.after.as_deref(), ran.listings, ran.counts.triggered),
        (Some("data/000039"), 2, 40)
    );
}

#[test]
fn a_listing_that_never_gets_further_is_given_up() {
    let mut sim = Sim::new(objects(100));
    sim.replicates = false;
    sim.breaks = [(40, Break::Cut); 99].into();
    let ran = run(spec(), &mut sim);
    let End::Listing(failure) = ran.end else { panic!("{:?}", ran.end) };
    assert_eq!(failure.after.as_deref(), Some("data/000039"));
    assert_eq!((ran.listings as usize, ran.counts.triggered), (1 + MAX_FRUITLESS, 40));
}

#[test]
fn a_server_that_has_lost_its_targets_is_one_that_has_just_started_if_it_had_some() {
    let mut sim = Sim::new(objects(100));
    sim.breaks = [(40, Break::Cut), (0, Break::Starting), (0, Break::Starting)].into();
    let ran = run(spec(), &mut sim);
    assert_eq!((ran.end, ran.listings, ran.counts.triggered), (End::Complete, 4, 100));

    let mut sim = Sim::new(objects(100));
    sim.breaks = [(0, Break::Starting)].into();
    let End::Listing(failure) = run(spec(), &mut sim).end else { panic!("there is no target") };
    assert!(failure.after.is_none(), "{failure:?}");
}

#[test]
fn a_listing_that_always_gets_further_is_never_given_up() {
    let mut sim = Sim::new(objects(100));
    sim.replicates = false;
    sim.breaks = (1..100).map(|entries| (entries, Break::Cut)).collect();
    let ran = run(spec(), &mut sim);
    assert_eq!((ran.end, ran.listings, ran.counts.triggered), (End::Complete, 100, 100));
}

#[test]
fn a_full_spool_closes_the_listing_and_takes_it_up_again_without_loss() {
    let memory = 128 << 10;
    let mut sim = Sim::new(objects(20_000));
    sim.chunks = 60_000..64_000;
    sim.replicates = false;
    let ran = run(Spec { memory, concurrent: 100, ..spec() }, &mut sim);
    assert_eq!((ran.end, ran.counts.triggered), (End::Complete, 20_000));
    assert!(ran.listings > 2, "{} listings: the budget was never reached", ran.listings);
    assert!(sim.queued.values().all(|times| *times == 1));
}

#[test]
fn cuts_between_listings_that_get_further_and_are_closed_on_purpose_do_not_add_up() {
    let mut sim = Sim::new(objects(20_000));
    sim.chunks = 60_000..64_000;
    sim.replicates = false;
    // Every second listing is cut before it comes to anything new, the others are closed at the budget.
    sim.breaks = (0..20).map(|n| (if n % 2 == 0 { usize::MAX } else { 0 }, Break::Cut)).collect();
    let ran = run(Spec { memory: 1, concurrent: 100, ..spec() }, &mut sim);
    assert_eq!((ran.end, ran.counts.triggered), (End::Complete, 20_000));
    assert!(sim.breaks.is_empty(), "only {} listings", ran.listings);
    assert!(sim.queued.values().all(|times| *times == 1));
}

#[test]
fn a_server_that_is_gone_ends_the_run_instead_of_failing_version_by_version() {
    let mut versions = objects(5000);
    for version in &mut versions[100..] {
        version.mishaps = vec![Mishap::Closed; ENDLESS];
    }
    let mut sim = Sim::new(versions);
    let ran = run(spec(), &mut sim);
    assert!(matches!(ran.end, End::Fatal(_)), "{:?}", ran.end);
    let last = sim.starts[sim.starts.len() - 1];
    assert!((30.0..60.0).contains(&last.as_secs_f64()), "{last:?}");
    let counts = ran.counts;
    assert_eq!(counts.triggered, 100);
    assert!((20..40).contains(&counts.failed), "{counts:?}");
    assert_eq!(counts.total, counts.triggered + counts.failed + counts.not_reached);
}

#[test]
fn a_server_that_is_out_for_a_while_fails_no_version() {
    for mishap in [Mishap::Closed, Mishap::Status(503, None), Mishap::Status(504, Some("2"))] {
        let mut sim = Sim::new(objects(5000));
        sim.out = (Duration::from_secs(1)..Duration::from_secs(21), mishap);
        let ran = run(Spec { rate_limit: Some(500.0), ..spec() }, &mut sim);
        assert_eq!((ran.end, ran.counts.triggered), (End::Complete, 5000), "{mishap:?}");
    }
}

#[test]
fn a_server_without_its_drives_ends_the_run_and_single_lost_objects_do_not() {
    let mut sim = Sim::new(objects(5000));
    sim.out = (Duration::from_secs(1)..Duration::MAX, Mishap::Status(503, None));
    let ran = run(Spec { rate_limit: Some(500.0), ..spec() }, &mut sim);
    assert!(matches!(ran.end, End::Fatal(_)), "{:?}", ran.end);
    let counts = ran.counts;
    assert!((20..40).contains(&counts.failed), "{counts:?}");
    assert_eq!(counts.total, counts.triggered + counts.failed + counts.not_reached);

    let mut versions = objects(5000);
    for version in versions.iter_mut().step_by(100) {
        version.mishaps = vec![Mishap::Status(503, None); ENDLESS];
    }
    let ran = run(spec(), &mut Sim::new(versions));
    assert_eq!((ran.end, ran.counts.triggered, ran.counts.failed), (End::Complete, 4950, 50));
}

#[test]
fn a_stop_does_not_wait_for_answers_that_do_not_come() {
    let mut versions = objects(10);
    versions[4].mishaps = vec![Mishap::Hang];
    let mut sim = Sim::new(versions);
    sim.stop_at = Some(Duration::from_secs(1));
    let ran = run(spec(), &mut sim);
    assert_eq!((ran.end, ran.counts.triggered, ran.counts.not_reached), (End::Stopped, 9, 1));
    let took = resync_core::wire::Net::now(&sim).origin_age();
    assert!(took < Duration::from_secs(10), "{took:?}, not the minute of a version's own patience");
}

#[test]
fn a_listing_out_of_order_is_never_resumed_with_a_gap() {
    let mut versions = objects(20_000);
    versions.swap(10, 15_000);
    let mut sim = Sim::new(versions);
    sim.chunks = 60_000..64_000;
    let ran = run(Spec { memory: 1, ..spec() }, &mut sim);
    let End::Listing(failure) = ran.end else { panic!("{:?}", ran.end) };
    assert!(matches!(failure.cause, listing::Break::Unordered(_)), "{:?}", failure.cause);
}
