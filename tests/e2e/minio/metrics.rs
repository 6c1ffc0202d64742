//! What a server's metrics say of its replication, and what `--max-queue` makes of that.

use std::time::Duration;

use super::as_root;
use mc_wasi_tests::minio::{MinioOptions, Pair, SOURCE_BUCKET};
use mc_wasi_tests::quiet;
use mc_wasi_tests::wait::wait_for;
use serde_json::Value;

fn metrics(pair: &Pair) -> Value {
    let path = format!("/{SOURCE_BUCKET}/?replication-metrics=2");
    let answer = pair.source_client().send("GET", &path, &[], b"").ok("metrics");
    serde_json::from_slice(&answer.body).expect("JSON")
}

/// Versions that were replicated to the only target, and attempts that failed, since the source was started.
fn counted(pair: &Pair) -> (u64, u64) {
    let stats = &metrics(pair)["currStats"]["Stats"];
    let target = stats.as_object().and_then(|stats| stats.values().next());
    let number = |pointer: &str| target.and_then(|t| t.pointer(pointer)?.as_u64()).unwrap_or(0);
    (number("/replicationCount"), number("/failed/totals/count"))
}

#[test]
fn what_is_replicated_is_counted_and_counted_anew_after_a_restart() {
    let mut pair = Pair::start();
    pair.put_many("before-", 7, b"hello");
    pair.wait_empty(Duration::from_secs(60));
    wait_for(Duration::from_secs(10), "they are counted", || counted(&pair) == (7, 0));
    pair.stick();
    pair.put_many("put-", 20, b"hello");
    for written in pair.put_many("marked-", 5, b"hello") {
        pair.delete(&written.key);
    }
    pair.wait_backlog(30);
    // A marker that cannot be replicated is not counted.
    wait_for(Duration::from_secs(10), "what failed is counted", || counted(&pair) == (7, 25));
    pair.release();
    assert!(metrics(&pair)["currStats"].get("Stats").is_none(), "nothing is known");
    as_root(&pair).run(&["source/src"]).assert_completed(30);
    let counts = || counted(&pair) == (30, 0);
    wait_for(Duration::from_secs(60), "objects and delete markers are counted alike", counts);
}

/// All delete markers share one worker, which has 10,000 places.
const MARKERS: usize = 11_000;

/// Longer than the source takes between two versions.
const STILL: Duration = Duration::from_secs(10);

/// Objects that are written and deleted while the link is stuck: a backlog of twice as many.
fn stuck(pair: &mut Pair, folder: &str, left: usize) {
    pair.stick();
    pair.put_many(folder, MARKERS, b"");
    pair.delete_many(folder, MARKERS);
    pair.wait_backlog(2 * MARKERS + left);
    pair.release();
}

/// What the source has lost from its queue, as far as it tells.
fn overflowed(pair: &Pair) -> u64 {
    let node = &metrics(pair)["queueStats"]["nodes"][0]["mrfStats"];
    let count = |name: &str| node[name].as_u64().unwrap_or_default();
    count("failedCount_last5min") + count("droppedCount_since_uptime")
}

#[test]
fn more_delete_markers_than_a_worker_has_places_for_are_drained_by_one_run() {
    let slow = MinioOptions::default()
        .env("MINIO_API_REPLICATION_PRIORITY", "slow")
        .env("MINIO_API_REPLICATION_MAX_WORKERS", "1");
    let mut pair = Pair::builder().source(slow).start();
    let _loud = quiet::broken();

    stuck(&mut pair, "a/", 0);
    let unbounded = ["source/src", "-c", "100", "--max-queue", "0"];
    as_root(&pair).run(&unbounded).assert_completed(2 * MARKERS);
    let mut last = (u64::MAX, 0);
    wait_for(Duration::from_secs(300), "it stands still", || {
        std::thread::sleep(STILL);
        let before = std::mem::replace(&mut last, counted(&pair));
        before == last
    });
    let left = pair.backlog("").len();
    assert!(left > 500, "{left} of {} were lost from the queue", 2 * MARKERS);

    stuck(&mut pair, "b/", left);
    let ran = as_root(&pair).run(&["source/src", "-c", "100", "--wait", "10m", "--json"]);
    let summary = ran.summary();
    println!("bounded: {summary}");
    assert_eq!((ran.status, &summary["complete"]), (0, &true.into()), "{summary}");
    assert_eq!((&summary["wait"]["pending"], &summary["wait"]["rounds"]), (&0.into(), &0.into()));
    let number = |name: &str| summary[name].as_u64().unwrap_or(u64::MAX);
    assert_eq!(number("processed"), (2 * MARKERS + left) as u64);
    assert!(number("retries") * 10 < number("processed"), "1.1 HEADs for each version at most");
    assert_eq!((pair.backlog("").len(), overflowed(&pair)), (0, 0));
    assert!(!pair.has_retry_list());
}
