//! What a server's metrics say of its replication, and what `--max-queue` makes of that.

use std::time::{Duration, Instant};

use super::as_root;
use mc_wasi_tests::minio::{Client, MinioOptions, Pair, PairBuilder, SOURCE_BUCKET};
use mc_wasi_tests::quiet;
use mc_wasi_tests::wait::wait_for;
use serde_json::Value;

fn metrics_of(client: &Client) -> Value {
    let path = format!("/{SOURCE_BUCKET}/?replication-metrics=2");
    let answer = client.send("GET", &path, &[], b"").ok("metrics");
    serde_json::from_slice(&answer.body).expect("JSON")
}

fn metrics(pair: &Pair) -> Value {
    metrics_of(&pair.source_client())
}

/// Versions that were replicated to a target, and attempts that failed, since the source was started.
fn counted_for(metrics: &Value, target: usize) -> (u64, u64) {
    let stats = metrics["currStats"]["Stats"].as_object();
    let bucket = [":dst", ":dst2"][target];
    let target = stats.and_then(|stats| stats.iter().find(|(arn, _)| arn.ends_with(bucket)));
    let number =
        |pointer: &str| target.and_then(|(_, t)| t.pointer(pointer)?.as_u64()).unwrap_or(0);
    (number("/replicationCount"), number("/failed/totals/count"))
}

/// The same where there is one target.
fn counted(pair: &Pair) -> (u64, u64) {
    counted_for(&metrics(pair), 0)
}

/// For what is counted to be seen.
const SEEN: Duration = Duration::from_secs(20);

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

#[test]
fn purges_and_new_tags_are_counted_nowhere() {
    let mut pair = Pair::start();
    let tagged = pair.put_many("tagged-", 4, b"hello");
    let purged = pair.put_many("purged-", 4, b"hello");
    wait_for(SEEN, "they are counted", || counted(&pair) == (8, 0));
    for version in &purged {
        pair.delete_version(&version.key, &version.version_id);
    }
    wait_for(SEEN, "they are purged", || pair.target_versions("dst").len() == 4);
    pair.stick();
    for version in &tagged {
        pair.tag(&version.key, &version.version_id, "team", "blue");
    }
    let never = pair.put_many("never-", 4, b"hello");
    pair.put("object", b"hello", &[]);
    pair.wait_backlog(9);
    for version in &never {
        pair.delete_version(&version.key, &version.version_id);
    }
    pair.wait_backlog(9);
    wait_for(SEEN, "objects that failed are counted", || counted(&pair) == (8, 5));
    pair.release();
    as_root(&pair).run(&["source/src"]).assert_completed(9);
    pair.wait_empty(Duration::from_secs(60));
    wait_for(SEEN, "the object is counted", || counted(&pair) == (1, 0));
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(counted(&pair), (1, 0), "and nothing else");
}

#[test]
fn what_fails_again_leaves_no_trace() {
    let pair = Pair::start();
    pair.stick();
    pair.put_many("obj-", 5, b"hello");
    let before = pair.wait_backlog(5);
    wait_for(SEEN, "what failed is counted", || counted(&pair) == (0, 5));
    as_root(&pair).run(&["source/src"]).assert_completed(5);
    std::thread::sleep(Duration::from_secs(5));
    pair.unstick_one("dst");
    pair.put("object", b"hello", &[]);
    wait_for(SEEN, "the object is counted", || counted(&pair) == (1, 5));
    assert_eq!(pair.backlog(""), before, "they were tried, and nothing shows it");
}

#[test]
fn each_target_has_its_own_counters() {
    let pair = Pair::builder().second_target(MinioOptions::default()).start();
    let counts = |first, second| {
        let seen = || {
            let metrics = metrics(&pair);
            (counted_for(&metrics, 0), counted_for(&metrics, 1)) == (first, second)
        };
        wait_for(SEEN, "each is counted", seen);
    };
    pair.put_many("both-", 7, b"hello");
    counts((7, 0), (7, 0));
    pair.stick_one("dst2");
    pair.put_many("one-", 5, b"hello");
    counts((12, 0), (7, 5));
    pair.unstick_one("dst2");
    as_root(&pair).run(&["source/src"]).assert_completed(5);
    counts((12, 0), (12, 5));
    // What is counted of a rule stays when it goes.
    pair.mc().run(&["replicate", "rm", "source/src", "--all", "--force"]);
    let path = format!("/{SOURCE_BUCKET}/?replication-metrics=2");
    let without = pair.source_client().send("GET", &path, &[], b"");
    assert!(
        without.status == 404 && without.text().contains("ReplicationConfigurationNotFoundError"),
        "{}",
        without.text()
    );
}

