//! Runs `mc-wasi` over and over, and holds each run to what it says.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::os::unix::process::CommandExt as _;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use super::journal::Journal;
use crate::dice::Dice;
use crate::mcwasi::{McWasi, Ran};
use crate::minio::{Client, DiffEntry, SOURCE_BUCKET, object_target, try_diff};
use crate::watch::Watched;

/// The longest a run may take. One over a backlog of this size takes seconds; this is for one that
/// meets a server that is down again and again.
const LIMIT: Duration = Duration::from_secs(240);
/// The longest it may take to end after SIGTERM: 5 s for the last answers, and a busy machine.
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// How long a backlog is asked for when the source is down.
const ASK: Duration = Duration::from_secs(20);
/// Between two questions.
const AGAIN: Duration = Duration::from_millis(200);
/// The bucket of the target.
const TARGET: &str = "dst";
/// Between two looks at a running process.
const GLANCE: Duration = Duration::from_millis(25);
/// Descriptors beside one for each version in flight: 28 when nothing is in flight, the listing, the
/// connections that are being closed.
const OTHER_FILES: usize = 48;
/// Between two runs.
const PAUSE: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(1_500)];

/// A version: key and id.
type Name = (String, String);

/// Versions with all that the server says of them.
type Backlog = BTreeMap<Name, DiffEntry>;

/// What all runs did.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// How many there were.
    pub(super) runs: u64,
    /// How they ended, and how many did so.
    pub(super) ends: BTreeMap<String, u64>,
    /// Versions listed.
    pub(super) listed: u64,
    /// Versions triggered, each as often as it was.
    pub(super) triggered: u64,
    /// Different versions triggered.
    pub(super) distinct: HashSet<Name>,
    /// Versions deleted before their turn came.
    pub(super) vanished: u64,
    /// Failures reported, by what was said.
    pub(super) failures: BTreeMap<String, u64>,
    /// Runs that claimed to be complete and were compared with the backlog before them.
    pub(super) checked: u64,
    /// Versions of these backlogs.
    pub(super) expected: u64,
    /// Those of them that were not reported, because the server itself had done something about them.
    pub(super) left_before: u64,
    /// The most memory a run took, in MiB.
    pub(super) peak_mib: u64,
    /// The most descriptors a run had open.
    pub(super) most_files: usize,
    /// The longest run.
    pub(super) longest: Longest,
    /// What a run should not have done.
    pub(super) wrong: Vec<String>,
}

/// The longest run, and the descriptors it had.
#[derive(Debug, Default)]
pub(super) struct Longest {
    /// How long it took.
    pub(super) took: Duration,
    /// Open when it had just begun.
    pub(super) files_first: usize,
    /// Open shortly before it ended.
    pub(super) files_last: usize,
}

/// Where runs go to.
pub(super) struct Runner<'a> {
    /// The command, which knows the source as `source`, and as `relay` through the relay.
    pub(super) mc_wasi: &'a McWasi,
    /// The source itself, for what the runs are compared with.
    pub(super) client: &'a Client,
    /// The target, for what the source does not show.
    pub(super) target: &'a Client,
    /// Where each run is noted.
    pub(super) journal: &'a Journal,
    /// What came of it.
    pub(super) tally: Tally,
}

