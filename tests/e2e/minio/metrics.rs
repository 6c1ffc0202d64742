//! What a server's metrics say of its replication: what `--max-queue` goes by.

use std::time::Duration;

use super::as_root;
use mc_wasi_tests::minio::{Pair, SOURCE_BUCKET};
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
