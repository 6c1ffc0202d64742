//! What holds for any backlog, any faults and any timing.

use super::{Ran, run, run_until};
use crate::world::{
    Asked, BEGINNING, Break, Fate, Mishap, Name, Refusal, Replication, Version, World, serving,
    uuid,
};
use proptest::prelude::*;
use resync_core::job::{End, Filter, MEMORY, Mode, Outcome, Shard, Spec, Status};
use resync_core::listing::Operation;
use resync_core::wire::Method;
use std::collections::BTreeMap;
use std::time::Duration;

/// Attempts at a version before it has failed.
const ATTEMPTS: usize = 10;

/// Attempts without an answer before a version has failed.
const HANGS: usize = 3;

/// Two times, of more and of less than an hour before the beginning.
const OLD: &str = "2026-11-24T07:46:40Z";
const NEW: &str = "2026-11-24T07:46:40.000000001Z";
const HOUR: Duration = Duration::from_secs(3600);

/// Breaks without a new entry before a listing is given up.
const MAX_FRUITLESS: usize = 5;

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        12 => Just(Fate::Queued),
        2 => Just(Fate::Marker),
        1 => Just(Fate::Purge),
        1 => Just(Fate::CustomerKey),
        1 => Just(Fate::Gone),
        1 => Just(Fate::Elsewhere),
        1 => Just(Fate::Refused(Refusal::INVALID)),
    ]
}

fn targets() -> impl Strategy<Value = Vec<&'static str>> {
    prop_oneof![
        4 => Just(vec!["arn:a"]),
        2 => Just(vec!["arn:b"]),
        1 => Just(vec!["arn:a", "arn:b"]),
        1 => Just(Vec::new()),
    ]
}

fn status(status: u16) -> Mishap {
    Mishap::Refused(Refusal::new(status, ""))
}

fn mishap() -> impl Strategy<Value = Mishap> {
    prop_oneof![
        4 => prop::sample::select(vec![500, 502, 503, 429]).prop_map(status),
        1 => Just(Mishap::Refused(Refusal::new(503, "").retry_after("7"))),
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
        1 => Just(vec![status(500); ATTEMPTS]),
    ]
}

fn copy_mishaps() -> impl Strategy<Value = Vec<Mishap>> {
    prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(mishap(), 1..4)]
}

fn version_id() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => any::<u128>().prop_map(uuid),
        1 => Just("null".to_owned()),
        1 => "[ -~]{1,12}".prop_map(|id| format!("other {id}")),
    ]
}

