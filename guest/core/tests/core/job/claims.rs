//! Single claims about the job, each with the world that shows it.

use super::{Ends, job, run};
use crate::world::{Break, Mishap, Refusal, Replication, objects, ok, serving};
use resync_core::job::{End, MIN_MEMORY, Mode, Spec};
use resync_core::listing;
use resync_core::wire::{Method, Net};
use std::time::Duration;

/// More mishaps than a run has patience for.
const ENDLESS: usize = 500;

/// Breaks without a new entry before a listing is given up.
const MAX_FRUITLESS: usize = 5;

fn refused(status: u16) -> Mishap {
    Mishap::Refused(Refusal::new(status, ""))
}

#[test]
fn a_version_whose_answer_never_comes_is_tried_again_after_five_seconds() {
    let mut versions = objects(3);
    versions[1].mishaps = vec![Mishap::Hang];
    let mut world = serving(versions);
    let ran = run(Spec::default(), &mut world);
    assert_eq!((ran.end, ran.counts.triggered, ran.counts.retries), (End::Complete, 3, 1));
    let again = world.starts[3] - world.starts[1];
    assert!((5.0..8.0).contains(&again.as_secs_f64()), "{again:?}");
}

#[test]
fn objects_that_never_answer_hold_up_nothing_and_fail_in_the_end() {
    for places in [
        [0; 10].map(|_| 0),
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [7, 99, 200, 300, 400, 500, 600, 700, 800, 999],
    ] {
        let mut versions = objects(1000);
        for place in places {
            versions[place].mishaps = vec![Mishap::Hang; ENDLESS];
        }
        let hanging = places.iter().collect::<std::collections::BTreeSet<_>>().len() as u64;
        let mut world = serving(versions);
        let ran = run(Spec::default(), &mut world);
        let counts = &ran.counts;
        assert_eq!((ran.end, counts.failed, counts.outages), (End::Complete, hanging, 0));
        let times: Vec<&Duration> = world.net.server.queued.values().flatten().collect();
        assert_eq!(times.len() as u64, 1000 - hanging);
        let last = times.into_iter().max().expect("times");
        assert!(last.as_secs() < 30, "{places:?}: the others took {last:?}");
        let all = world.now().origin_age();
        assert!(all < Duration::from_secs(400), "{places:?}: {all:?}");
    }
}

#[test]
fn a_server_that_falls_silent_for_good_ends_the_run_after_some_minutes() {
    for (concurrent, answered) in [(1, 0), (1, 50), (3, 50), (100, 0), (100, 1050), (1000, 50)] {
        let mut versions = objects(20_000);
        for version in versions.iter_mut().skip(answered) {
            version.mishaps = vec![Mishap::Hang; ENDLESS];
        }
        let mut world = serving(versions);
        let ran = run(Spec { concurrent, ..Spec::default() }, &mut world);
        assert!(matches!(ran.end, End::Fatal(_)), "{:?}", ran.end);
        assert_eq!(ran.counts.triggered, answered as u64);
        let all = world.now().origin_age().as_secs();
        assert!((300..800).contains(&all), "-c {concurrent} after {answered}: {all} s");
    }
}

#[test]
fn a_server_that_never_answers_a_copy_ends_the_run_and_single_copies_that_hang_do_not() {
    for hanging in [2, 300] {
        let mut versions = objects(300);
        for version in versions.iter_mut().take(hanging) {
            version.copy_mishaps = vec![Mishap::Hang; ENDLESS];
        }
        let mut world = serving(versions);
        let ran = run(Spec { mode: Mode::ClearChecksum, ..Spec::default() }, &mut world);
        let all = world.now().origin_age().as_secs();
        assert!(all < 1500, "{all} s");
        match hanging {
            2 => {
                let counts = ran.counts;
                assert_eq!((ran.end, counts.failed, counts.copied), (End::Complete, 2, 298));
            }
            _ => assert!(matches!(ran.end, End::Fatal(_)), "{:?}", ran.end),
        }
    }
}

#[test]
fn a_server_that_takes_a_minute_for_each_answer_is_waited_for() {
    let mut world = serving(objects(100));
    world.net.head_takes = Duration::from_secs(61);
    let ran = run(Spec::default(), &mut world);
    assert_eq!((ran.end, ran.counts.triggered), (End::Complete, 100));
    let starts = world.starts.len();
    assert!(starts < 150, "{starts} requests for 100 versions");
}