impl Runner<'_> {
    /// Runs again and again, each time differently, until it is over.
    pub(super) fn repeat(&mut self, mut dice: Dice, over: &AtomicBool) {
        while !over.load(Ordering::Relaxed) {
            let words = words(&mut dice);
            self.once(&words, over);
            sleep(dice.span(PAUSE[0], PAUSE[1]));
        }
    }

    /// Runs once. A run that is still at it when it is over is ended by SIGTERM.
    pub(super) fn once(&mut self, words: &[String], over: &AtomicBool) {
        let before = self.backlog(Duration::ZERO);
        let mut command = self.mc_wasi.command(["replicate", "resync-backlog", "--json"]);
        // Ctrl-C is for the soak.
        command.args(words).process_group(0).stdout(Stdio::piped());
        self.journal.note(&format!("run {}", words.join(" ")));
        let mut watched = Watched::start(&mut command);
        let (began, mut stopped) = (Instant::now(), None);
        let (mut files_first, mut files_last, mut files_most) = (0, 0, 0);
        let mut hung = false;
        while watched.runs() {
            let files = watched.open_files();
            if files > 0 {
                files_last = files;
                files_first = if files_first == 0 { files } else { files_first };
                files_most = files_most.max(files);
            }
            if stopped.is_none() && over.load(Ordering::Relaxed) {
                stopped = Some(Instant::now());
                watched.signal(Signal::SIGTERM);
            }
            let late = stopped.is_some_and(|at| at.elapsed() > STOP_LIMIT);
            if late || began.elapsed() > LIMIT {
                hung = true;
                watched.signal(Signal::SIGKILL);
            }
            sleep(GLANCE);
        }
        let finished = watched.finish(STOP_LIMIT);
        self.tally.runs += 1;
        self.tally.peak_mib = self.tally.peak_mib.max(finished.peak_mib);
        if finished.took > self.tally.longest.took {
            self.tally.longest = Longest { took: finished.took, files_first, files_last };
        }
        let last = finished.ran.stdout.lines().last().unwrap_or_default();
        self.journal.note(&format!("run: status {}, {last}", finished.ran.status));
        let run = Run { words, ran: &finished.ran, stopped: stopped.is_some(), hung };
        self.tally.most_files = self.tally.most_files.max(files_most);
        if files_most > run.concurrent() + OTHER_FILES {
            let what = format!("it had {files_most} descriptors open");
            self.tally.wrong.push(run.complaint(&what));
        }
        self.judge(&run, before);
    }

    fn judge(&mut self, run: &Run<'_>, before: Option<Backlog>) {
        let Some((summary, lines)) = run.output(&mut self.tally.wrong) else {
            return self.ended(if run.hung { "hung" } else { "without a summary" });
        };
        let reported = run.count(&mut self.tally, &summary, &lines);
        self.ended(&run.end(&summary));
        if summary["complete"] != true {
            return;
        }
        let Some(before) = before else { return };
        self.tally.checked += 1;
        self.tally.expected += before.len() as u64;
        let mut missed: Vec<_> =
            before.iter().filter(|(name, _)| !reported.contains(*name)).collect();
        if missed.is_empty() {
            return;
        }
        // A server replicates some by itself, and even then may fail later at what it had queued
        // twice, so that they come back. What a run has overlooked has not changed at all.
        let total = missed.len();
        let Some(after) = self.backlog(ASK) else { return };
        missed.retain(|(name, entry)| after.get(*name) == Some(*entry) && !self.is_done(entry));
        self.tally.left_before += (total - missed.len()) as u64;
        if let Some((_, entry)) = missed.first() {
            self.tally.wrong.push(run.complaint(&format!(
                "it claims to be complete and never reported {} versions, first {entry:?}",
                missed.len()
            )));
        }
    }

    /// Whether the target has what the entry is about. A delete marker that was replicated, and then failed because
    /// it had been queued twice, is listed with the status and time of its failure before: nothing at
    /// the source shows what was done in between.
    fn is_done(&self, entry: &DiffEntry) -> bool {
        let path = object_target(TARGET, &entry.object, Some(&entry.version_id));
        let began = Instant::now();
        while began.elapsed() < ASK {
            match self.target.try_send("s3", "HEAD", &path, &[], b"").map(|reply| reply.status) {
                Ok(404) => return !entry.delete_status.is_empty(),
                // The latter is for a delete marker.
                Ok(200 | 405) => return entry.delete_status.is_empty(),
                _ => sleep(AGAIN),
            }
        }
        false
    }

    fn ended(&mut self, how: &str) {
        *self.tally.ends.entry(how.to_owned()).or_default() += 1;
    }

    /// What is in the backlog, unless the source cannot be asked for so long.
    pub(super) fn backlog(&self, patience: Duration) -> Option<Backlog> {
        let began = Instant::now();
        loop {
            let listed = try_diff(self.client, SOURCE_BUCKET, "");
            if let Ok(entries) = listed {
                let named = |e: DiffEntry| ((e.object.clone(), e.version_id.clone()), e);
                return Some(entries.into_iter().map(named).collect());
            }
            if began.elapsed() >= patience {
                return None;
            }
            sleep(AGAIN);
        }
    }
}

/// The flags of a run, and where it goes.
fn words(dice: &mut Dice) -> Vec<String> {
    let mut words = vec![format!("-c={}", dice.pick(&[1, 10, 10, 50, 100]).unwrap_or(&10))];
    if dice.one_in(3) {
        words.push(format!("--wait={}s", 2 + dice.below(15)));
    }
    if dice.one_in(4) {
        words.push(format!("--rate-limit={}", 20 + dice.below(400)));
    }
    if dice.one_in(3) {
        // 64 KiB, the least, are 2,600 versions.
        let sizes = ["64KiB", "100KiB", "1MiB"];
        words.push(format!("--memory={}", dice.pick(&sizes).unwrap_or(&"64KiB")));
    }
    if dice.one_in(5) {
        words.push("--verify-listing".to_owned());
    }
    // Through the relay more often than not: there is more that can go wrong.
    let alias = if dice.one_in(3) { "source" } else { "relay" };
    words.push(format!("{alias}/{SOURCE_BUCKET}"));
    words
}

/// One run that has ended.
struct Run<'a> {
    words: &'a [String],
    ran: &'a Ran,
    stopped: bool,
    hung: bool,
}

