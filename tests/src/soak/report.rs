//! What a soak has seen, for people and for whether it passed.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::runs::Tally;
use super::truth::Truth;
use super::writer::Written;
use crate::minio::Pair;

/// How many complaints are shown in full.
const SHOWN: usize = 10;

/// The figures of a soak.
#[derive(Debug)]
pub struct Report {
    pub(super) seed: u64,
    pub(super) took: Duration,
    pub(super) written: Written,
    pub(super) faults: BTreeMap<&'static str, u64>,
    pub(super) closed: u64,
    pub(super) tally: Tally,
    pub(super) truth: Truth,
    /// Descriptors of this process when everything had started, and in the end.
    pub(super) files: [usize; 2],
    /// Dead by now. Removing what they hold takes a minute for each ten thousand versions, and
    /// nobody is to wait for that before reading this.
    pub(super) _servers: Pair,
}

impl Report {
    /// Versions that were written and not replicated.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.truth.lost
    }

    /// Runs that ended complete and were compared with the backlog before them.
    #[must_use]
    pub fn checked(&self) -> u64 {
        self.tally.checked
    }

    /// Versions triggered, each as often as it was.
    #[must_use]
    pub fn triggered(&self) -> u64 {
        self.tally.triggered
    }

    /// How often each fault happened.
    #[must_use]
    pub fn faults(&self) -> &BTreeMap<&'static str, u64> {
        &self.faults
    }

    /// Everything that should not have been, in sentences.
    #[must_use]
    pub fn wrong(&self) -> Vec<String> {
        let truth = &self.truth;
        let mut wrong = Vec::new();
        for (count, what) in [
            (truth.lost, "versions are lost"),
            (truth.left, "versions are still in the backlog"),
            (truth.unwritten, "versions that the source acknowledged are not there"),
            (truth.foreign, "versions are on the target only"),
        ] {
            if count > 0 {
                wrong.push(format!("{count} {what}"));
            }
        }
        wrong.extend(truth.named.iter().cloned());
        wrong.extend(self.tally.wrong.iter().take(SHOWN).cloned());
        if self.tally.wrong.len() > SHOWN {
            wrong.push(format!("… and {} more", self.tally.wrong.len() - SHOWN));
        }
        wrong
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { written, tally, truth, .. } = self;
        let longest = &tally.longest;
        let (took, quiesced) = (self.took.as_secs(), truth.quiesced.as_secs());
        let failures: u64 = tally.failures.values().sum();
        let mut row = |name: &str, value: String| writeln!(f, "{name:<22} {value}");
        row("seed", self.seed.to_string())?;
        row("time", format!("{took} s, {quiesced} s of it until the backlog was empty"))?;
        row(
            "versions written",
            format!(
                "{} ({} of them delete markers), {} purged, {} requests without an answer",
                written.versions.len(),
                written.markers,
                written.purged.len(),
                written.unanswered
            ),
        )?;
        row("versions listed", tally.listed.to_string())?;
        row(
            "versions triggered",
            format!(
                "{} ({} different ones), {} had vanished",
                tally.triggered,
                tally.distinct.len(),
                tally.vanished
            ),
        )?;
        row("versions replicated", format!("{} of {}", truth.replicated, truth.on_source))?;
        row("versions lost", truth.lost.to_string())?;
        row("left in the backlog", truth.left.to_string())?;
        if truth.unpurged > 0 {
            let more = "purges that the server does not list";
            row("left on the target", format!("{} {more}", truth.unpurged))?;
        }
        row("failures reported", failures.to_string())?;
        lines(&mut row, &tally.failures)?;
        row("runs", tally.runs.to_string())?;
        lines(&mut row, &tally.ends)?;
        row(
            "complete runs checked",
            format!(
                "{}, with {} versions before them, of which the server did {} itself",
                tally.checked, tally.expected, tally.left_before
            ),
        )?;
        row("faults", self.faults.values().sum::<u64>().to_string())?;
        lines(&mut row, &self.faults)?;
        row("connections cut", self.closed.to_string())?;
        row("mc-wasi, peak RSS", format!("{} MiB", tally.peak_mib))?;
        row(
            "mc-wasi, descriptors",
            format!(
                "{} and {} at start and end of the longest run ({} s), {} at most in any",
                longest.files_first,
                longest.files_last,
                longest.took.as_secs(),
                tally.most_files
            ),
        )?;
        let [first, last] = self.files;
        row("soak, descriptors", format!("{first} and {last} at start and end"))
    }
}

/// Counted things, indented.
fn lines<K: fmt::Display>(
    row: &mut impl FnMut(&str, String) -> fmt::Result,
    counts: &BTreeMap<K, u64>,
) -> fmt::Result {
    counts.iter().try_for_each(|(what, count)| row("", format!("{count:>6}  {what}")))
}
