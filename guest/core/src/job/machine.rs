//! The job: keeps the listing flowing into the spool and the triggers flowing out of it.
//!
//! It is a state machine that is advanced by events and owns no thread, no timer and no socket, so
//! that the command, the typed interface and a test on a virtual clock all run the same one.

mod answers;

use crate::job::counts::Counts;
use crate::job::flights::{Flight, Flights};
use crate::job::outage::Outage;
use crate::job::outcome::Outcome;
use crate::job::pacing::Pacer;
use crate::job::spec::{Mode, Spec};
use crate::job::spool::Spool;
use crate::job::window::Window;
use crate::listing::{Failure, Item, LISTING, Reader, Shape, Shapes, State};
use crate::wire::{Cause, Client, Event, Net, Ticket, TransportError};
use std::collections::BTreeMap;
use std::time::Duration;

/// The ticket of the `?location` request, sent at most once.
const LOCATION: Ticket = u64::MAX - 2;

/// Versions that wait for another attempt at most. A server that turns everything down must not
/// make the whole backlog wait in memory.
const MAX_RETRIES: usize = 2_000;

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
