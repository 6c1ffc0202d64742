//! What the command prints of a backlog, and how it keeps to the limits it was given.

use crate::mc_wasi_at;
use mc_wasi_tests::fake::{
    Backlog, Effect, FakeServer, Fault, Logged, Options, Route, S3Error, Status, Version,
};
use mc_wasi_tests::mcwasi::{McWasi, Ran};
use mc_wasi_tests::quiet;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

fn start(backlog: Backlog) -> (FakeServer, McWasi) {
    let server = FakeServer::start(Options::with_backlog(backlog));
    let mc_wasi = mc_wasi_at(&server.alias_url());
    (server, mc_wasi)
}

/// One version of every kind and status.
fn assorted() -> Backlog {
    Backlog::of([
        Version::put("a/failed").id("11111111-1111-4111-8111-111111111111"),
        Version::put("a/pending")
            .status(Status::Pending)
            .id("22222222-2222-4222-8222-222222222222"),
        Version::delete_marker("b/gone").id("33333333-3333-4333-8333-333333333333"),
        Version::purge("c/purged").id("44444444-4444-4444-8444-444444444444"),
        Version::put("d/existing").null().never_replicated(),
        Version::put("e/evil\r\n\u{1b}[2Jname").id("55555555-5555-4555-8555-555555555555"),
    ])
}

fn is_list(logged: &Logged) -> bool {
    logged.method == "POST" && logged.target.contains("/replication/diff?")
}

