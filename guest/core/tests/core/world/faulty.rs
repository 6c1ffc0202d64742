//! Faults between a run and any [`Net`]: listings that break, requests that go wrong.
//!
//! A wrapper, so that the job and the command meet with the same mishaps, and the server behind it
//! knows nothing of them.

use super::SimNet;
use super::version::{Name, Version};
use super::{answer, server};
use resync_core::wire::{Call, Event, Instant, Method, Net, Response, Ticket, TransportError};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Range;
use std::time::Duration;

/// How long a fault takes to be heard of.
const DELAY: Duration = Duration::from_millis(5);

/// What happens to a request before its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// This status, with this `Retry-After`.
    Status(u16, Option<&'static str>),
    /// The connection ends before the request has an effect.
    Closed,
    /// The request takes effect, but the answer does not arrive.
    Lost,
    /// No effect and no answer, ever.
    Hang,
}

/// How a listing breaks off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Break {
    /// The connection ends.
    Cut,
    /// A proper end, and nothing shows that it is too early.
    EarlyEnd,
    /// Half a line, and then a proper end.
    HalfLine,
    /// Half a line, and then nothing, ever.
    Silence,
    /// An entry with an error, what was left, and then a proper end.
    ErrorEntry,
    /// An entry without a key, and then a proper end.
    Keyless,
    /// A line that is not JSON, and then a proper end.
    Garbage,
    /// It does not begin: 503.
    Busy,
    /// It does not begin: the server has just started and does not know its targets yet.
    Starting,
    /// It does not begin: no answer.
    NoAnswer,
    /// It does not begin: 403.
    Denied,
}

/// A listing that is going to break.
#[derive(Debug)]
struct Breaking {
    /// Entries still let through.
    entries: usize,
    how: Break,
    /// Whether it has: nothing more comes through.
    broken: bool,
}

/// A [`Net`] with faults.
#[derive(Debug)]
pub(crate) struct Faulty<N> {
    pub(crate) net: N,
    /// After how many entries the next listings break, and how.
    pub(crate) breaks: VecDeque<(usize, Break)>,
    /// When every request for a version meets with this.
    pub(crate) out: (Range<Duration>, Mishap),
    /// When requests for versions were sent: each HEAD, which begins an attempt.
    pub(crate) starts: Vec<Duration>,
    /// The most versions that were in flight.
    pub(crate) peak: usize,

    mishaps: HashMap<(&'static str, Name), VecDeque<Mishap>>,
    breaking: Option<Breaking>,
    /// Tickets whose answer gets lost.
    lost: Vec<Ticket>,
    in_flight: Vec<Ticket>,
    events: BTreeMap<(Duration, u64), Event>,
    scheduled: u64,
}

impl Faulty<SimNet> {
    /// A line to this server, with the mishaps of its versions.
    pub(crate) fn new(net: SimNet) -> Self {
        let of = |method: &'static str, version: &Version, mishaps: &[Mishap]| {
            let name = (method, version.name.clone());
            (!mishaps.is_empty()).then(|| (name, mishaps.iter().copied().collect()))
        };
        let versions = net.server.versions.iter();
        let mishaps = versions.flat_map(|version| {
            [of("HEAD", version, &version.mishaps), of("PUT", version, &version.copy_mishaps)]
        });
        let mishaps = mishaps.flatten().collect();
        Self {
            net,
            breaks: VecDeque::new(),
            out: (Duration::ZERO..Duration::ZERO, Mishap::Closed),
            starts: Vec::new(),
            peak: 0,
            mishaps,
            breaking: None,
            lost: Vec::new(),
            in_flight: Vec::new(),
            events: BTreeMap::new(),
            scheduled: 0,
        }
    }

    /// Exchanges under way, the listing excepted.
    pub(crate) fn in_flight(&self) -> usize {
        let own = self.events.values().filter(|event| event.ticket() != Ticket::Listing);
        own.count() + self.net.in_flight()
    }
}

impl<N: Net> Faulty<N> {
    fn schedule(&mut self, event: Event) {
        self.scheduled += 1;
        let at = self.net.now().origin_age() + DELAY;
        self.events.insert((at, self.scheduled), event);
    }

    fn respond(&mut self, ticket: Ticket, response: Response) {
        self.schedule(Event::Response(ticket, Ok(response)));
    }

    fn close(&mut self, ticket: Ticket) {
        let error = TransportError::Closed(String::new());
        self.schedule(Event::Response(ticket, Err(error)));
    }

    fn send_listing(&mut self, call: &Call<'_>) {
        // The version of the API is not what breaks.
        let first = call.path_and_query.starts_with("/minio/admin/v4/");
        let Some((entries, how)) = (if first { None } else { self.breaks.pop_front() }) else {
            self.breaking = None;
            return self.net.send(Ticket::Listing, call);
        };
        match how {
            Break::Busy => self.respond(Ticket::Listing, answer::answer(503, &[])),
            Break::Starting => {
                let code = "XMinioAdminRemoteTargetNotFoundError";
                self.respond(Ticket::Listing, answer::error(404, code, ""));
            }
            Break::Denied => {
                self.respond(Ticket::Listing, answer::error(403, "AccessDenied", "Access Denied."));
            }
            Break::NoAnswer => self.close(Ticket::Listing),
            _ => {
                self.breaking = Some(Breaking { entries, how, broken: false });
                self.net.send(Ticket::Listing, call);
            }
        }
    }

