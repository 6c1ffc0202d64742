//! The job: keeps the listing flowing into the spool and the triggers flowing out of it.
//!
//! It is a state machine that is advanced by events and owns no thread, no timer and no socket, so
//! that the command, the typed interface and a test on a virtual clock all run the same one.

use crate::client::Client;
use crate::copy::{self, Plan};
use crate::counts::Counts;
use crate::entry::{Item, Shape, Shapes};
use crate::flights::{Flight, Flights};
use crate::net::{Event, Net, Response, Ticket, TransportError};
use crate::outage::Outage;
use crate::outcome::{self, Cause, Outcome, Trigger, Verdict};
use crate::pacing::Pacer;
use crate::reader::{Failure, LISTING, Reader, State};
use crate::retry;
use crate::skew;
use crate::spec::{Mode, Spec};
use crate::spool::Spool;
use crate::window::Window;
use std::collections::BTreeMap;
use std::time::Duration;

/// The ticket of the `?location` request, sent at most once.
const LOCATION: Ticket = u64::MAX - 2;

/// Versions that wait for another attempt at most. A server that turns everything down must not
/// make the whole backlog wait in memory.
const MAX_RETRIES: usize = 2_000;

/// Attempts at a version that the server refuses for the region in the signature, before the run
/// ends.
const MAX_REGIONS: u32 = 5;

/// After a stop, how long answers still under way are waited for; a host that stops a run waits for
/// the summary a little longer than that.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// How often flights are looked through for one that is too old.
const SCAN: Duration = Duration::from_secs(1);

/// Is told of every version when it is done with.
pub trait Sink {
    /// The end of one version, after this many attempts.
    fn version(&mut self, item: &Item, shape: &Shape, outcome: &Outcome, attempts: u32);
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The listing was read to its end and every version in it handled.
    Complete,
    /// The listing was not read to its end.
    Listing(Box<Failure>),
    /// The server refuses what every further version would need.
    Refused(Cause),
    /// The user stopped it.
    Stopped,
}

/// A run over one backlog.
#[derive(Debug)]
pub struct Job {
    spec: Spec,
    client: Client,
    reader: Reader,
    shapes: Shapes,
    spool: Spool,
    flights: Flights,
    window: Window,
    retries: BTreeMap<(Duration, u64), Flight>,
    retried: u64,
    pacer: Pacer,
    counts: Counts,
    refused: Option<Cause>,
    refused_copy: bool,
    outage: Outage,
    stopped: Option<Duration>,
    given_up: u64,
    location_asked: bool,
    next_scan: Duration,
    events: Vec<Event>,
}

impl Job {
    /// A job that has not begun.
    pub fn new(spec: Spec, client: Client) -> Self {
        Self {
            reader: Reader::new(&spec.prefix),
            pacer: Pacer::new(spec.rate_limit),
            client,
            shapes: Shapes::default(),
            spool: Spool::new(spec.times),
            flights: Flights::default(),
            window: Window::new(spec.concurrent),
            retries: BTreeMap::new(),
            retried: 0,
            counts: Counts::default(),
            refused: None,
            refused_copy: false,
            outage: Outage::default(),
            stopped: None,
            given_up: 0,
            location_asked: false,
            next_scan: Duration::ZERO,
            events: Vec::new(),
            spec,
        }
    }

    /// What was counted so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Whether the listing was read to its end, so that the total is known.
    pub fn listed(&self) -> bool {
        self.reader.ended()
    }

    /// Listings opened so far.
    pub fn listings(&self) -> u32 {
        self.reader.listings()
    }

    /// Whether what the server refused was a copy, not a HEAD.
    pub fn refused_copy(&self) -> bool {
        self.refused_copy
    }

    /// Gives everything up at once, because nobody reads the output any more.
    pub fn abandon<N: Net>(&mut self, net: &mut N) {
        self.stopped = Some(net.now());
        self.reader.pause(net);
        for ticket in self.flights.tickets(|_| true) {
            net.cancel(ticket);
            self.flights.take(ticket);
        }
    }

    /// The client, for what comes after the run.
    pub fn into_client(self) -> Client {
        self.client
    }

    /// For how long the server has been out.
    pub fn out_for(&self, now: Duration) -> Option<Duration> {
        self.outage.lasts(now)
    }

