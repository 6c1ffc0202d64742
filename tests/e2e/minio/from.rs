//! `--from` on real servers: it reaches what no listing shows.

use super::as_root;
use mc_wasi_tests::minio::{Pair, ids};
use std::fs;
use std::time::Duration;

/// For the target to get what was triggered; it takes seconds, and much longer on a busy machine.
const DRAIN: Duration = Duration::from_secs(90);

#[test]
fn nested_keys_and_deletes_of_replicated_versions_are_reached() {
    let mut pair = Pair::start();
    let purged = pair.put("purged", b"replicated", &[]);
    let marked = pair.put("marked", b"replicated", &[]);
    pair.wait_empty(DRAIN);
    pair.stick();
    let outer = pair.put("a/b", b"outer", &[]);
    let inner = pair.put("a/b/c d", b"inner", &[]);
    let marker = pair.delete("marked");
    pair.delete_version("purged", &purged);
    let backlog = pair.wait_backlog(2);
    let shown = [("a/b", &outer), ("marked", &marker)];
    assert_eq!(ids(&backlog), shown.map(|(key, id)| (key.to_owned(), id.clone())).into());
    pair.release();

    let mc = as_root(&pair);
    let list = mc.home().join("list.csv");
    let lines = format!("src,a/b/c%20d\nsrc,purged,{purged}\nsrc,\"marked\",{marker}\n");
    fs::write(&list, lines).expect("a file");
    let ran = mc.run(&["source/src", "--from", &list.display().to_string(), "--wait", "90s"]);
    let text = "✓ Replication trigger completed\n  Total: 3\n  Processed: 3\n  Failed: 0\n  Replicated: 3\n";
    assert_eq!((ran.status, ran.stderr.as_str(), ran.stdout.as_str()), (0, "", text));
    let there: Vec<_> =
        pair.target_versions("dst").into_iter().map(|v| (v.key, v.version_id)).collect();
    let expected = [("a/b/c d", &inner), ("marked", &marker), ("marked", &marked)];
    let expected = expected.map(|(key, id)| (key.to_owned(), id.clone()));
    assert_eq!(there, expected, "nothing else was driven");

    // What mc prints is a list, too.
    let printed = pair.mc().run(&["--json", "replicate", "backlog", "--full", "source/src"]);
    fs::write(&list, printed).expect("a file");
    let ran = mc.run(&["source/src", "--from", &list.display().to_string(), "--wait", "90s"]);
    assert!(
        ran.stdout.contains("  Replicated: 1\n") && ran.status == 0,
        "{}{}",
        ran.stdout,
        ran.stderr
    );
}
