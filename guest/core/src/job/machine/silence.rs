//! Exchanges to which no answer comes.

use super::{Job, LAST_ANSWERS};
use crate::job::end::Sink;
use crate::job::failure::Failure;
use crate::job::flights::Flight;
use crate::job::outcome::Outcome;
use crate::job::patience::{MAX_HANGS, Patience};
use crate::wire::{Cause, Net, TransportError};
use std::time::Duration;

/// How often flights are looked through for one that is too old.
const SCAN: Duration = Duration::from_secs(1);

/// How long it answers none before that is told.
pub(super) const NOTICE: Duration = Duration::from_secs(5);

/// Of the places, this part at most is for versions that have hung before, as long as there are others
/// to be begun.
const SHARE: usize = 4;

impl Job {
    /// How long the answer to a flight may take.
    fn patience_with(&self, flight: &Flight) -> Duration {
        if flight.copying {
            Patience::with_copy(flight.size.unwrap_or_default())
        } else {
            self.patience.with_head(flight.hangs)
        }
    }

    /// Gives up exchanges that take too long: a server that accepts and never answers would hold
    /// its slot for ever, and after a stop the summary.
    pub(super) fn scan<N: Net>(&mut self, net: &mut N, sink: &mut dyn Sink) {
        let now = net.now();
        if self.flights.len() == 0 {
            self.next_scan = now + SCAN;
        }
        if now < self.next_scan {
            return;
        }
        self.next_scan = now + SCAN;
        let last = self.stopped.map(|stopped| stopped + LAST_ANSWERS);
        let late = |flight: &Flight| {
            let until = flight.started + self.patience_with(flight);
            now >= last.map_or(until, |last| last.min(until))
        };
        for ticket in self.flights.tickets(late) {
            net.cancel(ticket);
            let flight = self.flights.take(ticket);
            if last.is_some() {
                self.given_up += 1;
            } else if let Some(flight) = flight {
                self.hung(net, sink, flight);
            }
        }
    }

    /// No answer came. That is the version's own trouble while others are answered, and the server's when
    /// none is.
    fn hung<N: Net>(&mut self, net: &mut N, sink: &mut dyn Sink, mut flight: Flight) {
        let now = net.now();
        let waited = self.patience_with(&flight);
        if !flight.copying && self.patience.ran_out(flight.hangs, flight.started, now) {
            self.window.overload(flight.started, now);
            self.counts.overloads += 1;
        }
        let failure = Failure {
            cause: Cause::Transport(TransportError::Timeout(waited)),
            during: flight.during(),
        };
        // Unless there is no rest to be spared.
        if self.patience.is_over(now) && !self.spool.is_empty() {
            self.fatal.get_or_insert_with(|| failure.clone());
        }
        flight.hangs += 1;
        if flight.hangs < MAX_HANGS {
            self.counts.retries += 1;
            // One after the other, and not at once: what hangs may be freed in the meantime.
            let at = now + Duration::from_secs(u64::from(flight.hangs));
            self.hung.insert((at, self.counts.retries), flight);
            return;
        }
        if flight.copying && self.patience.copies_ran_out() && !self.spool.is_empty() {
            self.fatal.get_or_insert_with(|| failure.clone());
        }
        self.finish(sink, &flight, &Outcome::Failed(failure));
    }

    /// Whether a version that has hung before may be begun beside those in flight.
    ///
    /// The share counts only while something else can be begun. What cannot, because the first copy is not
    /// proven or too many wait already, may wait for the very version that has hung.
    pub(super) fn has_place_for_hung(&self) -> bool {
        let fresh =
            if self.spool.is_empty() { !self.source.ended() } else { self.may_begin_fresh() };
        let others = fresh || !self.retries.is_empty();
        let places = if others { self.window.size() / SHARE } else { self.window.size() };
        self.flights.hung() < places
    }
}
