//! A cluster of four nodes under one name: the queue of each is used, and one that dies does not end a run.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::mc_wasi;
use mc_wasi_tests::background::Background;
use mc_wasi_tests::mcwasi::McWasi;
use mc_wasi_tests::minio::{MinioOptions, Pair, Written, ids};

const NODES: usize = 4;
const VERSIONS: usize = 800;
/// For the target to get what was triggered.
const DRAIN: Duration = Duration::from_secs(10);
/// Runs are repeated for this long, until it has everything. The lock of a node that died is dropped when it has not
/// been refreshed for a minute, and that is looked at once a minute; on a busy machine 100 s were not enough.
const MEND: Duration = Duration::from_secs(240);

/// `mc-wasi` that knows the cluster as `cluster`.
fn mc(pair: &Pair) -> McWasi {
    let (root, port) = (pair.source().root(), pair.source().port());
    let url = format!("http://{}:{}@minio.example:{port}", root.access, root.secret);
    mc_wasi().alias("cluster", &url)
}

/// Begins a run with the last node.
fn begin(pair: &Pair, words: &[&str]) -> Background {
    let resolve = |node| format!("--resolve=minio.example:{}=127.0.0.{node}", pair.source().port());
    let resolve: Vec<String> = (2..NODES + 2).rev().map(resolve).collect();
    let words = words.iter().copied().chain(resolve.iter().map(String::as_str));
    Background::start(&mc(pair), &words.collect::<Vec<_>>())
}

/// HEADs that each node was asked for since it was started.
fn heads(pair: &Pair) -> Vec<usize> {
    let of = |node| {
        let client = pair.source().node_client(node);
        let text = client.send("GET", "/minio/metrics/v3/api/requests", &[], b"").ok("look").text();
        let mut lines = text.lines().filter(|line| line.starts_with("minio_api_requests_total{"));
        let line = lines.find(|line| line.contains("name=\"HeadObject\""));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_default()
    };
    (0..NODES).map(of).collect()
}

/// Triggers what is left until all of it is on the target. A cluster lists from drives that are behind, so
/// its backlog does not tell, and one that was just started needs more than one run.
fn mend(pair: &Pair, written: &[Written]) {
    let all = ids(written);
    let began = Instant::now();
    while began.elapsed() < MEND {
        let ended = begin(pair, &["cluster/src"]).end();
        assert_eq!((ended.status, ended.count("failed")), (0, 0), "{}", ended.summary);
        println!("{:?} {}", ended.took, ended.summary);
        let drained = Instant::now() + DRAIN;
        while Instant::now() < drained {
            if ids(&pair.target_versions("dst")) == all {
                return;
            }
            sleep(Duration::from_millis(200));
        }
    }
    assert_eq!(ids(&pair.target_versions("dst")), all);
}

#[test]
fn a_run_asks_all_nodes_evenly_and_survives_the_death_of_the_one_it_began_with() {
    let options = MinioOptions::default().nodes(NODES).env("MINIO_PROMETHEUS_AUTH_TYPE", "public");
    let mut pair = Pair::builder().source(options).start();
    pair.stick();
    let mut written = pair.put_many("even-", VERSIONS, b"hello");
    written.extend(pair.put_many("death-", VERSIONS, b"hello"));
    pair.wait_backlog(2 * VERSIONS);
    pair.release();
    begin(&pair, &["cluster/src/even-"]).end().assert_triggered(VERSIONS);
    let heads = heads(&pair);
    println!("HEADs: {heads:?}");
    let fair = VERSIONS / NODES;
    assert!(heads.iter().all(|heads| heads.abs_diff(fair) <= fair / 5), "{heads:?}");

    let mut run = begin(&pair, &["cluster/src/death-", "--rate-limit", "200"]);
    run.reach(100);
    pair.source_mut().kill_node(NODES - 1);
    let ended = run.end();
    println!("{:?} {}", ended.took, ended.summary);
    assert_eq!((ended.status, &ended.summary["complete"]), (0, &true.into()), "{}", ended.summary);
    // One that the dead node had replicated without a word is known to be.
    let known = ended.count("processed") + ended.count("replicated");
    assert_eq!((ended.count("total"), known), (VERSIONS, VERSIONS), "{}", ended.summary);

    // What was in the queue of the dead node is lost to it, and what it was replicating stays locked: one HEAD
    // was answered after 72 s. It is dead from the beginning now.
    mend(&pair, &written);
}
