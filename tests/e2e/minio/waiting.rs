//! `--wait` on real servers: what it says of the backlog is what the target has.

use std::time::Duration;

use super::as_root;
use mc_wasi_tests::minio::{MinioOptions, Pair};
use mc_wasi_tests::quiet;
use serde_json::json;

#[test]
fn everything_replicated_is_success_and_the_target_has_it() {
    let mut pair = Pair::start();
    pair.stick();
    pair.put_many("obj-", 300, b"hello");
    pair.put("gone", b"hello", &[]);
    pair.delete("gone");
    pair.wait_backlog(302);
    pair.release();
    let arn = pair.links().first().map(|link| link.arn.clone()).unwrap_or_default();
    let ran = as_root(&pair).run(&["source/src", "--wait", "3m"]);
    let expected = format!(
        "✓ Replication trigger completed\n  Total: 302\n  Processed: 302\n  Failed: 0\n  Replicated: 302\n  {arn}: 302 replicated, 0 pending, 0 failed again\n"
    );
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str(), ran.status), (expected.as_str(), "", 0));
    assert_eq!(pair.target_versions("dst").len(), 302);
}

#[test]
fn what_a_target_refuses_has_failed_again_and_is_told_apart_per_target() {
    let mut pair = Pair::builder().second_target(MinioOptions::default()).start();
    pair.stick();
    pair.put_many("obj-", 40, b"hello");
    pair.wait_backlog(40);
    pair.release();
    pair.stick_one("dst2");
    let ran = as_root(&pair).run(&["source/src", "--wait", "12s", "--json"]);
    let summary = ran.summary();
    assert_eq!((ran.status, &summary["complete"]), (1, &json!(true)), "{summary}");
    let wait = &summary["wait"];
    assert_eq!((&wait["replicated"], &wait["exact"]), (&json!(0), &json!(true)), "{summary}");
    assert_eq!((&wait["pending"], &wait["failedAgain"]), (&json!(0), &json!(40)), "{summary}");
    let tally =
        |replicated, failed| json!({"replicated": replicated, "pending": 0, "failedAgain": failed});
    for link in pair.links() {
        let expected = if link.bucket == "dst" { tally(40, 0) } else { tally(0, 40) };
        assert_eq!(wait["targets"][&link.arn], expected, "{}: {summary}", link.bucket);
    }
    assert_eq!(pair.target_versions("dst").len(), 40);
    assert_eq!(pair.target_versions("dst2").len(), 0);

    pair.unstick_one("dst2");
    let ran = as_root(&pair).run(&["source/src", "--wait", "3m", "--json"]);
    assert_eq!((ran.status, &ran.summary()["wait"]["replicated"]), (0, &json!(40)));
    assert_eq!(pair.target_versions("dst2").len(), 40);
}

#[test]
fn a_time_that_is_up_is_no_success() {
    // Beside loud tests the source may come to replicate only after it has noticed that the target is
    // frozen, and then the versions fail at once instead of staying pending.
    let _quiet = quiet::kept();
    let mut pair = Pair::start();
    pair.stick();
    pair.put_many("obj-", 20, b"hello");
    pair.wait_backlog(20);
    pair.release();
    pair.target_mut().freeze();
    let ran = as_root(&pair).run(&["source/src", "--wait", "2s"]);
    pair.target_mut().thaw();
    assert_eq!(ran.status, 1, "{}", ran.stdout);
    let arn = &pair.links()[0].arn;
    let known = format!(
        "\n  Replicated: 0\n  Still pending: 20\n  {arn}: 0 replicated, 20 pending, 0 failed again\n"
    );
    assert!(ran.stdout.contains(&known), "{}", ran.stdout);
    pair.wait_empty(Duration::from_secs(180));
}

#[test]
fn a_target_that_stays_offline_is_not_waited_for() {
    let mut pair = Pair::start();
    pair.stick();
    pair.put_many("obj-", 20, b"hello");
    pair.wait_backlog(20);
    pair.release();
    let arn = pair.links()[0].arn.clone();
    pair.target_mut().kill();
    let ran = as_root(&pair).run(&["source/src", "--wait", "1h", "--json"]);
    let summary = ran.summary();
    let wait = &summary["wait"];
    assert_eq!((ran.status, &wait["offline"], &wait["exact"]), (1, &json!(true), &json!(true)));
    assert_eq!(summary["offlineTargets"], json!([arn]), "{summary}");
    let number = |name: &str| wait[name].as_u64().unwrap_or_default();
    assert_eq!((number("replicated"), number("pending") + number("failedAgain")), (0, 20));
    let seconds = summary["duration"].as_f64().unwrap_or_default() / 1e9;
    assert!((60.0..600.0).contains(&seconds), "{seconds} s");
}
