//! A line to the server, with a virtual clock: nothing waits, and an hour passes at once.

use super::server::{Reply, Server};
use resync_core::wire::{
    Call, Delivery, Event, Instant, Method, Net, Response, Ticket, TransportError, brief,
};
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

/// Unix time at the beginning.
pub(crate) const BEGINNING: u64 = 1_795_510_000;

/// The line, the clock and the server at its end.
#[derive(Debug)]
pub(crate) struct SimNet {
    pub(crate) server: Server,
    /// Sizes of the chunks of a listing.
    pub(crate) chunks: Range<usize>,
    /// Milliseconds that an answer or a chunk takes.
    pub(crate) latency: Range<u64>,
    /// What the answer to a HEAD takes beyond that.
    pub(crate) head_takes: Duration,
    /// When the user stops the run.
    pub(crate) stop_at: Option<Duration>,
    /// Draws the sizes of chunks, the latency and the job's jitter. Not 0.
    pub(crate) random: u64,
    /// For how long the server keeps a listing open that nobody reads.
    pub(crate) keeps_open: Duration,
    /// What the user gives, and how that ends.
    pub(crate) input: (Vec<u8>, Result<(), TransportError>),
    /// How often an exchange was held.
    pub(crate) holds: u32,
    now: Duration,
    /// What is to come of an exchange that is held, and since when it is.
    held: BTreeMap<Ticket, (Duration, Vec<(Duration, Event)>)>,
    events: BTreeMap<(Duration, u64), Event>,
    scheduled: u64,
    idle: u32,
}

impl SimNet {
    pub(crate) fn new(server: Server) -> Self {
        Self {
            server,
            chunks: 1..5000,
            latency: 0..20,
            head_takes: Duration::ZERO,
            stop_at: None,
            random: 0x9E37_79B9_7F4A_7C15,
            keeps_open: Duration::from_secs(10),
            input: (Vec::new(), Ok(())),
            holds: 0,
            now: Duration::ZERO,
            held: BTreeMap::new(),
            events: BTreeMap::new(),
            scheduled: 0,
            idle: 0,
        }
    }

    /// The time since the beginning.
    pub(crate) fn now_is(&self) -> Duration {
        self.now
    }

    fn draw(&mut self, range: Range<u64>) -> u64 {
        let span = range.end.saturating_sub(range.start).max(1);
        range.start + self.random() % span
    }

    fn delay(&mut self) -> Duration {
        Duration::from_millis(self.draw(self.latency.clone()))
    }

    fn schedule(&mut self, at: Duration, event: Event) {
        self.scheduled += 1;
        self.events.insert((at, self.scheduled), event);
    }

    /// The answer to a listing: its head, chunks, and an end.
    fn stream(&mut self, ticket: Ticket, head: Response, body: &[u8]) {
        let at = self.now + self.delay();
        self.schedule(at, Event::Response(ticket, Ok(head)));
        self.pieces(at, ticket, body, Ok(()));
    }

    /// A body in chunks from this time on, and its end.
    fn pieces(
        &mut self,
        mut at: Duration,
        ticket: Ticket,
        mut body: &[u8],
        end: Result<(), TransportError>,
    ) {
        while !body.is_empty() {
            let size = self.draw(self.chunks.start as u64..self.chunks.end as u64) as usize;
            let (chunk, rest) = body.split_at(size.clamp(1, body.len()));
            // Several events at one time are one batch.
            at += self.delay() / 10;
            self.schedule(at, Event::Chunk(ticket, chunk.to_vec()));
            body = rest;
        }
        self.schedule(at, Event::End(ticket, end));
    }
}

impl Net for SimNet {
    fn now(&self) -> Instant {
        Instant::since_origin(self.now)
    }

    fn unix(&self) -> u64 {
        BEGINNING + self.now.as_secs()
    }

    fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    fn send(&mut self, ticket: Ticket, call: &Call<'_>) {
        let (now, unix) = (self.now, self.unix());
        match self.server.answer(call, now, unix) {
            Reply::Listing(head, body) => self.stream(ticket, head, &body),
            Reply::Whole(response) => {
                let more =
                    if call.method == Method::Head { self.head_takes } else { Duration::ZERO };
                let at = self.now + self.delay() + more;
                self.schedule(at, Event::Response(ticket, Ok(delivered(response, call.delivery))));
            }
        }
    }

    fn cancel(&mut self, ticket: Ticket) {
        self.events.retain(|_, event| event.ticket() != ticket);
        self.held.remove(&ticket);
    }

    fn hold(&mut self, ticket: Ticket, held: bool) {
        if held {
            self.holds += 1;
            let of = self.events.extract_if(.., |_, event| event.ticket() == ticket);
            let events = of.map(|((at, _), event)| (at, event)).collect();
            self.held.insert(ticket, (self.now, events));
        } else if let Some((since, mut events)) = self.held.remove(&ticket) {
            let waited = self.now - since;
            if waited > self.keeps_open && ticket != Ticket::Input {
                // What the line itself holds still comes.
                events.truncate(1);
                events.retain(|(_, event)| matches!(event, Event::Chunk(..)));
                let cut = Event::End(ticket, Err(TransportError::Closed(String::new())));
                events.push((since, cut));
            }
            let mut last = self.now;
            for (at, event) in events {
                last = last.max(at + waited);
                self.schedule(last, event);
            }
        }
    }

    fn read_input(&mut self) {
        let (input, end) = std::mem::replace(&mut self.input, (Vec::new(), Ok(())));
        self.pieces(self.now, Ticket::Input, &input, end);
    }

    fn wait(&mut self, until: Option<Instant>, events: &mut Vec<Event>) {
        let event = self.events.keys().next().map(|(at, _)| *at);
        let until = until.map(Instant::origin_age);
        let stop = self.stop_at.filter(|at| *at > self.now);
        let before = (self.now, events.len());
        if let Some(next) = [event, until, stop].into_iter().flatten().min() {
            self.now = self.now.max(next);
        }
        let later = self.events.split_off(&(self.now, u64::MAX));
        events.extend(std::mem::replace(&mut self.events, later).into_values());
        self.idle = if (self.now, events.len()) == before { self.idle + 1 } else { 0 };
        assert!(self.idle < 100, "the run waits for nothing, over and over");
    }

    fn stop_requested(&mut self) -> bool {
        self.stop_at.is_some_and(|at| self.now >= at)
    }
}

/// What is delivered of an answer: of a 200, no header that was not asked for.
fn delivered(mut response: Response, delivery: Delivery) -> Response {
    let get = |name: &str| response.header(name).map(str::to_owned);
    if let (200, Delivery::Brief) = (response.status, delivery)
        && let Some(few) = brief(get)
    {
        response.headers = few;
        response.body.clear();
    }
    response
}
