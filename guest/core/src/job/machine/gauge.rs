//! How much waits on the server, as its counters tell, or as a look at the backlog does where they do not.

use super::Job;
use super::reading::concerns;
use crate::job::failure::{During, Failure};
use crate::job::flow::{EVERY, FEW, Flow, Shown};
use crate::job::spec::Spec;
use crate::listing::{Item, Reader, State, StatusTable};
use crate::wire::{
    Cause, Client, Event, Instant, Net, Response, Ticket, TransportError, timestamp,
};
use std::time::Duration;

/// How long the answer may take: the run goes on without it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Between two looks at the backlog, as a multiple of what the last one took.
pub(crate) const PAUSES: u32 = 3;

/// The same while the counters move, and at least. They count the traffic of others as well, so that what waits may be more
/// than they tell.
pub(crate) const CHECKS: (u32, Duration) = (20, Duration::from_secs(300));

/// Why a run ends of which nothing is replicated.
const DEAD: &str = "Nothing of what was triggered has been replicated for five minutes: the target may be down or refuse it, or no rule covers it any more (`mc replicate ls`). More would only overflow the server's queue. Re-run when that is mended; --max-queue 0 triggers all the same.";

/// Something about the queue that the user is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The counters cannot be read, for this reason: the backlog is looked at instead.
    NoCounters(Cause),
    /// The same where no backlog can be looked at: nothing bounds the queue.
    Unbounded(Cause),
    /// A node has begun anew, or cannot be reached.
    Restart,
    /// Nothing has moved for a minute: so many were triggered and not replicated, and this is how many of
    /// these the backlog still shows.
    Stalled {
        /// As the counters have it.
        waiting: u64,
        /// As the backlog has it.
        left: u64,
    },
}

/// What is known of the queue, and how.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    /// The counters are asked for since.
    asked: Option<Instant>,
    /// When they are asked for again.
    next: Instant,
    /// They cannot be had.
    blind: bool,
    look: Option<Look>,
    /// When the backlog may be looked at again, and when it is though the counters move.
    next_look: Instant,
    next_check: Option<Instant>,
    /// When the run began to trigger.
    began: Option<Instant>,
    notes: Vec<Note>,
    /// Whether the user was told that nothing moves.
    stalled: bool,
    /// The same of a restart: a node that comes and goes would say it without end.
    restarted: bool,
    /// Whether anything has to be known of the queue.
    on: bool,
    pub(super) looks: u32,
}

impl Gauge {
    fn tell_restart(&mut self) {
        if !std::mem::replace(&mut self.restarted, true) {
            self.notes.push(Note::Restart);
        }
    }
}

/// A look at the backlog.
#[derive(Debug)]
struct Look {
    reader: Reader,
    table: StatusTable,
    tally: Tally,
    began: Instant,
}

/// How much it shows of what was triggered.
#[derive(Debug)]
struct Tally {
    /// The last name that was.
    until: String,
    /// Statuses since then are of what was triggered, in nanoseconds since 1970 by the server's clock.
    since: i128,
    left: u64,
    /// It has come to what was not triggered yet.
    past: bool,
}

impl Tally {
    /// Counts a version that is listed, if it was triggered and has not been tried in vain since.
    fn see(&mut self, spec: &Spec, item: &Item, status_time: &str, table: &StatusTable) {
        if item.key > self.until {
            self.past = true;
            return;
        }
        let Some(statuses) = table.get(item.statuses) else { return };
        let tried = timestamp::parse_rfc3339(status_time).is_some_and(|at| at >= self.since);
        let failed = tried && statuses.label() == "FAILED";
        let ours = concerns(spec, item, statuses)
            && spec.filter.allows(item, statuses, spec.arn.as_deref());
        self.left += u64::from(ours && !failed);
    }
}

