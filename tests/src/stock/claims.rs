//! What every host has to hold of the command.
//!
//! A test file of one host names its claims with [`host_claims!`](crate::host_claims). A command is
//! compared with `mc-wasi` on a server of the same kind: same exit status, same output.

use super::{Host, Stage, comparable};
use crate::fake::{Backlog, Cut, Effect, FakeServer, Fault, Options, Route};
use crate::mcwasi::Ran;
use crate::minio::{Pair, encode_key};
use crate::wait::wait_for;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// More than ports a host could use up twice, and enough to meet a race that hits one in a
/// thousand. Where what sends requests is that of another host, once is enough.
pub(super) fn many(stage: &Stage) -> u64 {
    match stage.host {
        Host::Deno | Host::Bun => 2_000,
        _ => 10_000,
    }
}
pub(super) const SEED: u64 = 20_261_124;

pub(super) fn demo() -> FakeServer {
    FakeServer::start(Options::with_backlog(Backlog::demo()))
}

pub(super) fn synthetic(count: u64) -> FakeServer {
    FakeServer::start(Options::with_backlog(Backlog::synthetic(count, SEED)))
}

/// Runs the same words in the host and in `mc-wasi`, each on a server of its own.
fn same(stage: &Stage, server: impl Fn() -> FakeServer, words: &[&str]) -> (Ran, FakeServer) {
    let words = [&["--quiet", "--no-color"], words].concat();
    let (ours, theirs) = (server(), server());
    let expected = stage.run_in_mc_wasi(&ours.alias_url(), &words);
    let ran = stage.run(&theirs.alias_url(), &words);
    assert_eq!(ran.status, expected.status, "{}\n{}", ran.stdout, ran.stderr);
    // Each server has a port of its own.
    let port = |text: &str, server: &FakeServer| text.replace(&server.addr().to_string(), "SERVER");
    assert_eq!(
        comparable(&port(&ran.stdout, &theirs)),
        comparable(&port(&expected.stdout, &ours)),
        "{}",
        ran.stderr
    );
    let told = comparable(&port(&ran.stderr, &theirs));
    for line in comparable(&port(&expected.stderr, &ours)) {
        // Only mc-wasi reads configuration, and knows where it looked.
        let line = line.split(" It was looked for in").next().unwrap_or(&line).to_owned();
        assert!(told.contains(&line), "{line:?} is not in {told:?}");
    }
    (ran, theirs)
}

/// Every version is triggered by exactly one request, and none has to be tried again.
pub fn many_requests_go_through(stage: &Stage) {
    let many = many(stage);
    let server = synthetic(many);
    let began = Instant::now();
    let ran = stage.run(&server.alias_url(), &["myaistor/mybucket", "--json"]);
    let rate = many as f64 / began.elapsed().as_secs_f64();
    println!(
        "{:?}, command: {rate:.0} objects/s, {} connections",
        stage.host,
        server.connections()
    );
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let summary = ran.summary();
    assert_eq!(
        (&summary["processed"], &summary["failed"], &summary["retries"], &summary["listings"]),
        (&json!(many), &json!(0), &json!(0), &json!(1)),
        "{summary}"
    );
    assert_eq!(ran.json().len() as u64, many + 1);
    assert_eq!(server.triggers(), (many, 0));
    assert_eq!(server.bad_signatures(), 0);
}

/// Objects, markers, purges and failures are reported as `mc-wasi` reports them.
pub fn output_and_status_are_those_of_mc_wasi(stage: &Stage) {
    for words in [
        &["myaistor/mybucket"] as &[&str],
        &["myaistor/mybucket", "--json"],
        &["myaistor/nobucket"],
        &["otheralias/mybucket"],
        &["--concurrent", "0", "myaistor/mybucket"],
        &["--help"],
    ] {
        let (_, server) = same(stage, demo, words);
        assert_eq!(server.bad_signatures(), 0);
    }
}

/// Keys the server does not accept end the run before the first trigger.
pub fn wrong_keys_are_told(stage: &Stage) {
    let server = demo();
    let url = server.alias_url().replace("minioadmin@", "wrong@");
    let words = ["myaistor/mybucket", "--quiet", "--no-color"];
    let (ran, expected) = (stage.run(&url, &words), stage.run_in_mc_wasi(&url, &words));
    assert_eq!((ran.status, expected.status), (1, 1));
    let (told, line) = (comparable(&ran.stderr), comparable(&expected.stderr));
    assert!(line.iter().all(|line| told.contains(line)), "{told:?} {line:?}");
    assert!(told.iter().any(|line| line.contains("Check the secret key")), "{told:?}");
    assert!(!told.iter().any(|line| line.contains("wrong")), "the key is never shown");
    assert_eq!(server.triggers(), (0, 0));
}

