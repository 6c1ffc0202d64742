//! What goes wrong while the soak runs, in an order that follows from the seed.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use super::journal::Journal;
use crate::dice::Dice;
use crate::minio::Pair;
use crate::relay::Relay;

/// How long a fault lasts.
const LASTS: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(7)];
/// How long nothing is wrong in between.
const CALM: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];
/// How long the source is down.
const DOWN: [Duration; 2] = [Duration::ZERO, Duration::from_secs(2)];
/// Between two looks at whether it is over.
const GLANCE: Duration = Duration::from_millis(50);

/// The kinds, which come all once before any comes again.
const KINDS: [Fault; 5] =
    [Fault::Refusal, Fault::TargetDown, Fault::TargetFrozen, Fault::SourceKilled, Fault::Cuts];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The target refuses what is replicated: it becomes `FAILED`.
    Refusal,
    /// The target is killed.
    TargetDown,
    /// The target accepts and does not answer: what is written stays `PENDING`.
    TargetFrozen,
    /// The source is killed, and forgets what it was going to retry.
    SourceKilled,
    /// Connections to the source are closed at random.
    Cuts,
}

/// The faults of one soak.
pub(super) struct Faults<'a> {
    pair: &'a mut Pair,
    relay: &'a Relay,
    dice: Dice,
    journal: &'a Journal,
    bag: Vec<Fault>,
    counts: BTreeMap<&'static str, u64>,
}

impl<'a> Faults<'a> {
    pub(super) fn new(
        pair: &'a mut Pair,
        relay: &'a Relay,
        dice: Dice,
        journal: &'a Journal,
    ) -> Self {
        Self { pair, relay, dice, journal, bag: Vec::new(), counts: BTreeMap::new() }
    }

    /// Lets them happen, one after the other, until it is over; nothing is wrong any more then.
    /// Returns how often each of them happened.
    pub(super) fn befall(mut self, over: &dyn Fn() -> bool) -> BTreeMap<&'static str, u64> {
        self.pause(CALM, over);
        while !over() {
            let fault = self.next();
            *self.counts.entry(fault.name()).or_default() += 1;
            self.journal.note(fault.name());
            self.begin(fault);
            self.pause(LASTS, over);
            // A source that is killed while the link is broken leaves a backlog that nothing but
            // this command will ever take up again.
            if fault != Fault::SourceKilled && !over() && self.dice.one_in(2) {
                *self.counts.entry(Fault::SourceKilled.name()).or_default() += 1;
                self.kill_source(over);
                self.pause(LASTS, over);
            }
            self.end(fault, over);
            self.journal.note(&format!("{}: over", fault.name()));
            self.pause(CALM, over);
        }
        self.counts
    }

    fn next(&mut self) -> Fault {
        if self.bag.is_empty() {
            self.bag = KINDS.to_vec();
        }
        self.dice.take(&mut self.bag)
    }

    fn begin(&mut self, fault: Fault) {
        match fault {
            Fault::Refusal => self.pair.stick(),
            Fault::TargetDown => self.pair.target_mut().kill(),
            Fault::TargetFrozen => self.pair.target().freeze(),
            Fault::SourceKilled => {}
            Fault::Cuts => self.relay.cut(true),
        }
    }

    fn end(&mut self, fault: Fault, over: &dyn Fn() -> bool) {
        match fault {
            Fault::Refusal => self.pair.unstick_one(self.pair.links()[0].bucket),
            Fault::TargetDown => self.pair.target_mut().restart(),
            Fault::TargetFrozen => self.pair.target().thaw(),
            Fault::SourceKilled => self.kill_source(over),
            Fault::Cuts => self.relay.cut(false),
        }
    }

    fn kill_source(&mut self, over: &dyn Fn() -> bool) {
        self.journal.note("source dies");
        self.pair.source_mut().kill();
        self.pause(DOWN, over);
        self.pair.source_mut().restart();
        self.journal.note("source is back");
    }

    fn pause(&mut self, [least, most]: [Duration; 2], over: &dyn Fn() -> bool) {
        let mut rest = self.dice.span(least, most);
        while !rest.is_zero() && !over() {
            let glance = GLANCE.min(rest);
            sleep(glance);
            rest -= glance;
        }
    }
}

impl Fault {
    fn name(self) -> &'static str {
        match self {
            Self::Refusal => "target refuses",
            Self::TargetDown => "target killed",
            Self::TargetFrozen => "target frozen",
            Self::SourceKilled => "source killed",
            Self::Cuts => "connections closed",
        }
    }
}
