//! Components that nobody audited are let loose on the sandbox: each of `tests/guests` is run under
//! the grant of an ordinary command line, and the server's log tells whether anything came that the
//! grant does not name.

use crate::mc_wasi_at;
use std::io::Read;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use mc_wasi_tests::fake::{Backlog, Effect, FakeServer, Fault, Logged, Options, Route, Version};
use mc_wasi_tests::guests::{guest, names};
use mc_wasi_tests::mcwasi::Ran;
use mc_wasi_tests::watch::{Finished, Watched};
use nix::sys::signal::Signal;

/// What the host itself needs, the compiler included, beside the memory of the component.
const HOST_MIB: u64 = 250;
/// The component's memory by default.
const GUEST_MIB: u64 = 512;
const LIMIT: Duration = Duration::from_secs(120);
/// For a stuck component to be given up: 7 s, and a busy machine.
const GIVEN_UP: Duration = Duration::from_secs(20);

const SECRET: &str = "hostile-guests-want-this-key";

fn server(backlog: Backlog) -> FakeServer {
    let secret_key = SECRET.to_owned();
    FakeServer::start(Options { secret_key, ..Options::with_backlog(backlog) })
}

fn small_server() -> FakeServer {
    server(Backlog::of([Version::put("k").null(), Version::put("other").null()]))
}

fn start(server: &FakeServer, name: &str, flags: &[&str]) -> Watched {
    let component = guest(name);
    let mc_wasi = mc_wasi_at(&server.alias_url());
    let words = ["replicate", "resync-backlog", "a/mybucket", "--component"];
    let mut command = mc_wasi.command(words);
    Watched::start(command.arg(component).args(flags).stdout(Stdio::piped()))
}

fn let_loose(server: &FakeServer, name: &str, flags: &[&str]) -> Finished {
    let finished = start(server, name, flags).finish(LIMIT);
    println!("{name}: {finished:#?}");
    assert!(finished.peak_mib < HOST_MIB + GUEST_MIB, "{} MiB", finished.peak_mib);
    finished
}

/// What a log has that the command line does not grant, by rules written anew.
fn outside(log: &[Logged], copies: bool) -> Vec<String> {
    let harmless = |logged: &Logged| {
        let (path, query) = logged.target.split_once('?').unwrap_or((&logged.target, ""));
        let key =
            path.strip_prefix("/mybucket/").is_some_and(|key| !key.contains(['/', '%', '\\']));
        match logged.method.as_str() {
            "HEAD" => key && query == "versionId=null",
            "PUT" => copies && key && query == "versionId=null",
            "POST" => path == "/minio/admin/v3/replication/diff" && query == "bucket=mybucket",
            _ => false,
        }
    };
    log.iter()
        .filter(|logged| !harmless(logged))
        .map(|logged| format!("{} {}", logged.method, logged.target))
        .collect()
}

/// Runs a component all of whose attempts must be denied before a socket is opened.
fn nothing_arrives(name: &str, flags: &[&str]) -> Ran {
    let server = small_server();
    let finished = let_loose(&server, name, flags);
    assert_eq!(server.connections(), 0, "{:?}", server.log());
    assert_eq!(finished.ran.status, 0, "some attempt was answered: {}", finished.ran.stdout);
    assert!(!finished.ran.stdout.is_empty(), "it did not try");
    finished.ran
}

#[test]
fn every_hostile_component_has_a_test() {
    let tests = include_str!("hostile.rs");
    for name in names() {
        assert!(tests.contains(&format!("\"{name}\"")), "no test lets {name} loose");
        assert!(guest(&name).is_file());
    }
}

#[test]
fn another_host_is_not_asked() {
    let ran = nothing_arrives("another_host", &[]);
    assert!(ran.stderr.contains("The sandbox denied `HEAD http://localhost:"), "{}", ran.stderr);
    assert!(ran.stderr.contains("only another TARGET would allow it"), "{}", ran.stderr);
}

#[test]
fn another_port_of_the_host_is_not_asked() {
    let bystander = small_server();
    let port = format!("--arn={}", bystander.addr().port());
    let ran = nothing_arrives("another_port", &[&port]);
    assert!(ran.stdout.contains(&bystander.addr().to_string()), "it tried: {}", ran.stdout);
    assert_eq!(bystander.connections(), 0);
}

#[test]
fn the_host_is_not_asked_by_another_scheme() {
    nothing_arrives("another_scheme", &[]);
}

#[test]
fn another_bucket_is_not_asked_for() {
    let ran = nothing_arrives("another_bucket", &[]);
    assert!(ran.stderr.contains("it is outside TARGET"), "{}", ran.stderr);
    assert!(ran.stderr.contains("it is about another bucket"), "{}", ran.stderr);
}

#[test]
fn nothing_is_deleted_or_read() {
    let ran = nothing_arrives("deletes", &[]);
    assert!(ran.stderr.contains("no flag allows it"), "{}", ran.stderr);
}