/// A listing that is cut is taken up again; one that cannot be read to its end is no success.
pub fn a_cut_listing_is_never_taken_for_a_whole_one(stage: &Stage) {
    let cut = |how, times| {
        move || {
            let server = synthetic(500);
            server.inject(Fault::on(Route::Diff, Effect::Cut { after: 200, how }).times(times));
            server
        }
    };
    let (ran, server) =
        same(stage, cut(Cut::InsideLine, 1), &["myaistor/mybucket", "--json", "-c", "1"]);
    assert_eq!((ran.status, server.triggers()), (0, (500, 0)));
    assert_eq!(ran.summary()["listings"], 2);
    let (ran, _) = same(stage, cut(Cut::ErrorText, u64::MAX), &["myaistor/mybucket", "--dry-run"]);
    assert_eq!(ran.status, 1);
    assert!(ran.stdout.contains("\n✗ Dry run incomplete: "), "{}", ran.stdout);
}

/// A full spool keeps the server waiting, and the rest of the listing comes when there is room.
pub fn a_full_spool_keeps_the_server_waiting(stage: &Stage) {
    let words = ["myaistor/mybucket", "--json", "-c", "50", "--memory", "64KiB"];
    let (ran, server) = same(stage, || synthetic(6000), &words);
    assert_eq!((ran.status, server.triggers()), (0, (6000, 0)));
    assert_eq!((server.listings(), server.listed()), (1, 6000));
}

/// What a pipe does not take at once is written nevertheless: nothing is lost at the end.
pub fn a_slow_reader_gets_every_line(stage: &Stage) {
    let many = 3_000;
    let server = synthetic(many);
    let words = ["myaistor/mybucket", "--json"];
    let ran = stage.run_and_read_late(&server.alias_url(), &words, || {
        wait_for(Duration::from_secs(60), "a trigger", || server.triggers().0 > 0);
        // A host that does not wait for its reader has ended by then.
        std::thread::sleep(Duration::from_secs(3));
    });
    assert_eq!((ran.status, ran.json().len() as u64), (0, many + 1), "{}", ran.stderr);
    assert!(ran.stdout.len() > 512 * 1024, "more than a pipe holds: {}", ran.stdout.len());
}

/// A dry run sends the listing and nothing else.
pub fn a_dry_run_only_lists(stage: &Stage) {
    for words in [
        &["myaistor/mybucket", "--dry-run"] as &[&str],
        &["myaistor/mybucket", "--dry-run", "--json"],
    ] {
        let (_, server) = same(stage, demo, words);
        let log = server.log();
        assert!(log.iter().all(|request| request.path().ends_with("/replication/diff")), "{log:?}");
        assert_eq!(server.triggers(), (0, 0));
    }
}

/// Versions that another program prints are driven, and a line that cannot be used is named.
pub fn versions_come_through_standard_input(stage: &Stage) {
    // More than a pipe takes at once.
    let server = synthetic(2_000);
    let url = server.alias_url();
    let printed = stage.run_in_mc_wasi(&url, &["myaistor/mybucket", "--dry-run", "--json"]).stdout;
    assert!(printed.len() > 128 * 1024, "{}", printed.len());
    let words = ["myaistor/mybucket", "--from", "-", "--quiet", "--no-color"];
    let ran = stage.run_with(&url, &[&words[..], &["--json"]].concat(), &printed);
    assert_eq!((ran.status, server.triggers()), (0, (2_000, 0)), "{}", ran.stderr);
    assert_eq!((ran.summary()["processed"].as_u64(), ran.json().len()), (Some(2_000), 2_001));

    let mut lines = String::new();
    for line in printed.lines().take(5).map(serde_json::from_str::<Value>) {
        let line = line.expect("JSON");
        let text = |name: &str| line[name].as_str().expect("a text");
        let key = encode_key(text("object"));
        lines += &format!("mybucket,{key},{}\n", text("versionId"));
    }
    let server = synthetic(2_000);
    let ran = stage.run_with(&server.alias_url(), &words, &format!("{lines}what is this\n{lines}"));
    assert_eq!((ran.status, server.triggers()), (1, (5, 5)), "{}\n{}", ran.stdout, ran.stderr);
    let named = "Unable to use line 6 of `-`. It is neither JSON nor `bucket,key,version`.";
    assert!(ran.stderr.contains(named), "{}", ran.stderr);
    let counts = "  Total: 10\n  Processed: 10\n  Failed: 0\n  1 line of `-` could not be used\n";
    assert!(ran.stdout.contains(counts), "{}", ran.stdout);
}

