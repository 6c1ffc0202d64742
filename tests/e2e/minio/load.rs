//! What the user or the server makes slow or small, on real servers: nothing is lost over it.

use std::time::Duration;

use super::as_root;
use mc_wasi_tests::minio::{Ids, Pair, SOURCE_BUCKET, ids};
use mc_wasi_tests::quiet;

/// Enough that a reader as slow as the triggers is cut off: the server and the kernel hold about
/// 16,000 of these lines and give up on the rest after 30 s (observed with the Go client).
const LARGE: usize = 25_000;

/// A line of the listing, in bytes.
const LINE: usize = 521;

/// For the target to get what was triggered; it takes seconds, and much longer on a busy machine.
const DRAIN: Duration = Duration::from_secs(120);

#[test]
fn neither_a_low_rate_nor_little_memory_loses_a_version() {
    let mut pair = Pair::start();
    pair.stick();
    let name = format!("{}/{}-", "n".repeat(110), "m".repeat(LINE - 311 - 110 + 3));
    let written = pair.put_many(&name, LARGE, b"hello");
    pair.wait_backlog(LARGE);
    let diff = format!("/minio/admin/v3/replication/diff?bucket={SOURCE_BUCKET}");
    let listing = pair.source_client().send("POST", &diff, &[], b"").ok("list");
    let line = listing.body.len() / LARGE;
    assert!((LINE..LINE + 10).contains(&line), "{line} bytes a line");
    let written = ids(&written);

    // The link is still locked, so what is triggered stays where it is.
    let loud = quiet::broken();
    let ran = as_root(&pair).run(&["source/src", "--memory", "100KiB", "-c", "50", "--json"]);
    let summary = ran.summary();
    assert_eq!((ran.status, &summary["complete"]), (0, &true.into()), "{summary}");
    assert_eq!(summary["listings"], 1, "the server waits: {summary}");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let lines = ran.json();
    let triggered = lines.iter().filter(|line| line["outcome"] == "triggered");
    let triggered: Vec<_> =
        triggered.map(|line| (text(&line["object"]), text(&line["versionId"]))).collect();
    assert_eq!(triggered.len(), LARGE, "each once");
    assert_eq!(Ids::from_iter(triggered), written);
    println!("little memory: {summary}");
    drop(loud);

    pair.release();
    // The server may cut what it is kept waiting for so long; it must not matter.
    let slow = ["source/src", "--memory", "100KiB", "--rate-limit", "150", "--json"];
    let ran = as_root(&pair).run(&slow);
    let summary = ran.summary();
    assert_eq!((ran.status, &summary["complete"]), (0, &true.into()), "{summary}");
    assert_eq!(summary["processed"], LARGE, "{summary}");
    let seconds = summary["duration"].as_f64().unwrap_or_default() / 1e9;
    let rate = LARGE as f64 / seconds;
    assert!(rate < 150.0 * 1.02, "{rate} a second");
    println!("low rate: {rate} a second, {summary}");
    pair.wait_empty(DRAIN);
    assert_eq!(ids(&pair.target_versions("dst")), written);
}

#[test]
fn a_server_with_four_request_slots_gets_everything_without_a_failure() {
    const VERSIONS: usize = 5_000;
    let mut pair = Pair::start();
    pair.stick();
    pair.put_many("obj-", VERSIONS, b"hello");
    pair.wait_backlog(VERSIONS);
    pair.source_mut().set_env("MINIO_API_REQUESTS_MAX", "4");
    pair.release();
    let ran = as_root(&pair).run(&["source/src", "-c", "100", "--json"]);
    let summary = ran.summary();
    assert_eq!((ran.status, &summary["complete"]), (0, &true.into()), "{summary}");
    assert_eq!((&summary["processed"], &summary["failed"]), (&VERSIONS.into(), &0.into()));
    let number = |name: &str| summary[name].as_u64().unwrap_or(u64::MAX);
    let (rejected, asked) = (number("overloads"), number("processed") + number("retries"));
    println!("{rejected} of {asked} requests were rejected: {summary}");
    assert!((1..=asked * 3 / 100).contains(&rejected), "{rejected} of {asked} were rejected");
    pair.wait_empty(DRAIN);
    assert_eq!(pair.target_versions("dst").len(), VERSIONS);
}
