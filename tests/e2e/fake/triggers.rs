//! What each answer to a trigger means on the wire, what is tried again, and for whom it is signed.

use crate::mc_wasi_at;
use mc_wasi_tests::fake::{
    Backlog, Effect, Encryption, FakeServer, Fault, Logged, Options, Presence, Route, S3Error,
    Version,
};
use mc_wasi_tests::mcwasi::Ran;
use mc_wasi_tests::quiet;
use mc_wasi_tests::wait::wait_until;
use mc_wasi_tests::watch::Watched;
use nix::sys::signal::Signal;
use serde_json::Value;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

fn start(backlog: Backlog) -> FakeServer {
    FakeServer::start(Options::with_backlog(backlog))
}

fn run(server: &FakeServer, words: &[&str]) -> Ran {
    let words = [words, &["--json", "a/mybucket"]].concat();
    let ran = mc_wasi_at(&server.alias_url()).run(&words);
    let summary = ran.summary();
    let count = |name: &str| summary[name].as_u64().unwrap();
    let parts = ["processed", "failed", "vanished", "elsewhere", "replicated", "notReached"];
    let parts = parts.map(count);
    assert_eq!(count("total"), parts.iter().sum::<u64>(), "{summary}");
    ran
}

fn heads(server: &FakeServer) -> Vec<Logged> {
    server.log().into_iter().filter(|logged| logged.method == "HEAD").collect()
}

fn line_of(ran: &Ran, key: &str) -> Value {
    ran.json().into_iter().find(|line| line["object"] == key).unwrap_or_else(|| panic!("{key}"))
}

/// Answers HEADs so, while nothing says otherwise.
fn answer(status: u16, code: &'static str) -> Effect {
    Effect::Answer(S3Error::new(status, code))
}

#[test]
fn each_answer_is_counted_for_what_it_is() {
    let server = start(Backlog::of([
        Version::put("put"),
        Version::put("null").null(),
        Version::put("existing").never_replicated(),
        Version::delete_marker("marker"),
        Version::purge("purge"),
        Version::put("customer-key").encrypted(Encryption::CustomerKey),
        Version::put("encrypted").encrypted(Encryption::S3),
        Version::put("vanished").presence(Presence::Vanished),
        Version::put("on-target").presence(Presence::OnTarget),
        Version::put("on-target-down").presence(Presence::OnTargetDown),
        Version::put("elsewhere"),
        Version::put("bare-405").refusing(S3Error::new(405, "MethodNotAllowed")),
        Version::put("bad-request").refusing(S3Error::new(400, "InvalidRequest")),
        Version::put("redirected"),
    ]));
    server.inject(Fault::on(Route::Head, Effect::Replica).key("elsewhere"));
    let elsewhere = Effect::Redirect("http://127.0.0.1:9/".to_owned());
    server.inject(Fault::on(Route::Head, elsewhere).key("redirected"));
    let ran = run(&server, &[]);
    for (key, outcome) in [
        ("put", "triggered"),
        ("null", "triggered"),
        ("existing", "triggered"),
        ("marker", "triggered"),
        ("purge", "triggered"),
        ("customer-key", "triggered"),
        ("encrypted", "triggered"),
        ("vanished", "vanished"),
        // The server is told not to ask the targets.
        ("on-target", "vanished"),
        ("on-target-down", "vanished"),
        ("elsewhere", "elsewhere"),
        ("bare-405", "failed"),
        ("bad-request", "failed"),
        ("redirected", "failed"),
    ] {
        assert_eq!(line_of(&ran, key)["outcome"], outcome, "{key}");
    }
    let summary = ran.summary();
    for (counter, count) in [
        ("processed", 7),
        ("deleteMarkers", 1),
        ("purges", 1),
        ("customerKey", 1),
        ("vanished", 3),
        ("elsewhere", 1),
        ("failed", 3),
    ] {
        assert_eq!(summary[counter], count, "{counter}");
    }
    assert_eq!((ran.status, server.triggers()), (1, (7, 0)));
}

#[test]
fn an_early_end_is_not_called_complete_in_text_either() {
    let server = start(Backlog::synthetic(50, 1));
    server.inject(Fault::on(Route::Head, answer(403, "InvalidAccessKeyId")).after(5));
    let ran = mc_wasi_at(&server.alias_url()).run(&["-c", "1", "a/mybucket"]);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[0], "✗ Replication trigger stopped by an error: the numbers are lower bounds");
    assert_eq!(lines[2..4], ["  Processed: 5", "  Failed: 1"]);
    assert!(lines[4].starts_with("  Not reached: "), "{}", ran.stdout);
    assert!(ran.stderr.contains("Check the access key of the alias."), "{}", ran.stderr);
    assert_eq!(ran.status, 1);
}