/// What this host cannot do is refused, with the name of the one that can.
pub fn flags_of_the_host_are_refused_not_ignored(stage: &Stage) {
    let server = demo();
    for (flag, words) in [
        ("insecure", &["--insecure"] as &[&str]),
        ("resolve", &["--resolve", "example.net=127.0.0.1"]),
        ("limit-upload", &["--limit-upload", "1MiB"]),
        ("limit-download", &["--limit-download", "1MiB"]),
        ("config-dir", &["--config-dir", "/nowhere"]),
        ("conn-read-deadline", &["--conn-read-deadline", "1s"]),
    ] {
        let words = [words, &["--no-color", "--quiet", "myaistor/mybucket"]].concat();
        let ran = stage.run(&server.alias_url(), &words);
        assert_eq!(ran.status, 1, "{flag}");
        let refusal = format!("--{flag} cannot be honoured by this WebAssembly host.");
        assert!(ran.stderr.contains(&refusal), "{}", ran.stderr);
        assert!(ran.stderr.contains("Run mc-wasi, which serves this flag."), "{}", ran.stderr);
    }
    assert_eq!(server.requests(), 0);
}

/// The component sets headers itself where the host does not.
pub fn custom_headers_are_sent(stage: &Stage) {
    let server = demo();
    let words = ["-H", "x-tenant:blue", "--dry-run", "myaistor/mybucket"];
    assert_eq!(stage.run(&server.alias_url(), &words).status, 0);
    let log = server.log();
    assert!(log.iter().all(|request| request.header("x-tenant") == Some("blue")), "{log:?}");
    assert_eq!(server.bad_signatures(), 0);
}

/// A certificate of a private authority is not accepted, and the message says who would accept it.
pub fn a_private_authority_is_refused_with_the_way_out(stage: &Stage) {
    let server = FakeServer::start(Options { tls: true, ..Options::with_backlog(Backlog::demo()) });
    let ran = stage.run(&server.alias_url(), &["myaistor/mybucket", "--quiet", "--no-color"]);
    assert_eq!(ran.status, 1);
    let remedy = "run mc-wasi, which also trusts those in ~/.mc/certs/CAs";
    assert!(ran.stderr.contains("tls: ") && ran.stderr.contains(remedy), "{}", ran.stderr);
    assert_eq!(server.triggers(), (0, 0));
}

/// A backlog of a real server gets through.
pub fn a_real_backlog_is_replicated(stage: &Stage) {
    let mut pair = stuck(30);
    pair.release();
    let url = pair.source().alias_url(pair.source().root());
    let ran = stage.run(&url, &["myaistor/src", "--json"]);
    assert_eq!(ran.status, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(ran.summary()["processed"], 30);
    pair.wait_empty(Duration::from_secs(60));
    assert_eq!(pair.target_versions("dst").len(), 30);
}

pub(super) fn stuck(count: usize) -> Pair {
    let pair = Pair::start();
    pair.stick();
    pair.put_many("obj-", count, b"hello");
    pair.wait_backlog(count);
    pair
}

/// Makes a test of each claim about the command, on a stage.
#[macro_export]
macro_rules! host_claims {
    ($stage:expr) => {
        $crate::host_claims!(@each $stage, claims;
            many_requests_go_through
            output_and_status_are_those_of_mc_wasi
            wrong_keys_are_told
            a_cut_listing_is_never_taken_for_a_whole_one
            a_dry_run_only_lists
            versions_come_through_standard_input
            a_full_spool_keeps_the_server_waiting
            a_slow_reader_gets_every_line
            flags_of_the_host_are_refused_not_ignored
            custom_headers_are_sent
            a_private_authority_is_refused_with_the_way_out
            a_real_backlog_is_replicated
        );
    };
    (@each $stage:expr, $of:ident; $($claim:ident)*) => {
        $(#[test]
        fn $claim() {
            $crate::stock::$of::$claim(&$stage);
        })*
    };
}
