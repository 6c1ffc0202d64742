//! Against real MinIO servers: what only they can show.

mod access;
mod clear_checksum;
mod connection;
mod faults;
mod from;
mod harness;
mod interference;
mod keys;
mod kinds;
mod load;
mod metrics;
mod next_mc;
mod nodes;
mod shards;
mod tls;
mod trigger;
mod waiting;
mod web_identity;

use crate::mc_wasi;
use mc_wasi_tests::mcwasi::{McWasi, Ran};
use mc_wasi_tests::minio::{Ids, Keys, Pair};
use serde_json::Value;

/// `mc-wasi` that knows the source of a pair as `source` and trusts its certificate if it has one, with
/// the keys of root.
fn as_root(pair: &Pair) -> McWasi {
    as_user(pair, pair.source().root())
}

/// The same with these keys.
fn as_user(pair: &Pair, keys: &Keys) -> McWasi {
    let trusting = pair.mc().config_dir().display().to_string();
    mc_wasi().alias("source", &pair.source().alias_url(keys)).env("MC_CONFIG_DIR", &trusting)
}

/// All that was triggered in a folder reaches the target.
#[track_caller]
fn assert_replicated(pair: &Pair, folder: &str, versions: usize) {
    let target = format!("source/src/{folder}");
    pair.drain(folder, || assert_eq!(as_root(pair).run(&[&target]).status, 0));
    let replicated = pair.target_versions("dst");
    let here = replicated.iter().filter(|version| version.key.starts_with(folder));
    assert_eq!(here.count(), versions, "{folder}");
}

/// A run that was refused its first trigger. How much was listed until then is a matter of time.
#[track_caller]
fn assert_stopped(ran: &Ran, failed: u32) {
    let begins =
        "✗ Replication trigger stopped by an error: the numbers are lower bounds\n  Total: ";
    assert!(ran.stdout.starts_with(begins), "{}", ran.stdout);
    let none = format!("\n  Processed: 0\n  Failed: {failed}\n");
    assert!(ran.stdout.contains(&none), "{}", ran.stdout);
    assert_eq!(ran.status, 1);
}

/// Key and version id of the lines of a `--json` run, the summary left out.
fn in_lines(lines: &[Value]) -> Ids {
    let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let versions = lines.iter().filter(|line| line.get("object").is_some());
    versions.map(|line| (text(line, "object"), text(line, "versionId"))).collect()
}
