//! The JSON output: every member of a version's line and of the last line, and errors.

use super::{User, ran};
use crate::world::{
    Break, Copying, Fate, Mishap, Refusal, Replication, Version, World, made, objects, ok, serving,
};
use serde_json::{Value, json};
use std::time::Duration;

/// A refusal of a trigger, as often as it takes.
fn refused(status: u16, code: &'static str) -> Mishap {
    Mishap::Refused(Refusal::new(status, code))
}

#[test]
fn the_line_of_a_version_has_the_members_of_mc_and_what_became_of_it() {
    let evil = "e/evil\r\n\u{1b}[2J\"name\"";
    let versions = vec![
        Version::new("a/failed", "11111111-1111-4111-8111-111111111111")
            .targets(&["arn:a", "arn:b"]),
        Version::new("b/marker", "null").status("PENDING").fate(Fate::Marker),
        Version::new("c/purge", "null").fate(Fate::Purge),
        Version::new("d/existing", "null").targets(&[]),
        Version::new(evil, "no uuid").fate(Fate::Gone),
        Version::new("f/refused", "null").refused(Refusal::INVALID).mishaps(&[refused(500, "")]),
    ];
    let lines = [
        r#"{"status":"success","object":"a/failed","versionId":"11111111-1111-4111-8111-111111111111","rStatus":"FAILED","targets":{"arn:a":{"rStatus":"FAILED"},"arn:b":{"rStatus":"FAILED"}},"lastModified":"2026-11-24T08:28:26.645675391Z","deletemarker":false,"operation":"PUT","outcome":"triggered","attempts":1}"#,
        r#"{"status":"success","object":"b/marker","versionId":"null","rStatus":"PENDING","targets":{"arn:a":{"rStatus":"PENDING"}},"lastModified":"2026-11-24T08:28:26.645675391Z","deletemarker":true,"operation":"DEL","outcome":"triggered","attempts":1}"#,
        r#"{"status":"success","object":"c/purge","versionId":"null","rStatus":"FAILED","dStatus":"PENDING","targets":{"arn:a":{"rStatus":"FAILED","drStatus":"PENDING"}},"lastModified":"2026-11-24T08:28:26.645675391Z","deletemarker":true,"operation":"purge","outcome":"triggered","attempts":1}"#,
        r#"{"status":"success","object":"d/existing","versionId":"null","rStatus":"","lastModified":"2026-11-24T08:28:26.645675391Z","deletemarker":false,"operation":"PUT","outcome":"triggered","attempts":1}"#,
        r#"{"status":"error","object":"f/refused","versionId":"null","rStatus":"FAILED","targets":{"arn:a":{"rStatus":"FAILED"}},"lastModified":"2026-11-24T08:28:26.645675391Z","deletemarker":false,"operation":"PUT","outcome":"failed","attempts":2,"error":{"message":"Unable to trigger replication of `bucket/f/refused` (null)","cause":{"message":"Invalid version id specified","error":{"Code":"InvalidArgument","Message":"Invalid version id specified","BucketName":"","Key":"","Resource":"","RequestID":"9","HostID":"","Region":"","Server":""}},"type":"error"}}"#,
        r#"{"status":"success","object":"e/evil\r\n\u001b[2J\"name\"","versionId":"no uuid","rStatus":"FAILED","targets":{"arn:a":{"rStatus":"FAILED"}},"lastModified":"2026-11-24T08:28:26.645675391Z","deletemarker":false,"operation":"PUT","outcome":"vanished","attempts":1}"#,
    ];
    let ran = ran(serving(versions), "a/bucket --json -c 1");
    let told: Vec<&str> = ran.out.lines().collect();
    assert_eq!(told[..lines.len()], lines);
    assert_eq!((told.len(), ran.err.as_str()), (lines.len() + 1, ""));
}

#[test]
fn a_dry_run_lists_versions_in_the_same_form() {
    let ran = ran(serving(objects(2)), "a/bucket --json --dry-run");
    let [first, second, _] = &ran.json()[..] else { panic!("{ran:?}") };
    assert_eq!(
        (&first["object"], &second["object"]),
        (&json!("data/000000"), &json!("data/000001"))
    );
    assert_eq!((&first["outcome"], &first["attempts"]), (&json!("listed"), &json!(0)));
    let summary = ran.summary();
    assert_eq!(
        (&summary["dryRun"], &summary["total"], &summary["processed"]),
        (&json!(true), &json!(2), &json!(0))
    );
}

