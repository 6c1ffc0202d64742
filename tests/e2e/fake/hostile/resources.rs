//! What a component takes of the machine, and how it is ended.

use std::io::Read;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use super::guests::{
    BOMBS_HEADERS, FLOODS_REQUESTS, FLOODS_STDOUT, HANDS_OVER_TOO_MUCH, HOGS_HANDLES, HOGS_MEMORY,
    NEVER_READS, OPENS_FILES, RUNS_FOR_EVER,
};
use super::{GUEST_MIB, HOST_MIB, LIMIT, let_loose, outside, server, small_server, start};
use crate::mc_wasi_at;
use mc_wasi_tests::fake::Backlog;
use mc_wasi_tests::quiet;
use mc_wasi_tests::wait::wait_until;
use mc_wasi_tests::watch::Watched;
use nix::sys::signal::Signal;

/// For a stuck component to be given up: 7 s, and a busy machine.
const GIVEN_UP: Duration = Duration::from_secs(20);

#[test]
fn a_component_that_wants_files_is_not_even_started() {
    let finished = let_loose(&small_server(), OPENS_FILES, &[]);
    assert_eq!(finished.ran.status, 1);
    let text = &finished.ran.stderr;
    assert!(text.contains("It imports `wasi:filesystem/"), "{text}");
    assert!(text.contains("there is WASI 0.2 cli, clocks, io, random and http here"), "{text}");
}

/// A component in its endless loop.
fn looping() -> Watched {
    let watched = start(&small_server(), RUNS_FOR_EVER, Stdio::piped(), &[]);
    wait_until("begun", || watched.stdout() == "begun\n");
    watched
}

#[test]
fn an_endless_loop_is_ended_by_the_first_signal_after_a_while() {
    for (signal, status) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let watched = looping();
        watched.signal(signal);
        let finished = watched.finish(GIVEN_UP);
        assert_eq!((finished.ran.status, finished.ran.stdout.as_str()), (status, "begun\n"));
    }
}

#[test]
fn an_endless_loop_is_ended_by_the_second_signal_at_once() {
    let _quiet = quiet::kept();
    let mut watched = looping();
    watched.signal(Signal::SIGINT);
    sleep(Duration::from_millis(500));
    assert!(watched.runs(), "the first lets it finish");
    watched.signal(Signal::SIGTERM);
    let finished = watched.finish(Duration::from_secs(3));
    assert_eq!(finished.ran.status, 143);
}

#[test]
fn memory_ends_at_its_limit() {
    let finished = let_loose(&small_server(), HOGS_MEMORY, &[]);
    assert_eq!(finished.ran.status, 1);
    let mib: u64 = finished.ran.stdout.trim().trim_end_matches(" MiB").parse().expect("a number");
    assert!((GUEST_MIB - 20..=GUEST_MIB).contains(&mib), "{mib} MiB");
}

#[test]
fn memory_ends_at_the_limit_of_the_user() {
    let server = small_server();
    let ran = mc_wasi_at(&server.alias_url()).env("MC_WASI_MAX_MEMORY", "64MiB").run(&[
        "a/mybucket",
        "--component",
        &HOGS_MEMORY.file().to_string_lossy(),
    ]);
    let mib: u64 = ran.stdout.trim().trim_end_matches(" MiB").parse().expect("a number");
    assert!((50..=64).contains(&mib), "{mib} MiB");
}

#[test]
fn handles_end_at_their_limit() {
    let finished = let_loose(&small_server(), HOGS_HANDLES, &[]);
    assert_eq!(finished.ran.status, 1);
    let text = &finished.ran.stderr;
    assert!(text.contains("more than the 160 handles it may have"), "{text}");
    assert!(text.contains("MC_WASI_MAX_HANDLES"), "{text}");
}

#[test]
fn headers_end_at_their_limit() {
    let finished = let_loose(&small_server(), BOMBS_HEADERS, &[]);
    assert_eq!(finished.ran.status, 1);
    let text = &finished.ran.stderr;
    assert!(text.contains("crashed. total size of fields exceeds limit."), "{text}");
    assert!(finished.peak_mib < HOST_MIB, "{} MiB", finished.peak_mib);
}

#[test]
fn a_hundred_thousand_requests_use_as_many_connections_as_were_allowed() {
    let _loud = quiet::broken();
    let server = small_server();
    let finished = let_loose(&server, FLOODS_REQUESTS, &["--concurrent", "4"]);
    assert_eq!(finished.ran.status, 1, "it is ended");
    assert!(finished.ran.stderr.contains("handles it may have"), "{}", finished.ran.stderr);
    assert!(server.connections() <= 5, "{}", server.connections());
    assert!(finished.peak_mib < HOST_MIB, "{} MiB", finished.peak_mib);
    assert_eq!(outside(&server.log(), false), [""; 0]);
}

#[test]
fn answers_that_are_never_read_take_no_memory() {
    let _loud = quiet::broken();
    let server = server(Backlog::synthetic(2_000_000, 1));
    let finished = let_loose(&server, NEVER_READS, &[]);
    assert_eq!((finished.ran.status, finished.ran.stdout.as_str()), (0, "begun\n"));
    assert!(finished.peak_mib < HOST_MIB, "{} MiB", finished.peak_mib);
    assert_eq!(outside(&server.log(), false), [""; 0]);
}

#[test]
fn ten_gigabytes_of_output_go_as_fast_as_they_are_read() {
    let _loud = quiet::broken();
    let server = small_server();
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let mut watched = start(&server, FLOODS_STDOUT, writer, &[]);
    // Nobody reads: it waits, and keeps nothing.
    sleep(Duration::from_secs(3));
    assert!(watched.runs());
    assert!(watched.peak_mib() < HOST_MIB, "{} MiB", watched.peak_mib());
    let mut buffer = vec![0; 1 << 20];
    let mut total = 0u64;
    loop {
        let count = reader.read(&mut buffer).expect("a pipe that is read");
        if count == 0 {
            break;
        }
        total += count as u64;
    }
    let finished = watched.finish(LIMIT);
    assert_eq!((finished.ran.status, total), (0, 10_000_000_000));
    assert!(finished.peak_mib < HOST_MIB, "{} MiB", finished.peak_mib);
}

#[test]
fn output_that_nobody_reads_any_more_ends_the_run() {
    let server = small_server();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let watched = start(&server, FLOODS_STDOUT, writer, &[]);
    drop(reader);
    assert_eq!(watched.finish(LIMIT).ran.status, 141);
}

#[test]
fn a_call_that_hands_over_too_much_ends_the_component() {
    let finished = let_loose(&small_server(), HANDS_OVER_TOO_MUCH, &[]);
    assert_eq!((finished.ran.status, finished.ran.stdout.as_str()), (1, "begun\n"));
    let text = &finished.ran.stderr;
    assert!(text.contains("crashed. too much data is being copied between the host and"), "{text}");
}