#[test]
fn what_may_pass_is_tried_again_until_it_does() {
    let server = start(Backlog::synthetic(40, 1));
    for effect in [
        answer(500, "InternalError"),
        answer(503, "SlowDownRead"),
        answer(429, "TooManyRequests"),
        answer(502, ""),
        answer(504, ""),
        Effect::Close,
        Effect::Reset,
        Effect::CloseAfter(0),
        Effect::CloseAfter(20),
    ] {
        server.inject(Fault::on(Route::Head, effect).times(3));
    }
    let ran = run(&server, &[]);
    let summary = ran.summary();
    assert_eq!((ran.status, &summary["processed"]), (0, &Value::from(40)), "{summary}");
    assert_eq!(summary["retries"], 27);
    let (versions, again) = server.triggers();
    assert_eq!(versions, 40);
    assert!(again <= 6, "only those whose answer was lost: {again}");
}

#[test]
fn what_the_server_asks_to_wait_and_what_is_obeyed_is_said() {
    let server = start(Backlog::synthetic(1, 1));
    let error = S3Error::new(503, "SlowDown").retry_after("3600");
    server.inject(Fault::on(Route::Head, Effect::Answer(error)));
    let words = ["replicate", "resync-backlog", "a/mybucket"];
    let mut command = mc_wasi_at(&server.alias_url()).command(words);
    let watched = Watched::start(command.stdout(Stdio::piped()));
    wait_until("triggered", || !heads(&server).is_empty());
    sleep(Duration::from_millis(300));
    watched.signal(Signal::SIGINT);
    let ran = watched.finish(Duration::from_secs(20)).ran;
    assert_eq!(
        (ran.stderr.as_str(), ran.status),
        (
            "⚠ The server asked for a pause of 3600 s (Retry-After); waiting 120 s, the maximum.\n",
            130
        )
    );
    assert_eq!(heads(&server).len(), 1, "and it was waited");
}

#[test]
fn a_page_of_a_proxy_is_no_trigger() {
    let server = start(Backlog::of([Version::put("a"), Version::put("b")]));
    let page = Effect::Page {
        status: 200,
        content_type: "text/html".to_owned(),
        body: b"<title>Log in</title>".to_vec(),
    };
    server.inject(Fault::on(Route::Head, page).key("a"));
    let ran = run(&server, &[]);
    let message = line_of(&ran, "a")["error"].to_string();
    assert!(message.contains("answered by something else (200 OK, text/html)"), "{message}");
    assert_eq!((ran.status, ran.summary()["processed"].as_u64()), (1, Some(1)));
}

#[test]
fn the_region_of_the_server_is_taken_from_its_first_answer() {
    let options = || Options {
        region: Some("eu-west-1".to_owned()),
        ..Options::with_backlog(Backlog::synthetic(20, 1))
    };
    let server = FakeServer::start(options());
    let ran = run(&server, &[]);
    assert_eq!((ran.status, &ran.summary()["retries"]), (0, &0.into()));
    assert!(heads(&server).iter().all(|head| head.region.as_deref() == Some("eu-west-1")));

    let server = FakeServer::start(options());
    let with_region = |region| {
        let mc_wasi = mc_wasi_at(&server.alias_url()).env("MC_REGION", region);
        mc_wasi.run(&["a/mybucket", "--json"])
    };
    let ran = with_region("us-west-2");
    let message = ran.summary()["error"]["cause"]["message"].to_string();
    assert!(message.contains("expecting 'eu-west-1'"), "{message}");
    assert!(message.contains("set MC_REGION=eu-west-1."), "{message}");
    assert_eq!((ran.status, server.triggers()), (1, (0, 0)));
    assert_eq!(with_region("eu-west-1").status, 0);
    assert_eq!(server.triggers(), (20, 0));

    let server = start(Backlog::synthetic(1, 1));
    let mc_wasi = mc_wasi_at(&server.alias_url()).env("MC_REGION", "here");
    assert_eq!(mc_wasi.run(&["a/mybucket"]).status, 0);
    assert_eq!(heads(&server)[0].region.as_deref(), Some("here"));
}

