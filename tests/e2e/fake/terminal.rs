//! The progress line, and what a signal does.

use crate::mc_wasi_at;
use mc_wasi_tests::fake::{Backlog, Effect, FakeServer, Fault, Options, Route, S3Error};
use mc_wasi_tests::mcwasi::{McWasi, Ran};
use mc_wasi_tests::terminal::{self, Screen, Signal};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A server that takes 20 ms for every HEAD, so that there is something to see.
fn start(backlog: Backlog) -> (FakeServer, McWasi) {
    let server = FakeServer::start(Options::with_backlog(backlog));
    server.inject(Fault::on(Route::Head, Effect::Delay(Duration::from_millis(20))));
    let mc_wasi = mc_wasi_at(&server.alias_url());
    (server, mc_wasi)
}

fn command(mc_wasi: &McWasi, flags: &[&str]) -> std::process::Command {
    mc_wasi.command([&["replicate", "resync-backlog", "a/mybucket"], flags].concat())
}

fn in_terminal(mc_wasi: &McWasi, flags: &[&str], columns: u16) -> Screen {
    terminal::start(command(mc_wasi, flags), columns).wait()
}

const SUMMARY: [&str; 4] =
    ["✓ Replication trigger completed", "  Total: 300", "  Processed: 300", "  Failed: 0"];

#[test]
fn progress_is_drawn_ten_times_a_second_and_erased_before_the_summary() {
    let (server, mc_wasi) = start(Backlog::synthetic(300, 1));
    let began = Instant::now();
    let screen = in_terminal(&mc_wasi, &[], 80);
    assert_eq!((screen.lines.clone(), screen.status), (SUMMARY.map(str::to_owned).to_vec(), 0));
    let drawn = screen.written.matches(" found, ").count() as u128;
    assert!(drawn >= 3, "{drawn} times: {:?}", screen.written);
    assert!(drawn <= began.elapsed().as_millis() / 100 + 1, "{drawn} in {:?}", began.elapsed());
    assert!(screen.written.contains("300 found, "), "{:?}", screen.written);
    assert!(screen.written.contains(" triggered, 0 failed, "), "{:?}", screen.written);
    assert_eq!(server.triggers(), (300, 0));
}

#[test]
fn a_narrow_terminal_does_not_wrap() {
    let (_server, mc_wasi) = start(Backlog::synthetic(300, 1));
    let screen = in_terminal(&mc_wasi, &[], 12);
    assert_eq!(screen.status, 0);
    let torn = |lines: &[String]| lines.concat().contains("found");
    assert!(!torn(&screen.lines), "{:?}", screen.lines);
    let wrapping = screen.written.replace("\u{1b}[?7l", "");
    assert!(torn(&terminal::lines(&wrapping, 12)), "this terminal shows what does wrap");
}

#[test]
fn failures_stand_above_the_progress() {
    let refusal = S3Error::new(400, "InvalidArgument").message("Invalid version id specified");
    let (_server, mc_wasi) = start(Backlog::mixed(300, 1, 0, 3, refusal));
    let screen = in_terminal(&mc_wasi, &["--no-color"], 200);
    let named = screen.lines.iter().filter(|line| line.starts_with("mc-wasi: <ERROR> Unable to"));
    assert_eq!(named.count(), 3, "{:?}", screen.lines);
    assert_eq!(screen.lines[3], "✓ Replication trigger completed", "{:?}", screen.lines);
    assert!(screen.lines.iter().all(|line| !line.contains(" found, ")), "{:?}", screen.lines);
}

#[test]
fn quiet_json_and_a_pipe_have_no_progress_and_no_colour() {
    let (server, mc_wasi) = start(Backlog::synthetic(100, 1));
    for flags in [&["--quiet"][..], &["-q"], &["--json"]] {
        let screen = in_terminal(&mc_wasi, flags, 80);
        assert!(!screen.written.contains('\u{1b}'), "{flags:?}: {:?}", screen.written);
        assert_eq!(screen.status, 0);
        server.push(mc_wasi_tests::fake::Version::put("one"));
    }
    let ran = Ran::from(command(&mc_wasi, &[]).output().unwrap());
    assert_eq!(ran.stderr, "");
    assert!(!ran.stdout.contains('\u{1b}'));
}

