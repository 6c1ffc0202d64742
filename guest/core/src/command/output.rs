//! Everything the command prints, in the form the user asked for.

use super::Invocation;
use super::breakdown::Breakdown;
use super::failures::Failures;
use crate::command::args::Args;
use crate::command::offline::RemoteTarget;
use crate::job::{Counts, End, Mode, Note, Outcome, Sink};
use crate::listing::{Item, Statuses};
use crate::report::{
    Console, Loss, Message, Paint, Progress, Summary, TICK, Trouble, failure, listed_line,
    note_text, printable, version_json,
};
use crate::wire::{Instant, retry};
use std::time::Duration;

/// Bytes kept before they are written: each write is a call out of the sandbox.
const BUFFER: usize = 64 * 1024;

/// Different notes kept for the summary; one that is said twice is one.
const NOTES: usize = 100;

/// The writer of one run.
pub(super) struct Output<'a, C: Console> {
    console: &'a mut C,
    program: String,
    bucket: String,
    json: bool,
    mode: Mode,
    paint_out: Paint,
    paint_err: Paint,
    progress: Option<Progress>,
    /// The width of stdout, where that is a terminal and its width is known.
    width: Option<usize>,
    breakdown: Option<Breakdown>,
    failures: Failures,
    from: Option<String>,
    bad_lines: Failures,
    buffer: Vec<u8>,
    flushed: Instant,
    lost: Option<Loss>,
    muted: bool,
    offline: Vec<String>,
    notes: Vec<String>,
    asked: Duration,
}

impl<'a, C: Console> Output<'a, C> {
    pub(super) fn new(call: Invocation<'_>, args: &Args, console: &'a mut C) -> Self {
        // A terminal that is not known to take escape sequences gets none, as from mc.
        let plain = (call.env)("TERM").is_none_or(|term| term == "dumb");
        let colors = !args.no_color && !args.quiet && !args.json && !plain;
        let shows_progress = console.err_is_terminal() && !args.quiet && !args.json && !plain;
        // A dry run on a terminal scrolls; a line among its rows would tear them.
        let scrolls = args.dry_run && args.summary.is_none() && console.out_is_terminal();
        let shows_progress = shows_progress && !scrolls;
        let width = (call.env)("COLUMNS").and_then(|columns| columns.parse().ok());
        Self {
            program: call.program.to_owned(),
            bucket: args.target.bucket.clone(),
            json: args.json,
            mode: args.mode(),
            paint_out: Paint(colors && console.out_is_terminal()),
            paint_err: Paint(colors && console.err_is_terminal()),
            progress: shows_progress.then(|| Progress::new(width)),
            width: width.filter(|_| console.out_is_terminal()),
            breakdown: None,
            failures: Failures::default(),
            from: args.from.clone(),
            bad_lines: Failures::default(),
            buffer: Vec::new(),
            flushed: Instant::default(),
            lost: None,
            muted: false,
            offline: Vec::new(),
            notes: Vec::new(),
            asked: Duration::ZERO,
            console,
        }
    }

    /// Whether something is to be drawn or flushed while nothing happens.
    pub(super) fn wants_ticks(&self) -> bool {
        self.progress.is_some() || self.json || self.mode == Mode::DryRun
    }

    /// Whether stdout is gone, and with it the record of what is done.
    pub(super) fn is_broken(&self) -> bool {
        self.lost.is_some()
    }

    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// Draws the progress and lets buffered lines out, when it is time to.
    pub(super) fn tick(&mut self, now: Instant, counts: &Counts, listed: bool, trouble: Trouble) {
        if !self.buffer.is_empty() && now >= self.flushed + TICK {
            self.flushed = now;
            self.flush();
        }
        self.retry_after(counts.retry_after);
        if let Some(text) =
            self.progress.as_mut().and_then(|p| p.draw(now, counts, listed, trouble))
        {
            self.console.err(&text);
        }
    }

    /// The alias has no keys, and nobody else signs.
    pub(super) fn unsigned(&mut self, alias: &str) {
        if self.json {
            return;
        }
        let mark = self.paint_err.warning("⚠");
        let alias = printable(alias);
        self.console
            .err(&format!("{mark} Alias `{alias}` has no keys: requests go out unsigned.\n"));
    }

    /// A target the server does not reach.
    pub(super) fn offline(&mut self, target: &RemoteTarget) {
        if self.offline.contains(&target.arn) {
            return;
        }
        self.offline.push(target.arn.clone());
        if self.json {
            return;
        }
        self.erase_progress();
        let text = format!(
            "Target {} (bucket {}) is offline: versions are triggered and stay in the backlog until it is back.",
            target.arn, target.bucket
        );
        let mark = self.paint_err.warning("⚠");
        self.console.err(&format!("{mark} {}\n", printable(&text)));
    }

    /// The server asks to wait that long before the next attempt; zero when it does not. Said once,
    /// and once more when it asks for more than is obeyed: nothing else explains why a run stands
    /// still.
    pub(super) fn retry_after(&mut self, asked: Duration) {
        let too_long = |asked| asked > retry::capped(asked);
        let said = !self.asked.is_zero() && (too_long(self.asked) || !too_long(asked));
        if asked.is_zero() || said {
            return;
        }
        self.asked = asked;
        if self.json {
            return;
        }
        self.erase_progress();
        let mark = self.paint_err.warning("⚠");
        let most = if too_long(asked) {
            format!("; waiting {} s, the maximum", retry::capped(asked).as_secs())
        } else {
            String::new()
        };
        self.console.err(&format!(
            "{mark} The server asked for a pause of {} s (Retry-After){most}.\n",
            asked.as_secs()
        ));
    }

