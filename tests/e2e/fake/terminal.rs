//! The progress line, and colours.

use super::hostile::guests::STEERS_THE_TERMINAL;
use crate::mc_wasi_at;
use mc_wasi_tests::fake::{Backlog, Effect, FakeServer, Fault, Options, Route};
use mc_wasi_tests::mcwasi::{McWasi, Ran};
use mc_wasi_tests::quiet;
use mc_wasi_tests::terminal::{self, Screen};
use std::time::Duration;

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
    let _quiet = quiet::kept();
    let (server, mc_wasi) = start(Backlog::synthetic(300, 1));
    let screen = in_terminal(&mc_wasi, &[], 80);
    assert_eq!((screen.lines.clone(), screen.status), (SUMMARY.map(str::to_owned).to_vec(), 0));
    let drawn = screen.written.matches(" found, ").count() as u128;
    assert!(drawn >= 3, "{drawn} times: {:?}", screen.written);
    assert!(drawn <= screen.took.as_millis() / 100 + 1, "{drawn} in {:?}", screen.took);
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

#[test]
fn a_component_does_not_steer_the_terminal_that_it_writes_to() {
    let (_server, mc_wasi) = start(Backlog::synthetic(1, 1));
    let file = STEERS_THE_TERMINAL.file().display().to_string();
    let screen = in_terminal(&mc_wasi, &["--component", &file], 80);
    assert!(screen.written.contains("plain and "), "{:?}", screen.written);
    assert!(screen.written.contains("\u{1b}[31mred"), "colours are allowed: {:?}", screen.written);
    for steering in ["\u{1b}]", "[6n", "52;c", "title", "\u{9d}"] {
        assert!(!screen.written.contains(steering), "{steering:?} in {:?}", screen.written);
    }
}