#[test]
fn a_dry_run_shows_an_aligned_line_for_each_version_and_sends_nothing_but_listings() {
    let (server, mc_wasi) = start(assorted());
    let ran = mc_wasi.run(&["--dry-run", "a/mybucket"]);
    assert_eq!(
        ran.stdout,
        r"FAILED    PUT    2026-11-24 08:28:26 UTC  11111111-1111-4111-8111-111111111111  a/failed
PENDING   PUT    2026-11-24 08:28:26 UTC  22222222-2222-4222-8222-222222222222  a/pending
FAILED    DEL    2026-11-24 08:28:26 UTC  33333333-3333-4333-8333-333333333333  b/gone
PENDING   purge  2026-11-24 08:28:26 UTC  44444444-4444-4444-8444-444444444444  c/purged
EXISTING  PUT    2026-11-24 08:28:26 UTC  null                                  d/existing
FAILED    PUT    2026-11-24 08:28:26 UTC  55555555-5555-4555-8555-555555555555  e/evil\r\n\u{1b}[2Jname

✓ Dry run completed, nothing was triggered
  Total: 6
  EXISTING: 1 (1 PUT)
  FAILED: 3 (1 DEL, 2 PUT)
  PENDING: 2 (1 PUT, 1 purge)
"
    );
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    let log = server.log();
    assert!(!log.is_empty() && log.iter().all(is_list), "{log:?}");
    assert_eq!((server.triggers(), server.backlog_len()), ((0, 0), 6));
}

#[test]
fn json_has_a_line_for_each_version_and_a_summary_with_every_counter() {
    let (server, mc_wasi) = start(assorted());
    server.push(
        Version::put("f/refused")
            .id("66666666-6666-4666-8666-666666666666")
            .refusing(S3Error::new(400, "InvalidArgument").message("Invalid version id specified")),
    );
    server.inject(Fault::on(Route::Head, Effect::Answer(S3Error::new(503, "SlowDown"))).times(1));
    let ran = mc_wasi.run(&["--json", "-c", "1", "a/mybucket"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (1, ""));
    let mut lines = ran.json();
    let summary = lines.pop().unwrap();
    assert_eq!(lines.len(), 7);
    let arn = mc_wasi_tests::fake::DEFAULT_ARN;
    assert_eq!(
        lines.iter().find(|line| line["object"] == "c/purged").unwrap(),
        &json!({
            "status": "success", "object": "c/purged",
            "versionId": "44444444-4444-4444-8444-444444444444",
            "rStatus": "FAILED", "dStatus": "PENDING",
            "targets": {arn: {"rStatus": "FAILED", "drStatus": "PENDING"}},
            "lastModified": "2026-11-24T08:28:26.645675391Z", "deletemarker": true,
            "operation": "purge", "outcome": "triggered", "attempts": 1,
        })
    );
    let refused = lines.iter().find(|line| line["object"] == "f/refused").unwrap();
    assert_eq!((&refused["status"], &refused["outcome"]), (&json!("error"), &json!("failed")));
    assert_eq!(refused["error"]["cause"]["error"]["Code"], "InvalidArgument");
    assert_eq!(refused["error"]["cause"]["message"], "Invalid version id specified");
    assert_eq!(refused["error"]["type"], "error");
    assert_eq!(lines.iter().filter(|line| line["attempts"] == 2).count(), 1);
    assert!(lines.iter().any(|line| line["object"] == "e/evil\r\n\u{1b}[2Jname"));

    assert!(summary["duration"].as_u64().unwrap() > 1_000_000, "nanoseconds: {summary}");
    let mut counters = summary.clone();
    counters.as_object_mut().unwrap().remove("duration");
    assert_eq!(
        counters,
        json!({
            "status": "error", "complete": true, "dryRun": false,
            "total": 7, "processed": 6, "failed": 1, "vanished": 0, "elsewhere": 0, "replicated": 0, "replicated": 0,
            "notReached": 0, "deleteMarkers": 1, "purges": 1, "customerKey": 0, "copied": 0,
            "retries": 1, "overloads": 1, "outages": 0, "retryAfter": 0, "appeared": 0, "listings": 1,
            "backlog": {
                "EXISTING": {"PUT": 1}, "FAILED": {"DEL": 1, "PUT": 3},
                "PENDING": {"PUT": 1, "purge": 1},
            },
        })
    );
}

#[test]
fn errors_are_json_on_stdout_with_nothing_on_stderr() {
    let (server, mc_wasi) = start(Backlog::synthetic(1, 1));
    let error = |ran: Ran| -> Value {
        assert_eq!((ran.status, ran.stderr.as_str()), (1, ""), "{ran:?}");
        assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
        assert_eq!(ran.summary()["status"], "error");
        ran.summary()["error"].clone()
    };
    let unknown = error(mc_wasi.run(&["--json", "nosuch/bucket"]));
    assert_eq!(
        unknown,
        json!({
            "message": "Unable to initialize admin connection",
            "cause": {
                "message": format!(
                    "No valid configuration found for 'nosuch/bucket' host alias. It was looked for in the variable MC_HOST_nosuch, in {}/.mc/config.json, which does not exist.",
                    mc_wasi.home().display()
                ),
                "error": {},
            },
            "type": "fatal",
        })
    );
    let missing = error(mc_wasi.run(&["a/nosuchbucket", "--json"]));
    assert_eq!(missing["cause"]["message"], "The specified bucket does not exist");
    assert_eq!(missing["cause"]["error"]["Code"], "NoSuchBucket");
    assert_eq!(missing["cause"]["error"]["BucketName"], "nosuchbucket");
    server.inject(Fault::on(Route::Diff, Effect::Answer(S3Error::new(403, "AccessDenied"))));
    let denied = error(mc_wasi.run(&["a/mybucket", "--json"]));
    assert_eq!(denied["cause"]["error"]["Code"], "AccessDenied");
    for words in [&["--json", "a/b", "-c", "0"][..], &["a/b", "--json=T", "-c=0"], &["--json", "a"]]
    {
        error(mc_wasi.run(words));
    }
    let mc_wasi = mc_wasi.env("MC_JSON", "1");
    error(mc_wasi.run(&["a/b", "-c", "0"]));
    error(mc_wasi.env("MC_HOST_c", "nonsense").run(&["c/b"]));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let (server, mc_wasi) = start(Backlog::synthetic(50_000, 1));
    for flags in [&["--dry-run"][..], &["--json", "--dry-run"], &["--json"]] {
        let words = [&["replicate", "resync-backlog", "a/mybucket"], flags].concat();
        let mut child =
            mc_wasi.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        // As `head -1`: reads a line and goes away.
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert!(line.contains("data/2026/11/24/part-0000000/"), "{flags:?}: {line}");
        assert_eq!((ran.status, ran.stderr.as_str()), (141, ""), "{flags:?}");
    }
    assert_eq!(server.bad_signatures(), 0);
    let mut help = mc_wasi.command(["replicate", "resync-backlog", "--help"]);
    let mut child = help.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(Ran::from(child.wait_with_output().unwrap()).stderr, "");
}

#[test]
fn no_more_are_in_flight_than_asked_for_and_connections_are_kept() {
    let _quiet = quiet::kept();
    for concurrent in [1u64, 7, 64] {
        let (server, mc_wasi) = start(Backlog::synthetic(concurrent * 10, 1));
        server.inject(Fault::on(Route::Head, Effect::Delay(Duration::from_millis(60))));
        let ran = mc_wasi.run(&["-c", &concurrent.to_string(), "a/mybucket"]);
        assert_eq!((ran.status, server.triggers()), (0, (concurrent * 10, 0)));
        assert_eq!(server.peak_in_flight(), concurrent, "-c {concurrent}");
        assert!(
            server.connections() <= concurrent + 1,
            "{} for -c {concurrent}",
            server.connections()
        );
    }
}

#[test]
fn starts_are_spaced_to_the_rate_limit() {
    let _quiet = quiet::kept();
    let (server, mc_wasi) = start(Backlog::synthetic(121, 1));
    let began = Instant::now();
    let ran = mc_wasi.run(&["--rate-limit", "40", "a/mybucket"]);
    assert_eq!((ran.status, server.triggers()), (0, (121, 0)));
    // 120 intervals of 25 ms.
    assert!(began.elapsed() >= Duration::from_millis(2950), "{:?}", began.elapsed());
    let log = server.log();
    let heads: Vec<Duration> = log.iter().filter(|l| l.method == "HEAD").map(|l| l.at).collect();
    let span = heads[120] - heads[0];
    assert!((2.9..4.0).contains(&span.as_secs_f64()), "{span:?}");
    // No second has a burst: 40, and a few that a busy machine delivered late.
    for from in &heads {
        let second = *from..*from + Duration::from_secs(1);
        let count = heads.iter().filter(|at| second.contains(*at)).count();
        assert!(count <= 50, "{count} in the second after {from:?}");
    }
}
