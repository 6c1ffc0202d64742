//! The copies of `--clear-checksum`. The first one is proven before another is made: a HEAD after it shows
//! what the server has really done.

use super::Job;
use crate::job::copy::{Plan, harm};
use crate::job::end::Sink;
use crate::job::flights::Flight;
use crate::job::outcome::{Outcome, Trigger};
use crate::listing::{Item, VersionSet};
use crate::wire::{Instant, Net, Response, VersionId};

/// Whether copies come out as they must.
#[derive(Debug, Default)]
pub(super) enum Proof {
    /// None was made.
    #[default]
    Open,
    /// The first is under way: what its version was before it, and which one it is.
    UnderWay { before: Box<Response>, of: VersionSet, copied: bool },
    /// It came out well.
    Given,
}

impl Proof {
    /// Whether this flight is that of the first copy.
    pub(super) fn is_of(&self, flight: &Flight) -> bool {
        matches!(self, Self::UnderWay { of, .. } if of.contains(&flight.item))
    }

    /// Whether others have to wait for it.
    pub(super) fn holds_up(&self) -> bool {
        matches!(self, Self::UnderWay { .. })
    }
}

impl Job {
    /// The answer to the HEAD of a version that is to be copied, or that proves the first copy.
    pub(super) fn on_stat<N: Net>(
        &mut self,
        net: &mut N,
        sink: &mut dyn Sink,
        mut flight: Flight,
        head: &Response,
    ) {
        if flight.item.version == VersionId::Latest {
            // A copy must name the version that was looked at, or it would make a new one.
            let id = head.header("x-amz-version-id").unwrap_or_default();
            flight.item.version = VersionId::parse(id);
            return self.look_again(net, flight);
        }
        match &self.proof {
            Proof::UnderWay { before, copied: true, .. } if self.proof.is_of(&flight) => {
                match harm(before, head) {
                    Some(cause) => self.refuse(sink, &flight, cause),
                    None => {
                        self.proof = Proof::Given;
                        self.finish(sink, &flight, &Outcome::Triggered(Trigger::Copy));
                    }
                }
                return self.release();
            }
            Proof::UnderWay { .. } if !self.proof.is_of(&flight) => {
                self.held_up.push(flight);
                return;
            }
            _ => {}
        }
        if self.fatal.is_some() {
            // The first copy came out badly meanwhile, or something else ends the run.
            self.given_up += 1;
            return;
        }
        match Plan::new(&flight.item, head, self.spec.settings.encrypts, net.unix()) {
            Ok(plan) => {
                if !matches!(self.proof, Proof::Given) {
                    let mut of = VersionSet::default();
                    of.insert(&flight.item);
                    let before = Box::new(head.clone());
                    self.proof = Proof::UnderWay { before, of, copied: false };
                }
                self.start_copy(net, flight, &plan);
            }
            Err(cause) => {
                self.fail(sink, &flight, cause);
            }
        }
    }

    /// The first copy was made; it is looked at once more.
    pub(super) fn prove<N: Net>(&mut self, net: &mut N, sink: &mut dyn Sink, mut flight: Flight) {
        if self.stopping() {
            return self.finish(sink, &flight, &Outcome::Triggered(Trigger::Copy));
        }
        if let Proof::UnderWay { copied, .. } = &mut self.proof {
            *copied = true;
        }
        flight.copying = false;
        self.look_again(net, flight);
    }

    fn look_again<N: Net>(&mut self, net: &mut N, flight: Flight) {
        let ticket = self.flights.board(flight, net.now());
        let Some(Item { key, version, .. }) = self.flights.item(ticket) else { return };
        self.client.stat(net, ticket, key, version);
    }

    /// The version of the first copy ended in another way: another one will be the first.
    pub(super) fn forget_proof(&mut self, flight: &Flight) {
        if self.proof.is_of(flight) {
            self.proof = Proof::Open;
            self.release();
        }
    }

    /// Lets those go on that waited for the first copy. They are looked at again, since time has passed.
    fn release(&mut self) {
        for mut flight in std::mem::take(&mut self.held_up) {
            // The attempt that was held up was none.
            flight.attempts = flight.attempts.saturating_sub(1);
            self.released += 1;
            self.retries.insert((Instant::default(), self.released), flight);
        }
    }

    fn start_copy<N: Net>(&mut self, net: &mut N, mut flight: Flight, plan: &Plan) {
        flight.copying = true;
        let ticket = self.flights.board(flight, net.now());
        let Some(Item { key, version, .. }) = self.flights.item(ticket) else { return };
        self.client.copy(net, ticket, key, version, &plan.headers());
    }
}
