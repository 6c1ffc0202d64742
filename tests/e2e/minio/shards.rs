//! Several runs that share one backlog.

use std::thread;
use std::time::Duration;

use super::{as_root, in_lines};
use mc_wasi_tests::minio::{Ids, Pair, ids};

#[test]
fn two_shards_finish_a_backlog_together() {
    const VERSIONS: usize = 400;
    let mut pair = Pair::start();
    pair.stick();
    let written = ids(&pair.put_many("data/obj-", VERSIONS, b"hello"));
    pair.wait_backlog(VERSIONS);
    pair.release();
    let shard = |shard| {
        let ran = as_root(&pair).run(&["source/src", "--json", "--shard", shard]);
        let summary = ran.summary();
        assert_eq!((ran.status, &summary["complete"]), (0, &true.into()), "{shard}: {summary}");
        in_lines(&ran.json())
    };
    let [first, second] = thread::scope(|scope| {
        let shards = ["0/2", "1/2"].map(|name| scope.spawn(move || shard(name)));
        shards.map(|shard| shard.join().expect("a shard"))
    });
    assert!(first.is_disjoint(&second), "each version once");
    assert!(first.len().min(second.len()) > VERSIONS / 3, "{} and {}", first.len(), second.len());
    assert_eq!(first.union(&second).cloned().collect::<Ids>(), written);
    pair.wait_empty(Duration::from_secs(60));
    assert_eq!(ids(&pair.target_versions("dst")), written);
}