    /// The attempt at opening the listing, when it is not the first.
    pub fn listing_attempt(&self) -> Option<u32> {
        self.reader.attempt()
    }

    /// How many may be in flight, when the server's overload has made that fewer than asked for.
    pub fn reduced_to(&self) -> Option<usize> {
        self.window.is_reduced().then(|| self.window.size())
    }

    /// How it ended, once [`Job::advance`] has returned `false`.
    pub fn end(&self) -> End {
        if let Some(cause) = &self.refused {
            return End::Refused(cause.clone());
        }
        match self.reader.state() {
            State::Failed(failure) => End::Listing(failure.clone()),
            State::Complete if self.counts.not_reached == 0 => End::Complete,
            _ => End::Stopped,
        }
    }

    /// Starts what may start, waits until something happens or `until` has come, and handles what
    /// happened. Returns `false` when the job has ended.
    pub fn advance<N: Net>(
        &mut self,
        net: &mut N,
        sink: &mut dyn Sink,
        until: Option<Duration>,
    ) -> bool {
        self.check_stop(net);
        self.drive_listing(net);
        self.start_flights(net);
        if self.is_done() {
            let waiting = self.spool.len() + self.retries.len();
            self.counts.not_reached = waiting as u64 + self.given_up;
            return false;
        }
        let until = self.due(net.now()).into_iter().chain(until).min();
        let mut events = std::mem::take(&mut self.events);
        net.wait(until, &mut events);
        for event in events.drain(..) {
            self.handle(net, sink, event);
        }
        self.events = events;
        self.scan(net, sink);
        true
    }

    fn stopping(&self) -> bool {
        self.stopped.is_some() || self.refused.is_some()
    }

    fn is_done(&self) -> bool {
        if self.flights.len() > 0 {
            return false;
        }
        self.stopping() || (self.reader.ended() && self.spool.is_empty() && self.retries.is_empty())
    }

    fn check_stop<N: Net>(&mut self, net: &mut N) {
        if self.stopped.is_none() && net.stop_requested() {
            self.stopped = Some(net.now());
        }
        if self.stopping() {
            self.reader.pause(net);
        }
    }

    fn drive_listing<N: Net>(&mut self, net: &mut N) {
        if self.stopping() {
            return;
        }
        match self.reader.state() {
            // Not earlier: each time, everything read before is read again, so the fewer times the
            // better. The triggers wait for some seconds then, out of minutes.
            State::Idle if self.spool.is_empty() => {
                self.reader.open(net, &mut self.client);
            }
            State::Opening | State::Reading
                if !self.spool.is_empty() && self.spool.bytes() > self.spec.memory =>
            {
                self.reader.pause(net);
            }
            _ => self.reader.tick(net, &mut self.client),
        }
    }

    fn start_flights<N: Net>(&mut self, net: &mut N) {
        let now = net.now();
        while !self.stopping() && self.flights.len() < self.window.size() && self.has_work(now) {
            if !self.pacer.try_start(now) {
                break;
            }
            let flight = match self.retries.first_entry().filter(|entry| entry.key().0 <= now) {
                Some(due) => due.remove(),
                None => match self.spool.pop() {
                    Some(item) => Flight::new(item),
                    None => break,
                },
            };
            self.launch(net, flight);
        }
    }

    fn has_work(&self, now: Duration) -> bool {
        self.has_fresh(now) || self.retries.keys().next().is_some_and(|(due, _)| *due <= now)
    }

