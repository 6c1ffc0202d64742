//! Ctrl-C and SIGTERM on the real process: the first ends the run with a summary of what was done,
//! the second at once, and nothing that is stuck prevents either.

use std::io::Write;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::mc_wasi_at;
use mc_wasi_tests::fake::{Backlog, Effect, FakeServer, Fault, Options, Route};
use mc_wasi_tests::mcwasi::Ran;
use mc_wasi_tests::wait::wait_until;
use mc_wasi_tests::watch::Watched;
use mc_wasi_tests::{quiet, terminal};
use nix::sys::signal::Signal;

/// Requests in flight have 5 s, a stuck component 7 s, a busy machine the rest.
const FIRST: Duration = Duration::from_secs(20);
/// Requests in flight have 5 s, a busy machine the rest.
const IN_FLIGHT: Duration = Duration::from_secs(10);
/// Nothing is waited for.
const SECOND: Duration = Duration::from_secs(1);
/// What a pipe holds on Linux.
const PIPE: usize = 65_536;

/// Both signals, and the status that a run ends with after each.
const SIGNALS: [(Signal, i32); 2] = [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)];

fn serve(versions: u64) -> FakeServer {
    FakeServer::start(Options::with_backlog(Backlog::synthetic(versions, 1)))
}

fn large() -> FakeServer {
    serve(100_000)
}

const WORDS: [&str; 3] = ["replicate", "resync-backlog", "a/mybucket"];

fn start(server: &FakeServer, stdout: impl Into<Stdio>, flags: &[&str]) -> Watched {
    let mc_wasi = mc_wasi_at(&server.alias_url());
    Watched::start(mc_wasi.command(WORDS).args(flags).stdout(stdout))
}

/// A run that is sent a signal when it has triggered a few versions.
fn stopped_by(server: &FakeServer, signal: Signal, flags: &[&str]) -> Ran {
    let watched = start(server, Stdio::piped(), flags);
    wait_until("triggering", || server.triggers().0 >= 5);
    watched.signal(signal);
    watched.finish(FIRST).ran
}

fn count(ran: &Ran, name: &str) -> u64 {
    let line = ran.stdout.lines().find_map(|line| line.strip_prefix(&format!("  {name}: ")));
    line.unwrap_or_else(|| panic!("{name}: {}", ran.stdout)).parse().unwrap()
}

#[test]
fn the_first_signal_ends_with_a_partial_summary_and_the_command_to_go_on() {
    for (signal, status) in SIGNALS {
        let server = large();
        let ran = stopped_by(&server, signal, &["--rate-limit", "50"]);
        assert_eq!((ran.status, ran.stderr.as_str()), (status, ""), "{ran:?}");
        assert!(
            ran.stdout
                .starts_with("⚠ Replication trigger interrupted: the numbers are lower bounds\n"),
            "{}",
            ran.stdout
        );
        assert!(!ran.stdout.contains('✓'), "it did not complete: {}", ran.stdout);
        assert_eq!(count(&ran, "Processed"), server.triggers().0, "those in flight are counted");
        assert_eq!(count(&ran, "Total"), count(&ran, "Processed") + count(&ran, "Not reached"));
        let hint = "⚠ The run did not reach every object.\n  You can re-run this command to continue:\n  $ mc-wasi replicate resync-backlog a/mybucket --rate-limit 50\n";
        assert!(ran.stdout.ends_with(hint), "{}", ran.stdout);
    }
}

#[test]
fn json_ends_with_its_summary_all_the_same() {
    let server = large();
    let ran = stopped_by(&server, Signal::SIGINT, &["--rate-limit", "50", "--json"]);
    let summary = ran.summary();
    assert_eq!((ran.status, ran.stderr.as_str()), (130, ""));
    assert_eq!((&summary["complete"], &summary["status"]), (&false.into(), &"error".into()));
    assert_eq!(summary["processed"], server.triggers().0, "{summary}");
    assert_eq!(ran.json().len() as u64, server.triggers().0 + 1);
}