/// Sorted as the server sorts: bytes of the key, its versions in their own order.
fn backlog() -> impl Strategy<Value = Vec<Version>> {
    let key = "(a|b/|é|😀){0,3}[ -~]{1,4}";
    let status = prop::sample::select(vec!["FAILED", "PENDING"]);
    let age = prop::sample::select(vec![OLD, NEW]);
    let version = (fate(), targets(), mishaps(), copy_mishaps(), status, age);
    let versions = prop::collection::btree_map(version_id(), version, 1..4);
    prop::collection::btree_map(key, versions, 0..16).prop_map(|objects| {
        let mut backlog = Vec::new();
        for (key, versions) in objects {
            for (id, (fate, targets, mishaps, copy_mishaps, status, age)) in versions {
                let version = Version::new(&key, &id).fate(fate).targets(&targets);
                let version = version.status(status).modified(age);
                backlog.push(Version { mishaps, copy_mishaps, ..version });
            }
        }
        backlog
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
    Break::BUSY,
    Break::STARTING,
    Break::NoAnswer,
];

fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![4 => Just(Mode::Trigger), 3 => Just(Mode::ClearChecksum), 1 => Just(Mode::DryRun)]
}

/// Which versions a run is asked for, mostly all.
fn filter() -> impl Strategy<Value = Filter> {
    let times = prop_oneof![2 => Just((None, None)), 1 => Just((Some(HOUR), None)), 1 => Just((None, Some(HOUR)))];
    let status = prop::option::of(prop::sample::select(vec![Status::Failed, Status::Pending]));
    let kinds = vec![Operation::Put, Operation::Delete, Operation::Purge];
    let operation = prop::option::of(prop::sample::select(kinds));
    let shard =
        prop::option::of((1u32..4, 0u32..4).prop_map(|(n, i)| Shard::new(i % n, n).expect("one")));
    let filter = (times, status, operation, shard).prop_map(
        |((older_than, newer_than), status, operation, shard)| Filter {
            older_than,
            newer_than,
            at: BEGINNING,
            status,
            operation,
            shard,
        },
    );
    prop_oneof![3 => Just(Filter::default()), 2 => filter]
}

/// What a run is asked for.
fn spec() -> impl Strategy<Value = Spec> {
    let rate = prop_oneof![3 => Just(None), 2 => (0.5f64..500.0).prop_map(Some)];
    let memory = prop_oneof![Just(MEMORY), Just(1)];
    let arn = prop_oneof![4 => Just(None), 1 => Just(Some("arn:a".to_owned())), 1 => Just(Some("arn:c".to_owned()))];
    let prefix = prop_oneof![4 => Just(""), 1 => Just("a"), 1 => Just("b/"), 1 => Just("é")];
    (mode(), 1usize..30, rate, memory, arn, prefix, filter()).prop_map(
        |(mode, concurrent, rate_limit, memory, arn, prefix, filter)| Spec {
            filter,
            mode,
            concurrent,
            rate_limit,
            memory,
            arn,
            prefix: prefix.to_owned(),
            times: true,
            ..Spec::default()
        },
    )
}

/// A server, the line to it, and what a run is asked for.
fn worlds() -> impl Strategy<Value = (World, Spec)> {
    let chunks = prop_oneof![Just(1..3), Just(1..50), Just(1..5000), Just(5000..5001)];
    let latency = prop_oneof![Just(0..1), Just(0..20), Just(100..400)];
    let replication = prop_oneof![
        Just(Replication::After(Duration::ZERO)),
        Just(Replication::After(Duration::from_secs(3))),
        Just(Replication::Never)
    ];
    let keeps_open = prop::sample::select(vec![0, 1, 10]).prop_map(Duration::from_secs);
    let server = (backlog(), breaks(ALL), chunks, latency, replication, keeps_open, 1u64..)
        .prop_map(|(versions, breaks, chunks, latency, replication, keeps_open, random)| {
            let mut world = serving(versions);
            world.breaks = breaks.into();
            (world.net.chunks, world.net.latency) = (chunks, latency);
            (world.net.server.replication, world.net.random) = (replication, random);
            world.net.keeps_open = keeps_open;
            world
        });
    (server, spec())
}

/// Whether a run has to handle this version.
fn concerns(spec: &Spec, version: &Version) -> bool {
    is_named(spec, version) && passes(&spec.filter, version)
}

fn passes(filter: &Filter, version: &Version) -> bool {
    let (operation, status) = match version.fate {
        Fate::Purge => (Operation::Purge, "PENDING"),
        fate => {
            let kind = if fate == Fate::Marker { Operation::Delete } else { Operation::Put };
            (kind, if version.targets.is_empty() { "" } else { version.status })
        }
    };
    filter.older_than.is_none_or(|_| version.modified == OLD)
        && filter.newer_than.is_none_or(|_| version.modified == NEW)
        && filter.status.is_none_or(|asked| asked.as_str() == status)
        && filter.operation.is_none_or(|asked| asked == operation)
        && filter.shard.is_none_or(|shard| shard.takes(&version.name.0))
}

/// Whether prefix and target name this version.
fn is_named(spec: &Spec, version: &Version) -> bool {
    let targets = &version.targets;
    version.name.0.starts_with(&spec.prefix)
        && spec.arn.as_deref().is_none_or(|arn| targets.is_empty() || targets.contains(&arn))
}

/// What a version with this fate and these mishaps has to end as.
fn expected(spec: &Spec, version: &Version) -> &'static str {
    let copies = spec.mode == Mode::ClearChecksum;
    let met = || {
        let copied = copies && version.fate == Fate::Queued;
        version.mishaps.iter().chain(version.copy_mishaps.iter().filter(move |_| copied))
    };
    let mishaps = met().count();
    let hangs = met().filter(|mishap| **mishap == Mishap::Hang).count();
    match version.fate {
        _ if spec.mode == Mode::DryRun => "listed",
        _ if mishaps >= ATTEMPTS || hangs >= HANGS => "failed",
        Fate::CustomerKey if copies => "failed",
        Fate::Queued | Fate::Marker | Fate::Purge | Fate::CustomerKey => "triggered",
        Fate::Gone => "vanished",
        Fate::Elsewhere => "elsewhere",
        Fate::Refused(_) => "failed",
    }
}