#[test]
fn nothing_is_put_without_the_flag_and_the_flag_is_named() {
    let ran = nothing_arrives("puts_without_the_flag", &[]);
    assert!(ran.stderr.contains("--clear-checksum would allow it"), "{}", ran.stderr);
    nothing_arrives("puts_without_the_flag", &["--clear-checksum", "--dry-run"]);
}

#[test]
fn no_other_key_is_copied_and_no_copy_changes_anything() {
    nothing_arrives("copies_another_key", &["--clear-checksum"]);
}

#[test]
fn a_forged_signature_is_dropped_and_the_right_one_sent() {
    let server = small_server();
    let finished = let_loose(&server, "forges_a_signature", &[]);
    assert_eq!(finished.ran.status, 0, "{}", finished.ran.stdout);
    let log = server.log();
    assert_eq!(log.len(), 1);
    assert!(log[0].verified, "signed by the host");
    for (name, value) in &log[0].headers {
        assert!(!value.contains("forged") && name != "cookie", "{name}: {value}");
        assert!(!value.contains("UNSIGNED") && !value.contains("20200101"), "{name}: {value}");
    }
    assert_eq!(outside(&log, false), [""; 0]);
}

#[test]
fn line_ends_are_not_smuggled_in() {
    nothing_arrives("smuggles_lines", &[]);
}

#[test]
fn paths_that_can_be_read_in_two_ways_are_not_sent() {
    nothing_arrives("smuggles_paths", &[]);
}

#[test]
fn no_parameter_is_smuggled_in() {
    nothing_arrives("smuggles_parameters", &[]);
}

#[test]
fn the_host_header_is_not_overridden() {
    nothing_arrives("overrides_the_host", &[]);
}

#[test]
fn a_redirect_is_bait_that_is_not_taken() {
    let (server, elsewhere) = (small_server(), small_server());
    let bait = format!("{}/mybucket/k?versionId=null", elsewhere.url());
    server.inject(Fault::on(Route::Head, Effect::Redirect(bait)));
    let finished = let_loose(&server, "follows_redirects", &[]);
    assert_eq!(finished.ran.status, 0, "{}", finished.ran.stdout);
    assert!(finished.ran.stdout.contains("307 http://127.0.0.1:"), "{}", finished.ran.stdout);
    assert_eq!((server.log().len(), elsewhere.connections()), (1, 0));
}

#[test]
fn the_host_itself_follows_no_redirect() {
    let (server, elsewhere) = (small_server(), small_server());
    let to = format!("{}/minio/admin/v3/replication/diff?bucket=mybucket", elsewhere.url());
    server.inject(Fault::on_any(Effect::Redirect(to)));
    let ran = mc_wasi_at(&server.alias_url()).run(&["a/mybucket"]);
    assert_eq!(ran.status, 1, "{}", ran.stdout);
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn no_body_is_sent() {
    let server = small_server();
    let finished = let_loose(&server, "sends_a_body", &[]);
    let log = server.log();
    assert_eq!(outside(&log, false), [""; 0]);
    let bodies = log.iter().filter(|logged| logged.header("transfer-encoding").is_some());
    assert_eq!(bodies.count(), 0, "{log:?} {:?}", finished.ran);
    assert!(log.iter().all(|logged| logged.header("content-length").is_none_or(|n| n == "0")));
}

#[test]
fn the_admin_api_is_closed_but_for_the_backlog() {
    nothing_arrives("uses_other_admin_calls", &[]);
}

#[test]
fn environment_and_arguments_hold_no_secret() {
    let server = small_server();
    let component = guest("reads_environment");
    let ran = mc_wasi_at(&server.alias_url())
        .alias("another", "https://AK:another-secret@minio.example")
        .env("AWS_SECRET_ACCESS_KEY", "aws-secret")
        .env("HTTPS_PROXY", "http://u:proxy-secret@proxy:1")
        .run(&[
            "a/mybucket",
            "--component",
            &component.to_string_lossy(),
            "-H",
            "X-Auth: tok-secret",
        ]);
    println!("{ran:#?}");
    assert_eq!(ran.status, 0);
    for secret in [SECRET, "secret", "AK", "minioadmin", "another", "proxy"] {
        assert!(!ran.stdout.contains(secret), "{secret}: {}", ran.stdout);
    }
    assert!(ran.stdout.contains(&format!("MC_HOST_a={}", server.url())), "{}", ran.stdout);
    assert!(ran.stdout.contains("X-Auth:**REDACTED**"), "{}", ran.stdout);
    let names: Vec<&str> = ran.stdout.lines().filter_map(|l| Some(l.split_once('=')?.0)).collect();
    let told = |name: &&str| name.starts_with("MC_") || *name == "NO_COLOR" || *name == "COLUMNS";
    assert!(names.iter().all(told), "{names:?}");
}

#[test]
fn a_component_that_wants_files_is_not_even_started() {
    let finished = let_loose(&small_server(), "opens_files", &[]);
    assert_eq!(finished.ran.status, 1);
    let text = &finished.ran.stderr;
    assert!(text.contains("It imports `wasi:filesystem/"), "{text}");
    assert!(text.contains("there is WASI 0.2 cli, clocks, io, random and http here"), "{text}");
}

fn wait_until_begun(watched: &mut Watched) {
    // `begun` is the guest's only line; it is compiled and runs within this time.
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(3) {
        assert!(watched.runs(), "it ended");
        sleep(Duration::from_millis(50));
    }
}

#[test]
fn an_endless_loop_is_ended_by_the_first_signal_after_a_while() {
    for (signal, status) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let mut watched = start(&small_server(), "runs_for_ever", &[]);
        wait_until_begun(&mut watched);
        watched.signal(signal);
        let finished = watched.finish(GIVEN_UP);
        assert_eq!((finished.ran.status, finished.ran.stdout.as_str()), (status, "begun\n"));
    }
}

