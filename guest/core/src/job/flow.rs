//! How much of what was triggered still waits on the server.
//!
//! A HEAD is answered 200 whether the queue for replication has room or not. A node has 10,000 places for
//! each worker, chosen by the hash of the name, and 100,000 more for objects; what does not fit is tried again
//! after five minutes, three times, and then dropped (observed). So no more is triggered than has been
//! replicated, but for so many versions, as far as the bucket's own counters tell. They leave out a good deal
//! ([`Counters`] says what), so the backlog has the last word.

use crate::job::counters::Counters;
use crate::job::outage::is_absence;
use crate::listing::{Item, Statuses};
use crate::wire::{Cause, Client, Foreign, Instant, Response, S3Error, TransportError, retry};
use std::collections::BTreeMap;
use std::time::Duration;

/// Versions triggered and not yet replicated at most, unless there is a reason: what a node takes beyond the
/// queues of its workers.
pub const MAX_QUEUE: u64 = 100_000;

/// The same where all that waits may be in the queue of one worker: all delete markers share one, and all
/// versions of one name. It has 10,000 places, and others use it, too. Only deletes are lost beyond these: 10,800
/// objects of six names with one worker and no bound were all replicated (observed).
const ONE_WORKER: u64 = 8_000;

/// Versions of one name in a row from which on that is so.
const SAME_NAME: u64 = 1_000;

/// Versions that wait before anything is asked: half of what the smallest queue takes. A small run never asks,
/// and what is done until then is only taken for waiting longer than it does.
pub(crate) const FEW: u64 = ONE_WORKER / 2;

/// Between two looks at the counters. They follow within a second (observed).
pub(crate) const EVERY: Duration = Duration::from_secs(2);

/// How long nothing may move before the backlog itself is looked at.
const STALL: Duration = Duration::from_secs(60);

/// How long nothing may leave the queue before the run ends.
const DEAD: Duration = Duration::from_secs(300);

/// Of what the counters should have told between two looks at the backlog, the part from which on their word
/// is not enough: one in so many. They are behind by a second or two of five minutes, and by what was done before
/// they were first asked.
const MISSED: u64 = 10;

/// Targets that are counted one by one. A bucket has a handful.
const TARGETS: usize = 1_000;

/// What is known of one target.
#[derive(Debug, Default, Clone, Copy)]
struct Target {
    /// Versions of this run that were triggered for it.
    triggered: u64,
    /// What its counters would show if none of these were done.
    base: Option<i128>,
    /// How many of these are done, as the backlog has it. The next counters are set against that; the last ones
    /// are older than the look.
    known: Option<i128>,
    /// What its counters showed last.
    last: i128,
}

impl Target {
    /// Versions that wait for it, with so many of which the listing names no target.
    fn waiting(&self, unnamed: u64) -> u64 {
        let done = self.base.map_or(0, |base| self.last - base);
        u64::try_from(self.expected(unnamed) - done).unwrap_or(0)
    }

    /// How far its counters have to go for all of these.
    fn expected(&self, unnamed: u64) -> i128 {
        i128::from(self.triggered) + i128::from(unnamed)
    }
}

/// What a look at the counters has shown beyond their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// They go on.
    Counters,
    /// A server was started again, or cannot be reached: its queue may be gone.
    Restart,
}

/// What was triggered, and what the counters say of it.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    /// 0: no bound.
    max: u64,
    /// Beyond that, those that the backlog has shown not to move.
    more: u64,
    triggered: u64,
    /// What [`Flow::waiting`] says: it is asked for before every start.
    waiting: u64,
    /// Versions triggered of which the listing names no target.
    unnamed: u64,
    targets: BTreeMap<String, Target>,
    /// The name triggered last, and how many of its versions were in a row.
    name: String,
    in_a_row: u64,
    seen: bool,
    /// The nodes that the last counters were of, and for how many seconds each was up.
    nodes: BTreeMap<String, u64>,
    /// How many were done at the last look at the backlog, and whether the counters had missed much of that.
    looked: u64,
    doubtful: bool,
    /// When something was last counted, or looked for.
    moved: Instant,
    /// When something last left the queue.
    departed: Instant,
}

