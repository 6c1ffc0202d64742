//! Faults between a run and any [`Net`]: listings that break, requests that go wrong.
//!
//! A wrapper, so that the job and the command meet with the same mishaps, and the server behind it
//! knows nothing of them.

use super::version::{Name, Version};
use super::{Refusal, SimNet, answer, server};
use resync_core::wire::{Call, Event, Instant, Method, Net, Response, Ticket, TransportError};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::Range;
use std::time::Duration;

/// How long a fault takes to be heard of.
const DELAY: Duration = Duration::from_millis(5);

/// What happens to a request for a version before its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// This in the place of an answer.
    Refused(Refusal),
    /// An answer with this status of something that is not the server.
    Foreign(u16),
    /// An answer that cannot be read.
    Unreadable,
    /// The sandbox does not let it out.
    Denied,
    /// `fetch` fails and does not say why.
    NotFetched,
    /// This machine cannot send it.
    Short,
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
    /// The same with an error that does not say what it is.
    UnnamedError,
    /// An entry without a key, and then a proper end.
    Keyless,
    /// A line that is not JSON, and then a proper end.
    Garbage,
    /// It does not begin: this in its place.
    Refused(Refusal),
    /// It does not begin: something that is not the server answers with this status.
    Foreign(u16),
    /// It does not begin: the connection ends.
    NoAnswer,
    /// It does not begin: nobody listens.
    NoServer,
    /// It does not begin: the sandbox does not let the request out.
    Denied,
    /// It does not begin: `fetch` fails and does not say why.
    NotFetched,
}

impl Break {
    /// The server has just started and does not know its targets yet.
    pub(crate) const STARTING: Self =
        Self::Refused(Refusal::new(404, "XMinioAdminRemoteTargetNotFoundError"));

    /// The server has too much to do.
    pub(crate) const BUSY: Self = Self::Refused(Refusal::new(503, "SlowDownRead"));

    /// What comes in the place of the head of the answer.
    fn before_it_begins(self) -> Option<Result<Response, TransportError>> {
        match self {
            Self::Refused(refusal) => Some(Ok(answer::marked(refusal.in_json()))),
            Self::Foreign(status) => Some(Ok(answer::foreign(status))),
            Self::NoAnswer => Some(Err(TransportError::Closed(String::new()))),
            Self::NoServer => Some(Err(TransportError::ConnectionRefused)),
            Self::Denied => Some(Err(TransportError::Denied("by its words".to_owned()))),
            Self::NotFetched => Some(Err(TransportError::Fetch("Failed to fetch".to_owned()))),
            _ => None,
        }
    }

    /// What comes after the entries, and whether the rest of them follows.
    fn last_words(self) -> (&'static [u8], bool) {
        match self {
            Self::HalfLine | Self::Silence => (b"{\"object\":\"hal", false),
            Self::ErrorEntry => (b"{\"object\":\"\",\"error\":\"file is corrupted\"}\n", true),
            Self::UnnamedError => (b"{\"object\":\"\",\"error\":{}}\n", true),
            Self::Keyless => (b"{\"object\":\"\",\"versionId\":\"\"}\n", false),
            Self::Garbage => (b"<html>\n", false),
            _ => (b"", false),
        }
    }

    /// How its body ends.
    fn end(self) -> Option<Result<(), TransportError>> {
        match self {
            Self::Silence => None,
            Self::Cut => Some(Err(TransportError::Closed("unexpected end".to_owned()))),
            _ => Some(Ok(())),
        }
    }
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
    under_way: BTreeSet<Ticket>,
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
            under_way: BTreeSet::new(),
            events: BTreeMap::new(),
            scheduled: 0,
        }
    }
}

impl<N: Net> Faulty<N> {
    /// Exchanges that were begun and have neither ended nor been given up.
    pub(crate) fn under_way(&self) -> impl Iterator<Item = Ticket> {
        self.under_way.iter().copied()
    }

    fn schedule(&mut self, ticket: Ticket, result: Result<Response, TransportError>) {
        self.scheduled += 1;
        let at = self.net.now().origin_age() + DELAY;
        self.events.insert((at, self.scheduled), Event::Response(ticket, result));
    }

    fn send_version(&mut self, ticket: Ticket, call: &Call<'_>) {
        let now = self.net.now().origin_age();
        if call.method == Method::Head {
            self.starts.push(now);
        }
        let versions = self.under_way.iter().filter(|t| matches!(t, Ticket::Version(_)));
        self.peak = self.peak.max(versions.count());
        let name = (call.method.as_str(), server::name_in(call.path_and_query));
        let mut mishap = self.mishaps.get_mut(&name).and_then(VecDeque::pop_front);
        if self.out.0.contains(&now) {
            mishap = Some(self.out.1);
        }
        match mishap {
            None => self.net.send(ticket, call),
            Some(Mishap::Hang) => {}
            Some(Mishap::Closed) => {
                self.schedule(ticket, Err(TransportError::Closed(String::new())));
            }
            Some(Mishap::Lost) => {
                self.lost.push(ticket);
                self.net.send(ticket, call);
            }
            Some(Mishap::Foreign(status)) => self.schedule(ticket, Ok(answer::foreign(status))),
            Some(Mishap::Unreadable) => {
                self.schedule(ticket, Err(TransportError::Protocol(String::new())));
            }
            Some(Mishap::Denied) => {
                self.schedule(ticket, Err(TransportError::Denied("by its words".to_owned())));
            }
            Some(Mishap::NotFetched) => {
                self.schedule(ticket, Err(TransportError::Fetch("Failed to fetch".to_owned())));
            }
            Some(Mishap::Short) => {
                let what = "too many open files on this machine".to_owned();
                self.schedule(ticket, Err(TransportError::Local(what)));
            }
            Some(Mishap::Refused(refusal)) => {
                let response = match call.method {
                    Method::Head => refusal.in_headers(),
                    _ => refusal.in_xml(),
                };
                self.schedule(ticket, Ok(answer::marked(response)));
            }
        }
    }

