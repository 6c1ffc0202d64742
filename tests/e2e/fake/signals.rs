//! Ctrl-C and SIGTERM on the real process: the first ends the run with a summary of what was done,
//! the second at once, and nothing that is stuck prevents either.

use crate::mc_wasi_at;
use std::io::Write;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use mc_wasi_tests::fake::{Backlog, Effect, FakeServer, Fault, Options, Route};
use mc_wasi_tests::watch::{Finished, Watched};
use nix::sys::signal::Signal;

/// Requests in flight have 5 s, a stuck component 7 s, a busy machine the rest.
const FIRST: Duration = Duration::from_secs(20);
const SECOND: Duration = Duration::from_secs(3);
const BEGUN: Duration = Duration::from_secs(60);
/// What a pipe holds on Linux.
const PIPE: usize = 65_536;

fn start(server: &FakeServer, stdout: impl Into<Stdio>, flags: &[&str]) -> Watched {
    let mc_wasi = mc_wasi_at(&server.alias_url());
    let mut command = mc_wasi.command(["replicate", "resync-backlog", "a/mybucket"]);
    Watched::start(command.args(flags).stdout(stdout))
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < BEGUN, "never {what}");
        sleep(Duration::from_millis(20));
    }
}

fn triggering(server: &FakeServer, flags: &[&str]) -> Watched {
    let watched = start(server, Stdio::piped(), flags);
    wait_until("triggering", || server.triggers().0 >= 5);
    watched
}

fn large() -> FakeServer {
    FakeServer::start(Options::with_backlog(Backlog::synthetic(100_000, 1)))
}

#[test]
fn the_first_signal_ends_with_a_partial_summary_and_the_command_to_go_on() {
    for (signal, status) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let server = large();
        let watched = triggering(&server, &["--rate-limit", "50"]);
        watched.signal(signal);
        let Finished { ran, .. } = watched.finish(FIRST);
        println!("{}", ran.stdout);
        assert_eq!(ran.status, status);
        assert!(!ran.stdout.contains('✓'), "it did not complete: {}", ran.stdout);
        let processed = format!("Processed: {}", server.triggers().0);
        assert!(ran.stdout.contains(&processed), "{processed}: {}", ran.stdout);
        let again = "$ mc-wasi replicate resync-backlog a/mybucket --rate-limit 50";
        assert!(ran.stdout.contains(again), "{}", ran.stdout);
    }
}

#[test]
fn json_ends_with_its_summary_all_the_same() {
    let server = large();
    let watched = triggering(&server, &["--rate-limit", "50", "--json"]);
    watched.signal(Signal::SIGINT);
    let Finished { ran, .. } = watched.finish(FIRST);
    assert_eq!(ran.status, 130);
    let summary = ran.summary();
    assert_eq!(summary["complete"], false, "{summary}");
    assert_eq!(summary["processed"], server.triggers().0, "{summary}");
}

#[test]
fn requests_in_flight_are_finished() {
    let server = large();
    server.inject(Fault::on(Route::Head, Effect::Delay(Duration::from_secs(2))));
    let watched = start(&server, Stdio::piped(), &["--json", "-c", "20"]);
    wait_until("asked", || server.requests() > 20);
    watched.signal(Signal::SIGINT);
    let Finished { ran, .. } = watched.finish(FIRST);
    let summary = ran.summary();
    assert_eq!((ran.status, summary["complete"].as_bool()), (130, Some(false)), "{summary}");
    assert_eq!(summary["processed"], server.triggers().0, "{summary}");
    let heads = server.log().into_iter().filter(|logged| logged.method == "HEAD");
    let answered: Vec<bool> = heads.map(|head| head.status == Some(200)).collect();
    assert!(answered.len() >= 10 && answered.iter().all(|answered| *answered), "{answered:?}");
}

#[test]
fn requests_in_flight_that_hang_are_given_up_and_the_summary_printed() {
    let server = large();
    server.inject(Fault::on(Route::Head, Effect::Hang).after(30));
    let mut watched = start(&server, Stdio::piped(), &["--json"]);
    wait_until("hanging", || server.requests() > 40);
    watched.signal(Signal::SIGTERM);
    sleep(Duration::from_secs(2));
    assert!(watched.runs(), "requests have 5 s");
    let Finished { ran, .. } = watched.finish(FIRST);
    let summary = ran.summary();
    assert_eq!((ran.status, summary["complete"].as_bool()), (143, Some(false)), "{summary}");
    assert_eq!(summary["processed"], 30, "{summary}");
}

#[test]
fn a_listing_that_never_begins_is_stopped() {
    let server = large();
    server.inject(Fault::on(Route::Diff, Effect::Hang));
    let watched = start(&server, Stdio::piped(), &["--json"]);
    wait_until("asked", || server.requests() > 0);
    watched.signal(Signal::SIGINT);
    let Finished { ran, .. } = watched.finish(FIRST);
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
    watched.signal(Signal::SIGTERM);
    assert_eq!(watched.finish(SECOND).ran.status, 143);
    drop(reader);
}

#[test]
fn the_second_signal_does_not_wait_for_requests() {
    let server = large();
    server.inject(Fault::on(Route::Head, Effect::Hang));
    let watched = start(&server, Stdio::piped(), &[]);
    wait_until("hanging", || server.requests() > 5);
    watched.signal(Signal::SIGINT);
    sleep(Duration::from_millis(300));
    watched.signal(Signal::SIGINT);
    assert_eq!(watched.finish(SECOND).ran.status, 130);
}