#[test]
fn requests_in_flight_are_finished() {
    let server = large();
    server.inject(Fault::on(Route::Head, Effect::Delay(Duration::from_secs(2))));
    let watched = start(&server, Stdio::piped(), &["--json", "-c", "20"]);
    wait_until("asked", || server.requests() > 20);
    watched.signal(Signal::SIGINT);
    let ran = watched.finish(FIRST).ran;
    let summary = ran.summary();
    assert_eq!((ran.status, summary["complete"].as_bool()), (130, Some(false)), "{summary}");
    assert_eq!(summary["processed"], server.triggers().0, "{summary}");
    let heads = server.log().into_iter().filter(|logged| logged.method == "HEAD");
    let answered: Vec<bool> = heads.map(|head| head.status == Some(200)).collect();
    assert!(answered.len() >= 10 && answered.iter().all(|answered| *answered), "{answered:?}");
}

#[test]
fn requests_in_flight_that_hang_are_given_up_and_the_summary_printed() {
    for (signal, status) in SIGNALS {
        let server = serve(1000);
        server.inject(Fault::on(Route::Head, Effect::Hang).after(40));
        let mut watched = start(&server, Stdio::piped(), &["--json"]);
        // Two for the targets and the listing, forty that are answered, ten that are not.
        wait_until("hanging", || server.requests() >= 52);
        let began = Instant::now();
        watched.signal(signal);
        sleep(Duration::from_secs(2));
        assert!(watched.runs(), "requests have 5 s");
        let ran = watched.finish(FIRST).ran;
        assert!(began.elapsed() < IN_FLIGHT, "{:?}", began.elapsed());
        let summary = ran.summary();
        assert_eq!((ran.status, &summary["complete"]), (status, &false.into()), "{summary}");
        assert_eq!((&summary["processed"], &summary["notReached"]), (&40.into(), &960.into()));
    }
}

#[test]
fn a_listing_that_never_begins_is_stopped() {
    let server = large();
    server.inject(Fault::on(Route::Diff, Effect::Hang));
    let watched = start(&server, Stdio::piped(), &["--json"]);
    wait_until("asked", || server.requests() > 0);
    watched.signal(Signal::SIGINT);
    let ran = watched.finish(FIRST).ran;
    assert_eq!((ran.status, ran.summary()["complete"].as_bool()), (130, Some(false)));
}

/// A process whose stdout is a pipe that is full and that nobody reads.
fn blocked(server: &FakeServer) -> (Watched, std::io::PipeReader) {
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    writer.write_all(&[b' '; PIPE]).expect("room for as much");
    (start(server, writer, &["--json"]), reader)
}

#[test]
fn a_blocked_pipe_holds_up_neither_the_first_signal_nor_the_second() {
    let _quiet = quiet::kept();
    let server = large();
    let (watched, reader) = blocked(&server);
    wait_until("triggering", || server.triggers().0 >= 5);
    sleep(Duration::from_millis(500));
    watched.signal(Signal::SIGINT);
    assert_eq!(watched.finish(FIRST).ran.status, 130);
    drop(reader);

    let (watched, reader) = blocked(&server);
    let before = server.requests();
    wait_until("triggering", || server.requests() > before + 5);
    sleep(Duration::from_millis(500));
    watched.signal(Signal::SIGTERM);
    sleep(Duration::from_millis(300));
    let began = Instant::now();
    watched.signal(Signal::SIGTERM);
    assert_eq!(watched.finish(FIRST).ran.status, 143);
    assert!(began.elapsed() < SECOND, "{:?}", began.elapsed());
    drop(reader);
}

#[test]
fn the_second_signal_does_not_wait_for_requests_and_leaves_no_progress_on_the_screen() {
    let _quiet = quiet::kept();
    for (signal, status) in SIGNALS {
        let server = serve(1000);
        server.inject(Fault::on(Route::Head, Effect::Hang));
        let mc_wasi = mc_wasi_at(&server.alias_url());
        let run = terminal::start(mc_wasi.command(WORDS), 80);
        wait_until("hanging", || server.requests() >= 12);
        run.signal(signal);
        sleep(Duration::from_millis(300));
        let began = Instant::now();
        run.signal(signal);
        let screen = run.wait();
        assert!(began.elapsed() < SECOND, "{:?}", began.elapsed());
        assert_eq!((screen.status, screen.lines.len()), (status, 0), "{:?}", screen.lines);
    }
}