    /// Something about the server's queue. In JSON it is said at the end.
    pub(super) fn note(&mut self, note: &Note) {
        let text = note_text(note);
        if self.json {
            if self.notes.len() < NOTES && !self.notes.contains(&text) {
                self.notes.push(text);
            }
            return;
        }
        self.erase_progress();
        let mark = self.paint_err.warning("⚠");
        self.console.err(&format!("{mark} {}\n", printable(&text)));
    }

    /// Shows on a terminal what is waited for.
    pub(super) fn waiting(&mut self, now: Instant, versions: u64, next: Duration) {
        if let Some(progress) = &mut self.progress {
            let text = progress.waiting(now, versions, next);
            self.console.err(&text);
        }
    }

    /// Shows on a terminal how many a look has shown so far.
    pub(super) fn looking(&mut self, versions: u64) {
        if let Some(progress) = &mut self.progress {
            let text = progress.looking(versions);
            self.console.err(&text);
        }
    }

    /// Does something without showing its versions: each was shown before.
    pub(super) fn quietly<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> T {
        self.muted = true;
        let done = act(self);
        self.muted = false;
        done
    }

    /// Prints an error. Returns `false`, the status of a run that ends with one.
    pub(super) fn fatal(&mut self, message: &Message) -> bool {
        if self.json {
            self.out(&format!("{}\n", message.json()));
        } else {
            self.message(message);
        }
        self.flush();
        false
    }

    /// Sums versions up from now on, instead of showing each.
    pub(super) fn sum_up(&mut self, breakdown: Option<Breakdown>) {
        self.breakdown = breakdown;
    }

    /// The end of a run. If stdout does not take it, it comes out on stderr; if its reader went away,
    /// nobody wants to know.
    pub(super) fn summary(&mut self, summary: &Summary<'_>, error: Option<&Message>) {
        let complete = *summary.end == End::Complete;
        let table = self.breakdown.take().map(Breakdown::finish);
        if self.json {
            if let Some(table) = table {
                self.out(&format!("{}\n", table.json(complete)));
            }
            self.out(&format!("{}\n", summary.json(error, &self.offline, &self.notes)));
            self.flush();
        } else {
            if let Some(table) = table {
                self.erase_progress();
                self.out(&table.text(&self.bucket, complete, self.width, self.paint_out));
            }
            self.summary_text(summary, error);
        }
        if let Some(Loss::Device(why)) = self.lost.clone() {
            let what = "Unable to write to standard output.";
            self.message(&Message::error(what, why));
            self.console.err(&summary.text(self.paint_err));
        }
    }

    fn summary_text(&mut self, summary: &Summary<'_>, error: Option<&Message>) {
        let unnamed = self.bad_lines.unnamed();
        if unnamed > 0 {
            let text = format!("{unnamed} more lines cannot be used; --json lists every one.");
            self.message(&Message::error(text, ""));
        }
        let unnamed = self.failures.unnamed();
        if unnamed > 0 {
            let text = format!("{unnamed} more failed; --json lists every one with its reason.");
            self.message(&Message::error(text, ""));
        }
        if let Some(error) = error {
            self.message(error);
        }
        self.erase_progress();
        if self.mode == Mode::DryRun && summary.counts.total > 0 {
            self.out("\n");
        }
        self.out(&summary.text(self.paint_out));
        self.flush();
    }

    /// Adds text to stdout.
    pub(super) fn out(&mut self, text: &str) {
        self.buffer.extend_from_slice(text.as_bytes());
    }

    pub(super) fn paint(&self) -> Paint {
        self.paint_out
    }

    /// Writes what is buffered.
    pub(super) fn flush(&mut self) {
        if !self.buffer.is_empty() && self.lost.is_none() {
            self.lost = self.console.out(&self.buffer).err();
        }
        self.buffer.clear();
    }

    /// An error line on stderr, above the progress.
    fn message(&mut self, message: &Message) {
        self.erase_progress();
        let line = message.line(&self.program, self.paint_err.0);
        self.console.err(&format!("{line}\n"));
    }

    fn erase_progress(&mut self) {
        if let Some(progress) = &mut self.progress {
            let erase = progress.erase();
            if !erase.is_empty() {
                self.console.err(erase);
            }
        }
    }
}

impl<C: Console> Sink for Output<'_, C> {
    fn version(&mut self, item: &Item, statuses: &Statuses, outcome: &Outcome, attempts: u32) {
        if self.is_broken() || self.muted {
            return;
        }
        if let Some(breakdown) = &mut self.breakdown {
            breakdown.add(item, statuses);
            return;
        }
        if self.json {
            let error = failure(&self.bucket, item, self.mode, outcome);
            version_json(&mut self.buffer, item, statuses, outcome, attempts, error.as_ref());
        } else if *outcome == Outcome::Listed {
            listed_line(&mut self.buffer, item, statuses);
        } else if let Some(message) = failure(&self.bucket, item, self.mode, outcome)
            && self.failures.add()
        {
            self.message(&message);
        }
        if self.buffer.len() >= BUFFER {
            self.flush();
        }
    }

    fn bad_line(&mut self, number: u64, why: &str) {
        let from = self.from.as_deref().unwrap_or_default();
        let message = Message::error(format!("Unable to use line {number} of `{from}`."), why);
        if self.json {
            self.out(&format!("{}\n", message.json()));
        } else if self.bad_lines.add() {
            self.message(&message);
        }
    }

    fn unfinished(&mut self, number: u64) {
        if self.json {
            return;
        }
        self.erase_progress();
        let mark = self.paint_err.warning("⚠");
        let from = printable(self.from.as_deref().unwrap_or_default());
        self.console.err(&format!(
            "{mark} Line {number} of `{from}` says that the run which wrote it did not reach every version: some may be missing.\n"
        ));
    }
}