#[test]
fn the_last_line_has_every_counter() {
    let mut world = serving(vec![
        Version::new("a", "null"),
        Version::new("b", "null").status("PENDING"),
        Version::new("c", "null").targets(&[]),
        Version::new("d", "null").fate(Fate::Marker),
        Version::new("e", "null").fate(Fate::Purge),
        Version::new("f", "null").refused(Refusal::INVALID),
    ]);
    world.net.latency = 10..11;
    let ran = ran(world, "a/bucket --json");
    let last = ran.out.lines().last().unwrap_or_default();
    let (counters, duration) = last.split_once(r#","duration":"#).expect("a duration");
    assert_eq!(duration, "41000000}", "nanoseconds");
    assert_eq!(
        counters,
        r#"{"status":"error","complete":true,"dryRun":false,"total":6,"processed":5,"failed":1,"vanished":0,"elsewhere":0,"replicated":0,"notReached":0,"deleteMarkers":1,"purges":1,"customerKey":0,"copied":0,"retries":0,"overloads":0,"outages":0,"retryAfter":0,"appeared":0,"listings":1,"backlog":{"EXISTING":{"PUT":1},"FAILED":{"DEL":1,"PUT":2},"PENDING":{"PUT":1,"purge":1}}"#
    );
}

/// One object that answers so.
fn one(version: impl FnOnce(Version) -> Version) -> World {
    serving(vec![version(Version::new("k", "null"))])
}

#[test]
fn every_counter_counts_what_it_says() {
    let busy = Refusal::new(503, "SlowDown");
    let rows: Vec<(&str, World, &str, Value)> = vec![
        ("status", one(|v| v), "", json!("success")),
        ("status", one(|v| v.refused(Refusal::INVALID)), "", json!("error")),
        ("complete", one(|v| v.refused(Refusal::INVALID)), "", json!(true)),
        ("complete", one(|v| v.refused(Refusal::DENIED)), "", json!(false)),
        ("vanished", one(|v| v.fate(Fate::Gone)), "", json!(1)),
        ("elsewhere", one(|v| v.fate(Fate::Elsewhere)), "", json!(1)),
        ("customerKey", one(|v| v.fate(Fate::CustomerKey)), "", json!(1)),
        ("copied", made(3, |_| {}), "--clear-checksum", json!(3)),
        ("copied", one(|v| v.fate(Fate::Marker)), "--clear-checksum", json!(0)),
        ("retries", one(|v| v.mishaps(&[Mishap::Closed, refused(500, "")])), "", json!(2)),
        (
            "overloads",
            one(|v| {
                v.mishaps(&[refused(500, ""), refused(503, ""), refused(429, ""), Mishap::Hang])
            }),
            "",
            json!(3),
        ),
        (
            "outages",
            made(60, |world| {
                world.out = (Duration::from_secs(1)..Duration::from_secs(4), Mishap::Closed);
            }),
            "--rate-limit 20",
            json!(1),
        ),
        ("retryAfter", one(|v| v.mishaps(&[Mishap::Refused(busy.retry_after("7"))])), "", json!(7)),
        (
            "retryAfter",
            made(1, |world| world.breaks = [(0, Break::Refused(busy.retry_after("9")))].into()),
            "",
            json!(9),
        ),
        (
            "appeared",
            made(9, |world| world.breaks = [(4, Break::EarlyEnd)].into()),
            "--verify-listing",
            json!(5),
        ),
        (
            "listings",
            made(9, |world| world.breaks = [(4, Break::Cut), (6, Break::Cut)].into()),
            "",
            json!(3),
        ),
        (
            "notReached",
            made(9, |world| {
                world.out = (Duration::ZERO..Duration::MAX, Mishap::Hang);
                world.net.stop_at = Some(Duration::from_secs(1));
            }),
            "",
            json!(9),
        ),
        ("total", made(9, |_| {}), "--arn arn:b", json!(0)),
        ("offlineTargets", made(1, |_| {}), "", Value::Null),
        ("wait", made(1, |_| {}), "", Value::Null),
        ("error", one(|v| v.refused(Refusal::INVALID)), "", Value::Null),
    ];
    for (member, world, flags, value) in rows {
        let summary = ran(world, &format!("a/bucket --json {flags}")).summary();
        assert_eq!(summary[member], value, "{member} with {flags:?}: {summary}");
    }
}

#[test]
fn targets_and_waits_are_in_the_last_line() {
    let mut world = serving(vec![
        Version::new("a", "null"),
        Version::new("b", "null").targets(&["arn:a", "arn:b"]).replication(Replication::Never),
        Version::new("c", "null").targets(&["arn:b"]).replication(Replication::Fails),
    ]);
    let targets = json!([
        { "arn": "arn:a", "isOnline": true },
        { "arn": "arn:b", "endpoint": "far:9000", "targetbucket": "copy", "isOnline": false, "totalDowntime": 9 },
    ]);
    world.net.server.remote_targets = ok(&targets.to_string()).into();
    let summary = ran(world, "a/bucket --json --wait 2s").summary();
    assert_eq!(summary["offlineTargets"], json!(["arn:b"]));
    assert_eq!(
        summary["wait"],
        json!({
            "replicated": 1, "pending": 1, "failedAgain": 1, "stale": 0, "rounds": 0, "exact": true,
            "targets": {
                "arn:a": { "replicated": 1, "pending": 1, "failedAgain": 0 },
                "arn:b": { "replicated": 0, "pending": 1, "failedAgain": 1 },
            },
        })
    );
    assert_eq!((&summary["status"], &summary["complete"]), (&json!("error"), &json!(true)));
}

#[test]
fn why_a_run_is_not_complete_is_in_its_last_line() {
    let denied = one(|v| v.copying(Copying::Refused(Refusal::DENIED)));
    let cut = made(100, |world| {
        world.net.server.replication = Replication::Never;
        world.breaks = [(40, Break::ErrorEntry); 2].into();
    });
    for (world, flags, error) in [
        (
            denied,
            "--clear-checksum",
            json!({
                "message": "Unable to trigger replication in bucket `bucket`",
                "cause": {
                    "message": "Access Denied. The account needs s3:PutObject on arn:aws:s3:::bucket/*.",
                    "error": {
                        "Code": "AccessDenied", "Message": "Access Denied.", "BucketName": "", "Key": "",
                        "Resource": "", "RequestID": "7", "HostID": "", "Region": "", "Server": "",
                    },
                },
                "type": "fatal",
            }),
        ),
        (
            cut,
            "",
            json!({
                "message": "Unable to list the replication backlog of bucket `bucket`",
                "cause": {
                    "message": "minio.example:9000: the server's listing failed: file is corrupted. Everything after `data/000039` is missing. The next object on the server is damaged: `mc admin heal` it, or remove it, and re-run.",
                    "error": {},
                },
                "type": "fatal",
            }),
        ),
    ] {
        let summary = ran(world, &format!("a/bucket --json {flags}")).summary();
        assert_eq!(summary["error"], error);
        assert_eq!(summary["complete"], false);
    }
}

#[test]
fn an_error_before_the_first_trigger_is_the_only_line() {
    let list = |refusal| made(1, |world| world.breaks = [(0, Break::Refused(refusal))].into());
    let locked = made(1, |world| world.net.server.lock = Refusal::DENIED.in_xml().into());
    let nothing = || serving(Vec::new());
    for (world, line, message, code) in [
        (nothing(), "--json nosuch/bucket", "Unable to initialize admin connection", None),
        (nothing(), "a/bucket --json=T -c=0", "--concurrent must be between 1 and 1000", None),
        (nothing(), "--json a", "bucket not specified in `a`", None),
        (
            nothing(),
            "a/bucket --json --insecure",
            "--insecure cannot be honoured by this WebAssembly host",
            None,
        ),
        (
            list(Refusal::new(404, "NoSuchBucket")),
            "a/bucket --json",
            "Unable to list the replication backlog of bucket `bucket`",
            Some("NoSuchBucket"),
        ),
        (
            list(Refusal::DENIED),
            "a/bucket --json --dry-run",
            "Unable to list the replication backlog of bucket `bucket`",
            Some("AccessDenied"),
        ),
        (
            locked,
            "a/bucket --json --clear-checksum",
            "Unable to clear checksums in bucket `bucket`",
            Some("AccessDenied"),
        ),
        (
            nothing(),
            "a/bucket --json --clear-checksum --validate",
            "Unable to validate checksum clearing in bucket `bucket`",
            None,
        ),
    ] {
        let ran = ran(world, line);
        let [told] = &ran.json()[..] else { panic!("{line}: {}", ran.out) };
        assert_eq!(
            (&told["status"], &told["error"]["type"]),
            (&json!("error"), &json!("fatal")),
            "{line}"
        );
        assert_eq!((&told["error"]["message"], ran.success), (&json!(message), false), "{line}");
        let server = &told["error"]["cause"]["error"];
        match code {
            Some(code) => assert_eq!(server["Code"], code, "{line}"),
            None => assert_eq!(*server, json!({}), "{line}"),
        }
    }
    let mut user = User::of(nothing()).with("MC_JSON", "1");
    assert_eq!(user.run("a/bucket -c 0").json().len(), 1);
    assert_eq!(user.with("MC_HOST_c", "nonsense").run("c/bucket").json().len(), 1);
}

#[test]
fn numbers_and_times_are_exact() {
    let mut world = serving(objects(1));
    world.net.latency = 10..11;
    world.breaks = [(0, Break::NoAnswer)].into();
    let ran = ran(world, "a/bucket --json");
    let duration = ran.summary()["duration"].as_u64().expect("nanoseconds");
    assert!((30_000_000..2_000_000_000).contains(&duration), "{duration}");
    assert!(ran.out.ends_with(&format!("\"duration\":{duration}}}\n")), "no fraction, no exponent");
}
