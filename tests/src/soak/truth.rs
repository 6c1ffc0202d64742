//! What is true in the end: which versions the two servers have.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::AtomicBool;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::runs::Runner;
use super::writer::{KEPT, Written};
use crate::minio::{Pair, SOURCE_BUCKET, Version};

/// How long everything may take to become replicated when nothing is wrong any more.
const QUIESCE: Duration = Duration::from_secs(300);
/// Each run of that time waits so long for what it has triggered.
const WAIT: &str = "--wait=20s";
/// Between two of them.
const AGAIN: Duration = Duration::from_secs(1);
/// How many of a kind are named.
const NAMED: usize = 5;

/// The two servers compared.
#[derive(Debug, Default)]
pub(super) struct Truth {
    /// Versions still in the backlog.
    pub(super) left: usize,
    /// How long it took until none was.
    pub(super) quiesced: Duration,
    /// Versions on the source, delete markers among them, without those that were to be purged.
    pub(super) on_source: usize,
    /// Those of them that the target has too.
    pub(super) replicated: usize,
    /// Those that it has not, or not the same.
    pub(super) lost: usize,
    /// Versions that the source said it had written, and does not have.
    pub(super) unwritten: usize,
    /// Versions that only the target has.
    pub(super) foreign: usize,
    /// Versions deleted for good on the source that the target still has: the server lists them no
    /// more, so no client of the listing can help.
    pub(super) unpurged: usize,
    /// Some of what is wrong, by name.
    pub(super) named: Vec<String>,
}

/// Runs the command until the backlog is empty, or for too long.
pub(super) fn quiesce(runner: &mut Runner<'_>, truth: &mut Truth) {
    let (began, never) = (Instant::now(), AtomicBool::new(false));
    let words = ["-c=50", WAIT, &format!("source/{SOURCE_BUCKET}")].map(str::to_owned);
    loop {
        runner.once(&words, &never);
        let left = runner.backlog(Duration::from_secs(30));
        truth.left = left.as_ref().map_or(usize::MAX, BTreeMap::len);
        truth.quiesced = began.elapsed();
        if truth.left == 0 || truth.quiesced > QUIESCE {
            let left = left.into_iter().flatten().take(NAMED);
            truth
                .named
                .extend(left.map(|((key, id), _)| format!("still in the backlog: {key} ({id})")));
            return;
        }
        sleep(AGAIN);
    }
}

/// Compares the servers. Listing the source re-queues versions, so this comes last.
pub(super) fn compare(pair: &Pair, written: &Written, truth: &mut Truth) {
    let target = by_name(pair.target_versions(pair.links()[0].bucket));
    let source = by_name(pair.source_versions_requeue(""));
    let purged: HashSet<&(String, String)> = written.purged.iter().collect();
    for (name, version) in source.iter().filter(|(name, _)| !purged.contains(name)) {
        truth.on_source += 1;
        match target.get(name) {
            Some(other) if same(version, other) => truth.replicated += 1,
            other => {
                truth.lost += 1;
                truth.name("lost", truth.lost, name, &format!("{version:?} became {other:?}"));
            }
        }
    }
    for name in written.versions.iter().filter(|name| !source.contains_key(*name)) {
        if !purged.contains(name) {
            truth.unwritten += 1;
            truth.name("not on the source", truth.unwritten, name, "");
        }
    }
    for (name, version) in target.iter().filter(|(name, _)| !source.contains_key(*name)) {
        if name.0.starts_with(KEPT) {
            truth.foreign += 1;
            truth.name("only on the target", truth.foreign, name, &format!("{version:?}"));
        } else {
            truth.unpurged += 1;
        }
    }
}

impl Truth {
    fn name(&mut self, what: &str, nth: usize, (key, id): &(String, String), more: &str) {
        if nth <= NAMED {
            self.named.push(format!("{what}: {key} ({id}) {more}"));
        }
    }
}

fn by_name(versions: Vec<Version>) -> BTreeMap<(String, String), Version> {
    versions.into_iter().map(|v| ((v.key.clone(), v.version_id.clone()), v)).collect()
}

fn same(one: &Version, other: &Version) -> bool {
    (one.delete_marker, &one.etag, one.size) == (other.delete_marker, &other.etag, other.size)
}
