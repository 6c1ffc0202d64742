//! What the user reads in the end: the summary, as text and as JSON.

use crate::job::{Counts, End, Mode};
use crate::report::message::Message;
use crate::report::printable::printable;
use crate::report::waited::{Waited, WaitedJson};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

/// Colours, when the stream is a terminal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint(pub bool);

impl Paint {
    fn wrap(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn good(self, text: &str) -> String {
        self.wrap("32;1", text)
    }

    /// Something to be careful about.
    pub(crate) fn warning(self, text: &str) -> String {
        self.wrap("33;1", text)
    }

    /// The verdict of `--validate`.
    pub(crate) fn validated(self, passed: bool) -> String {
        if passed {
            format!(
                "{} Validation succeeded: the checksum was replaced, nothing else changed",
                self.good("✓")
            )
        } else {
            format!("{} Validation failed: see what changed above", self.bad("✗"))
        }
    }

    fn bad(self, text: &str) -> String {
        self.wrap("31;1", text)
    }
}

/// The line of what is left out.
const LEFT_OUT: &str = "Filtered: {} (in the backlog, and left out as asked)";

/// What the summary shows.
#[derive(Debug)]
pub(crate) struct Summary<'a> {
    /// The counters.
    pub counts: &'a Counts,
    /// How the run ended.
    pub end: &'a End,
    /// What it did.
    pub mode: Mode,
    /// How long it took.
    pub duration: Duration,
    /// Listings opened.
    pub listings: u32,
    /// Versions that were left out, where a filter or a shard was set.
    pub filtered: Option<u64>,
    /// Where the versions came from, if not from the listing.
    pub from: Option<&'a str>,
    /// What became of the versions triggered, with `--wait`.
    pub waited: Option<&'a Waited>,
    /// The command that runs it again.
    pub command: &'a str,
}