#[test]
fn colours_are_for_terminals_and_can_be_turned_off() {
    let (_server, mc_wasi) = start(Backlog::synthetic(1, 1));
    let tick = "\u{1b}[32;1m✓\u{1b}[0m Replication";
    assert!(in_terminal(&mc_wasi, &[], 80).written.contains(tick));
    assert!(!in_terminal(&mc_wasi, &["--no-color"], 80).written.contains("\u{1b}[32"));
    let mc_wasi = mc_wasi.env("NO_COLOR", "1");
    assert!(!in_terminal(&mc_wasi, &[], 80).written.contains("\u{1b}[32"));
}

/// Waits until the server has seen this many requests.
fn wait_for(server: &FakeServer, requests: u64) {
    let until = Instant::now() + Duration::from_secs(60);
    while server.requests() < requests {
        assert!(Instant::now() < until, "{} requests", server.requests());
        sleep(Duration::from_millis(10));
    }
}

/// Runs until the server has seen 50 requests, then sends this.
fn stopped_by(signal: Signal, flags: &[&str]) -> (FakeServer, Ran) {
    let (server, mc_wasi) = start(Backlog::synthetic(100_000, 1));
    let child = mc_wasi.start(&[&["a/mybucket"], flags].concat());
    wait_for(&server, 50);
    terminal::send(&child, signal);
    let ran = Ran::from(child.wait_with_output().unwrap());
    (server, ran)
}

fn count(ran: &Ran, name: &str) -> u64 {
    let line = ran.stdout.lines().find_map(|line| line.strip_prefix(&format!("  {name}: ")));
    line.unwrap_or_else(|| panic!("{name}: {}", ran.stdout)).parse().unwrap()
}

#[test]
fn a_signal_ends_the_run_with_what_was_done_so_far() {
    for (signal, status) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let (server, ran) = stopped_by(signal, &[]);
        assert_eq!((ran.status, ran.stderr.as_str()), (status, ""), "{ran:?}");
        assert!(ran.stdout.starts_with("⚠ Replication trigger interrupted\n"), "{}", ran.stdout);
        assert_eq!(count(&ran, "Processed"), server.triggers().0, "those in flight are counted");
        assert_eq!(count(&ran, "Total"), count(&ran, "Processed") + count(&ran, "Not reached"));
        let hint = "⚠ The run did not reach every object.\n  You can re-run this command to go on:\n  $ mc-wasi replicate resync-backlog a/mybucket\n";
        assert!(ran.stdout.ends_with(hint), "{}", ran.stdout);
    }
}

#[test]
fn json_ends_with_its_summary_though_a_signal_came() {
    let (server, ran) = stopped_by(Signal::SIGINT, &["--json"]);
    let summary = ran.summary();
    assert_eq!((ran.status, ran.stderr.as_str()), (130, ""));
    assert_eq!((&summary["complete"], &summary["status"]), (&false.into(), &"error".into()));
    assert_eq!(summary["processed"], server.triggers().0);
    assert_eq!(ran.json().len() as u64, server.triggers().0 + 1);
}

#[test]
fn a_stop_waits_for_no_server_that_has_gone_silent() {
    let (server, mc_wasi) = start(Backlog::synthetic(1000, 1));
    server.inject(Fault::on(Route::Head, Effect::Hang).after(40));
    let child = mc_wasi.start(&["a/mybucket", "--json"]);
    wait_for(&server, 52);
    let began = Instant::now();
    terminal::send(&child, Signal::SIGINT);
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let summary = ran.summary();
    assert_eq!(
        (ran.status, &summary["processed"], &summary["complete"]),
        (130, &40.into(), &false.into())
    );
    assert_eq!(summary["notReached"], 960);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let (server, mc_wasi) = start(Backlog::synthetic(1000, 1));
    server.inject(Fault::on(Route::Head, Effect::Hang));
    let run = terminal::start(command(&mc_wasi, &[]), 80);
    wait_for(&server, 12);
    run.signal(Signal::SIGINT);
    sleep(Duration::from_millis(300));
    let began = Instant::now();
    run.signal(Signal::SIGINT);
    let screen = run.wait();
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!((screen.status, screen.lines.len()), (130, 0), "{:?}", screen.lines);
}