#[test]
fn the_counters_of_a_cluster_add_up_over_the_nodes_that_are_there() {
    const NODES: usize = 4;
    let mut pair = Pair::builder().source(MinioOptions::default().nodes(NODES)).start();
    for node in 0..NODES {
        let client = pair.source().node_client(node);
        for number in 0..=node {
            let path = format!("/{SOURCE_BUCKET}/{node}-{number}");
            let _ = client.send("PUT", &path, &[], b"hello").ok("an object");
        }
    }
    let seen = |pair: &Pair, node: usize| {
        let metrics = metrics_of(&pair.source().node_client(node));
        let nodes = metrics["queueStats"]["nodes"].as_array().map_or(0, Vec::len);
        (counted_for(&metrics, 0), nodes)
    };
    for node in 0..NODES {
        wait_for(SEEN, "every node tells of all", || seen(&pair, node) == ((10, 0), NODES));
    }
    pair.source_mut().kill_node(NODES - 1);
    for node in 0..NODES - 1 {
        wait_for(SEEN, "its share is missing", || seen(&pair, node) == ((6, 0), NODES - 1));
    }
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

/// One worker, with the least places.
fn slow(builder: PairBuilder) -> Pair {
    let slow = MinioOptions::default()
        .env("MINIO_API_REPLICATION_PRIORITY", "slow")
        .env("MINIO_API_REPLICATION_MAX_WORKERS", "1");
    builder.source(slow).start()
}

/// One run replicates all of these, with no version lost on the way.
#[track_caller]
fn assert_drained_by_one_run(pair: &Pair, versions: usize) {
    let began = Instant::now();
    let ran = as_root(pair).run(&["source/src", "-c", "100", "--wait", "10m", "--json"]);
    let summary = ran.summary();
    println!(
        "bounded: {summary}, {:.0} versions/s",
        versions as f64 / began.elapsed().as_secs_f64()
    );
    assert_eq!((ran.status, &summary["complete"]), (0, &true.into()), "{summary}");
    assert_eq!((&summary["wait"]["pending"], &summary["wait"]["rounds"]), (&0.into(), &0.into()));
    let number = |name: &str| summary[name].as_u64().unwrap_or(u64::MAX);
    assert_eq!(number("processed"), versions as u64);
    assert!(number("retries") * 10 < number("processed"), "1.1 HEADs for each version at most");
    assert_eq!((pair.backlog("").len(), overflowed(pair)), (0, 0));
    assert!(!pair.has_retry_list());
}

/// What the source has lost from its queue, as far as it tells.
fn overflowed(pair: &Pair) -> u64 {
    let node = &metrics(pair)["queueStats"]["nodes"][0]["mrfStats"];
    let count = |name: &str| node[name].as_u64().unwrap_or_default();
    count("failedCount_last5min") + count("droppedCount_since_uptime")
}

#[test]
fn more_delete_markers_than_a_worker_has_places_for_are_drained_by_one_run() {
    let mut pair = slow(Pair::builder());
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
    assert_drained_by_one_run(&pair, 2 * MARKERS + left);
}

/// All versions of one name share a worker, too. What does not fit there goes to a common queue of 100,000, as
/// markers do not: 10,800 without a bound lost none. So this shows that the bound for one worker holds nothing up;
/// it takes hold at 8,000. The more versions a name has, the longer each takes.
const NAMES: usize = 6;
const VERSIONS: usize = 9_000;

#[test]
fn versions_of_few_names_are_drained_by_one_run() {
    let mut pair = slow(Pair::builder().unversioned());
    let _loud = quiet::broken();
    pair.set_versioning("enable", &[]);
    // Older than the rule, none is tried before the run.
    pair.put_versions("name-", NAMES, VERSIONS);
    pair.add_rules();
    assert_drained_by_one_run(&pair, VERSIONS);
}
