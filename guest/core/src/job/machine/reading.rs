//! The listing, or what the user gives, as far as there is room for what it shows.

use super::Job;
use crate::job::counts::Counts;
use crate::job::end::Sink;
use crate::job::failure::{During, Failure};
use crate::job::outcome::Outcome;
use crate::job::spec::{Mode, Spec};
use crate::job::spool::{BLOCK, Spool};
use crate::listing::memory;
use crate::listing::{Item, Said, State, StatusTable, Statuses};
use crate::wire::{Cause, Event, Net};

/// Bytes of different statuses kept at most while no version refers to them.
const TABLE: usize = 1 << 20;

/// Bytes of the spool that have to be free before a listing that is held is read further. It was read to its
/// end by a reader that drained 200 entries a second and went on after every 100, and cut when it went on
/// after every 1,000. This is some 80 entries.
const STEP: usize = 2 << 10;

/// What is said when the memory does not suffice to go on.
const NO_ROOM: &str = "The component has used up its memory. Raise MC_WASI_MAX_MEMORY, or the limit that another host sets; or lower --memory, or leave out --wait and --verify-listing, which remember every version.";

impl Job {
    pub(super) fn drive_source<N: Net>(&mut self, net: &mut N) {
        if self.stopping() {
            return;
        }
        self.bound_table();
        match self.source.state() {
            State::Idle if self.spool.is_empty() => self.source.open(net, &mut self.client),
            State::Reading if !self.has_room(0) => self.source.hold(net),
            State::Holding if self.has_room(STEP) => self.source.go_on(net),
            _ => self.source.tick(net, &mut self.client),
        }
    }

    /// Whether the listing may be read, with this much left over. An empty spool always takes some.
    fn has_room(&self, left: usize) -> bool {
        !self.table_is_full()
            && (self.spool.is_empty() || self.spool.used() + left <= self.spec.memory)
    }

    /// Whether there are so many different statuses that they have to be forgotten. They have a budget of
    /// their own: with a single block of the spool in it, the budget of the versions would be full as soon
    /// as the first one is read.
    fn table_is_full(&self) -> bool {
        self.table.bytes() > self.spec.memory.max(BLOCK)
    }

    /// Forgets the statuses when they are many and no version refers to one but the one held back.
    fn bound_table(&mut self) {
        let unused = self.spool.is_empty()
            && self.flights.len() == 0
            && self.waiting() == 0
            && self.gone.len() == 0;
        if unused && self.table.bytes() > self.spec.memory.min(TABLE) {
            self.source.forget_statuses(&mut self.table);
        }
    }

    pub(super) fn on_source<N: Net>(&mut self, net: &mut N, sink: &mut dyn Sink, event: Event) {
        if let Event::Response(_, Ok(response)) = &event {
            self.freshness.observe(response, net.now());
        }
        let Self { source, client, table, spool, counts, spec, .. } = self;
        let read = source.on_event(net, client, event, table, |line, said, table| match said {
            Said::Version(item) => found(spec, counts, spool, sink, &item, table),
            Said::Done => counts.passed_over += 1,
            Said::Unfinished => sink.unfinished(line),
            Said::Bad(why) => {
                counts.bad_lines += 1;
                sink.bad_line(line, why);
            }
        });
        if let Err(words) = read {
            let failure = Failure { cause: Cause::Declined(words), during: During::Input };
            self.fatal.get_or_insert(failure);
        }
        self.counts.retry_after = self.counts.retry_after.max(self.source.retry_after());
        self.check_memory(memory::is_enough());
    }

    /// Ends the run while there is still memory to say so.
    pub(super) fn check_memory(&mut self, enough: bool) {
        if !enough && self.fatal.is_none() {
            let cause = Cause::Declined(NO_ROOM.to_owned());
            self.fatal = Some(Failure { cause, during: During::Listing });
        }
    }
}

/// Takes a listed version, if it is one of those that were asked for.
pub(super) fn found(
    spec: &Spec,
    counts: &mut Counts,
    spool: &mut Spool,
    sink: &mut dyn Sink,
    item: &Item,
    table: &StatusTable,
) {
    let Some(statuses) = table.get(item.statuses) else { return };
    if !concerns(spec, item, statuses) {
        return;
    }
    if !spec.filter.allows(item, statuses, spec.arn.as_deref()) {
        counts.filtered += 1;
        return;
    }
    counts.found(item, statuses);
    if spec.mode == Mode::DryRun {
        sink.version(item, statuses, &Outcome::Listed, 0);
    } else {
        spool.push(item);
    }
}

/// Whether it is one of those that the run is about, before any filter.
pub(super) fn concerns(spec: &Spec, item: &Item, statuses: &Statuses) -> bool {
    spec.only.allows(item) && spec.arn.as_deref().is_none_or(|arn| statuses.concerns(arn))
}
