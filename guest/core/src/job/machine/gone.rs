//! Versions that the server says are gone.
//!
//! That is a claim, and it may come from another server than the one that listed them: behind an address
//! that has moved to the other site, or a balancer over two. So before a version is counted as gone, the
//! backlog is looked at once more, and what is still listed has not gone. The look names a target that
//! the listing named: a deployment that is not this one does not know it.

use super::Job;
use crate::job::end::Sink;
use crate::job::failure::{During, Failure};
use crate::job::flights::Flight;
use crate::job::outcome::Outcome;
use crate::listing::{Break, Item, Reader, State, StatusTable, VersionSet};
use crate::wire::{Cause, Event, Net, Ticket};

/// Versions that are gone one after the other, with none between them that is not, before the backlog is
/// looked at. It doubles with every look that confirms them.
const IN_A_ROW: usize = 20;

/// Versions kept for a look at most.
const MOST: usize = 1_000;

/// Versions that are still listed before the run ends: it is another server that answers.
const STRANGE: usize = 20;

/// Versions to be confirmed.
#[derive(Debug)]
pub(super) struct Gone {
    waiting: Vec<(Flight, Outcome)>,
    in_a_row: usize,
    next_look: usize,
    look: Option<Look>,
    /// Versions found to be listed still.
    strange: usize,
    /// Looks made.
    pub(super) looks: u32,
}

impl Default for Gone {
    fn default() -> Self {
        Self {
            waiting: Vec::new(),
            in_a_row: 0,
            next_look: IN_A_ROW,
            look: None,
            strange: 0,
            looks: 0,
        }
    }
}

/// A look at the backlog, for some of them.
#[derive(Debug)]
struct Look {
    reader: Reader,
    table: StatusTable,
    listed: VersionSet,
    asked: VersionSet,
}

impl Gone {
    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Another version was not gone.
    pub(super) fn others_are_there(&mut self) {
        self.in_a_row = 0;
    }

    /// Whether nothing new is to be begun until it is known what they are.
    pub(super) fn holds_up(&self) -> bool {
        self.look.is_some() || self.is_due()
    }

    fn is_due(&self) -> bool {
        self.in_a_row >= self.next_look || self.waiting.len() >= MOST
    }

    /// Gives up, and returns how many are left in the dark.
    pub(super) fn give_up<N: Net>(&mut self, net: &mut N) -> usize {
        if let Some(look) = &mut self.look {
            look.reader.close(net);
        }
        self.look = None;
        std::mem::take(&mut self.waiting).len()
    }
}

impl Job {
    /// The server says that this version is gone. One that was not listed is not looked for in a listing.
    pub(super) fn is_gone(&mut self, sink: &mut dyn Sink, flight: Flight, outcome: Outcome) {
        if self.source.listing().is_none() {
            return self.finish(sink, &flight, &outcome);
        }
        self.gone.in_a_row += 1;
        self.gone.waiting.push((flight, outcome));
    }

    /// Begins a look when it is time for one, and goes on with it. `rest` says that there is nothing else
    /// to do any more.
    pub(super) fn confirm_gone<N: Net>(&mut self, net: &mut N, sink: &mut dyn Sink, rest: bool) {
        if self.gone.look.is_none() {
            if self.gone.waiting.is_empty()
                || self.flights.len() > 0
                || !(rest || self.gone.is_due())
            {
                return;
            }
            self.begin_look();
        }
        let Some(look) = &mut self.gone.look else { return };
        if let Some((item, _)) = look.reader.last() {
            found_in(&look.asked, &mut look.listed, &item);
        }
        match look.reader.state().clone() {
            State::Idle => look.reader.open(net, &mut self.client),
            State::Complete => self.judge_gone(sink),
            State::Failed(unfinished) => {
                self.given_up += self.gone.give_up(net) as u64;
                let cause = match unfinished.cause {
                    // The one thing that every node of this deployment knows.
                    Break::NotOpened(Cause::Server(error))
                        if error.message.contains("invalid arn") =>
                    {
                        another_deployment()
                    }
                    Break::NotOpened(cause) => cause,
                    cause => Cause::Declined(cause.to_string()),
                };
                self.fatal.get_or_insert(Failure { cause, during: During::Listing });
            }
            _ => look.reader.tick(net, &mut self.client),
        }
    }

    /// Only what is below their common prefix has to be listed again.
    fn begin_look(&mut self) {
        let mut asked = VersionSet::default();
        let mut prefix: Option<&str> = None;
        let mut arn = self.spec.arn.clone();
        for (Flight { item, .. }, _) in &self.gone.waiting {
            asked.insert(item);
            let common = prefix.map_or(item.key.as_str(), |prefix| common(prefix, &item.key));
            prefix = Some(common);
            let statuses = self.table.get(item.statuses);
            let target = statuses.and_then(|statuses| statuses.targets.first());
            arn = arn.or_else(|| target.map(|target| target.arn.clone()));
        }
        let prefix = prefix.unwrap_or(&self.spec.prefix);
        let reader = Reader::new(prefix, false).beside(Ticket::Look, arn);
        let (table, listed) = (StatusTable::default(), VersionSet::default());
        self.gone.looks += 1;
        self.gone.look = Some(Look { reader, table, listed, asked });
    }

    pub(super) fn on_look<N: Net>(&mut self, net: &mut N, event: Event) {
        let Some(Look { reader, table, listed, asked }) = &mut self.gone.look else { return };
        reader.on_event(net, &mut self.client, event, table, |item, _, _| {
            found_in(asked, listed, &item);
        });
    }

    /// The look is complete.
    fn judge_gone(&mut self, sink: &mut dyn Sink) {
        let Some(Look { listed, .. }) = self.gone.look.take() else { return };
        for (flight, outcome) in std::mem::take(&mut self.gone.waiting) {
            if listed.contains(&flight.item) {
                self.gone.strange += 1;
                let cause = Cause::Declined(STILL_LISTED.to_owned());
                let failure = Failure { cause, during: flight.during() };
                self.finish(sink, &flight, &Outcome::Failed(failure));
            } else {
                self.finish(sink, &flight, &outcome);
            }
        }
        self.gone.in_a_row = 0;
        if listed.is_empty() {
            self.gone.next_look = (self.gone.next_look * 2).min(MOST);
        }
        if self.gone.strange >= STRANGE {
            let failure = Failure { cause: another_deployment(), during: During::Trigger };
            self.fatal.get_or_insert(failure);
        }
    }

    /// When a look has something to do.
    pub(super) fn look_due(&self) -> Option<crate::wire::Instant> {
        self.gone.look.as_ref().and_then(|look| look.reader.due())
    }

    /// Listings opened for looks.
    pub(super) fn looks(&self) -> u32 {
        self.gone.looks
    }
}

/// Why a version fails that is listed and cannot be found.
const STILL_LISTED: &str = "The server says that it does not exist, and goes on listing it: another server or site may have answered.";

fn another_deployment() -> Cause {
    Cause::Declined(
        "Another deployment answers at this address than the one whose backlog was listed: after a fail-over to another site, or behind a balancer over several. Put the address of the one site into the alias, and re-run.".to_owned(),
    )
}

/// What two keys have in common at their beginning.
fn common<'a>(a: &'a str, b: &str) -> &'a str {
    let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b);
    let end = same.map(|(c, _)| c.len_utf8()).sum();
    a.get(..end).unwrap_or_default()
}

/// Takes a version that a look has shown, if it is one of those that were asked about.
fn found_in(asked: &VersionSet, listed: &mut VersionSet, item: &Item) {
    if asked.contains(item) {
        listed.insert(item);
    }
}
