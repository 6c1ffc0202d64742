//! What became of the versions that were triggered, as `--wait` saw it.

use crate::report::printable::printable;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// What became of the versions triggered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Waited {
    /// Versions that left the backlog.
    pub replicated: u64,
    /// Versions still in it.
    pub pending: u64,
    /// Versions whose replication was tried since, and failed.
    pub failed_again: u64,
    /// Of those that left it, versions that are still listed although the server knows that they are
    /// replicated.
    pub stale: u64,
    /// Of those pending, versions that were not looked at, because there was no room to remember them.
    pub unseen: u64,
    /// Rounds of triggering what stayed.
    pub rounds: u32,
    /// Whether it ended early, because all targets of what is left had been offline for a while.
    pub offline: bool,
    /// Whether the last look reached the end of the backlog; otherwise the numbers are those of the
    /// last one that did.
    pub exact: bool,
    /// The same per target ARN: replicated, pending, failed again.
    pub targets: BTreeMap<String, [u64; 3]>,
}

impl Waited {
    /// Whether nothing is left.
    pub(crate) fn success(&self) -> bool {
        self.exact && self.pending == 0 && self.failed_again == 0
    }

    /// As a member of the last JSON line.
    pub(crate) fn json(&self) -> WaitedJson<'_> {
        let mut targets = BTreeMap::new();
        for (arn, &[replicated, pending, failed_again]) in &self.targets {
            targets.insert(arn.as_str(), TargetJson { replicated, pending, failed_again });
        }
        WaitedJson {
            replicated: self.replicated,
            pending: self.pending,
            failed_again: self.failed_again,
            stale: self.stale,
            unseen: Some(self.unseen).filter(|unseen| *unseen > 0),
            rounds: self.rounds,
            offline: self.offline,
            exact: self.exact,
            targets,
        }
    }

    /// Its lines of the summary.
    pub(crate) fn text(&self, out: &mut String) {
        let _ = writeln!(out, "  Replicated: {}", self.replicated);
        for (count, name) in [(self.pending, "Still pending"), (self.failed_again, "Failed again")]
        {
            if count > 0 {
                let _ = writeln!(out, "  {name}: {count}");
            }
        }
        if self.stale > 0 {
            let stale = self.stale;
            let _ = writeln!(
                out,
                "  Of these, listed all the same: {stale} (the listing of the server is stale)"
            );
        }
        if self.unseen > 0 {
            let unseen = self.unseen;
            let _ = writeln!(
                out,
                "  Of those pending, not looked at: {unseen} (--memory gives room to remember them)"
            );
        }
        if self.offline {
            out.push_str(
                "  Not waited for any longer: every target of what is left is offline, and has been for a minute.\n",
            );
        }
        if !self.exact {
            out.push_str(
                "  The last look at the backlog did not reach its end: only what an earlier one showed counts as replicated.\n",
            );
        }
        for (arn, [replicated, pending, failed]) in &self.targets {
            let _ = writeln!(
                out,
                "  {}: {replicated} replicated, {pending} pending, {failed} failed again",
                printable(arn)
            );
        }
    }
}

/// `wait` of the last JSON line.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WaitedJson<'a> {
    replicated: u64,
    pending: u64,
    failed_again: u64,
    stale: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    unseen: Option<u64>,
    rounds: u32,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    offline: bool,
    exact: bool,
    targets: BTreeMap<&'a str, TargetJson>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TargetJson {
    replicated: u64,
    pending: u64,
    failed_again: u64,
}
