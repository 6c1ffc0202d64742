//! Every way a listing can break: it is taken up again without loss, or the run says that it is
//! not complete.

use crate::mc_wasi_at;
use mc_wasi_tests::fake::{
    Backlog, Chunks, Cut, Effect, FakeServer, Fault, Layout, Options, Route, S3Error,
};
use mc_wasi_tests::mcwasi::Ran;
use std::time::{Duration, Instant};

const TOTAL: u64 = 500;

/// The hundredth name of the backlog; most listings here break after it.
const HUNDREDTH: &str = "data/2026/11/24/part-0000000/object-000000099.bin";

fn options() -> Options {
    Options::with_backlog(Backlog::synthetic(TOTAL, 1))
}

/// Runs on a server on which listings befall these.
fn run(options: Options, faults: impl IntoIterator<Item = Fault>) -> (FakeServer, Ran) {
    let server = FakeServer::start(options);
    faults.into_iter().for_each(|fault| server.inject(fault));
    let ran = mc_wasi_at(&server.alias_url()).run(&["--json", "-c", "20", "a/mybucket"]);
    assert_eq!(server.bad_signatures(), 0);
    (server, ran)
}

fn on_diff(effect: Effect) -> Fault {
    Fault::on(Route::Diff, effect)
}

/// A listing asked for in a version of the API that the server does not speak does not count.
fn cut(after: u64, how: Cut) -> Fault {
    on_diff(Effect::Cut { after, how })
}

/// The run took the listing up again and triggered everything once.
fn assert_resumed(what: &str, server: &FakeServer, ran: &Ran) {
    let summary = ran.summary();
    assert_eq!((summary["complete"].as_bool(), ran.status), (Some(true), 0), "{what}: {summary}");
    assert_eq!(summary["total"], TOTAL, "{what}");
    assert_eq!(summary["processed"], TOTAL, "{what}");
    assert_eq!(server.triggers(), (TOTAL, 0), "{what}");
    assert_eq!(ran.json().len() as u64, TOTAL + 1, "{what}: one line a version");
}

#[test]
fn a_listing_that_breaks_once_is_taken_up_again() {
    for how in [
        Cut::InsideChunk,
        Cut::InsideLine,
        Cut::BetweenChunks,
        Cut::Reset,
        Cut::HalfLine,
        Cut::ErrorText,
        Cut::ErrorObject,
    ] {
        let (server, ran) = run(options(), [cut(100, how).times(1)]);
        assert_resumed(&format!("{how:?}"), &server, &ran);
        assert_eq!(ran.summary()["listings"], 2, "{how:?}");
    }
}

#[test]
fn a_listing_that_breaks_before_its_first_entry_is_taken_up_again() {
    for how in [Cut::InsideLine, Cut::BetweenChunks, Cut::Reset] {
        let (server, ran) = run(options(), [cut(0, how).times(2)]);
        assert_resumed(&format!("{how:?}"), &server, &ran);
    }
}

/// A cluster of before RELEASE.2024-05-07, whose listing is cut once: sets side by side, pools one after the
/// other.
#[test]
fn a_listing_of_several_sets_and_pools_is_taken_up_by_what_was_read() {
    for (sets, pools) in [(2, 1), (4, 1), (1, 2), (3, 2)] {
        for after in [1, 100, 499] {
            let layout = Layout { sets, pools, ..Layout::default() };
            let faults = [cut(after, Cut::InsideLine).times(1)];
            let (server, ran) = run(Options { layout, ..options() }, faults);
            let what = format!("{sets} sets, {pools} pools, cut after {after}");
            assert_resumed(&what, &server, &ran);
        }
    }
}

#[test]
fn a_set_that_ends_early_without_a_word_does_not_make_a_listing_complete() {
    for after in [20, 100, 300, 450] {
        let layout = Layout { sets: 2, lame: 2..3, ..Layout::default() };
        let server = FakeServer::start(Options { layout, replicates: false, ..options() });
        server.inject(cut(after, Cut::InsideLine).times(1));
        let ran = mc_wasi_at(&server.alias_url()).run(&["--json", "--dry-run", "a/mybucket"]);
        let summary = ran.summary();
        let complete = (summary["complete"] == true, ran.status);
        assert!(
            summary["total"] == TOTAL || complete == (false, 1),
            "cut after {after}, status {}: {summary}",
            ran.status
        );
    }
}

