//! What the job makes of an answer: the end of a version, another attempt, or the end of the run.

use super::Job;
use crate::job::copy;
use crate::job::end::Sink;
use crate::job::failure::Failure;
use crate::job::flights::Flight;
use crate::job::outage::{is_absence, is_shortage};
use crate::job::outcome::{Outcome, Trigger, Verdict};
use crate::job::refusals::is_of_the_account;
use crate::job::spec::Mode;
use crate::wire::{
    Age, Cause, Instant, NO_BUCKET, Net, REPLICATION_STATUS, Response, Ticket, TransportError,
    retry, skew,
};
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
        let now = net.now();
        if shows_overload(result) {
            self.window.overload(flight.started, now);
            self.counts.overloads += 1;
        } else {
            self.window.calm(now);
        }
        let verdict = self.verdict(&mut flight, result, now, net.unix());
        let absent = matches!(&verdict, Verdict::Again(cause) if is_absence(cause));
        if self.outage.heard(absent, now) {
            self.counts.outages += 1;
        }
        self.shortage.heard(matches!(&verdict, Verdict::Again(cause) if is_shortage(cause)), now);
        if matches!(&verdict, Verdict::Triggered(_)) {
            self.gone.others_are_there();
        }
        let clearing = self.spec.mode == Mode::ClearChecksum && !flight.copying;
        match (verdict, result) {
            (Verdict::Triggered(_) | Verdict::Vanished | Verdict::Elsewhere, Ok(head))
                if self.spec.mode == Mode::Look =>
            {
                self.finish(sink, &flight, &Outcome::seen(head));
            }
            (Verdict::Triggered(Trigger::Object), Ok(head))
                if self.is_replicated(&flight, head) =>
            {
                self.finish(sink, &flight, &Outcome::Replicated);
            }
            (Verdict::Triggered(Trigger::Object), Ok(head)) if clearing => {
                self.refusals.let_through(flight.during());
                let size = head.header("content-length").and_then(|size| size.parse().ok());
                flight.size = Some(size.unwrap_or_default());
                self.on_stat(net, sink, flight, head);
            }
            (Verdict::Triggered(Trigger::CustomerKey), _) if clearing => {
                let cause = Cause::Declined(copy::CUSTOMER_KEY.to_owned());
                self.fail(sink, &flight, cause);
            }
            (Verdict::Triggered(Trigger::Copy), _) if self.proof.is_of(&flight) => {
                self.prove(net, sink, flight);
            }
            (Verdict::Triggered(trigger), _) => {
                self.finish(sink, &flight, &Outcome::Triggered(trigger));
            }
            (Verdict::Vanished, _) => self.is_gone(sink, flight, Outcome::Vanished),
            (Verdict::Elsewhere, _) => self.is_gone(sink, flight, Outcome::Elsewhere),
            (Verdict::Failed(cause), _) => self.fail(sink, &flight, cause),
            (Verdict::Fatal(cause), _) => self.refuse(sink, &flight, cause),
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

    /// Whether the version was replicated before this run came to it: the listing has it as failed or
    /// pending, for a drive that was out is behind (observed: 968 of 2,000, for ever), and the server
    /// knows better. A version without a status in the listing lacks a newer target. What a second look
    /// says, before or after a copy, may be what the first one has caused.
    fn is_replicated(&self, flight: &Flight, head: &Response) -> bool {
        flight.attempts == 1
            && flight.size.is_none()
            && head.header(REPLICATION_STATUS) == Some("COMPLETED")
            && self.table.get(flight.item.statuses).is_some_and(|s| !s.status.is_empty())
    }

    /// Whether the server has answered anything.
    fn was_heard(&self) -> bool {
        self.listings() > 0 || self.patience.has_answered()
    }

    /// What the answer, or what came instead of it, means.
    fn verdict(
        &mut self,
        flight: &mut Flight,
        result: &Result<Response, TransportError>,
        now: Instant,
        unix: u64,
    ) -> Verdict {
        let answer = match result {
            Ok(answer) => answer,
            // It may be what every other version would meet: a server that has answered lets itself be
            // asked, and is out.
            Err(error @ TransportError::Fetch(_)) if !self.was_heard() => {
                return Verdict::Fatal(Cause::Transport(error.clone()));
            }
            Err(error) if retry::S3.retries_transport(error) => {
                return Verdict::Again(Cause::Transport(error.clone()));
            }
            Err(error @ (TransportError::Tls(_) | TransportError::Denied(_))) => {
                return Verdict::Fatal(Cause::Transport(error.clone()));
            }
            Err(error) => return Verdict::Failed(Cause::Transport(error.clone())),
        };
        let expired = |verdict| match verdict {
            // The listing was accepted with the same keys.
            Verdict::Fatal(Cause::Server(error)) => {
                Verdict::Fatal(Cause::Server(Box::new(self.client.explained(*error))))
            }
            verdict => verdict,
        };
        let verdict = if flight.copying {
            self.patience.copied();
            expired(Verdict::from_copy(&flight.item, answer))
        } else {
            self.patience.answered(now - flight.started, now);
            expired(Verdict::from_head(answer))
        };
        if !matches!(&verdict, Verdict::Again(Cause::Foreign(_))) {
            let before = flight.doubt.take();
            match self.freshness.judge(answer, flight.started, now, before) {
                Age::Fresh => {}
                Age::Doubtful(stamp) => {
                    flight.doubt = Some(stamp);
                    return Verdict::Again(Cause::Kept);
                }
                Age::Kept => return Verdict::Failed(Cause::Kept),
            }
        }
        let Verdict::Failed(cause) = verdict else { return verdict };
        match skew::explained(cause, answer, unix) {
            // The clock is wrong for every other version, too.
            Cause::Server(error) if is_of_the_account(&error.code) => {
                Verdict::Fatal(Cause::Server(error))
            }
            cause => Verdict::Failed(cause),
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
        let (now, waiting) = (net.now(), self.retries.len());
        let spared = (is_absence(&cause) && self.outage.spares(waiting, now))
            || (is_shortage(&cause) && self.shortage.spares(waiting, now));
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
        self.retries.insert((now + pause, self.counts.retries), flight);
    }

    /// Fails a version and ends the run: what it was refused for, every other would be.
    pub(super) fn refuse(&mut self, sink: &mut dyn Sink, flight: &Flight, cause: Cause) {
        let during = flight.during();
        self.fatal.get_or_insert_with(|| Failure { cause: cause.clone(), during });
        self.fail(sink, flight, cause);
    }

    pub(super) fn fail(&mut self, sink: &mut dyn Sink, flight: &Flight, cause: Cause) {
        let failure = Failure { cause, during: flight.during() };
        let out = self.outage.failed(is_absence(&failure.cause));
        let short = self.shortage.failed(is_shortage(&failure.cause));
        let refused = self.refusals.failed(&failure);
        if refused
            // Of those at the very end, there is no rest to be spared.
            || (out && (matches!(failure.cause, Cause::Transport(_)) || !self.spool.is_empty()))
            || (short && !self.spool.is_empty())
        {
            self.fatal.get_or_insert_with(|| failure.clone());
        }
        self.finish(sink, flight, &Outcome::Failed(failure));
    }

    pub(super) fn finish(&mut self, sink: &mut dyn Sink, flight: &Flight, outcome: &Outcome) {
        self.forget_proof(flight);
        if let Outcome::Triggered(_) = outcome {
            self.refusals.let_through(flight.during());
        }
        self.counts.done(outcome);
        if let Some(statuses) = self.table.get(flight.item.statuses) {
            if let (true, Outcome::Triggered(_)) = (self.flow.is_on(), outcome) {
                self.flow.add(&flight.item, statuses);
            }
            sink.version(&flight.item, statuses, outcome, flight.attempts);
        }
    }
}

/// Whether there was too much at once: for the server, or for this machine.
fn shows_overload(result: &Result<Response, TransportError>) -> bool {
    match result {
        Ok(response) => matches!(response.status, 429 | 503),
        Err(error) => matches!(error, TransportError::Timeout(_) | TransportError::Local(_)),
    }
}