    fn has_fresh(&self, now: Duration) -> bool {
        let waiting = self.retries.len();
        !self.spool.is_empty()
            && waiting < MAX_RETRIES
            && self.outage.next_start(waiting, now) <= now
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

    fn start_copy<N: Net>(&mut self, net: &mut N, mut flight: Flight, plan: &Plan) {
        flight.copying = true;
        let ticket = self.flights.board(flight, net.now());
        let Some(Item { key, version, .. }) = self.flights.item(ticket) else { return };
        self.client.copy(net, ticket, key, version, &plan.headers());
    }

    /// The next moment at which something is due without any event.
    fn due(&self, now: Duration) -> Option<Duration> {
        let mut due: Vec<Duration> = self.reader.due().into_iter().collect();
        if self.flights.len() > 0 {
            due.push(self.next_scan);
        }
        if self.flights.len() < self.window.size() && !self.stopping() {
            if let Some((at, _)) = self.retries.keys().next() {
                due.push(self.pacer.next_start().max(*at));
            }
            let waiting = self.retries.len();
            if !self.spool.is_empty() && waiting < MAX_RETRIES {
                due.push(self.pacer.next_start().max(self.outage.next_start(waiting, now)));
            }
        }
        due.into_iter().min().map(|at| at.max(now))
    }

    fn handle<N: Net>(&mut self, net: &mut N, sink: &mut dyn Sink, event: Event) {
        match event {
            Event::Response(LISTING, result) if *self.reader.state() == State::Opening => {
                self.reader.on_response(net, &mut self.client, result);
                self.counts.retry_after = self.counts.retry_after.max(self.reader.retry_after());
            }
            Event::Chunk(LISTING, chunk) if *self.reader.state() == State::Reading => {
                self.on_chunk(net, sink, &chunk);
            }
            Event::End(LISTING, result) if *self.reader.state() == State::Reading => {
                self.reader.on_end(net, result);
            }
            // Came together with what made the reader close this listing: the rest of a listing
            // that carries an error must not make it a complete one.
            Event::Response(LISTING, _) | Event::Chunk(..) | Event::End(..) => {}
            Event::Response(LOCATION, Ok(response)) => {
                self.client.learn_region(&response);
            }
            Event::Response(ticket, result) => self.on_answer(net, sink, ticket, &result),
        }
    }

    fn on_chunk<N: Net>(&mut self, net: &mut N, sink: &mut dyn Sink, chunk: &[u8]) {
        let Self { reader, shapes, spool, counts, spec, .. } = self;
        reader.on_chunk(net, chunk, shapes, |item, _, shapes| {
            let Some(shape) = shapes.get(item.shape) else { return };
            if !spec.only.allows(&item) {
                return;
            }
            if spec.arn.as_deref().is_some_and(|arn| !shape.concerns(arn)) {
                return;
            }
            counts.found(&item, shape);
            if spec.mode == Mode::DryRun {
                sink.version(&item, shape, &Outcome::Listed, 0);
            } else {
                spool.push(&item);
            }
        });
    }

    fn on_answer<N: Net>(
        &mut self,
        net: &mut N,
        sink: &mut dyn Sink,
        ticket: Ticket,
        result: &Result<Response, TransportError>,
    ) {
        let Some(flight) = self.flights.take(ticket) else { return };
        if shows_overload(result) {
            self.window.overload(flight.started, net.now());
            self.counts.overloads += 1;
        } else {
            self.window.calm(net.now());
        }
        let verdict = match result {
            Ok(response) if flight.copying => copy::of_copy(&flight.item, response),
            Ok(response) => outcome::of_head(response),
            Err(error) if retry::S3.retries_transport(error) => {
                Verdict::Again(Cause::Transport(error.clone()))
            }
            Err(error @ TransportError::Tls(_)) => Verdict::Fatal(Cause::Transport(error.clone())),
            Err(error) => Verdict::Failed(Cause::Transport(error.clone())),
        };
        self.outage.heard(&verdict, net.now());
        let clearing = self.spec.mode == Mode::ClearChecksum && !flight.copying;
        match (verdict, result) {
            (Verdict::Triggered(Trigger::Object), Ok(head)) if clearing => {
                match Plan::new(&flight.item, head, net.unix()) {
                    Ok(plan) => self.start_copy(net, flight, &plan),
                    Err(cause) => self.finish(sink, &flight, &Outcome::Failed(cause)),
                }
            }
            (Verdict::Triggered(Trigger::CustomerKey), _) if clearing => {
                let cause = Cause::Refused(copy::CUSTOMER_KEY.to_owned());
                self.finish(sink, &flight, &Outcome::Failed(cause));
            }
            (Verdict::Triggered(trigger), _) => {
                self.finish(sink, &flight, &Outcome::Triggered(trigger));
            }
            (Verdict::Vanished, _) => self.finish(sink, &flight, &Outcome::Vanished),
            (Verdict::Elsewhere, _) => self.finish(sink, &flight, &Outcome::Elsewhere),
            (Verdict::Failed(cause), _) => self.finish(sink, &flight, &Outcome::Failed(cause)),
            (Verdict::Fatal(cause), Ok(answer)) => {
                self.refuse(sink, &flight, skew::named(cause, answer, net.unix()));
            }
            (Verdict::Fatal(cause), Err(_)) => self.refuse(sink, &flight, cause),
            (Verdict::Again(cause), Ok(answer)) => {
                let asked = retry::asked(answer, net.unix());
                self.again(net, sink, flight, cause, asked);
            }
            (Verdict::Again(cause), Err(_)) => self.again(net, sink, flight, cause, Duration::ZERO),
            // Every answer names the right region, so a wrong one that stays is the user's own.
            (Verdict::Region(error), _)
                if self.client.has_fixed_region() || flight.attempts >= MAX_REGIONS =>
            {
                self.refuse(sink, &flight, Cause::Server(Box::new(error)));
            }
            (Verdict::Region(error), Ok(response)) => {
                if !self.client.learn_region(response) && !self.location_asked {
                    self.location_asked = true;
                    self.client.location(net, LOCATION);
                }
                self.again(net, sink, flight, Cause::Server(Box::new(error)), Duration::ZERO);
            }
            (Verdict::Region(error), Err(_)) => {
                self.finish(sink, &flight, &Outcome::Failed(Cause::Server(Box::new(error))));
            }
        }
    }

    fn again<N: Net>(
        &mut self,
        net: &mut N,
        sink: &mut dyn Sink,
        flight: Flight,
        cause: Cause,
        asked: Duration,
    ) {
        let spared = self.outage.spares(&cause, self.retries.len(), net.now());
        let all_alike = matches!(&cause, Cause::Server(error) if error.code == outcome::NO_BUCKET);
        if flight.attempts >= retry::S3.attempts && all_alike {
            return self.refuse(sink, &flight, cause);
        }
        if flight.attempts >= retry::S3.attempts && !spared {
            return self.finish(sink, &flight, &Outcome::Failed(cause));
        }
        self.counts.retry_after = self.counts.retry_after.max(asked);
        let pause = retry::S3.pause(flight.attempts, net.random()).max(retry::obeyed(asked));
        self.retried += 1;
        self.counts.retries += 1;
        self.retries.insert((net.now() + pause, self.retried), flight);
    }

    /// Fails a version and ends the run: what it was refused for, every other would be.
    fn refuse(&mut self, sink: &mut dyn Sink, flight: &Flight, cause: Cause) {
        if self.refused.is_none() {
            self.refused = Some(cause.clone());
            self.refused_copy = flight.copying;
        }
        self.finish(sink, flight, &Outcome::Failed(cause));
    }

    fn finish(&mut self, sink: &mut dyn Sink, flight: &Flight, outcome: &Outcome) {
        self.counts.done(outcome);
        if let Outcome::Failed(cause) = outcome
            && self.outage.failed(cause)
            // Of those at the very end, there is no rest to be spared.
            && (matches!(cause, Cause::Transport(_)) || !self.spool.is_empty())
        {
            self.refused.get_or_insert(cause.clone());
        }
        if let Some(shape) = self.shapes.get(flight.item.shape) {
            sink.version(&flight.item, shape, outcome, flight.attempts);
        }
    }

    /// Gives up exchanges that take too long: a server that accepts and never answers would hold
    /// its slot for ever, and after a stop the summary.
    fn scan<N: Net>(&mut self, net: &mut N, sink: &mut dyn Sink) {
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
            let until = flight.started + flight.patience();
            now >= last.map_or(until, |last| last.min(until))
        };
        for ticket in self.flights.tickets(late) {
            net.cancel(ticket);
            let flight = self.flights.take(ticket);
            if last.is_some() {
                self.given_up += 1;
            } else if let Some(flight) = flight {
                self.window.overload(flight.started, now);
                let error = TransportError::Timeout(flight.patience());
                self.again(net, sink, flight, Cause::Transport(error), Duration::ZERO);
            }
        }
    }
}

/// Whether the answer says that there was too much at once.
fn shows_overload(result: &Result<Response, TransportError>) -> bool {
    match result {
        Ok(response) => matches!(response.status, 429 | 503),
        Err(error) => matches!(error, TransportError::Timeout(_)),
    }
}