#[test]
fn an_incomplete_run_never_says_completed() {
    let server = FakeServer::start(Options { replicates: false, ..options() });
    server.inject(cut(100, Cut::ErrorText));
    let mc_wasi = mc_wasi_at(&server.alias_url());
    for (words, first) in [
        (
            &["a/mybucket"][..],
            "✗ Replication trigger incomplete: the backlog was not listed to its end, the numbers are lower bounds",
        ),
        (
            &["a/mybucket", "--dry-run"],
            "✗ Dry run incomplete: the backlog was not listed to its end, the numbers are lower bounds",
        ),
    ] {
        let ran = mc_wasi.run(words);
        assert_eq!(ran.status, 1);
        let summary: Vec<&str> =
            ran.stdout.lines().skip_while(|line| !line.starts_with('✗')).collect();
        assert_eq!(summary[..2], [first, "  Total: 100"], "{}", ran.stdout);
        assert!(!ran.stdout.contains("completed"), "{}", ran.stdout);
        assert_eq!(ran.stderr.lines().count(), 1);
        assert!(ran.stderr.contains(HUNDREDTH), "{}", ran.stderr);
    }
}

#[test]
fn what_is_no_replication_diff_is_told_by_who_sent_it() {
    let page = |body: &str| {
        let body = body.as_bytes().to_vec();
        on_diff(Effect::Page { status: 200, content_type: "text/html".into(), body })
    };
    for body in ["<html><body>Sign in</body></html>", "<html>\n<body>\nSign in", "nonsense", "42\n"]
    {
        let (server, ran) = run(options(), [page(body)]);
        let error = ran.summary()["error"].clone();
        let message = error["cause"]["message"].as_str().unwrap();
        let begins = body.split('\n').next().unwrap();
        assert!(message.contains("answered by something else (200 OK, text/html)"), "{message}");
        assert!(!message.contains(begins), "a page of somebody else is not quoted: {message}");
        assert_eq!((ran.status, ran.json().len(), server.triggers()), (1, 1, (0, 0)), "{body}");
    }
    let (server, ran) = run(options(), [on_diff(Effect::Redirect("http://127.0.0.1:9/x".into()))]);
    let message = ran.summary()["error"]["cause"]["message"].to_string();
    assert!(message.contains("the server answered 307 Temporary Redirect"), "{message}");
    assert_eq!((ran.status, server.triggers()), (1, (0, 0)));
}

#[test]
fn a_listing_with_an_entry_without_a_key_is_taken_up_again() {
    let (server, ran) = run(options(), [on_diff(Effect::Keyless { after: 100 }).times(1)]);
    assert_resumed("keyless", &server, &ran);
}

#[test]
fn a_silent_connection_is_given_up_after_a_minute_and_blanks_keep_it() {
    let pause =
        |keepalive, length| on_diff(Effect::Pause { after: 100, length, keepalive }).times(1);
    let (server, ran) = run(options(), [pause(true, Duration::from_secs(3))]);
    assert_resumed("blanks", &server, &ran);
    assert_eq!(ran.summary()["listings"], 1);

    let began = Instant::now();
    let (server, ran) = run(options(), [pause(false, Duration::from_secs(3600))]);
    assert_resumed("silence", &server, &ran);
    assert_eq!(ran.summary()["listings"], 2);
    let took = began.elapsed().as_secs();
    assert!((60..80).contains(&took), "{took} s");
}

#[test]
fn chunks_may_end_anywhere() {
    for chunks in
        [Chunks::Of(1), Chunks::Of(7), Chunks::Of(4096), Chunks::Random { seed: 7, max: 900 }]
    {
        let (server, ran) = run(options(), [on_diff(Effect::Chunks(chunks))]);
        assert_resumed(&format!("{chunks:?}"), &server, &ran);
    }
    // Cut at odd places of odd chunks, again and again.
    let cuts = (1..5).map(|n| cut(n * 90, Cut::InsideLine).after(n - 1).times(1));
    let odd = on_diff(Effect::Chunks(Chunks::Random { seed: 8, max: 100 }));
    let (server, ran) = run(Options { replicates: false, ..options() }, cuts.chain([odd]));
    assert_resumed("cuts in odd chunks", &server, &ran);
}

#[test]
fn an_end_that_looks_clean_is_taken_for_the_end() {
    // Nothing tells it from a whole listing; the versions stay in the backlog for the next run.
    let (server, ran) = run(options(), [cut(100, Cut::Silent).times(1)]);
    assert_eq!((ran.summary()["total"].as_u64(), ran.status), (Some(100), 0));
    let ran = mc_wasi_at(&server.alias_url()).run(&["--json", "a/mybucket"]);
    assert_eq!(ran.summary()["total"], TOTAL - 100);
    assert_eq!(server.triggers(), (TOTAL, 0));
}

#[test]
fn a_listing_that_is_refused_for_now_is_asked_for_again() {
    let refusals = [
        Effect::Answer(S3Error::new(503, "SlowDownRead").retry_after(1)),
        Effect::Answer(S3Error::new(429, "TooManyRequests")),
        Effect::Close,
        Effect::Reset,
    ];
    let (server, ran) = run(options(), refusals.map(|effect| on_diff(effect).times(1)));
    assert_resumed("four refusals", &server, &ran);
}
