//! A server on a virtual clock: the world of a job without sockets and without waiting.
//!
//! It has a backlog, faults for its first listings and mishaps for the first attempts at each
//! version. A minute of silence takes no time here, and everything follows from the numbers given,
//! so that a run that failed can be run again.

use resync_core::job::{Counts, End, Job, Mode, Outcome, Sink, Spec};
use resync_core::listing::{Item, Statuses};
use resync_core::wire::{
    Alias, Call, Client, Event, Instant, Method, Net, Response, Ticket, TransportError,
};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Range;
use std::time::Duration;

/// Key and version id.
pub(crate) type Name = (String, String);

/// What a version answers in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// 200, queued.
    Queued,
    /// 405 of a delete marker, queued.
    Marker,
    /// 404.
    Gone,
    /// 200 from another site.
    Elsewhere,
    /// 400.
    Refused,
    /// 403.
    Denied,
}

/// What happens to an attempt before a version gives its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// This status, with this `Retry-After`.
    Status(u16, Option<&'static str>),
    /// The connection ends before the request has an effect.
    Closed,
    /// The version is queued, but the answer does not arrive.
    Lost,
    /// No effect and no answer, ever.
    Hang,
}

/// A version and its fate.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) name: Name,
    pub(crate) fate: Fate,
    pub(crate) mishaps: Vec<Mishap>,
}

impl Version {
    pub(crate) fn new(key: &str, id: &str) -> Self {
        Self { name: (key.to_owned(), id.to_owned()), fate: Fate::Queued, mishaps: Vec::new() }
    }
}

/// How a listing breaks off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Break {
    /// The connection ends.
    Cut,
    /// Half a line, and then a proper end.
    HalfLine,
    /// Half a line, and then nothing, ever.
    Silence,
    /// An entry with an error, one more entry, and then a proper end.
    ErrorEntry,
    /// An entry without a key, and then a proper end.
    Keyless,
    /// A line that is no JSON, and then a proper end.
    Garbage,
    /// It does not begin: 503.
    Busy,
    /// It does not begin: the server has just started and does not know its targets yet.
    Starting,
    /// It does not begin: no answer.
    NoAnswer,
}

/// The server, the clock and what was seen.
#[derive(Debug)]
pub(crate) struct Sim {
    /// Sorted by key; the versions of a key in the order of the listing.
    pub(crate) versions: Vec<Version>,
    /// After how many entries the first listings break, and how.
    pub(crate) breaks: VecDeque<(usize, Break)>,
    /// Sizes of the chunks of a listing.
    pub(crate) chunks: Range<usize>,
    /// Milliseconds that an answer or a chunk takes.
    pub(crate) latency: Range<u64>,
    /// Versions leave the backlog once they are queued.
    pub(crate) replicates: bool,
    /// When every trigger meets with this.
    pub(crate) out: (Range<Duration>, Mishap),
    /// When the user stops the run.
    pub(crate) stop_at: Option<Duration>,
    /// Draws the sizes of chunks, the latency and the job's jitter. Not 0.
    pub(crate) random: u64,

    /// How often each version was queued.
    pub(crate) queued: BTreeMap<Name, u32>,
    /// When triggers were sent.
    pub(crate) starts: Vec<Duration>,
    /// The most triggers that were in flight.
    pub(crate) peak: usize,

    index: HashMap<Name, usize>,
    now: Duration,
    events: BTreeMap<(Duration, u64), Event>,
    scheduled: u64,
    in_flight: Vec<Ticket>,
    idle: u32,
}