    /// What comes through of an event of the listing.
    fn on_listing(&mut self, event: Event, events: &mut Vec<Event>) {
        let chunk =
            match event {
                Event::Response(ticket, result) => {
                    // Asked in a version of the API that the server does not speak, it does not break.
                    let begins = result.as_ref().is_ok_and(|response| response.status == 200);
                    let next = begins.then(|| self.breaks.pop_front()).flatten();
                    let instead = next.and_then(|(_, how)| how.before_it_begins());
                    if instead.is_some() {
                        self.net.cancel(ticket);
                    }
                    self.breaking = next
                        .filter(|_| instead.is_none())
                        .map(|(entries, how)| Breaking { entries, how, broken: false });
                    return events.push(Event::Response(ticket, instead.unwrap_or(result)));
                }
                _ if self.breaking.as_ref().is_some_and(|breaking| breaking.broken) => return,
                event if self.breaking.is_none() => return events.push(event),
                Event::Chunk(_, chunk) => chunk,
                // It was shorter than it should have been to break.
                Event::End(..) => Vec::new(),
            };
        self.break_off(&chunk, events);
    }

    /// Lets through what is left before the break, and breaks the listing when that is all.
    fn break_off(&mut self, chunk: &[u8], events: &mut Vec<Event>) {
        let Some(breaking) = &mut self.breaking else { return };
        let ends = chunk.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let ends: Vec<usize> = ends.map(|(at, _)| at + 1).collect();
        let ended = chunk.is_empty();
        let mut say = |bytes: &[u8]| {
            if !bytes.is_empty() {
                events.push(Event::Chunk(Ticket::Listing, bytes.to_vec()));
            }
        };
        if ends.len() < breaking.entries && !ended {
            breaking.entries -= ends.len();
            return say(chunk);
        }
        let at = match breaking.entries {
            // The blanks before the first entry stay.
            0 => chunk.iter().take_while(|byte| **byte == b' ').count(),
            entries => ends.get(entries - 1).copied().unwrap_or(chunk.len()),
        };
        let (whole, rest) = chunk.split_at(at);
        let (words, goes_on) = breaking.how.last_words();
        say(whole);
        say(words);
        if goes_on && !ended {
            say(rest);
            self.breaking = None;
        } else {
            breaking.broken = true;
            events.extend(breaking.how.end().map(|end| Event::End(Ticket::Listing, end)));
            self.net.cancel(Ticket::Listing);
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
        assert!(self.under_way.insert(ticket), "{ticket:?} is under way already");
        match call.method {
            Method::Head | Method::Put => self.send_version(ticket, call),
            _ => self.net.send(ticket, call),
        }
    }

    fn cancel(&mut self, ticket: Ticket) {
        self.events.retain(|_, event| event.ticket() != ticket);
        self.under_way.remove(&ticket);
        self.lost.retain(|lost| *lost != ticket);
        if ticket == Ticket::Listing {
            self.breaking = None;
        }
        self.net.cancel(ticket);
    }

    fn hold(&mut self, ticket: Ticket, held: bool) {
        self.net.hold(ticket, held);
    }

    fn read_input(&mut self) {
        assert!(self.under_way.insert(Ticket::Input), "it is read already");
        self.net.read_input();
    }

    fn wait(&mut self, until: Option<Instant>, events: &mut Vec<Event>) {
        let own = self.events.keys().next().map(|(at, _)| Instant::since_origin(*at));
        let mut heard = Vec::new();
        self.net.wait(own.into_iter().chain(until).min(), &mut heard);
        let now = self.net.now().origin_age();
        let later = self.events.split_off(&(now, u64::MAX));
        heard.extend(std::mem::replace(&mut self.events, later).into_values());
        let before = events.len();
        for event in heard {
            let ticket = event.ticket();
            if ticket == Ticket::Listing {
                self.on_listing(event, events);
            } else if let Some(at) = self.lost.iter().position(|lost| *lost == ticket) {
                self.lost.swap_remove(at);
                let error = TransportError::Closed(String::new());
                events.push(Event::Response(ticket, Err(error)));
            } else {
                events.push(event);
            }
        }
        for event in &events[before..] {
            let ends = match event {
                Event::Response(Ticket::Listing | Ticket::Look, result) => {
                    !result.as_ref().is_ok_and(|response| response.status == 200)
                }
                Event::Chunk(..) => false,
                Event::Response(..) | Event::End(..) => true,
            };
            if ends {
                self.under_way.remove(&event.ticket());
            }
        }
    }

    fn stop_requested(&mut self) -> bool {
        self.net.stop_requested()
    }
}
