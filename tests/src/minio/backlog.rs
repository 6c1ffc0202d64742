//! What has not been replicated, as the server's replication diff tells it: the one view that
//! changes nothing.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::client::{Client, encode_query};
use super::pair::{Pair, SOURCE_BUCKET};

/// Writing the last state takes the server a tenth of a second, or two when it first has to find
/// out that the target is gone.
const SETTLE_BASE: Duration = Duration::from_secs(60);
/// On top of [`SETTLE_BASE`] for each entry: a single-drive server settles about 450 a second, a
/// busy machine far fewer.
const SETTLE_EACH: Duration = Duration::from_millis(10);
/// A version whose lock was set while it was being replicated stays `PENDING` for good. A backlog
/// that has not changed for this long will not: the server needs two seconds at most to find out
/// that a target is gone.
const UNCHANGED: Duration = Duration::from_secs(3);

/// Long enough for a target to get what was triggered, if it gets it.
const DRAIN: Duration = Duration::from_secs(10);
/// How often [`Pair::drain`] triggers again.
const DRAINS: usize = 6;

/// How many entries are shown when waiting was in vain.
const SHOWN: usize = 10;

/// One line of the diff. Absent fields are empty.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DiffEntry {
    /// Object key.
    pub object: String,
    /// Version id, `null` for a null version.
    #[serde(rename = "versionId")]
    pub version_id: String,
    /// `FAILED`, `PENDING`, or empty for a version that was never replicated.
    #[serde(rename = "rStatus", default)]
    pub status: String,
    /// State of a permanent delete that the target has not seen.
    #[serde(rename = "dStatus", default)]
    pub delete_status: String,
    /// True for delete markers and for versions that wait for their purge.
    #[serde(rename = "deletemarker", default)]
    pub delete_marker: bool,
    /// When the last status was written, RFC 3339 with nanoseconds.
    #[serde(rename = "replTimestamp", default)]
    pub status_time: String,
    /// Modification time, RFC 3339 with nanoseconds.
    #[serde(rename = "lastModified")]
    pub last_modified: String,
    /// The targets that lack it, by ARN.
    #[serde(default)]
    pub targets: BTreeMap<String, TargetStatus>,
}

/// What one target lacks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TargetStatus {
    /// As [`DiffEntry::status`].
    #[serde(rename = "rStatus", default)]
    pub status: String,
    /// As [`DiffEntry::delete_status`].
    #[serde(rename = "drStatus", default)]
    pub delete_status: String,
}

/// The entries without the times of their statuses, which differ once replication was tried again.
#[must_use]
pub fn untimed(entries: &[DiffEntry]) -> Vec<DiffEntry> {
    let untimed = |entry: &DiffEntry| DiffEntry { status_time: String::new(), ..entry.clone() };
    entries.iter().map(untimed).collect()
}

impl DiffEntry {
    fn pending(&self) -> bool {
        self.status == "PENDING" || self.delete_status == "PENDING"
    }
}

/// Lists the backlog of a bucket.
///
/// # Panics
/// When the server refuses, or the listing carries an error.
#[must_use]
#[track_caller]
pub(super) fn diff(client: &Client, bucket: &str, prefix: &str) -> Vec<DiffEntry> {
    try_diff(client, bucket, prefix).unwrap_or_else(|error| panic!("replication diff: {error}"))
}

/// Lists the backlog of a bucket on a server that may be gone.
///
/// # Errors
/// When the server does not answer or refuses, or the listing breaks or carries an error.
pub fn try_diff(client: &Client, bucket: &str, prefix: &str) -> Result<Vec<DiffEntry>, String> {
    let mut target = format!("/minio/admin/v3/replication/diff?bucket={}", encode_query(bucket));
    if !prefix.is_empty() {
        target.push_str("&prefix=");
        target.push_str(&encode_query(prefix));
    }
    let reply = client.try_send("s3", "POST", &target, &[], b"")?;
    if reply.status != 200 {
        return Err(format!("status {}: {}", reply.status, reply.text()));
    }
    let entries: Vec<DiffEntry> = serde_json::Deserializer::from_slice(&reply.body)
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(|error| format!("not a replication diff ({error}):\n{}", reply.text()))?;
    if entries.last().is_some_and(|entry| entry.object.is_empty()) {
        return Err(format!("the listing ends with an error:\n{}", reply.text()));
    }
    Ok(entries)
}