impl Sim {
    pub(crate) fn new(versions: Vec<Version>) -> Self {
        let names = versions.iter().enumerate();
        Self {
            index: names.map(|(index, version)| (version.name.clone(), index)).collect(),
            versions,
            breaks: VecDeque::new(),
            chunks: 1..5000,
            latency: 0..20,
            replicates: true,
            out: (Duration::ZERO..Duration::ZERO, Mishap::Closed),
            stop_at: None,
            queued: BTreeMap::new(),
            starts: Vec::new(),
            peak: 0,
            now: Duration::ZERO,
            random: 0x9E37_79B9_7F4A_7C15,
            events: BTreeMap::new(),
            scheduled: 0,
            in_flight: Vec::new(),
            idle: 0,
        }
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

    /// The answer to a listing: its head, chunks, and an end or none.
    fn list(&mut self, ticket: Ticket, path: &str) {
        let mut at = self.now + self.delay();
        let head = |status| Event::Response(ticket, Ok(Response { status, ..Response::default() }));
        if path.starts_with("/minio/admin/v4/") {
            return self.schedule(at, head(426));
        }
        let (after, fault) = match self.breaks.pop_front() {
            Some((after, fault)) => (after, Some(fault)),
            None => (usize::MAX, None),
        };
        match fault {
            Some(Break::Busy) => return self.schedule(at, head(503)),
            Some(Break::Starting) => {
                let code = "XMinioAdminRemoteTargetNotFoundError";
                let body = format!("<Error><Code>{code}</Code></Error>").into_bytes();
                let headers = vec![("content-type".to_owned(), "application/xml".to_owned())];
                let response = Response { status: 404, headers, body };
                return self.schedule(at, Event::Response(ticket, Ok(response)));
            }
            Some(Break::NoAnswer) => {
                let error = TransportError::Closed(String::new());
                return self.schedule(at, Event::Response(ticket, Err(error)));
            }
            _ => {}
        }
        let gone = |name: &Name| self.replicates && self.queued.contains_key(name);
        let lines: Vec<String> =
            self.versions.iter().map(|v| &v.name).filter(|n| !gone(n)).map(line).collect();
        let (sent, rest) = lines.split_at(after.min(lines.len()));
        let mut text = format!("  {}", sent.concat()).into_bytes();
        let next = rest.first().cloned().unwrap_or_else(|| line(&("~last".into(), "null".into())));
        match fault {
            Some(Break::HalfLine | Break::Silence) => {
                text.extend_from_slice(&next.as_bytes()[..next.len() / 2]);
            }
            Some(Break::ErrorEntry) => {
                text.extend_from_slice(b"{\"object\":\"\",\"error\":\"file is corrupted\"}\n");
                text.extend_from_slice(rest.concat().as_bytes());
            }
            Some(Break::Keyless) => {
                text.extend_from_slice(b"{\"object\":\"\",\"versionId\":\"\"}\n");
            }
            Some(Break::Garbage) => text.extend_from_slice(b"<html>\n"),
            _ => {}
        }
        self.schedule(at, head(200));
        let mut bytes = text.as_slice();
        while !bytes.is_empty() {
            let size = self.draw(self.chunks.start as u64..self.chunks.end as u64) as usize;
            let (chunk, rest) = bytes.split_at(size.clamp(1, bytes.len()));
            // Several events at one time are one batch.
            at += self.delay() / 10;
            self.schedule(at, Event::Chunk(ticket, chunk.to_vec()));
            bytes = rest;
        }
        match fault {
            Some(Break::Silence) => {}
            Some(Break::Cut) => {
                let error = TransportError::Closed("unexpected end".to_owned());
                self.schedule(at, Event::End(ticket, Err(error)));
            }
            _ => self.schedule(at, Event::End(ticket, Ok(()))),
        }
    }

    /// The answer to a HEAD, which takes effect at once.
    fn head(&mut self, ticket: Ticket, path: &str) {
        self.starts.push(self.now);
        self.in_flight.push(ticket);
        self.peak = self.peak.max(self.in_flight.len());
        let name = name_in(path);
        let index = self.index.get(&name).unwrap_or_else(|| panic!("{name:?} was never listed"));
        let version = &mut self.versions[*index];
        let mut mishap = (!version.mishaps.is_empty()).then(|| version.mishaps.remove(0));
        if self.out.0.contains(&self.now) {
            mishap = Some(self.out.1);
        }
        let fate = version.fate;
        if matches!(mishap, Some(Mishap::Lost))
            || (mishap.is_none() && matches!(fate, Fate::Queued | Fate::Marker))
        {
            *self.queued.entry(name).or_default() += 1;
        }
        let coded = |status, code: &str| (status, vec![("x-minio-error-code", code.to_owned())]);
        let (status, headers) = match (mishap, fate) {
            (Some(Mishap::Hang), _) => return,
            (Some(Mishap::Closed | Mishap::Lost), _) => {
                let at = self.now + self.delay();
                let error = TransportError::Closed(String::new());
                return self.schedule(at, Event::Response(ticket, Err(error)));
            }
            (Some(Mishap::Status(status, after)), _) => {
                (status, after.map(|after| ("retry-after", after.to_owned())).into_iter().collect())
            }
            (None, Fate::Queued) => (200, vec![("x-amz-replication-status", "FAILED".to_owned())]),
            (None, Fate::Elsewhere) => {
                (200, vec![("x-amz-replication-status", "REPLICA".to_owned())])
            }
            (None, Fate::Marker) => (405, vec![("x-amz-delete-marker", "true".to_owned())]),
            (None, Fate::Gone) => coded(404, "NoSuchVersion"),
            (None, Fate::Refused) => coded(400, "InvalidArgument"),
            (None, Fate::Denied) => coded(403, "AccessDenied"),
        };
        let id = ("x-amz-request-id", format!("{ticket:?}"));
        let headers = headers.into_iter().chain([id]);
        let headers = headers.map(|(name, value)| (name.to_owned(), value)).collect();
        let at = self.now + self.delay();
        self.schedule(
            at,
            Event::Response(ticket, Ok(Response { status, headers, body: Vec::new() })),
        );
    }
}

impl Net for Sim {
    fn now(&self) -> Instant {
        Instant::since_origin(self.now)
    }

