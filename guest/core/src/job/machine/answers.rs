//! What the job makes of an answer: the end of a version, another attempt, or the end of the run.

use super::Job;
use crate::job::copy::{self, Plan};
use crate::job::end::Sink;
use crate::job::failure::Failure;
use crate::job::flights::Flight;
use crate::job::outcome::{Outcome, Trigger, Verdict};
use crate::job::spec::Mode;
use crate::listing::Item;
use crate::wire::{Cause, NO_BUCKET, Net, Response, Ticket, TransportError, retry, skew};
use std::time::Duration;

/// Attempts at a version that the server refuses for the region in the signature, beyond the first,
/// before the run ends.
const MAX_REGIONS: u32 = 4;

impl Job {
    pub(super) fn on_answer<N: Net>(
        &mut self,
        net: &mut N,
        sink: &mut dyn Sink,
        ticket: Ticket,
        result: &Result<Response, TransportError>,
    ) {
        let Some(mut flight) = self.flights.take(ticket) else { return };
        if shows_overload(result) {
            self.window.overload(flight.started, net.now());
            self.counts.overloads += 1;
        } else {
            self.window.calm(net.now());
        }
        let verdict = match result {
            Ok(response) if flight.copying => Verdict::from_copy(&flight.item, response),
            Ok(response) => Verdict::from_head(response),
            Err(error) if retry::S3.retries_transport(error) => {
                Verdict::Again(Cause::Transport(error.clone()))
            }
            Err(error @ TransportError::Tls(_)) => Verdict::Fatal(Cause::Transport(error.clone())),
            Err(error) => Verdict::Failed(Cause::Transport(error.clone())),
        };
        if self.outage.heard(&verdict, net.now()) {
            self.counts.outages += 1;
        }
        let clearing = self.spec.mode == Mode::ClearChecksum && !flight.copying;
        match (verdict, result) {
            (Verdict::Triggered(Trigger::Object), Ok(head)) if clearing => {
                match Plan::new(&flight.item, head, net.unix()) {
                    Ok(plan) => self.start_copy(net, flight, &plan),
                    Err(cause) => self.fail(sink, &flight, cause),
                }
            }
            (Verdict::Triggered(Trigger::CustomerKey), _) if clearing => {
                let cause = Cause::Declined(copy::CUSTOMER_KEY.to_owned());
                self.fail(sink, &flight, cause);
            }
            (Verdict::Triggered(trigger), _) => {
                self.finish(sink, &flight, &Outcome::Triggered(trigger));
            }
            (Verdict::Vanished, _) => self.finish(sink, &flight, &Outcome::Vanished),
            (Verdict::Elsewhere, _) => self.finish(sink, &flight, &Outcome::Elsewhere),
            (Verdict::Failed(cause), _) => self.fail(sink, &flight, cause),
            (Verdict::Fatal(cause), Ok(answer)) => {
                self.refuse(sink, &flight, skew::explained(cause, answer, net.unix()));
            }
            (Verdict::Fatal(cause), Err(_)) => self.refuse(sink, &flight, cause),
            (Verdict::Again(cause), answer) => {
                let asked = answer.as_ref().map(|answer| retry::retry_after(answer, net.unix()));
                self.again(net, sink, flight, cause, asked.unwrap_or_default());
            }
            // Every answer names the right region, so a wrong one that stays is the user's own.
            (Verdict::Region(error), _)
                if self.client.has_fixed_region() || flight.regions >= MAX_REGIONS =>
            {
                self.refuse(sink, &flight, Cause::Server(Box::new(error)));
            }
            (Verdict::Region(error), Ok(response)) => {
                flight.regions += 1;
                if !self.client.learn_region(response) && !self.location_asked {
                    self.location_asked = true;
                    self.client.location(net);
                }
                self.again(net, sink, flight, Cause::Server(Box::new(error)), Duration::ZERO);
            }
            (Verdict::Region(error), Err(_)) => {
                self.fail(sink, &flight, Cause::Server(Box::new(error)));
            }
        }
    }

    pub(super) fn again<N: Net>(
        &mut self,
        net: &mut N,
        sink: &mut dyn Sink,
        flight: Flight,
        cause: Cause,
        asked: Duration,
    ) {
        let spared = self.outage.spares(&cause, self.retries.len(), net.now());
        let all_alike = matches!(&cause, Cause::Server(error) if error.code == NO_BUCKET);
        if flight.attempts >= retry::S3.attempts {
            if all_alike {
                return self.refuse(sink, &flight, cause);
            }
            if !spared {
                return self.fail(sink, &flight, cause);
            }
        }
        self.counts.retry_after = self.counts.retry_after.max(asked);
        let pause = retry::S3.pause(flight.attempts, net.random()).max(retry::capped(asked));
        self.counts.retries += 1;
        self.retries.insert((net.now() + pause, self.counts.retries), flight);
    }

    /// Fails a version and ends the run: what it was refused for, every other would be.
    fn refuse(&mut self, sink: &mut dyn Sink, flight: &Flight, cause: Cause) {
        let during = flight.during();
        self.fatal.get_or_insert_with(|| Failure { cause: cause.clone(), during });
        self.fail(sink, flight, cause);
    }

    fn fail(&mut self, sink: &mut dyn Sink, flight: &Flight, cause: Cause) {
        let failure = Failure { cause, during: flight.during() };
        if self.outage.failed(&failure.cause)
            // Of those at the very end, there is no rest to be spared.
            && (matches!(failure.cause, Cause::Transport(_)) || !self.spool.is_empty())
        {
            self.fatal.get_or_insert_with(|| failure.clone());
        }
        self.finish(sink, flight, &Outcome::Failed(failure));
    }

    fn finish(&mut self, sink: &mut dyn Sink, flight: &Flight, outcome: &Outcome) {
        self.counts.done(outcome);
        if let Some(statuses) = self.table.get(flight.item.statuses) {
            sink.version(&flight.item, statuses, outcome, flight.attempts);
        }
    }

    fn start_copy<N: Net>(&mut self, net: &mut N, mut flight: Flight, plan: &Plan) {
        flight.copying = true;
        let ticket = self.flights.board(flight, net.now());
        let Some(Item { key, version, .. }) = self.flights.item(ticket) else { return };
        self.client.copy(net, ticket, key, version, &plan.headers());
    }
}

/// Whether the answer says that there was too much at once.
fn shows_overload(result: &Result<Response, TransportError>) -> bool {
    match result {
        Ok(response) => matches!(response.status, 429 | 503),
        Err(error) => matches!(error, TransportError::Timeout(_)),
    }
}