impl Summary<'_> {
    /// Whether everything that was to be done was done.
    pub(crate) fn success(&self) -> bool {
        *self.end == End::Complete
            && self.counts.failed == 0
            && self.counts.bad_lines == 0
            && self.waited.is_none_or(Waited::success)
    }

    fn left_out(&self) -> u64 {
        self.filtered.unwrap_or_default()
    }

    /// What is said of a run that is complete and was not about the whole backlog.
    fn part(&self) -> &'static str {
        if self.left_out() > 0 { " for a part of the backlog" } else { "" }
    }

    /// The summary as the manual shows it.
    pub(crate) fn text(&self, paint: Paint) -> String {
        if self.mode == Mode::DryRun {
            return self.dry_run_text(paint);
        }
        let counts = self.counts;
        let mut out = match self.end {
            End::Complete => {
                format!("{} Replication trigger completed{}\n", paint.good("✓"), self.part())
            }
            End::Listing(_) => format!(
                "{} Replication trigger incomplete: the backlog was not listed to its end, the numbers are lower bounds\n",
                paint.bad("✗")
            ),
            End::Fatal(_) => format!(
                "{} Replication trigger stopped by an error: the numbers are lower bounds\n",
                paint.bad("✗")
            ),
            End::Stopped => format!(
                "{} Replication trigger interrupted: the numbers are lower bounds\n",
                paint.warning("⚠")
            ),
        };
        let _ = writeln!(out, "  Total: {}", counts.total);
        let _ = writeln!(out, "  Processed: {}", counts.triggered);
        let _ = writeln!(out, "  Failed: {}", counts.failed);
        for (count, line) in [
            (counts.vanished, "Vanished: {} (deleted since they were listed)"),
            (counts.elsewhere, "Elsewhere: {} (deleted here, another site still has them)"),
            (
                counts.replicated,
                "Already replicated: {} (since they were listed, or the listing of the server is stale)",
            ),
            (counts.not_reached, "Not reached: {}"),
            (counts.appeared, "Appeared: {} (only in the second listing; part of the total)"),
            (self.left_out(), LEFT_OUT),
        ] {
            if count > 0 {
                let _ = writeln!(out, "  {}", line.replace("{}", &count.to_string()));
            }
        }
        self.lines_text(&mut out);
        if let Some(waited) = self.waited {
            waited.text(&mut out);
        }
        let hint = match self.end {
            End::Complete if self.success() && (counts.outages == 0 || self.waited.is_some()) => {
                return out;
            }
            End::Complete if self.success() => {
                "The server was out for a while and may have lost what it had queued.\n  You can re-run this command to trigger what is left:"
            }
            End::Complete if counts.failed == 0 && self.waited.is_none_or(Waited::success) => {
                "Some lines could not be used.\n  You can correct them, and re-run this command:"
            }
            End::Complete if counts.failed == 0 => {
                "Some objects were triggered and not replicated.\n  You can re-run this command to trigger them again:"
            }
            End::Complete => {
                "Some objects failed to trigger replication.\n  You can re-run this command to retry failed objects:"
            }
            _ => "The run did not reach every object.\n  You can re-run this command to continue:",
        };
        let _ = writeln!(out, "\n{} {hint}\n  $ {}", paint.warning("⚠"), printable(self.command));
        out
    }

    fn dry_run_text(&self, paint: Paint) -> String {
        let counts = self.counts;
        let mut out = match self.end {
            End::Complete => {
                format!(
                    "{} Dry run completed{}, nothing was triggered\n",
                    paint.good("✓"),
                    self.part()
                )
            }
            End::Stopped => format!(
                "{} Dry run interrupted: the numbers are lower bounds\n",
                paint.warning("⚠")
            ),
            _ => format!(
                "{} Dry run incomplete: the backlog was not listed to its end, the numbers are lower bounds\n",
                paint.bad("✗")
            ),
        };
        let _ = writeln!(out, "  Total: {}", counts.total);
        for (status, operations) in self.by_status() {
            let sum: u64 = operations.values().sum();
            let list: Vec<String> = operations
                .iter()
                .map(|(operation, count)| format!("{count} {operation}"))
                .collect();
            let _ = writeln!(out, "  {}: {sum} ({})", printable(status), list.join(", "));
        }
        if self.left_out() > 0 {
            let _ = writeln!(out, "  {}", LEFT_OUT.replace("{}", &self.left_out().to_string()));
        }
        self.lines_text(&mut out);
        out
    }

    /// What became of the lines that gave no version.
    fn lines_text(&self, out: &mut String) {
        let (Some(from), counts) = (self.from, self.counts) else { return };
        let from = printable(from);
        if counts.passed_over > 0 {
            let _ = writeln!(
                out,
                "  Passed over: {} (`{from}` says that an earlier run was done with them)",
                counts.passed_over
            );
        }
        match counts.bad_lines {
            0 => {}
            1 => _ = writeln!(out, "  1 line of `{from}` could not be used"),
            bad => _ = writeln!(out, "  {bad} lines of `{from}` could not be used"),
        }
    }

    fn by_status(&self) -> BTreeMap<&str, BTreeMap<&'static str, u64>> {
        let mut statuses: BTreeMap<&str, BTreeMap<&'static str, u64>> = BTreeMap::new();
        for ((status, operation), count) in &self.counts.by_status {
            statuses.entry(status).or_default().insert(operation.as_str(), *count);
        }
        statuses
    }

    /// The last JSON line of a run.
    pub(crate) fn json(
        &self,
        error: Option<&Message>,
        offline: &[String],
        notes: &[String],
    ) -> String {
        let counts = self.counts;
        let line = SummaryLine {
            status: if self.success() { "success" } else { "error" },
            complete: *self.end == End::Complete,
            dry_run: self.mode == Mode::DryRun,
            total: counts.total,
            processed: counts.triggered,
            failed: counts.failed,
            vanished: counts.vanished,
            elsewhere: counts.elsewhere,
            replicated: counts.replicated,
            not_reached: counts.not_reached,
            delete_markers: counts.delete_markers,
            purges: counts.purges,
            customer_key: counts.customer_key,
            copied: counts.copied,
            retries: counts.retries,
            overloads: counts.overloads,
            outages: counts.outages,
            retry_after: counts.retry_after.as_secs(),
            appeared: counts.appeared,
            filtered: self.filtered,
            bad_lines: self.from.map(|_| counts.bad_lines),
            passed_over: self.from.map(|_| counts.passed_over),
            listings: self.listings,
            backlog: self.by_status(),
            offline_targets: offline,
            notes,
            wait: self.waited.map(Waited::json),
            duration: self.duration.as_nanos(),
            error: error.map(Message::json_error),
        };
        serde_json::to_string(&line).unwrap_or_default()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SummaryLine<'a, E> {
    status: &'static str,
    complete: bool,
    dry_run: bool,
    total: u64,
    processed: u64,
    failed: u64,
    vanished: u64,
    elsewhere: u64,
    replicated: u64,
    not_reached: u64,
    delete_markers: u64,
    purges: u64,
    customer_key: u64,
    copied: u64,
    retries: u64,
    overloads: u64,
    outages: u64,
    retry_after: u64,
    appeared: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    filtered: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bad_lines: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    passed_over: Option<u64>,
    listings: u32,
    backlog: BTreeMap<&'a str, BTreeMap<&'static str, u64>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    offline_targets: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    wait: Option<WaitedJson<'a>>,
    duration: u128,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<E>,
}