    fn send_version(&mut self, ticket: Ticket, call: &Call<'_>) {
        let now = self.net.now().origin_age();
        if call.method == Method::Head {
            self.starts.push(now);
        }
        self.in_flight.push(ticket);
        self.peak = self.peak.max(self.in_flight.len());
        let name = (call.method.as_str(), server::name_in(call.path_and_query));
        let mut mishap = self.mishaps.get_mut(&name).and_then(VecDeque::pop_front);
        if self.out.0.contains(&now) {
            mishap = Some(self.out.1);
        }
        match mishap {
            None => self.net.send(ticket, call),
            Some(Mishap::Hang) => {}
            Some(Mishap::Closed) => self.close(ticket),
            Some(Mishap::Lost) => {
                self.lost.push(ticket);
                self.net.send(ticket, call);
            }
            Some(Mishap::Status(status, after)) => {
                let headers = after.map(|after| ("retry-after", after));
                let headers: Vec<_> =
                    headers.into_iter().chain([("x-amz-request-id", "F")]).collect();
                self.respond(ticket, answer::answer(status, &headers));
            }
        }
    }

    /// What comes through of an event of the listing.
    fn break_listing(&mut self, event: Event, events: &mut Vec<Event>) {
        let Some(breaking) = &mut self.breaking else { return events.push(event) };
        let chunk = match event {
            _ if breaking.broken => return,
            Event::Chunk(_, chunk) => chunk,
            // It was shorter than it should have been to break.
            Event::End(..) => Vec::new(),
            head @ Event::Response(..) => return events.push(head),
        };
        let ended = chunk.is_empty();
        let ends = chunk.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let ends: Vec<usize> = ends.map(|(at, _)| at + 1).collect();
        if ends.len() < breaking.entries && !ended {
            breaking.entries -= ends.len();
            return events.push(Event::Chunk(Ticket::Listing, chunk));
        }
        let at = match breaking.entries {
            // The blanks before the first entry stay.
            0 => chunk.iter().take_while(|byte| **byte == b' ').count(),
            entries => ends.get(entries - 1).copied().unwrap_or(chunk.len()),
        };
        let how = breaking.how;
        breaking.broken = true;
        let (whole, rest) = chunk.split_at(at);
        let mut say = |bytes: &[u8]| {
            if !bytes.is_empty() {
                events.push(Event::Chunk(Ticket::Listing, bytes.to_vec()));
            }
        };
        say(whole);
        match how {
            Break::HalfLine | Break::Silence => say(b"{\"object\":\"hal"),
            Break::ErrorEntry => {
                say(b"{\"object\":\"\",\"error\":\"file is corrupted\"}\n");
                say(rest);
            }
            Break::Keyless => say(b"{\"object\":\"\",\"versionId\":\"\"}\n"),
            Break::Garbage => say(b"<html>\n"),
            _ => {}
        }
        let end = match how {
            Break::Silence => None,
            Break::Cut => Some(Err(TransportError::Closed("unexpected end".to_owned()))),
            _ => Some(Ok(())),
        };
        if how == Break::ErrorEntry && !ended {
            // What was left comes through, and its end.
            self.breaking = None;
        } else {
            self.net.cancel(Ticket::Listing);
            events.extend(end.map(|end| Event::End(Ticket::Listing, end)));
        }
    }
}

impl<N: Net> Net for Faulty<N> {
    fn now(&self) -> Instant {
        self.net.now()
    }

    fn unix(&self) -> u64 {
        self.net.unix()
    }

    fn random(&mut self) -> u64 {
        self.net.random()
    }

    fn send(&mut self, ticket: Ticket, call: &Call<'_>) {
        match (ticket, call.method) {
            (Ticket::Listing, _) => self.send_listing(call),
            (_, Method::Head | Method::Put) => self.send_version(ticket, call),
            _ => self.net.send(ticket, call),
        }
    }

    fn cancel(&mut self, ticket: Ticket) {
        self.events.retain(|_, event| event.ticket() != ticket);
        self.in_flight.retain(|flying| *flying != ticket);
        self.lost.retain(|lost| *lost != ticket);
        if ticket == Ticket::Listing {
            self.breaking = None;
        }
        self.net.cancel(ticket);
    }

    fn wait(&mut self, until: Option<Instant>, events: &mut Vec<Event>) {
        let own = self.events.keys().next().map(|(at, _)| Instant::since_origin(*at));
        let mut heard = Vec::new();
        self.net.wait(own.into_iter().chain(until).min(), &mut heard);
        let now = self.net.now().origin_age();
        let later = self.events.split_off(&(now, u64::MAX));
        heard.extend(std::mem::replace(&mut self.events, later).into_values());
        for event in heard {
            let ticket = event.ticket();
            self.in_flight.retain(|flying| *flying != ticket);
            if ticket == Ticket::Listing {
                self.break_listing(event, events);
            } else if let Some(at) = self.lost.iter().position(|lost| *lost == ticket) {
                self.lost.swap_remove(at);
                let error = TransportError::Closed(String::new());
                events.push(Event::Response(ticket, Err(error)));
            } else {
                events.push(event);
            }
        }
    }

    fn stop_requested(&mut self) -> bool {
        self.net.stop_requested()
    }
}