#[test]
fn any_name_is_asked_for_as_it_is() {
    let punctuation: String =
        (' '..='~').filter(|c| !c.is_ascii_alphanumeric() && *c != '/').collect();
    let mut keys: Vec<String> =
        (' '..='~').filter(|c| *c != '/' && *c != '.').map(|c| format!("dir/{c}")).collect();
    keys.extend(
        [
            " leading",
            "trailing ",
            "in side",
            "slash/",
            "tab\there",
            "cr\rlf\n",
            "é/ü/ß",
            "😀/🏴‍☠️",
            "a%2Fb",
            "a%20b",
            "..a",
            "a..",
            ".hidden",
            "a&b=c?d#e",
            "\u{7f}",
            "<&>\"'\u{2028}",
            "\u{202e}gnp.exe",
            "{\"object\":\"x\"}",
            "-c",
            "--json",
        ]
        .map(str::to_owned),
    );
    keys.extend([punctuation, "x".repeat(1024), format!("{}/end", "é".repeat(100))]);
    let server = start(Backlog::of(keys.iter().map(Version::put)));
    let ran = run(&server, &[]);
    assert_eq!((ran.status, server.bad_signatures()), (0, 0), "{}", ran.stdout);
    let triggered = server.triggered();
    for key in &keys {
        let times: u32 =
            triggered.iter().filter(|((own, _), _)| own == key).map(|(_, times)| times).sum();
        assert_eq!(times, 1, "{key:?}");
        assert_eq!(line_of(&ran, key)["outcome"], "triggered");
    }
    // And in text nothing of a name reaches the terminal but what can be printed.
    let dry = mc_wasi_at(&server.alias_url());
    server.push(Version::put("\u{1b}]0;title\u{7}"));
    let ran = dry.run(&["--dry-run", "a/mybucket"]);
    assert!(ran.stdout.contains(r"\u{1b}]0;title\u{7}"), "{}", ran.stdout);
    assert!(!ran.stdout.contains('\u{1b}'), "{}", ran.stdout);
}

#[test]
fn a_version_id_that_is_no_uuid_is_sent_as_it_is() {
    let ids = [
        "not-a-uuid",
        "UPPER-8A38E1A2",
        "with space&and=more",
        "8A38E1A2-0000-4000-8000-0123456789AB",
    ];
    let versions = ids.iter().enumerate().map(|(n, id)| Version::put(format!("k{n}")).id(*id));
    let server = start(Backlog::of(versions));
    let ran = run(&server, &[]);
    let sent: Vec<String> = heads(&server).into_iter().map(|head| head.target).collect();
    for (n, encoded) in [
        "not-a-uuid",
        "UPPER-8A38E1A2",
        "with%20space%26and%3Dmore",
        "8A38E1A2-0000-4000-8000-0123456789AB",
    ]
    .iter()
    .enumerate()
    {
        assert!(sent.contains(&format!("/mybucket/k{n}?versionId={encoded}")), "{sent:?}");
        assert_eq!(line_of(&ran, &format!("k{n}"))["versionId"], ids[n]);
    }
    assert_eq!(line_of(&ran, "k0")["error"]["cause"]["message"], "Invalid version id specified");
    assert_eq!(server.bad_signatures(), 0);
}

#[test]
fn a_connection_on_which_nothing_moves_is_ended_at_the_deadline_of_the_user() {
    let _quiet = quiet::kept();
    let server = FakeServer::start(Options::with_backlog(Backlog::synthetic(20, 1)));
    server.inject(Fault::on(Route::Head, Effect::Hang).times(3));
    let began = std::time::Instant::now();
    let ran = mc_wasi_at(&server.alias_url()).run(&[
        "--conn-read-deadline",
        "500ms",
        "--json",
        "a/mybucket",
    ]);
    let summary = ran.summary();
    assert_eq!((ran.status, summary["processed"].as_u64()), (0, Some(20)), "{summary}");
    assert_eq!(summary["retries"], 3, "{summary}");
    assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn objects_with_more_than_a_hundred_headers_are_triggered_like_any_other() {
    let many = |key: String, count: u32| {
        (0..count).fold(Version::put(key), |version, nth| version.meta(&format!("m{nth}"), "v"))
    };
    let versions =
        (0..60).map(|nth| many(format!("k{nth:02}"), if nth % 2 == 0 { 0 } else { 150 }));
    let server = FakeServer::start(Options::with_backlog(Backlog::of(versions)));
    let ran = mc_wasi_at(&server.alias_url()).run(&["a/mybucket", "--json"]);
    let summary = ran.summary();
    assert_eq!((ran.status, &summary["processed"]), (0, &60.into()), "{summary}");
    assert_eq!(summary["outages"], 0, "{summary}");
    // The room for more is made once for all connections, not asked for by every version.
    assert!(summary["retries"].as_u64() < Some(30), "{summary}");
}