impl Pair {
    /// The backlog of the source bucket under a prefix, in the server's order.
    ///
    /// # Panics
    /// When the server refuses to list it.
    #[must_use]
    #[track_caller]
    pub fn backlog(&self, prefix: &str) -> Vec<DiffEntry> {
        diff(&self.source().client(), SOURCE_BUCKET, prefix)
    }

    /// Waits until exactly `entries` versions are in the backlog and nothing changes any more: the
    /// server has given up on each of them, or the target is frozen, so that it never will.
    ///
    /// # Panics
    /// When that does not happen in time.
    #[track_caller]
    pub fn wait_backlog(&self, entries: usize) -> Vec<DiffEntry> {
        self.wait_backlog_of("", entries)
    }

    /// As [`Pair::wait_backlog`], for what is under a prefix.
    ///
    /// # Panics
    /// When that does not happen in time.
    #[track_caller]
    pub fn wait_backlog_of(&self, prefix: &str, entries: usize) -> Vec<DiffEntry> {
        let extra = SETTLE_EACH.saturating_mul(u32::try_from(entries).unwrap_or(u32::MAX));
        let mut last = (Instant::now(), Vec::new());
        self.wait(prefix, &format!("a backlog of {entries}"), SETTLE_BASE + extra, |backlog| {
            if backlog != last.1 {
                last = (Instant::now(), backlog.to_vec());
            }
            let settled = self.frozen || !backlog.iter().any(DiffEntry::pending);
            backlog.len() == entries && (settled || last.0.elapsed() > UNCHANGED)
        })
    }

    /// Waits until nothing is left.
    ///
    /// # Panics
    /// When that takes longer than `timeout`.
    #[track_caller]
    pub fn wait_empty(&self, timeout: Duration) {
        self.wait("", "an empty backlog", timeout, <[DiffEntry]>::is_empty);
    }

    /// Waits until nothing under the prefix is left, and runs the command `again` when something is
    /// left over, which is the manual's way out as well.
    ///
    /// With `--clear-checksum` a version is queued twice, by its HEAD and by its copy. In half of the
    /// runs over 13 versions the source then logs "server closed idle connection" or "broken pipe",
    /// sometimes takes the target for offline, and leaves one to four of them `FAILED`. Versions that
    /// are queued once never showed this.
    ///
    /// # Panics
    /// When it is not empty after all.
    #[track_caller]
    pub fn drain(&self, prefix: &str, again: impl Fn()) {
        for _ in 0..DRAINS {
            let started = Instant::now();
            while started.elapsed() < DRAIN {
                if self.backlog(prefix).is_empty() {
                    return;
                }
                sleep(Duration::from_millis(100));
            }
            again();
        }
        self.wait(prefix, "an empty backlog", DRAIN, <[DiffEntry]>::is_empty);
    }

    #[track_caller]
    fn wait(
        &self,
        prefix: &str,
        what: &str,
        timeout: Duration,
        mut done: impl FnMut(&[DiffEntry]) -> bool,
    ) -> Vec<DiffEntry> {
        let started = Instant::now();
        let mut pause = Duration::from_millis(50);
        loop {
            let listed = try_diff(&self.source().client(), SOURCE_BUCKET, prefix);
            if let Ok(backlog) = listed.as_ref().map(Vec::as_slice)
                && done(backlog)
            {
                return backlog.to_vec();
            }
            assert!(
                started.elapsed() < timeout,
                "waited {timeout:?} for {what}, there are {:?}, first {:#?}",
                listed.as_ref().map(Vec::len),
                listed.iter().flatten().take(SHOWN).collect::<Vec<_>>()
            );
            sleep(pause);
            // Listing a large backlog takes the server's CPU from what is waited for.
            pause = (pause * 3 / 2).min(Duration::from_secs(1));
        }
    }
}
