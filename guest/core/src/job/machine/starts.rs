//! Which attempt is begun, and when.

use super::Job;
use crate::job::flights::Flight;
use crate::job::spec::Mode;
use crate::listing::Item;
use crate::wire::{Instant, Net};
use std::collections::BTreeMap;

/// Versions that wait for another attempt at most. A server that turns everything down must not
/// make the whole backlog wait in memory.
const MAX_RETRIES: usize = 2_000;

impl Job {
    pub(super) fn start_flights<N: Net>(&mut self, net: &mut N) {
        let now = net.now();
        loop {
            self.spool.prepare();
            if self.next_start(now).is_none_or(|at| at > now) {
                break;
            }
            let Some(flight) = self.next_flight(now) else { break };
            self.pacer.start(now);
            self.launch(net, flight);
        }
    }

    /// What is begun next: what is tried again, then what is new, then what has hung before.
    fn next_flight(&mut self, now: Instant) -> Option<Flight> {
        let due = |waiting: &mut BTreeMap<(Instant, u64), Flight>| {
            let first = waiting.first_entry().filter(|entry| entry.key().0 <= now);
            first.map(std::collections::btree_map::OccupiedEntry::remove)
        };
        if let Some(flight) = due(&mut self.retries) {
            return Some(flight);
        }
        if self.next_fresh(now).is_some_and(|at| at <= now)
            && let Some(item) = self.spool.pop()
        {
            return Some(Flight::new(item));
        }
        if self.has_place_for_hung() { due(&mut self.hung) } else { None }
    }

    /// When the next attempt may start; `None` while only an event can make room or work for one.
    fn next_start(&self, now: Instant) -> Option<Instant> {
        if self.stopping() || self.flights.len() >= self.window.size() {
            return None;
        }
        let first =
            |waiting: &BTreeMap<(Instant, u64), Flight>| waiting.keys().next().map(|(at, _)| *at);
        // All places are counted for it, so only where something has hung.
        let hung = first(&self.hung).filter(|_| self.has_place_for_hung());
        let work =
            [first(&self.retries), hung, self.next_fresh(now)].into_iter().flatten().min()?;
        Some(work.max(self.pacer.next_start()))
    }

    /// When a version of the spool may be begun.
    fn next_fresh(&self, now: Instant) -> Option<Instant> {
        let waiting = self.waiting();
        let front = self.spool.front().filter(|_| self.may_begin_fresh())?;
        self.flow.allows(front, self.flights.len()).then(|| {
            let [out, short] = [&self.outage, &self.shortage].map(|o| o.next_start(waiting, now));
            out.max(short)
        })
    }

    /// Whether nothing that was begun before has to end first.
    pub(super) fn may_begin_fresh(&self) -> bool {
        self.waiting() < MAX_RETRIES && !self.gone.holds_up() && !self.proof.holds_up()
    }

    /// Begins an attempt: a HEAD, which in [`Mode::ClearChecksum`] also tells what to copy.
    fn launch<N: Net>(&mut self, net: &mut N, mut flight: Flight) {
        flight.attempts += 1;
        flight.copying = false;
        let ticket = self.flights.board(flight, net.now());
        let Some(Item { key, version, .. }) = self.flights.item(ticket) else { return };
        if self.spec.mode == Mode::ClearChecksum {
            self.client.stat(net, ticket, key, version);
        } else {
            self.client.trigger(net, ticket, key, version);
        }
    }

    /// The next moment at which something is due without any event.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        let scan = (self.flights.len() > 0).then_some(self.next_scan);
        let due =
            [self.source.due(), self.look_due(), self.gauge_due(), scan, self.next_start(now)];
        let due = due.into_iter().flatten().min();
        due.map(|at| at.max(now))
    }
}