impl Flow {
    /// At most `max` versions may wait; 0 is any number.
    pub(crate) fn new(max: u64) -> Self {
        Self { max, ..Self::default() }
    }

    /// Whether there is a bound.
    pub(crate) fn is_on(&self) -> bool {
        self.max > 0
    }

    /// Whether the counters were ever seen.
    pub(crate) fn has_seen(&self) -> bool {
        self.seen
    }

    /// A version is triggered.
    pub(crate) fn add(&mut self, item: &Item, statuses: &Statuses) {
        self.triggered += 1;
        if self.name == item.key {
            self.in_a_row += 1;
        } else {
            self.name.clone_from(&item.key);
            self.in_a_row = 1;
        }
        if statuses.targets.is_empty() {
            self.unnamed += 1;
        }
        for target in &statuses.targets {
            if let Some(known) = self.targets.get_mut(&target.arn) {
                known.triggered += 1;
                // It has grown, so only it can be the new maximum.
                self.waiting = self.waiting.max(known.waiting(self.unnamed));
            } else if self.targets.len() < TARGETS {
                let new = Target { triggered: 1, ..Target::default() };
                self.targets.insert(target.arn.clone(), new);
                self.count();
            }
        }
        if statuses.targets.is_empty() {
            self.count();
        }
    }

    /// From now on something has to move.
    pub(crate) fn watch(&mut self, now: Instant) {
        (self.moved, self.departed) = (now, now);
    }

    /// Versions that wait on the server, as far as that is known.
    pub(crate) fn waiting(&self) -> u64 {
        self.waiting
    }

    /// Counts what waits anew: the target that is furthest behind decides.
    fn count(&mut self) {
        let of = |target: &Target| target.waiting(self.unnamed);
        self.waiting = self.targets.values().map(of).max().unwrap_or(self.triggered);
    }

    /// Versions triggered of which the counters say that they are done.
    pub(crate) fn done(&self) -> u64 {
        self.triggered.saturating_sub(self.waiting())
    }

    /// Whether this version may be triggered while others are in flight.
    pub(crate) fn allows(&self, item: &Item, in_flight: usize) -> bool {
        let one_worker =
            item.delete_marker || (self.name == item.key && self.in_a_row >= SAME_NAME);
        let most = if one_worker { self.max.min(ONE_WORKER) } else { self.max };
        !self.is_on() || self.waiting() + in_flight as u64 <= most.saturating_sub(1) + self.more
    }

    /// Takes what came of asking for the counters.
    ///
    /// # Errors
    /// Why they cannot be had; nothing where that may pass.
    pub(crate) fn answered(
        &mut self,
        client: &mut Client,
        result: Result<Response, TransportError>,
        now: Instant,
    ) -> Result<Shown, Option<Cause>> {
        let cause = match result {
            Ok(answer) if let Some(foreign) = Foreign::of(&answer) => Cause::Foreign(foreign),
            Ok(answer) if answer.status == 200 => match self.observe(&answer.body, now) {
                Some(shown) => return Ok(shown),
                None => Cause::Server(Box::new(S3Error {
                    message: "its counters cannot be read".to_owned(),
                    ..S3Error::from_response(&answer)
                })),
            },
            Ok(answer) => {
                let error = S3Error::from_response(&answer);
                if retry::retries_answer(&error) || client.learn_region(&answer) {
                    return Err(None);
                }
                Cause::Server(Box::new(error))
            }
            Err(error) => Cause::Transport(error),
        };
        // A server that is out is waited for by the run itself.
        Err(Some(cause).filter(|cause| !is_absence(cause)))
    }