/// What holds at the end of every run, however it ended.
fn check(before: &[Version], world: &World, spec: &Spec, ran: &Ran) {
    let counts = &ran.counts;
    let ended = if spec.mode == Mode::DryRun { counts.total } else { counts.ended() };
    assert_eq!(counts.total, ended + counts.not_reached, "{counts:?}");
    for (outcome, count) in [
        ("triggered", counts.triggered),
        ("failed", counts.failed),
        ("vanished", counts.vanished),
        ("elsewhere", counts.elsewhere),
    ] {
        let told = ran.ends.iter().filter(|(_, end, _)| end.as_str() == outcome).count();
        assert_eq!(told as u64, count, "{outcome}");
    }
    let wanted: Vec<&Version> = before.iter().filter(|version| concerns(spec, version)).collect();
    let versions: BTreeMap<&Name, &Version> = wanted.iter().map(|v| (&v.name, *v)).collect();
    let mut ended = BTreeMap::new();
    for (name, outcome, _) in &ran.ends {
        let version =
            versions.get(name).unwrap_or_else(|| panic!("{name:?} is none of its business"));
        assert_eq!(ended.insert(name, outcome), None, "{name:?} ended twice");
        if let Outcome::Triggered(_) = outcome {
            assert!(world.net.server.queued.contains_key(name), "{name:?} was not queued");
        }
        assert_eq!(outcome.as_str(), expected(spec, version), "{name:?}: {outcome:?}");
    }
    check_requests(world, spec, &versions);
    match &ran.end {
        End::Complete => {
            assert_eq!(ended.len(), wanted.len(), "complete is complete");
            let named = before.iter().filter(|version| is_named(spec, version)).count();
            assert_eq!(counts.filtered as usize, named - wanted.len(), "what is left out");
        }
        End::Listing(unfinished) => {
            let after = unfinished.after.as_ref();
            assert!(ended.keys().all(|(key, _)| Some(key) <= after));
            if world.net.stop_at.is_none() {
                let whole = wanted.iter().filter(|v| Some(&v.name.0) < after).count();
                assert!(ended.len() >= whole, "all before {after:?} is handled");
                assert_eq!(counts.not_reached, 0, "what was listed is handled");
            }
        }
        End::Fatal(_) | End::Stopped => {}
    }
}

/// What a run sent: nothing that it was not asked for, nothing twice without a reason, and no more
/// at a time, or in a time, than it may.
fn check_requests(world: &World, spec: &Spec, versions: &BTreeMap<&Name, &Version>) {
    let server = &world.net.server;
    let lost = |mishaps: &[Mishap]| mishaps.iter().filter(|m| **m == Mishap::Lost).count();
    if spec.mode != Mode::ClearChecksum {
        for (name, times) in &server.queued {
            let lost = lost(&versions[name].mishaps);
            assert!(times.len() <= lost + 1, "{name:?} was queued {} times", times.len());
        }
        assert_eq!(server.asked(Method::Put).count(), 0, "copies without being asked to");
    }
    for (name, times) in &server.copied {
        let version = versions[name];
        assert_eq!(version.fate, Fate::Queued, "{name:?} is nothing to copy");
        let lost = lost(&version.copy_mishaps);
        assert!(*times as usize <= lost + 1, "{name:?} was copied {times} times");
    }
    if spec.mode == Mode::DryRun {
        assert_eq!(server.asked(Method::Head).count(), 0, "a dry run touches nothing");
    }
    let listed = |asked: &Asked| asked.target.contains("/replication/diff?");
    let others = server.log.iter().filter(|asked| !listed(asked));
    for Asked { method, target, .. } in others {
        assert!(matches!(method, Method::Head | Method::Put), "{method:?} {target}");
    }
    assert!(world.peak <= spec.concurrent, "{} in flight", world.peak);
    if let Some(rate) = spec.rate_limit {
        // The HEAD that proves the first copy goes out at once.
        let proof = if spec.mode == Mode::ClearChecksum { 1.0 } else { 0.0 };
        check_rate(&world.starts, rate, proof);
    }
}

