//! A run that goes on while something happens to its server.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::mcwasi::{McWasi, Ran};
use crate::wait::wait_for;
use crate::watch::{Finished, Watched};

/// Longer than a run takes to begin on a busy machine.
const BEGIN: Duration = Duration::from_secs(120);
/// Longer than any of these runs takes.
const END: Duration = Duration::from_secs(240);

/// A `--json` run.
#[derive(Debug)]
pub struct Background(Watched);

impl Background {
    /// Starts `mc-wasi replicate resync-backlog --json` with these words.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(mc: &McWasi, words: &[&str]) -> Self {
        let words = [&["replicate", "resync-backlog", "--json"], words].concat();
        Self(Watched::start(mc.command(words).stdout(Stdio::piped())))
    }

    /// Waits until this many versions are done with.
    ///
    /// # Panics
    /// When it ends before, or takes too long.
    #[track_caller]
    pub fn reach(&mut self, versions: usize) {
        wait_for(BEGIN, &format!("{versions} versions"), || {
            let text = self.0.stdout();
            let reached = text.matches("\"outcome\"").count() >= versions;
            assert!(reached || self.0.runs(), "it ended before {versions}: {text}");
            reached
        });
    }

    /// Waits for its end, and checks that its counters add up to what its lines say.
    ///
    /// # Panics
    /// When they do not.
    #[must_use]
    #[track_caller]
    pub fn end(self) -> Ended {
        let Finished { ran, took, .. } = self.0.finish(END);
        Ended::new(&ran, took)
    }
}

/// What a `--json` run did, with counters that are known to be true to its lines.
#[derive(Debug)]
pub struct Ended {
    /// Exit status.
    pub status: i32,
    /// The last line.
    pub summary: Value,
    /// The outcome of each version, by key and version id.
    pub outcomes: BTreeMap<(String, String), String>,
    /// How long it took.
    pub took: Duration,
}

impl Ended {
    #[track_caller]
    fn new(ran: &Ran, took: Duration) -> Self {
        let mut lines = ran.json();
        let summary = lines.pop().unwrap_or_else(|| panic!("no summary: {}", ran.stderr));
        let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let mut outcomes = BTreeMap::new();
        for line in &lines {
            let name = (text(line, "object"), text(line, "versionId"));
            let before = outcomes.insert(name, text(line, "outcome"));
            assert_eq!(before, None, "two ends of one version: {line}");
        }
        let ended = Self { status: ran.status, summary, outcomes, took };
        for (counter, outcome) in [
            ("processed", "triggered"),
            ("failed", "failed"),
            ("vanished", "vanished"),
            ("elsewhere", "elsewhere"),
        ] {
            let lines = ended.outcomes.values().filter(|told| *told == outcome).count();
            assert_eq!(ended.count(counter), lines, "{counter}: {}", ended.summary);
        }
        let sum = ended.outcomes.len() + ended.count("notReached");
        assert_eq!(ended.count("total"), sum, "{}", ended.summary);
        ended
    }

    /// A counter of the summary.
    ///
    /// # Panics
    /// When there is none of that name.
    #[must_use]
    #[track_caller]
    pub fn count(&self, name: &str) -> usize {
        let count = self.summary[name].as_u64();
        count
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or_else(|| panic!("{name}: {}", self.summary))
    }

    /// It succeeded, with this many versions triggered and nothing else.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn assert_triggered(&self, versions: usize) {
        let summary = &self.summary;
        assert_eq!((self.status, &summary["complete"]), (0, &Value::Bool(true)), "{summary}");
        assert_eq!(
            (self.count("total"), self.count("processed")),
            (versions, versions),
            "{summary}"
        );
    }

    /// It failed, is not complete, and says this of the reason.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn assert_stopped(&self, said: &str) {
        let summary = &self.summary;
        assert_eq!((self.status, &summary["complete"]), (1, &Value::Bool(false)), "{summary}");
        assert_eq!(summary["error"]["cause"]["message"], said);
        assert_eq!(summary["status"], "error");
    }
}