#[test]
fn a_listing_that_falls_silent_is_taken_up_again_after_a_minute() {
    let mut world = serving(objects(100));
    world.breaks = [(50, Break::Silence)].into();
    let ran = run(Spec::default(), &mut world);
    assert_eq!((ran.end, ran.counts.triggered, ran.listings), (End::Complete, 100, 2));
    // The last one read before it is held back.
    let pause = world.starts[49] - world.starts[48];
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
fn a_full_spool_keeps_the_server_waiting_and_a_server_that_waits_is_read_once() {
    for rate_limit in [None, Some(200.0)] {
        let memory = 128 << 10;
        let mut world = serving(objects(20_000));
        world.net.chunks = 60_000..64_000;
        world.net.server.replication = Replication::Never;
        let spec = Spec { memory, rate_limit, concurrent: 100, ..Spec::default() };
        let ran = run(spec, &mut world);
        assert_eq!((ran.end, ran.counts.triggered, ran.listings), (End::Complete, 20_000, 1));
        assert!(world.net.holds > 20, "the budget was reached only {} times", world.net.holds);
        assert!(world.net.server.queued.values().all(|times| times.len() == 1));
    }
}

#[test]
fn a_server_that_cuts_what_is_kept_waiting_is_asked_again_when_the_spool_is_empty() {
    let memory = MIN_MEMORY;
    let mut world = serving(objects(20_000));
    world.net.chunks = 60_000..64_000;
    world.net.keeps_open = Duration::ZERO;
    world.net.server.replication = Replication::Never;
    let rate_limit = Some(200.0);
    let ran = run(Spec { memory, rate_limit, concurrent: 100, ..Spec::default() }, &mut world);
    assert_eq!((ran.end, ran.counts.triggered), (End::Complete, 20_000));
    assert!((3..10).contains(&ran.listings), "{} listings", ran.listings);
    assert!(world.net.server.queued.values().all(|times| times.len() == 1));
}

#[test]
fn different_statuses_have_a_budget_of_their_own_and_are_forgotten_once_no_version_has_them() {
    for kinds in [1, 3, 5_000] {
        let arns: Vec<[&'static str; 1]> =
            (0..kinds).map(|nth| [&*Box::leak(format!("arn:{nth}").into_boxed_str())]).collect();
        let mut versions = objects(5_000);
        for (version, arn) in versions.iter_mut().zip(arns.iter().cycle()) {
            version.targets = arn.to_vec();
        }
        let mut world = serving(versions);
        world.net.chunks = 6_000..6_400;
        world.net.server.replication = Replication::Never;
        let memory = MIN_MEMORY;
        let ran = run(Spec { memory, concurrent: 100, ..Spec::default() }, &mut world);
        let counts = ran.counts;
        assert_eq!((ran.end, counts.triggered, ran.listings), (End::Complete, 5_000, 1), "{kinds}");
        assert!(world.net.server.queued.values().all(|times| times.len() == 1));
    }
}

#[test]
fn cuts_between_listings_that_get_further_and_are_kept_waiting_do_not_add_up() {
    let mut world = serving(objects(4000));
    // As many chunks as 20,000 versions make in chunks of 64 KB.
    world.net.chunks = 12_000..12_800;
    world.net.keeps_open = Duration::ZERO;
    world.net.server.replication = Replication::Never;
    // Every second listing is cut before it comes to anything new, the others where they were kept waiting.
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
fn a_listing_out_of_order_is_taken_up_by_what_was_read() {
    for (sets, pools) in [(2, 1), (4, 1), (1, 2), (3, 2)] {
        for cut in [1, 20, 500, 999] {
            for mode in [Mode::DryRun, Mode::Trigger] {
                let mut world = serving(objects(1000));
                (world.net.server.sets, world.net.server.pools) = (sets, pools);
                world.breaks = [(cut, Break::Cut), (cut / 2, Break::Cut)].into();
                let ran = run(Spec { mode, ..Spec::default() }, &mut world);
                let what = format!("{sets} sets, {pools} pools, cut at {cut}, {mode:?}");
                assert_eq!((ran.end, ran.counts.total), (End::Complete, 1000), "{what}");
                assert_eq!(ran.ends.len(), 1000, "{what}");
                assert!(world.net.server.queued.values().all(|times| times.len() == 1), "{what}");
            }
        }
    }
}

#[test]
fn a_set_that_ends_early_in_a_listing_that_is_taken_up_is_noticed() {
    for seed in 1..40 {
        let mut world = serving(objects(1000));
        world.net.server.sets = 2;
        world.net.random = seed;
        // The first is cut, and a set of the second ends early: 20 and more would be missing.
        world.breaks = [(seed as usize * 25, Break::Cut)].into();
        world.net.server.lame = 2..3;
        let ran = run(Spec { mode: Mode::DryRun, ..Spec::default() }, &mut world);
        let all = ran.counts.total == 1000;
        assert!(all || ran.end != End::Complete, "complete with {}", ran.counts.total);
    }
}

#[test]
fn a_listing_that_ends_before_the_place_of_the_last_cut_is_not_complete() {
    for mode in [Mode::DryRun, Mode::Trigger] {
        let mut world = serving(objects(100));
        world.net.server.replication = Replication::Never;
        world.breaks = [(60, Break::Cut), (20, Break::EarlyEnd), (20, Break::EarlyEnd)].into();
        let ran = run(Spec { mode, ..Spec::default() }, &mut world);
        assert_eq!((ran.end, ran.counts.total), (End::Complete, 100), "{mode:?}");
        let mut world = serving(objects(100));
        world.net.server.replication = Replication::Never;
        world.breaks = [(60, Break::Cut)].into_iter().chain([(20, Break::EarlyEnd); 50]).collect();
        let ran = run(Spec { mode, ..Spec::default() }, &mut world);
        let End::Listing(failure) = ran.end else { panic!("{mode:?}: {:?}", ran.end) };
        assert!(matches!(failure.cause, listing::Break::Short(_)), "{:?}", failure.cause);
        assert_eq!(ran.counts.total, 60);
    }
}

#[test]
fn a_cut_after_the_last_entry_is_not_the_end_of_the_run() {
    let mut world = serving(objects(100));
    world.breaks = [(100, Break::Cut)].into();
    let ran = run(Spec::default(), &mut world);
    assert_eq!((ran.end, ran.counts.triggered, ran.listings), (End::Complete, 100, 2));
}

#[test]
fn an_end_that_shows_nothing_is_believed_when_a_second_listing_shows_nothing_new() {
    for (early, listings) in [(None, 2), (Some(40), 3), (Some(0), 3)] {
        let mut world = serving(objects(100));
        world.net.server.framed = false;
        world.net.server.replication = Replication::Never;
        // The first answer is given up at once, for one in gzip.
        let whole = (usize::MAX, Break::EarlyEnd);
        let early = early.map(|entries| (entries, Break::EarlyEnd));
        world.breaks = [whole].into_iter().chain(early).collect();
        let ran = run(Spec::default(), &mut world);
        assert_eq!(ran.end, End::Complete, "{early:?}");
        let gzip =
            world.net.server.asked(Method::Post).map(|asked| asked.header("accept-encoding"));
        assert!(gzip.skip(2).all(|encoding| encoding == Some("gzip")));
        assert_eq!((ran.counts.triggered, ran.listings), (100, listings), "{early:?}");
    }
    let mut world = serving(Vec::new());
    world.net.server.framed = false;
    let ran = run(Spec::default(), &mut world);
    assert_eq!((ran.end, ran.counts.total, ran.listings), (End::Complete, 0, 2));
}

#[test]
fn a_listing_that_starts_over_or_never_ends_is_given_up_and_triggers_nothing_twice() {
    for count in [1, 10] {
        let mut world = serving(objects(count));
        world.net.server.replication = Replication::Never;
        world.net.server.repeats = 20_000;
        let ran = run(Spec::default(), &mut world);
        let End::Listing(failure) = ran.end else { panic!("{:?}", ran.end) };
        assert!(matches!(failure.cause, listing::Break::Repeats(_)), "{:?}", failure.cause);
        assert_eq!(ran.counts.triggered, count as u64);
        assert!(world.net.server.queued.values().all(|times| times.len() == 1));
    }
}

#[test]
fn a_first_copy_that_hangs_is_tried_again_even_on_one_place_and_with_a_full_spool() {
    for concurrent in [1, 2, 3, 10] {
        let mut versions = objects(2000);
        versions[0].copy_mishaps = vec![Mishap::Hang];
        let mut world = serving(versions);
        let memory = MIN_MEMORY;
        let mode = Mode::ClearChecksum;
        let ran = run(Spec { concurrent, memory, mode, ..Spec::default() }, &mut world);
        assert_eq!((ran.end, ran.counts.triggered), (End::Complete, 2000), "at {concurrent}");
    }
}

#[test]
fn more_versions_that_hang_than_may_wait_do_not_stop_a_run_on_one_place() {
    let mut versions = objects(2500);
    versions.iter_mut().for_each(|version| version.mishaps = vec![Mishap::Hang]);
    let mut world = serving(versions);
    let spec = Spec { concurrent: 1, ..Spec::default() };
    let ran = run(spec, &mut world);
    let counts = &ran.counts;
    assert_eq!(counts.total, counts.triggered + counts.failed + counts.not_reached);
}

#[test]
fn a_copy_is_made_although_the_look_before_it_has_replicated_the_version() {
    for concurrent in [1, 10, 100] {
        let mut world = serving(objects(100));
        world.net.server.replication = Replication::Stale;
        let spec = Spec { concurrent, mode: Mode::ClearChecksum, ..Spec::default() };
        let ran = run(spec, &mut world);
        let counts = &ran.counts;
        assert_eq!((ran.end, counts.copied, counts.replicated), (End::Complete, 100, 0));
    }
}

/// What the host does not let out, and what `fetch` does not say why of.
const UNHEARD: [(Break, Mishap, &str); 2] = [
    (Break::Denied, Mishap::Denied, "the sandbox denies this request: by its words"),
    (
        Break::NotFetched,
        Mishap::NotFetched,
        "Failed to fetch: nobody answers there; or, in a browser, the server does not let this page read its answers (CORS)",
    ),
];

#[test]
fn a_listing_that_the_host_denies_or_cannot_fetch_ends_the_run_at_once() {
    for (how, _, said) in UNHEARD {
        let mut world = serving(objects(100));
        world.breaks = vec![(0, how); ENDLESS].into();
        let ran = run(Spec::default(), &mut world);
        let End::Listing(unfinished) = ran.end else { panic!("{:?}", ran.end) };
        assert_eq!(unfinished.to_string(), said);
        assert_eq!((ran.listings, world.starts.len()), (1, 0));
        assert!(world.now().origin_age() < Duration::from_secs(1));
    }
}

#[test]
fn a_denial_ends_the_run_at_once_wherever_it_comes() {
    let mut versions = objects(100);
    for version in versions.iter_mut().skip(50) {
        version.mishaps = vec![Mishap::Denied; ENDLESS];
    }
    let mut world = serving(versions);
    let ran = run(Spec { concurrent: 1, ..Spec::default() }, &mut world);
    let End::Fatal(failure) = ran.end else { panic!("{:?}", ran.end) };
    assert_eq!(failure.to_string(), "the sandbox denies this request: by its words");
    assert_eq!((ran.counts.triggered, ran.counts.failed, ran.counts.not_reached), (50, 1, 49));
}

#[test]
fn a_server_that_has_answered_and_cannot_be_fetched_from_is_waited_for() {
    let mut versions = objects(100);
    for version in versions.iter_mut().skip(50) {
        version.mishaps = vec![Mishap::NotFetched; 3];
    }
    let ran = run(Spec { concurrent: 1, ..Spec::default() }, &mut serving(versions));
    assert_eq!((ran.end, ran.counts.triggered, ran.counts.retries), (End::Complete, 100, 150));
}

#[test]
fn the_settings_of_the_bucket_are_looked_at_before_the_first_copy_and_not_when_the_job_is_made() {
    let retention =
        "<ObjectLockConfiguration><Mode>GOVERNANCE</Mode><Days>30</Days></ObjectLockConfiguration>";
    for (lock, refused) in [(retention, true), ("<ObjectLockConfiguration/>", false)] {
        let mut world = serving(objects(3));
        world.net.server.lock = [ok(lock)].into();
        let mut job = job(Spec { mode: Mode::ClearChecksum, ..Spec::default() });
        assert_eq!(world.net.server.asked(Method::Get).count(), 0);
        job.check_settings(&mut world);
        let mut ends = Ends::default();
        while job.advance(&mut world, &mut ends, None) {}
        let told = match job.end() {
            End::Fatal(failure) => failure.to_string(),
            end => format!("{end:?}"),
        };
        assert_eq!(told.contains("GOVERNANCE for 30 days"), refused, "{told}");
        let copied = if refused { 0 } else { 3 };
        assert_eq!((job.counts().copied, job.counts().total), (copied, copied));
        assert_eq!(world.net.server.asked(Method::Post).count() == 0, refused);
    }
}