impl Job {
    /// What the user is to be told of the queue, since the last time.
    pub fn notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.gauge.notes)
    }

    /// Versions triggered of which the server's counters say that they are done, once it is known.
    pub fn replicated(&self) -> Option<u64> {
        self.flow.has_seen().then(|| self.flow.done())
    }

    /// The client, and what is known of the queue where the counters tell, for what comes after the run.
    pub(crate) fn into_parts(self) -> (Client, Option<Flow>) {
        (self.client, Some(self.flow).filter(|flow| flow.is_on() && !self.gauge.blind))
    }

    /// Asks for the counters, and looks at the backlog, when it is time to.
    pub(super) fn drive_gauge<N: Net>(&mut self, net: &mut N) {
        self.gauge.began.get_or_insert_with(|| net.now());
        if !self.gauges() {
            self.close_gauge(net);
            return;
        }
        // Each is a call out of the sandbox, so not before it is needed.
        let now = net.now();
        if !std::mem::replace(&mut self.gauge.on, true) {
            self.flow.watch(now);
        }
        if self.gauge.look.is_some() {
            return self.go_on_looking(net);
        }
        match self.gauge.asked {
            Some(since) if now < since + PATIENCE => {}
            Some(_) => {
                net.cancel(Ticket::Metrics);
                self.gauge.asked = None;
                self.gauge.next = now + EVERY;
            }
            None if self.wants_look(now) => match self.source.listing() {
                Some(_) => self.begin_counting(net),
                // What the user gives is in no backlog: all of it may still wait.
                None => self.judge(self.flow.waiting(), now),
            },
            None if !self.gauge.blind && now >= self.gauge.next => {
                self.client.metrics(net, Ticket::Metrics);
                self.gauge.asked = Some(now);
            }
            None => {}
        }
    }

    /// Whether it is time to look at the backlog itself.
    fn wants_look(&self, now: Instant) -> bool {
        let first = self.gauge.began.unwrap_or(now) + CHECKS.1;
        let check = self.gauge.next_check.unwrap_or(first);
        let lost = self.gauge.blind || self.flow.is_doubtful() || self.flow.is_stalled(now);
        self.is_held() && ((lost && now >= self.gauge.next_look) || now >= check)
    }

    /// Whether the queue is full.
    fn is_held(&self) -> bool {
        self.spool.front().is_some_and(|next| !self.flow.allows(next, 0))
    }

    /// Whether anything has to be known: a small run never asks.
    fn gauges(&self) -> bool {
        self.flow.is_on()
            && !self.stopping()
            && self.flow.waiting() >= FEW.min(self.spec.max_queue.div_ceil(2))
            && !(self.spool.is_empty() && self.source.ended())
    }

    /// Gives up what is under way.
    fn close_gauge<N: Net>(&mut self, net: &mut N) {
        self.gauge.on = false;
        if self.gauge.asked.take().is_some() {
            net.cancel(Ticket::Metrics);
        }
        if let Some(mut look) = self.gauge.look.take() {
            look.reader.close(net);
        }
    }

    /// When [`Job::drive_gauge`] has something to do.
    pub(super) fn gauge_due(&self) -> Option<Instant> {
        let Gauge { look, asked, next, blind, next_look, .. } = &self.gauge;
        match (look, asked) {
            _ if !self.gauges() => None,
            (Some(look), _) => look.reader.due(),
            (None, Some(since)) => Some(*since + PATIENCE),
            (None, None) if *blind => self.is_held().then_some(*next_look),
            (None, None) => Some(*next),
        }
    }

    pub(super) fn on_metrics<N: Net>(
        &mut self,
        net: &mut N,
        result: Result<Response, TransportError>,
    ) {
        let now = net.now();
        self.gauge.asked = None;
        self.gauge.next = now + EVERY;
        let cause = match self.flow.answered(&mut self.client, result, now) {
            Ok(Shown::Counters) | Err(None) => return,
            Ok(Shown::Restart) => return self.gauge.tell_restart(),
            Err(Some(cause)) => cause,
        };
        let looks = self.source.listing().is_some();
        self.gauge.notes.push(if looks { Note::NoCounters } else { Note::Unbounded }(cause));
        if looks {
            self.gauge.blind = true;
        } else {
            self.flow = Flow::new(0);
        }
    }

    fn begin_counting<N: Net>(&mut self, net: &mut N) {
        let now = net.now();
        let began = *self.gauge.began.get_or_insert(now);
        let own = i128::from(net.unix()) * 1_000_000_000;
        let tally = Tally {
            until: self.flow.last_name().to_owned(),
            since: self.server_time(began).unwrap_or(own),
            left: 0,
            past: false,
        };
        let reader =
            Reader::new(&self.spec.prefix, false).beside(Ticket::Count, self.spec.arn.clone());
        self.gauge.looks += 1;
        let table = StatusTable::default();
        self.gauge.look = Some(Look { reader, table, tally, began: now });
    }

    fn go_on_looking<N: Net>(&mut self, net: &mut N) {
        let Self { gauge, client, spec, .. } = self;
        let Some(Look { reader, table, tally, .. }) = &mut gauge.look else { return };
        if let Some((item, status_time)) = reader.last() {
            tally.see(spec, &item, &status_time, table);
        }
        // Names come sorted, but for old releases, of which more is taken to be done than is.
        if tally.past {
            reader.close(net);
            return self.judge_look(true, net.now());
        }
        match reader.state() {
            State::Idle => reader.open(net, client),
            State::Complete => self.judge_look(true, net.now()),
            State::Failed(_) => self.judge_look(false, net.now()),
            _ => reader.tick(net, client),
        }
    }

    pub(super) fn on_count<N: Net>(&mut self, net: &mut N, event: Event) {
        let Self { gauge, client, spec, .. } = self;
        let Some(Look { reader, table, tally, .. }) = &mut gauge.look else { return };
        reader.on_event(net, client, event, table, |item, status_time, table| {
            tally.see(spec, &item, status_time, table);
        });
    }

    /// The look has ended. One that was not whole says nothing.
    fn judge_look(&mut self, whole: bool, now: Instant) {
        let Some(look) = self.gauge.look.take() else { return };
        let took = now - look.began;
        self.gauge.next = now;
        self.gauge.next_look = now + (took * PAUSES).max(EVERY);
        self.gauge.next_check = Some(now + (took * CHECKS.0).max(CHECKS.1));
        if !whole {
            return;
        }
        // What failed is there, too, and was never queued.
        let others = self.counts.failed + (self.waiting() + self.flights.len()) as u64;
        self.judge(look.tally.left.saturating_sub(others), now);
    }

    /// So many are left of what was triggered.
    fn judge(&mut self, left: u64, now: Instant) {
        let waiting = self.flow.waiting();
        let stalled = self.flow.is_stalled(now);
        let stuck = !self.flow.left(left, now) && stalled && !self.gauge.blind;
        if stuck && !std::mem::replace(&mut self.gauge.stalled, true) {
            self.gauge.notes.push(Note::Stalled { waiting, left });
        }
        // What is given may be of a kind that no counter knows, and nothing else tells.
        if self.flow.is_dead(now) && self.source.listing().is_some() {
            let cause = Cause::Declined(DEAD.to_owned());
            self.fatal.get_or_insert(Failure { cause, during: During::Trigger });
        }
    }
}