#[test]
fn an_endless_loop_is_ended_by_the_second_signal_at_once() {
    let mut watched = start(&small_server(), "runs_for_ever", &[]);
    wait_until_begun(&mut watched);
    watched.signal(Signal::SIGINT);
    sleep(Duration::from_millis(500));
    assert!(watched.runs(), "the first lets it finish");
    watched.signal(Signal::SIGTERM);
    let finished = watched.finish(Duration::from_secs(3));
    assert_eq!(finished.ran.status, 143);
}

#[test]
fn memory_ends_at_its_limit() {
    let finished = let_loose(&small_server(), "hogs_memory", &[]);
    assert_eq!(finished.ran.status, 1);
    let mib: u64 = finished.ran.stdout.trim().trim_end_matches(" MiB").parse().expect("a number");
    assert!((GUEST_MIB - 20..=GUEST_MIB).contains(&mib), "{mib} MiB");
}

#[test]
fn memory_ends_at_the_limit_of_the_user() {
    let component = guest("hogs_memory");
    let server = small_server();
    let ran = mc_wasi_at(&server.alias_url()).env("MC_WASI_MAX_MEMORY", "64MiB").run(&[
        "a/mybucket",
        "--component",
        &component.to_string_lossy(),
    ]);
    let mib: u64 = ran.stdout.trim().trim_end_matches(" MiB").parse().expect("a number");
    assert!((50..=64).contains(&mib), "{mib} MiB");
}

#[test]
fn handles_end_at_their_limit() {
    let finished = let_loose(&small_server(), "hogs_handles", &[]);
    assert_eq!(finished.ran.status, 1);
    let text = &finished.ran.stderr;
    assert!(text.contains("more than the 160 handles it may have"), "{text}");
    assert!(text.contains("MC_WASI_MAX_HANDLES"), "{text}");
}

#[test]
fn headers_end_at_their_limit() {
    let finished = let_loose(&small_server(), "bombs_headers", &[]);
    assert_eq!(finished.ran.status, 1);
    assert!(finished.peak_mib < HOST_MIB, "{} MiB", finished.peak_mib);
}

#[test]
fn a_hundred_thousand_requests_use_as_many_connections_as_were_allowed() {
    let server = small_server();
    let finished = let_loose(&server, "floods_requests", &["--concurrent", "4"]);
    assert_eq!(finished.ran.status, 1, "it is ended");
    assert!(finished.ran.stderr.contains("handles it may have"), "{}", finished.ran.stderr);
    assert!(server.connections() <= 5, "{}", server.connections());
    assert!(finished.peak_mib < HOST_MIB, "{} MiB", finished.peak_mib);
    assert_eq!(outside(&server.log(), false), [""; 0]);
}

#[test]
fn answers_that_are_never_read_take_no_memory() {
    let server = server(Backlog::synthetic(2_000_000, 1));
    let finished = let_loose(&server, "never_reads", &[]);
    assert_eq!((finished.ran.status, finished.ran.stdout.as_str()), (0, "begun\n"));
    assert!(finished.peak_mib < HOST_MIB, "{} MiB", finished.peak_mib);
    assert_eq!(outside(&server.log(), false), [""; 0]);
}

#[test]
fn ten_gigabytes_of_output_go_as_fast_as_they_are_read() {
    let server = small_server();
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let mc_wasi = mc_wasi_at(&server.alias_url());
    let mut command = mc_wasi.command(["replicate", "resync-backlog", "a/mybucket", "--component"]);
    command.arg(guest("floods_stdout")).stdout(writer);
    let mut watched = Watched::start(&mut command);
    drop(command);
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
    let mc_wasi = mc_wasi_at(&server.alias_url());
    let mut command = mc_wasi.command(["replicate", "resync-backlog", "a/mybucket", "--component"]);
    command.arg(guest("floods_stdout")).stdout(writer);
    let watched = Watched::start(&mut command);
    drop(command);
    drop(reader);
    assert_eq!(watched.finish(LIMIT).ran.status, 141);
}

#[test]
fn a_call_that_hands_over_too_much_ends_the_component() {
    let finished = let_loose(&small_server(), "hands_over_too_much", &[]);
    assert_eq!((finished.ran.status, finished.ran.stdout.as_str()), (1, "begun\n"));
    assert!(finished.ran.stderr.contains("The component crashed."), "{}", finished.ran.stderr);
}
