//! What every host has to hold, command and typed interface.
//!
//! A test file of one host names its claims with [`host_claims!`](crate::host_claims) and
//! [`typed_claims!`](crate::typed_claims). A command is compared with `mc-wasi` on a server of the
//! same kind: same exit status, same output.

use super::{Stage, comparable, options};
use crate::fake::{Backlog, Cut, Effect, FakeServer, Fault, ObjectLock, Options, Route, S3Error};
use crate::mcwasi::Ran;
use crate::minio::Pair;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// More than ports a host could use up twice, and enough to meet a race that hits one in a
/// thousand.
const MANY: u64 = 10_000;
const SEED: u64 = 20_261_124;

fn demo() -> FakeServer {
    FakeServer::start(Options::with_backlog(Backlog::demo()))
}

fn synthetic(count: u64) -> FakeServer {
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
    let server = synthetic(MANY);
    let began = Instant::now();
    let ran = stage.run(&server.alias_url(), &["myaistor/mybucket", "--json"]);
    let rate = MANY as f64 / began.elapsed().as_secs_f64();
    println!(
        "{:?}, command: {rate:.0} objects/s, {} connections",
        stage.host,
        server.connections()
    );
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let summary = ran.summary();
    assert_eq!(
        (&summary["processed"], &summary["failed"], &summary["retries"], &summary["listings"]),
        (&json!(MANY), &json!(0), &json!(0), &json!(1)),
        "{summary}"
    );
    assert_eq!(ran.json().len() as u64, MANY + 1);
    assert_eq!(server.triggers(), (MANY, 0));
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

fn stuck(count: usize) -> Pair {
    let pair = Pair::start();
    pair.stick();
    pair.put_many("obj-", count, b"hello");
    pair.wait_backlog(count);
    pair
}

/// As [`many_requests_go_through`], driven by a program.
pub fn typed_many_requests_go_through(stage: &Stage) {
    let server = synthetic(MANY);
    let began = Instant::now();
    let typed = stage.typed(&options(&server, &json!({})), 0);
    let rate = MANY as f64 / began.elapsed().as_secs_f64();
    println!("{:?}, typed: {rate:.0} objects/s, {} connections", stage.host, server.connections());
    assert_eq!(typed.failure, None);
    for (member, value) in [
        ("state", json!("complete")),
        ("total", json!(MANY)),
        ("triggered", json!(MANY)),
        ("failed", json!(0)),
        ("retries", json!(0)),
        ("listings", json!(1)),
    ] {
        assert_eq!(*typed.summary(member), value, "{member}");
    }
    assert_eq!(typed.events.len() as u64, MANY);
    assert_eq!(server.triggers(), (MANY, 0));
    assert_eq!(server.bad_signatures(), 0);
}

/// A filter with these members.
fn filter(members: &Value) -> Value {
    let mut filter = json!({
        "older-than": null, "newer-than": null, "status": null, "operation": null, "shard": null,
    });
    for (name, value) in members.as_object().into_iter().flatten() {
        filter[name] = value.clone();
    }
    filter
}

/// Events say of each version what the command's lines say.
pub fn typed_events_are_those_of_the_command(stage: &Stage) {
    let shard = json!({"index": 1, "count": 3});
    let none = filter(&json!({"shard": shard, "newer-than": 1}));
    let filters = filter(&json!({
        "shard": shard, "older-than": 1, "newer-than": u32::MAX, "status": "failed", "operation": "put",
    }));
    let words = ["--shard=1/3", "--older-than=1s", "--newer-than=4294967295s", "--status=FAILED"];
    for (options_of, words) in [
        (json!({"mode": "trigger"}), &[][..]),
        (json!({"mode": "dry-run"}), &["--dry-run"][..]),
        (
            json!({"mode": "trigger", "filter": filters}),
            &[&words[..], &["--only=puts"]].concat()[..],
        ),
        (json!({"mode": "trigger", "filter": none}), &["--shard=1/3", "--newer-than=1s"][..]),
    ] {
        let server = demo();
        let typed = stage.typed(&options(&server, &options_of), 0);
        let words = &[&["myaistor/mybucket", "--json"][..], words].concat();
        let mut lines = stage.run_in_mc_wasi(&demo().alias_url(), words).json();
        let summary = lines.pop().expect("a summary");
        let of_line = |line: &Value| {
            let operation = match line["operation"].as_str() {
                Some("PUT") => "put",
                Some("DEL") => "delete",
                _ => "purge",
            };
            [
                line["object"].clone(),
                line["versionId"].clone(),
                line["outcome"].clone(),
                json!(operation),
                line["lastModified"].clone(),
                line["attempts"].clone(),
                json!(line["error"].is_object()),
            ]
        };
        let of_event = |event: &Value| {
            [
                event["key"].clone(),
                event["version-id"].clone(),
                event["kind"].clone(),
                event["operation"].clone(),
                event["last-modified"].clone(),
                event["attempts"].clone(),
                json!(event["error"].is_object()),
            ]
        };
        let sorted = |mut rows: Vec<[Value; 7]>| {
            rows.sort_by_key(|row| format!("{row:?}"));
            rows
        };
        assert_eq!(
            sorted(typed.events.iter().map(of_event).collect()),
            sorted(lines.iter().map(of_line).collect())
        );
        for (member, same) in [
            ("total", "total"),
            ("triggered", "processed"),
            ("failed", "failed"),
            ("vanished", "vanished"),
            ("delete-markers", "deleteMarkers"),
            ("purges", "purges"),
        ] {
            assert_eq!(*typed.summary(member), summary[same], "{member}");
        }
        let filtered = summary.get("filtered").cloned().unwrap_or_else(|| json!(0));
        assert_eq!(*typed.summary("filtered"), filtered, "{options_of}");
        assert_eq!(*typed.summary("state"), json!("complete"));
    }
}

/// A failure comes once, behind all events, as a variant by its cause.
pub fn typed_failures_name_their_cause(stage: &Stage) {
    let server = demo();
    let wrong = json!({"credentials": {"access-key": "minioadmin", "secret-key": "wrong", "session-token": null}});
    let typed = stage.typed(&options(&server, &wrong), 0);
    let (cause, text) = typed.failure();
    assert!(cause == "unauthorized" && text.contains("Check the secret key"), "{cause}: {text}");
    assert_eq!(*typed.summary("state"), json!("incomplete"));
    let payload = &typed.failure.as_ref().expect("a failure")["unauthorized"];
    assert_eq!(
        (&payload["status"], &payload["code"]),
        (&json!(403), &json!("SignatureDoesNotMatch"))
    );

    server.inject(Fault::on(Route::Diff, Effect::Cut { after: 70, how: Cut::ErrorText }));
    let typed = stage.typed(&options(&server, &json!({"mode": "dry-run"})), 0);
    assert_eq!((typed.failure().0, typed.events.len()), ("incomplete", 70));
    assert_eq!(*typed.summary("state"), json!("incomplete"));

    // In both modes it is the HEAD that is refused, and its permission that is missing.
    for mode in ["trigger", "clear-checksum"] {
        let refusing = Backlog::mixed(50, SEED, 0, 50, S3Error::new(403, "AccessDenied"));
        let server = FakeServer::start(Options::with_backlog(refusing));
        let typed = stage.typed(&options(&server, &json!({"mode": mode})), 0);
        let (cause, text) = typed.failure();
        assert_eq!((cause, typed.summary("state")), ("unauthorized", &json!("refused")));
        let names_it = |text: &str| text.contains("s3:GetObject") && !text.contains("s3:PutObject");
        assert!(names_it(text), "{mode}: {text}");
        for event in &typed.events {
            assert_eq!(event["kind"], "failed");
            assert!(names_it(&event["error"].to_string()), "{mode}: {event}");
        }
    }

    let gone = json!({"endpoint": "http://127.0.0.1:1"});
    let typed = stage.typed(&options(&server, &gone), 0);
    assert_eq!(typed.failure().0, "unreachable", "{typed:?}");
}

/// Options that cannot be used are refused before anything is sent, and never shown.
pub fn typed_options_are_checked(stage: &Stage) {
    let server = demo();
    for (change, word) in [
        (json!({"endpoint": "http://key:hidden@127.0.0.1:9"}), "credentials"),
        (json!({"endpoint": "127.0.0.1:9"}), "scheme"),
        (json!({"bucket": "a/b"}), "bucket"),
        (json!({"concurrent": 0}), "concurrent"),
        (json!({"rate-limit": -1.5}), "rate-limit"),
        (json!({"arn": ""}), "arn"),
        (json!({"filter": filter(&json!({"shard": {"index": 4, "count": 4}}))}), "shard"),
        (json!({"filter": filter(&json!({"older-than": 2, "newer-than": 2}))}), "older-than"),
    ] {
        let typed = stage.typed(&options(&server, &change), 0);
        let (cause, text) = typed.failure();
        assert!(cause == "invalid-options" && text.contains(word), "{change}: {cause}: {text}");
        assert!(typed.summary.is_none() && !text.contains("hidden"), "{text}");
    }
    let locked = ObjectLock::Default { mode: "GOVERNANCE".to_owned(), days: 30 };
    let server = FakeServer::start(Options {
        object_lock: locked,
        ..Options::with_backlog(Backlog::demo())
    });
    let typed = stage.typed(&options(&server, &json!({"mode": "clear-checksum"})), 0);
    let (cause, text) = typed.failure();
    assert!(cause == "refused" && text.contains("30 days"), "{cause}: {text}");
    assert_eq!(server.triggers(), (0, 0));
}

/// `stop` begins nothing more and finishes what is in flight.
pub fn typed_jobs_can_be_stopped(stage: &Stage) {
    let server = synthetic(MANY);
    let typed = stage.typed(&options(&server, &json!({"rate-limit": 200.0})), 20);
    assert_eq!((&typed.failure, typed.summary("state")), (&None, &json!("stopped")));
    let triggered = typed.summary("triggered").as_u64().expect("a number");
    assert!((20..2000).contains(&triggered), "{triggered}");
    assert_eq!((triggered, 0), server.triggers(), "nothing is in flight any more");
    assert_eq!(typed.events.len() as u64, triggered);
    let rest = typed.summary("not-reached").as_u64().expect("a number");
    assert_eq!(typed.summary("total").as_u64(), Some(triggered + rest));
}

/// A backlog of a real server gets through.
pub fn typed_a_real_backlog_is_replicated(stage: &Stage) {
    let mut pair = stuck(30);
    pair.release();
    let root = pair.source().root();
    let options = json!({
        "endpoint": pair.source().url(),
        "credentials": {"access-key": root.access, "secret-key": root.secret, "session-token": null},
        "region": null, "bucket": "src", "prefix": "obj-", "arn": pair.links()[0].arn, "filter": null,
        "mode": "trigger", "concurrent": 5, "rate-limit": null,
    });
    let typed = stage.typed(&options, 0);
    assert_eq!(
        (typed.summary("state"), typed.summary("triggered")),
        (&json!("complete"), &json!(30))
    );
    pair.wait_empty(Duration::from_secs(60));
    assert_eq!(pair.target_versions("dst").len(), 30);
}

/// Makes a test of each claim about the command, on a stage.
#[macro_export]
macro_rules! host_claims {
    ($stage:expr) => {
        $crate::host_claims!(@each $stage;
            many_requests_go_through
            output_and_status_are_those_of_mc_wasi
            wrong_keys_are_told
            a_cut_listing_is_never_taken_for_a_whole_one
            a_dry_run_only_lists
            a_full_spool_keeps_the_server_waiting
            flags_of_the_host_are_refused_not_ignored
            custom_headers_are_sent
            a_private_authority_is_refused_with_the_way_out
            a_real_backlog_is_replicated
        );
    };
    (@each $stage:expr; $($claim:ident)*) => {
        $(#[test]
        fn $claim() {
            $crate::stock::claims::$claim(&$stage);
        })*
    };
}

/// Makes a test of each claim about the typed interface, on a stage.
#[macro_export]
macro_rules! typed_claims {
    ($stage:expr) => {
        $crate::host_claims!(@each $stage;
            typed_many_requests_go_through
            typed_events_are_those_of_the_command
            typed_failures_name_their_cause
            typed_options_are_checked
            typed_jobs_can_be_stopped
            typed_a_real_backlog_is_replicated
        );
    };
}