/// Any stretch of time has at most the starts that fit into it, one more, and those by which a
/// late loop may catch up.
fn check_rate(starts: &[Duration], rate: f64, more: f64) {
    for (first, from) in starts.iter().enumerate() {
        for (last, to) in starts.iter().enumerate().skip(first) {
            let time = to.saturating_sub(*from).as_secs_f64();
            let allowed = time * rate + 1.0 + 0.02 * rate + more;
            let count = (last - first + 1) as f64;
            assert!(count <= allowed + 0.01, "{count} starts in {from:?}..{to:?} at {rate}/s");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, max_shrink_iters: 300, max_global_rejects: 65_536, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_version_is_lost_or_counted_twice_whatever_happens((mut world, spec) in worlds()) {
        let before = world.net.server.versions.clone();
        let ran = run(spec.clone(), &mut world);
        check(&before, &world, &spec, &ran);
        prop_assert!(matches!(ran.end, End::Complete | End::Listing(_)), "{:?}", ran.end);
    }

    #[test]
    fn a_listing_that_is_only_cut_is_read_to_its_end(
        (mut world, spec) in worlds(),
        breaks in breaks(&[Break::Cut, Break::HalfLine, Break::Silence, Break::BUSY, Break::NoAnswer]),
    ) {
        let before = world.net.server.versions.clone();
        world.breaks = breaks.into_iter().take(MAX_FRUITLESS).collect();
        let ran = run(spec.clone(), &mut world);
        check(&before, &world, &spec, &ran);
        prop_assert_eq!(ran.end, End::Complete);
    }

    #[test]
    fn a_run_that_is_stopped_counts_what_it_did((mut world, spec) in worlds(), stop in 0u64..5000) {
        let stop = Duration::from_millis(stop);
        world.net.stop_at = Some(stop);
        let before = world.net.server.versions.clone();
        let ran = run(spec.clone(), &mut world);
        check(&before, &world, &spec, &ran);
        if matches!(ran.end, End::Stopped) {
            let late = world.starts.iter().filter(|at| **at > stop).count();
            prop_assert_eq!(late, 0, "nothing starts after the stop");
        }
    }

    #[test]
    fn a_run_that_is_given_up_counts_what_it_did((mut world, spec) in worlds(), calls in 0usize..60) {
        let before = world.net.server.versions.clone();
        let ran = run_until(spec.clone(), &mut world, calls);
        let counts = &ran.counts;
        let ended = if spec.mode == Mode::DryRun { counts.total } else { counts.ended() };
        prop_assert_eq!(counts.total, ended + counts.not_reached);
        if ran.end == End::Complete {
            check(&before, &world, &spec, &ran);
        }
    }

    #[test]
    fn what_every_version_would_be_refused_for_ends_the_run(
        (mut world, spec) in worlds(), denied in prop::sample::Index::arbitrary()
    ) {
        let server = &mut world.net.server;
        prop_assume!(!server.versions.is_empty() && spec.mode != Mode::DryRun);
        let index = denied.index(server.versions.len());
        let version = &mut server.versions[index];
        version.fate = Fate::Refused(Refusal::LOCKED_OUT);
        prop_assume!(concerns(&spec, version) && version.mishaps.is_empty());
        world.breaks.clear();
        let before = world.net.server.versions.clone();
        let ran = run(spec.clone(), &mut world);
        check(&before, &world, &spec, &ran);
        prop_assert!(matches!(ran.end, End::Fatal(_)), "{:?}", ran.end);
    }
}
