//! What a run counts.

use crate::job::outcome::{Outcome, Trigger};
use crate::listing::{Item, Operation, Statuses};
use std::collections::BTreeMap;
use std::time::Duration;

/// Statuses counted by their name; a server has five. Others are counted together.
const LABELS: usize = 100;

/// How those are called.
pub(crate) const OTHER: &str = "OTHER";

/// The counters of a run. At its end `total = triggered + failed + vanished + elsewhere +
/// replicated + not_reached`, unless it was a dry run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Versions listed that match TARGET and `--arn`, and pass the filter.
    pub total: u64,
    /// Versions listed that match TARGET and `--arn` and do not pass it. Of several listings, that of the one
    /// that left out most: each of them shows these again.
    pub filtered: u64,
    /// Versions queued for replication.
    pub triggered: u64,
    /// Of these, delete markers.
    pub delete_markers: u64,
    /// Of these, pending purges.
    pub purges: u64,
    /// Of these, objects encrypted with a customer key.
    pub customer_key: u64,
    /// Of these, objects copied onto themselves.
    pub copied: u64,
    /// Versions not queued.
    pub failed: u64,
    /// Versions gone since they were listed.
    pub vanished: u64,
    /// Versions gone here that another site still answers for.
    pub elsewhere: u64,
    /// Versions that were replicated before, only the listing is behind.
    pub replicated: u64,
    /// Versions listed whose end is not known, because the run ended before.
    pub not_reached: u64,
    /// Attempts beyond the first.
    pub retries: u64,
    /// Versions that only a second listing showed, for `--verify-listing`; part of the total.
    pub appeared: u64,
    /// Lines of what the user gives that could not be used.
    pub bad_lines: u64,
    /// Lines of it about versions with which an earlier run was done.
    pub passed_over: u64,
    /// Answers that said the server was overloaded.
    pub overloads: u64,
    /// Times that the server was out and came back: what it had queued until then may be forgotten.
    pub outages: u64,
    /// The longest `Retry-After` the server answered with.
    pub retry_after: Duration,
    /// Listed versions by status and operation.
    pub by_status: BTreeMap<(String, Operation), u64>,
}

impl Counts {
    /// Versions whose end is known.
    pub fn ended(&self) -> u64 {
        self.triggered + self.failed + self.vanished + self.elsewhere + self.replicated
    }

    /// Adds what another pass counted.
    pub fn add(&mut self, other: &Self) {
        let Self {
            total,
            filtered,
            triggered,
            delete_markers,
            purges,
            customer_key,
            copied,
            failed,
            vanished,
            elsewhere,
            replicated,
            not_reached,
            retries,
            appeared,
            bad_lines,
            passed_over,
            overloads,
            outages,
            retry_after,
            by_status,
        } = self;
        for (sum, part) in [
            (total, other.total),
            (triggered, other.triggered),
            (delete_markers, other.delete_markers),
            (purges, other.purges),
            (customer_key, other.customer_key),
            (copied, other.copied),
            (failed, other.failed),
            (vanished, other.vanished),
            (elsewhere, other.elsewhere),
            (replicated, other.replicated),
            (not_reached, other.not_reached),
            (retries, other.retries),
            (appeared, other.appeared),
            (bad_lines, other.bad_lines),
            (passed_over, other.passed_over),
            (overloads, other.overloads),
            (outages, other.outages),
        ] {
            *sum += part;
        }
        *filtered = other.filtered.max(*filtered);
        *retry_after = other.retry_after.max(*retry_after);
        for (key, count) in &other.by_status {
            *by_status.entry(key.clone()).or_default() += count;
        }
    }

    /// Counts a listed version.
    pub fn found(&mut self, item: &Item, statuses: &Statuses) {
        self.total += 1;
        let operation = statuses.operation(item.delete_marker);
        let full = self.by_status.len() >= LABELS;
        // Three operations and as many labels: the key is looked up before it is made.
        let slot = self
            .by_status
            .iter_mut()
            .find(|((label, op), _)| label == statuses.label() && *op == operation);
        match slot {
            Some((_, count)) => *count += 1,
            // The server's own words, of which it may have any number.
            None if full => {
                *self.by_status.entry((OTHER.to_owned(), operation)).or_default() += 1;
            }
            None => {
                self.by_status.insert((statuses.label().to_owned(), operation), 1);
            }
        }
    }

    /// Counts the end of a version.
    pub fn done(&mut self, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Triggered(trigger) => {
                self.triggered += 1;
                match trigger {
                    Trigger::Object => return,
                    Trigger::DeleteMarker => &mut self.delete_markers,
                    Trigger::Purge => &mut self.purges,
                    Trigger::CustomerKey => &mut self.customer_key,
                    Trigger::Copy => &mut self.copied,
                }
            }
            Outcome::Vanished => &mut self.vanished,
            Outcome::Elsewhere => &mut self.elsewhere,
            Outcome::Replicated => &mut self.replicated,
            Outcome::Failed(_) => &mut self.failed,
            Outcome::Listed | Outcome::Left { .. } => return,
        };
        *counter += 1;
    }
}
