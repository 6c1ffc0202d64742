//! Targets that the server does not reach are named before anything is triggered.

use super::User;
use crate::world::{Refusal, Screen, World, objects, ok, serving};
use resync_core::wire::{Method, Net, Response};
use serde_json::{Value, json};
use std::time::Duration;

/// A world with these targets, as the server lists them.
fn listing(targets: &Value) -> World {
    let mut world = serving(objects(1));
    world.net.server.remote_targets = ok(&targets.to_string()).into();
    world
}

/// A target that was reached once and is not any more.
fn offline() -> Value {
    json!({
        "sourcebucket": "bucket", "endpoint": "far:9000", "targetbucket": "copy", "arn": "arn:a",
        "type": "replication", "isOnline": false, "lastOnline": "2026-11-24T08:00:00Z", "totalDowntime": 0,
    })
}

/// The same with these members.
fn but(members: &Value) -> Value {
    let mut target = offline();
    for (name, value) in members.as_object().expect("members") {
        target[name] = value.clone();
    }
    target
}

const WARNING: &str = "Target arn:a (bucket copy) is offline: versions are triggered and stay in the backlog until it is back.\n";

#[test]
fn a_target_that_stays_offline_for_ten_seconds_is_named_and_the_run_goes_on() {
    let done = "✓ Replication trigger completed\n  Total: 1\n  Processed: 1\n  Failed: 0\n";
    let mut user = User::of(listing(&json!([offline()])));
    let warning = format!("⚠ {WARNING}");
    assert_eq!(user.run("a/bucket").whole(), (done, warning.as_str(), true));
    let first = user.world.starts[0].as_secs_f64();
    assert!((10.0..11.5).contains(&first), "{first} s");

    let ran = User::of(listing(&json!([offline()]))).at(Screen::terminal()).run("a/bucket -q");
    assert_eq!(ran.err, warning);
    let ran = User::of(listing(&json!([offline()]))).run("a/bucket --json");
    assert_eq!(ran.summary()["offlineTargets"], json!(["arn:a"]));
}

#[test]
fn only_what_is_known_to_be_offline_is_named() {
    let never_seen = json!({ "lastOnline": "0001-01-01T00:00:00Z" });
    let down = json!({ "lastOnline": "0001-01-01T00:00:00Z", "totalDowntime": 1 });
    for (targets, flags, named) in [
        (json!([]), "", false),
        (json!([but(&json!({ "isOnline": true }))]), "", false),
        // A server that was just restarted has not looked yet.
        (json!([but(&never_seen)]), "", false),
        (json!([but(&json!({ "lastOnline": "" }))]), "", false),
        (json!([but(&down)]), "", true),
        (json!([offline()]), "--arn arn:a", true),
        (json!([offline()]), "--arn arn:b", false),
        (json!([but(&json!({ "isOnline": true, "arn": "arn:b" })), offline()]), "", true),
        (json!({ "not": "a list" }), "", false),
        (json!(["not a target"]), "", false),
        (Value::Null, "", false),
    ] {
        let mut user = User::of(listing(&targets));
        let ran = user.run(&format!("a/bucket {flags}"));
        let err = if named { format!("⚠ {WARNING}") } else { String::new() };
        assert_eq!((ran.err, ran.success), (err, true), "{targets} {flags}");
        let waited = user.world.now().origin_age() >= Duration::from_secs(10);
        assert_eq!(waited, named, "{targets} {flags}: nothing else is waited for");
    }
}

#[test]
fn a_target_that_comes_back_meanwhile_is_not_named() {
    let answer = |target: Value| ok(&json!([target]).to_string());
    let mut world = serving(objects(1));
    let back = answer(but(&json!({ "isOnline": true })));
    world.net.server.remote_targets = [answer(offline()), answer(offline()), back].into();
    let mut user = User::of(world);
    let ran = user.run("a/bucket");
    assert_eq!((ran.err.as_str(), ran.success), ("", true));
    assert!((2.0..2.3).contains(&user.world.starts[0].as_secs_f64()), "{:?}", user.world.starts);
}

#[test]
fn an_account_that_may_not_see_the_targets_triggers_all_the_same() {
    let gone = Response { status: 404, ..Response::default() };
    for answer in [Refusal::DENIED.in_json(), Refusal::new(501, "NotImplemented").in_json(), gone] {
        let mut world = serving(objects(1));
        world.net.server.remote_targets = answer.into();
        let ran = User::of(world).run("a/bucket");
        assert_eq!((ran.err.as_str(), ran.success), ("", true));
    }
}

#[test]
fn a_run_that_triggers_nothing_does_not_ask_for_them() {
    for line in ["a/bucket --dry-run", "a/bucket --clear-checksum --validate"] {
        let mut user = User::of(listing(&json!([offline()])));
        assert_eq!(user.run(line).err, "", "{line}");
        let asked = user.world.net.server.asked(Method::Get);
        assert_eq!(asked.filter(|asked| asked.target.contains("targets")).count(), 0, "{line}");
    }
}