    /// Takes the server's answer; nothing if that is not one that has them.
    fn observe(&mut self, body: &[u8], now: Instant) -> Option<Shown> {
        let counters = Counters::parse(body)?;
        let unnamed = self.unnamed;
        for arn in counters.targets.keys() {
            if self.targets.len() < TARGETS && !self.targets.contains_key(arn) {
                self.targets.insert(arn.clone(), Target::default());
            }
        }
        let nodes = std::mem::replace(&mut self.nodes, counters.nodes);
        let is_anew = |(name, up): (&String, &u64)| self.nodes.get(name).is_none_or(|now| now < up);
        let mut restart = nodes.iter().any(is_anew);
        let same = self.nodes.keys().eq(nodes.keys());
        let alone = same && nodes.len() <= 1;
        // With a node that comes or goes, its share does. That says nothing of the queues of the others.
        let other_sum = !alone && (restart || !same);
        let mut moved = false;
        for (arn, target) in &mut self.targets {
            let done = counters.targets.get(arn).copied().unwrap_or_default();
            let before = std::mem::replace(&mut target.last, done);
            let all_done = done - target.expected(unnamed);
            target.base = Some(match target.base {
                _ if let Some(known) = target.known.take() => done - known,
                // Of the first counters nothing is ours.
                None => done,
                Some(base) if other_sum || (!alone && done < before) => base + done - before,
                // What was queued is forgotten, so nothing waits any more.
                Some(_) if restart || done < before => {
                    restart = true;
                    all_done
                }
                // More is done than was triggered: the rest is the traffic of others.
                Some(base) => base.max(all_done),
            });
            moved |= done != before && !other_sum;
        }
        self.seen = true;
        self.count();
        if moved {
            (self.moved, self.departed) = (now, now);
        }
        Some(if restart { Shown::Restart } else { Shown::Counters })
    }

    /// The name triggered last.
    pub(crate) fn last_name(&self) -> &str {
        &self.name
    }

    /// Whether nothing has left the queue for so long that nothing will.
    pub(crate) fn is_dead(&self, now: Instant) -> bool {
        self.waiting() > 0 && now >= self.departed + DEAD
    }

    /// Whether something waits, and something has left the queue within this time.
    pub(crate) fn is_draining(&self, within: Duration, now: Instant) -> bool {
        self.seen && self.waiting() > 0 && now < self.departed + within
    }

    /// Whether the counters say that nothing waits.
    pub(crate) fn is_drained(&self) -> bool {
        self.seen && self.triggered > 0 && self.waiting() == 0
    }

    /// Whether nothing has moved for so long that the backlog has to be looked at.
    pub(crate) fn is_stalled(&self, now: Instant) -> bool {
        self.waiting() > 0 && now >= self.moved + STALL
    }

    /// Whether the counters leave out so much of what is done that only the backlog tells.
    pub(crate) fn is_doubtful(&self) -> bool {
        self.doubtful
    }

    /// The backlog shows that so many are left of what was triggered. Returns whether that is fewer than were
    /// taken to wait.
    pub(crate) fn left(&mut self, left: u64, now: Instant) -> bool {
        let missed = self.waiting().saturating_sub(left);
        let told = self.done().saturating_sub(self.looked);
        self.doubtful = missed > told / MISSED;
        self.looked = self.triggered.saturating_sub(left);
        let unnamed = self.unnamed;
        for target in self.targets.values_mut().filter(|target| target.expected(unnamed) > 0) {
            let known = target.expected(unnamed) - i128::from(left);
            target.known = Some(known);
            if !self.seen {
                target.base = Some(target.last - known);
            }
        }
        self.count();
        if missed > 0 {
            (self.moved, self.departed) = (now, now);
        } else if now >= self.moved + STALL {
            // These may be of a rule that is no more, and others are not: in steps that grow.
            self.more = (self.more * 2).max(ONE_WORKER).min(left);
            self.moved = now;
        }
        missed > 0
    }
}