    fn unix(&self) -> u64 {
        1_795_510_000 + self.now.as_secs()
    }

    fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    fn send(&mut self, ticket: Ticket, call: &Call<'_>) {
        match call.method {
            Method::Post => self.list(ticket, call.path_and_query),
            Method::Head => self.head(ticket, call.path_and_query),
            method => panic!("{method:?} {}", call.path_and_query),
        }
    }

    fn cancel(&mut self, ticket: Ticket) {
        self.events.retain(|_, event| event.ticket() != ticket);
        self.in_flight.retain(|flying| *flying != ticket);
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
        for event in std::mem::replace(&mut self.events, later).into_values() {
            if let Event::Response(ticket, _) = &event {
                self.in_flight.retain(|flying| flying != ticket);
            }
            events.push(event);
        }
        self.idle = if (self.now, events.len()) == before { self.idle + 1 } else { 0 };
        assert!(self.idle < 100, "the job waits for nothing, over and over");
    }

    fn stop_requested(&mut self) -> bool {
        self.stop_at.is_some_and(|at| self.now >= at)
    }
}

fn line((key, id): &Name) -> String {
    let entry = serde_json::json!({
        "object": key, "versionId": id, "rStatus": "FAILED",
        "lastModified": "2026-11-24T08:28:26.645675391Z", "deletemarker": false,
    });
    format!("{entry}\n")
}

/// The version in `/bucket/key?versionId=id`.
fn name_in(path: &str) -> Name {
    let (path, query) = path.split_once('?').expect("a query");
    let key = path.strip_prefix("/bucket/").expect("the bucket");
    (decode(key), decode(query.strip_prefix("versionId=").expect("a version id")))
}

fn decode(text: &str) -> String {
    let (mut out, mut bytes) = (Vec::new(), text.bytes());
    while let Some(byte) = bytes.next() {
        let mut hex = || (bytes.next().expect("a digit") as char).to_digit(16).expect("hex") as u8;
        out.push(if byte == b'%' { hex() * 16 + hex() } else { byte });
    }
    String::from_utf8(out).expect("UTF-8")
}

/// What a job did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) end: End,
    pub(crate) counts: Counts,
    pub(crate) listings: u32,
    /// Outcome and attempts of each version, in the order of their ends.
    pub(crate) ends: Vec<(Name, Outcome, u32)>,
}

#[derive(Default)]
struct Ends(Vec<(Name, Outcome, u32)>);

impl Sink for Ends {
    fn version(&mut self, item: &Item, _: &Statuses, outcome: &Outcome, attempts: u32) {
        self.0.push(((item.key.clone(), item.version.to_string()), outcome.clone(), attempts));
    }
}

/// As the command line sets it without any flags.
pub(crate) fn spec() -> Spec {
    Spec {
        only: resync_core::job::Only::All,
        times: true,
        prefix: String::new(),
        arn: None,
        mode: Mode::Trigger,
        concurrent: 10,
        rate_limit: None,
        memory: resync_core::job::MEMORY,
    }
}

/// Runs a job on the server to its end.
pub(crate) fn run(spec: Spec, sim: &mut Sim) -> Ran {
    let alias = Alias::from_mc_host("http://minio.example:9000").expect("an alias");
    let mut job = Job::new(spec, Client::new(&alias, "bucket", None));
    let mut ends = Ends::default();
    while job.advance(sim, &mut ends, None) {}
    assert!(
        !sim.events.values().any(|event| event.ticket() != Ticket::Listing),
        "nothing is left in flight"
    );
    Ran { end: job.end(), counts: job.counts().clone(), listings: job.listings(), ends: ends.0 }
}
