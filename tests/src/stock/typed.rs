//! What every host has to hold of the typed interface.
//!
//! A test file of one host names its claims with [`typed_claims!`](crate::typed_claims).

use super::claims::{SEED, demo, many, stuck, synthetic};
use super::{Stage, options};
use crate::fake::{
    Backlog, Cut, Effect, FakeServer, Fault, ObjectLock, Options, Route, S3Error, Version,
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Every version is triggered by exactly one request, and none has to be tried again.
pub fn typed_many_requests_go_through(stage: &Stage) {
    let many = many(stage);
    let server = synthetic(many);
    let began = Instant::now();
    let typed = stage.typed(&options(&server, &json!({})), 0);
    let rate = many as f64 / began.elapsed().as_secs_f64();
    println!("{:?}, typed: {rate:.0} objects/s, {} connections", stage.host, server.connections());
    assert_eq!(typed.failure, None);
    for (member, value) in [
        ("state", json!("complete")),
        ("total", json!(many)),
        ("triggered", json!(many)),
        ("failed", json!(0)),
        ("retries", json!(0)),
        ("listings", json!(1)),
    ] {
        assert_eq!(*typed.summary(member), value, "{member}");
    }
    assert_eq!(typed.events.len() as u64, many);
    assert_eq!(server.triggers(), (many, 0));
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
        (
            json!({"versions": [named("a", "null"), named("", "null")]}),
            "`versions[1]` has an empty",
        ),
        (
            json!({"versions": [named("a", ""), named("a", "1")]}),
            "`versions[1]` has a `version-id`",
        ),
        (json!({"versions": [], "mode": "clear-checksum"}), "clear-checksum"),
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

/// A version as a program names it.
fn named(key: &str, id: &str) -> Value {
    json!({"key": key, "version-id": id})
}

/// A set of versions is driven in its order, and nothing is listed or touched beside it.
pub fn typed_versions_are_driven_exactly(stage: &Stage) {
    let listed = stage.typed(&options(&demo(), &json!({"mode": "dry-run"})), 0).events;
    let name = |event: &Value| json!({"key": event["key"], "version-id": event["version-id"]});
    let mut versions: Vec<Value> = listed.iter().skip(100).step_by(7).map(name).rev().collect();
    versions.push(versions[0].clone());
    let server = demo();
    let typed = stage.typed(&options(&server, &json!({"versions": versions, "concurrent": 1})), 0);
    assert_eq!(typed.events.iter().map(name).collect::<Vec<_>>(), versions);
    let count = versions.len() as u64;
    for (member, value) in [
        ("state", json!("complete")),
        ("total", json!(count)),
        ("triggered", json!(count)),
        ("listings", json!(0)),
    ] {
        assert_eq!(*typed.summary(member), value, "{member}");
    }
    assert_eq!(server.triggers(), (count - 1, 1), "one stands twice");
    assert_eq!(server.requests(), count, "{:?}", server.log());
    let gone = json!({"versions": [named("nowhere", "null"), named("nowhere", "")]});
    let typed = stage.typed(&options(&server, &gone), 0);
    assert_eq!((typed.summary("vanished"), typed.summary("total")), (&json!(2), &json!(2)));
}

/// No more versions are triggered than the server replicates, but for `max-queue`.
pub fn typed_jobs_wait_for_the_queue(stage: &Stage) {
    let slow = |versions: Value| {
        let server = FakeServer::start(Options {
            replication_delay: Duration::from_secs(3600),
            ..Options::with_backlog(Backlog::demo())
        });
        let bounded = json!({"max-queue": 50, "versions": versions});
        // There are not so many versions before the queue is full: the last events only say that the job
        // waits.
        let typed = stage.typed(&options(&server, &bounded), 55);
        assert_eq!((&typed.failure, typed.summary("state")), (&None, &json!("stopped")));
        (typed, server)
    };
    let listed = stage.typed(&options(&demo(), &json!({"mode": "dry-run"})), 0).events;
    let ours = listed.iter().map(|event| named(event["key"].as_str().unwrap_or_default(), ""));
    for versions in [Value::Null, ours.collect()] {
        let (typed, server) = slow(versions);
        assert!((30..=50).contains(&server.triggers().0), "{:?}", server.triggers());
        assert_eq!(typed.summary("dequeued"), &json!(0), "nothing has left it");
        assert!(typed.notes.is_empty(), "{:?}", typed.notes);
    }
}

/// What cannot be known of the queue is noted, with the reason.
pub fn typed_notes_say_what_comes_up(stage: &Stage) {
    let versions: Vec<Value> = (0..200).map(|n| named(&format!("key-{n}"), "null")).collect();
    for (versions, kind) in [(Value::Null, "no-counters"), (json!(versions), "unbounded")] {
        let held = (0..200).map(|n| Version::put(format!("key-{n}")).null());
        let server = FakeServer::start(Options::with_backlog(Backlog::of(held)));
        let denied = Effect::Answer(S3Error::new(403, "AccessDenied"));
        server.inject(Fault::on(Route::Metrics, denied));
        let options = options(&server, &json!({"max-queue": 50, "versions": versions}));
        let typed = stage.typed(&options, 0);
        assert_eq!(typed.summary("triggered"), &json!(200), "{typed:?}");
        let [note] = typed.notes.as_slice() else { panic!("{:?}", typed.notes) };
        let failure = &note[kind]["unauthorized"];
        let text = failure["message"].as_str().unwrap_or_default();
        assert!(text.ends_with(" needs s3:GetReplicationConfiguration."), "{note}");
        assert_eq!(typed.summary("dequeued"), &Value::Null);
    }
}

/// `stop` begins nothing more and finishes what is in flight.
pub fn typed_jobs_can_be_stopped(stage: &Stage) {
    let many = many(stage);
    let server = synthetic(many);
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
        "versions": null, "mode": "trigger", "concurrent": 5, "rate-limit": null, "max-queue": null,
    });
    let typed = stage.typed(&options, 0);
    assert_eq!(
        (typed.summary("state"), typed.summary("triggered")),
        (&json!("complete"), &json!(30))
    );
    pair.wait_empty(Duration::from_secs(60));
    assert_eq!(pair.target_versions("dst").len(), 30);
}

/// Makes a test of each claim about the typed interface, on a stage.
#[macro_export]
macro_rules! typed_claims {
    ($stage:expr) => {
        $crate::host_claims!(@each $stage, typed;
            typed_many_requests_go_through
            typed_events_are_those_of_the_command
            typed_failures_name_their_cause
            typed_options_are_checked
            typed_versions_are_driven_exactly
            typed_jobs_wait_for_the_queue
            typed_notes_say_what_comes_up
            typed_jobs_can_be_stopped
            typed_a_real_backlog_is_replicated
        );
    };
}