impl Run<'_> {
    fn concurrent(&self) -> usize {
        let given = self.words.iter().find_map(|word| word.strip_prefix("-c="));
        given.and_then(|number| number.parse().ok()).unwrap_or(10)
    }

    /// The summary and the lines before it; `None` when there is none.
    fn output(&self, wrong: &mut Vec<String>) -> Option<(Value, Vec<Value>)> {
        if self.hung {
            let lines = self.ran.stdout.lines().count();
            wrong.push(
                self.complaint(&format!("it was killed for not ending, after {lines} lines")),
            );
            return None;
        }
        let lines: Result<Vec<Value>, _> =
            self.ran.stdout.lines().map(serde_json::from_str).collect();
        match lines {
            Ok(mut lines) if lines.last().is_some_and(|last| last["status"].is_string()) => {
                Some((lines.pop()?, lines))
            }
            Ok(_) => {
                // A run that is stopped before it has begun says nothing.
                if !self.stopped {
                    wrong.push(self.complaint("it printed no summary"));
                }
                None
            }
            Err(error) => {
                wrong
                    .push(self.complaint(&format!("it printed something else than JSON: {error}")));
                None
            }
        }
    }

    /// Adds the run up, and finds out whether its summary agrees with its lines. Returns the
    /// versions it reported.
    fn count(&self, tally: &mut Tally, summary: &Value, lines: &[Value]) -> BTreeSet<Name> {
        let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let mut outcomes: BTreeMap<String, u64> = BTreeMap::new();
        let mut reported = BTreeSet::new();
        for line in lines.iter().filter(|line| line["outcome"].is_string()) {
            let name = (text(line, "object"), text(line, "versionId"));
            let outcome = text(line, "outcome");
            if outcome == "failed" {
                *tally.failures.entry(cause(&line["error"])).or_default() += 1;
            }
            if outcome == "triggered" {
                tally.distinct.insert(name.clone());
            }
            if !reported.insert(name.clone()) {
                let (key, version) = name;
                tally.wrong.push(self.complaint(&format!("it reported `{key}` ({version}) twice")));
            }
            *outcomes.entry(outcome).or_default() += 1;
        }
        if !summary["total"].is_u64() {
            return reported;
        }
        let count = |name: &str| summary[name].as_u64().unwrap_or_default();
        let outcomes = |name: &str| outcomes.get(name).copied().unwrap_or_default();
        tally.listed += count("total");
        tally.triggered += count("processed");
        tally.vanished += count("vanished");
        for (counter, outcome) in [
            ("processed", "triggered"),
            ("failed", "failed"),
            ("vanished", "vanished"),
            ("elsewhere", "elsewhere"),
        ] {
            if count(counter) != outcomes(outcome) {
                let lines = outcomes(outcome);
                tally.wrong.push(self.complaint(&format!("it printed {lines} lines {outcome}")));
            }
        }
        let parts = ["processed", "failed", "vanished", "elsewhere", "replicated", "notReached"];
        if count("total") != parts.iter().map(|part| count(part)).sum::<u64>() {
            tally.wrong.push(self.complaint("its counters do not add up"));
        }
        let claims = summary["status"] == "success";
        let may = summary["complete"] == true && count("failed") + count("notReached") == 0;
        if claims && !may {
            tally.wrong.push(self.complaint("it claims a success that is none"));
        }
        if !self.stopped && claims != (self.ran.status == 0) {
            let status = self.ran.status;
            tally.wrong.push(self.complaint(&format!("its exit status is {status}")));
        }
        reported
    }

    fn end(&self, summary: &Value) -> String {
        let failed = summary["failed"].as_u64().unwrap_or_default() > 0;
        let (complete, success) = (summary["complete"] == true, summary["status"] == "success");
        let how = match (complete, success) {
            _ if self.stopped => "stopped by SIGTERM",
            _ if !summary["total"].is_u64() => "not begun",
            (true, true) => "complete",
            (true, false) if failed => "complete, with failures",
            (true, false) => "complete, and not all replicated in time",
            (false, _) => "incomplete, as said",
        };
        match summary["error"].is_object() && !self.stopped {
            true => format!("{how}: {}", cause(&summary["error"])),
            false => how.to_owned(),
        }
    }

    fn complaint(&self, what: &str) -> String {
        let last = self.ran.stdout.lines().last().unwrap_or_default();
        format!(
            "{what}; `mc-wasi replicate resync-backlog --json {}` ended with {}, {last}\n{}",
            self.words.join(" "),
            self.ran.status,
            self.ran.stderr
        )
    }
}

/// What an error says, without what differs from one version to the next.
fn cause(error: &Value) -> String {
    let text = error["cause"]["message"].as_str().or(error["message"].as_str());
    text.map_or_else(|| error.to_string(), str::to_owned)
}
