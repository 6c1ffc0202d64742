//! The job: keeps the listing flowing into the spool and the triggers flowing out of it.
//!
//! It is a state machine that is advanced by events and owns no thread, no timer and no socket, so
//! that the command, the typed interface and a test on a virtual clock all run the same one.

mod answers;
mod copying;
mod gauge;
mod gone;
mod reading;
mod silence;
mod starts;

use self::copying::Proof;
use self::gauge::Gauge;
pub use self::gauge::Note;
pub(crate) use self::gauge::{CHECKS, PATIENCE as COUNTERS_ANSWER, PAUSES};
use self::gone::Gone;
use self::reading::found;
use crate::job::counts::Counts;
use crate::job::end::{End, Sink};
use crate::job::failure::{During, Failure};
use crate::job::flights::{Flight, Flights};
use crate::job::flow::Flow;
use crate::job::outage::Outage;
use crate::job::pacing::Pacer;
use crate::job::patience::Patience;
use crate::job::refusals::Refusals;
use crate::job::settings::check_settings;
use crate::job::source::{Source, none_is_there};
use crate::job::spec::{Mode, Spec};
use crate::job::spool::Spool;
use crate::job::window::Window;
use crate::listing::{Input, Reader, State, StatusTable};
use crate::wire::{Cause, Client, Event, Freshness, Instant, Net, Ticket, VersionId};
use std::collections::BTreeMap;
use std::time::Duration;

/// After a stop, how long answers still under way are waited for. A host that stops a run must wait
/// for the summary a little longer than that.
pub const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// A run over one backlog: a state machine without a loop of its own.
///
/// # The loop
///
/// Call [`Job::advance`] until it returns `false`, then read [`Job::end`] and [`Job::counts`].
/// Between two calls anything may be read from the job, and shown.
///
/// - One `Net` and one `Sink` serve the job from the first call to the last. All its exchanges go
///   through that `Net`, and other exchanges on it must use none of its tickets: of [`Ticket`]s the
///   job uses `Listing`, `Look`, `Location`, `Input` and `Version`.
/// - The clock never goes back ([`Net::now`]), also not between two calls.
/// - [`Net::wait`] delivers the events of an exchange in their order. After [`Net::cancel`] none
///   of that exchange follows, and its ticket may be sent again at once.
/// - `until` bounds how long a call waits, for a caller who draws or has something else to do.
///   It changes nothing of what the job does.
/// - To stop, let [`Net::stop_requested`] return `true`: nothing new is begun, answers under way
///   are waited for, 5 s at most, and `advance` then returns `false`.
/// - [`Job::abandon`] gives everything up at once. The job must not be advanced after it.
/// - [`Job::end`] says how it ended, and `Counts::not_reached` has its value, only after `advance`
///   has returned `false`, or after `abandon`.
///
/// Every version that was listed ends in exactly one call of [`Sink::version`], or is counted in
/// `not_reached`.
///
/// ```
/// use resync_core::job::{End, Job, Outcome, Sink, Spec};
/// use resync_core::listing::{Item, Statuses};
/// use resync_core::wire::{Alias, Call, Client, Event, Instant, Net, Response, Ticket};
/// use std::time::Duration;
///
/// /// A server with one version in its backlog, which answers at once.
/// #[derive(Default)]
/// struct Toy(Vec<Event>, Duration);
///
/// impl Net for Toy {
///     fn now(&self) -> Instant { Instant::since_origin(self.1) }
///     fn unix(&self) -> u64 { 1_795_510_000 }
///     fn random(&mut self) -> u64 { 4 }
///     fn send(&mut self, ticket: Ticket, _call: &Call<'_>) {
///         let headers = vec![("x-amz-request-id".into(), "1".into())];
///         self.0.push(Event::Response(ticket, Ok(Response { status: 200, headers, body: vec![] })));
///         if ticket == Ticket::Listing {
///             let line = b"{\"object\":\"a.txt\",\"versionId\":\"null\",\"rStatus\":\"FAILED\"}\n";
///             self.0.push(Event::Chunk(ticket, line.to_vec()));
///             self.0.push(Event::End(ticket, Ok(())));
///         }
///     }
///     fn cancel(&mut self, ticket: Ticket) { self.0.retain(|event| event.ticket() != ticket); }
///     fn hold(&mut self, _: Ticket, _: bool) {}
///     fn read_input(&mut self) {}
///     fn wait(&mut self, until: Option<Instant>, events: &mut Vec<Event>) {
///         if let (true, Some(until)) = (self.0.is_empty(), until) {
///             self.1 = until.origin_age();
///         }
///         events.append(&mut self.0);
///     }
/// }
///
/// struct Print;
///
/// impl Sink for Print {
///     fn version(&mut self, item: &Item, _: &Statuses, outcome: &Outcome, attempts: u32) {
///         println!("{} {} after {attempts} attempt(s)", item.key, outcome.as_str());
///     }
/// }
///
/// let alias = Alias::from_mc_host("http://minio.example:9000").unwrap();
/// let mut job = Job::new(Spec::default(), Client::new(&alias, "bucket", None));
/// let mut net = Toy::default();
/// while job.advance(&mut net, &mut Print, None) {}
/// assert_eq!(job.end(), End::Complete);
/// assert_eq!((job.counts().total, job.counts().triggered), (1, 1));
/// ```
#[derive(Debug)]
pub struct Job {
    spec: Spec,
    client: Client,
    source: Source,
    table: StatusTable,
    spool: Spool,
    flights: Flights,
    window: Window,
    /// Versions that wait for another attempt, by when it may start and the number of the retry.
    retries: BTreeMap<(Instant, u64), Flight>,
    /// The same of versions that did not answer. Others go before them.
    hung: BTreeMap<(Instant, u64), Flight>,
    pacer: Pacer,
    counts: Counts,
    fatal: Option<Failure>,
    patience: Patience,
    freshness: Freshness,
    refusals: Refusals,
    gone: Gone,
    proof: Proof,
    flow: Flow,
    gauge: Gauge,
    /// Versions that wait for the first copy to be proven.
    held_up: Vec<Flight>,
    released: u64,
    /// The server is out.
    outage: Outage,
    /// This machine lacks something.
    shortage: Outage,
    stopped: Option<Instant>,
    given_up: u64,
    location_asked: bool,
    next_scan: Instant,
    events: Vec<Event>,
}

impl Job {
    /// A job that has not begun.
    pub fn new(spec: Spec, client: Client) -> Self {
        Self {
            source: Source::Listing(Box::new(Reader::new(&spec.prefix, spec.mode == Mode::DryRun))),
            pacer: Pacer::new(spec.rate_limit),
            client,
            table: StatusTable::default(),
            // A copy keeps the version's time, which only the listing has to the nanosecond.
            spool: Spool::new(spec.times || spec.mode == Mode::ClearChecksum),
            flights: Flights::default(),
            window: Window::new(spec.concurrent),
            retries: BTreeMap::new(),
            hung: BTreeMap::new(),
            counts: Counts::default(),
            fatal: None,
            patience: Patience::default(),
            freshness: Freshness::default(),
            refusals: Refusals::default(),
            gone: Gone::default(),
            proof: Proof::default(),
            // Nothing else fills a queue.
            flow: Flow::new(if spec.mode.triggers() { spec.max_queue } else { 0 }),
            gauge: Gauge::default(),
            held_up: Vec::new(),
            released: 0,
            outage: Outage::default(),
            shortage: Outage::default(),
            stopped: None,
            given_up: 0,
            location_asked: false,
            next_scan: Instant::default(),
            events: Vec::new(),
            spec,
        }
    }

    /// Looks at the settings of the bucket, as a job that copies must before its first call of [`Job::advance`].
    /// If they would make copies harmful, or cannot be read, that call ends the job with the reason.
    pub fn check_settings<N: Net>(&mut self, net: &mut N) {
        if net.stop_requested() {
            return;
        }
        match check_settings(net, &mut self.client, &mut |_| {}) {
            Ok(settings) => self.spec.settings = settings,
            Err(failure) => self.fatal = Some(failure),
        }
    }

    /// The same about the versions that the user gives, instead of those listed. Nothing is listed then:
    /// what the server says is gone counts as gone.
    #[must_use]
    pub fn of_input(self) -> Self {
        let input = Input::new(self.client.bucket(), &self.spec.prefix);
        Self { source: Source::Input(input), ..self }
    }

    /// The same, where these versions are all that the user gives. Those that the job is not about are left
    /// out at once, and a dry run shows the others to the sink at once.
    #[must_use]
    pub fn of_names(
        mut self,
        names: impl IntoIterator<Item = (String, VersionId)>,
        sink: &mut dyn Sink,
    ) -> Self {
        let mut input = Input::new(self.client.bucket(), &self.spec.prefix);
        let Self { table, spool, counts, spec, .. } = &mut self;
        input.take(names, table, |item, table| found(spec, counts, spool, sink, item, table));
        Self { source: Source::Input(input), ..self }
    }

    /// The same about these versions, whose statuses are not known.
    #[must_use]
    pub(crate) fn of_these(mut self, versions: Spool) -> Self {
        let _ = self.table.intern("", "", "");
        self.counts.total = versions.len() as u64;
        Self { source: Source::Spool, spool: versions, ..self }
    }

    /// What was counted so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Whether the listing was read to its end, so that the total is known.
    pub fn listed(&self) -> bool {
        *self.source.state() == State::Complete
    }

    /// Listings opened so far.
    pub fn listings(&self) -> u32 {
        self.source.listing().map_or(0, Reader::listings) + self.looks() + self.gauge.looks
    }

    /// Gives everything up at once, because nobody reads the output any more.
    pub fn abandon<N: Net>(&mut self, net: &mut N) {
        self.stopped = Some(net.now());
        self.source.close(net);
        self.given_up += self.gone.give_up(net) as u64;
        for ticket in self.flights.tickets(|_| true) {
            net.cancel(ticket);
            self.flights.take(ticket);
            self.given_up += 1;
        }
        self.count_rest();
    }

    /// Counts what was listed and has not ended.
    fn count_rest(&mut self) {
        let waiting = self.spool.len() + self.waiting() + self.gone.len();
        self.counts.not_reached = waiting as u64 + self.given_up;
    }

    /// Versions that wait for another attempt.
    fn waiting(&self) -> usize {
        self.retries.len() + self.hung.len() + self.held_up.len()
    }

    /// What the server's clock showed then, in nanoseconds since 1970, or somewhat less, as its answers
    /// tell.
    pub fn server_time(&self, then: Instant) -> Option<i128> {
        self.freshness.server_time(then)
    }

    /// For how long the server has been out.
    pub fn out_for(&self, now: Instant) -> Option<Duration> {
        let silence = self.patience.silence(now);
        let silent = !self.hung.is_empty() && silence >= silence::NOTICE;
        self.outage.lasts(now).or(silent.then_some(silence))
    }

    /// The attempt at opening the listing, when it is not the first.
    pub fn listing_attempt(&self) -> Option<u32> {
        self.source.listing().and_then(Reader::attempt)
    }

    /// How many may be in flight, when the server's overload has made that fewer than asked for.
    pub fn reduced_to(&self) -> Option<usize> {
        self.window.is_reduced().then(|| self.window.size())
    }

    /// How it ended, once [`Job::advance`] has returned `false`.
    pub fn end(&self) -> End {
        if let Some(failure) = &self.fatal {
            return End::Fatal(failure.clone());
        }
        match self.source.state() {
            // What gave the lines may have ended for the same reason as this run.
            _ if self.stopped.is_some() && matches!(self.source, Source::Input(_)) => End::Stopped,
            State::Failed(unfinished) => End::Listing(unfinished.clone()),
            State::Complete
                if self.counts.not_reached == 0
                    && !self.source.listing().is_some_and(Reader::holds) =>
            {
                End::Complete
            }
            _ => End::Stopped,
        }
    }

    /// Starts what may start, waits until something happens or `until` has come, and handles what
    /// happened. Returns `false` when the job has ended.
    pub fn advance<N: Net>(
        &mut self,
        net: &mut N,
        sink: &mut dyn Sink,
        until: Option<Instant>,
    ) -> bool {
        self.check_stop(net);
        self.drive_source(net);
        if let Some((item, _)) = self.source.last() {
            let Self { table, spool, counts, spec, .. } = self;
            found(spec, counts, spool, sink, &item, table);
        }
        self.drive_gauge(net);
        self.start_flights(net);
        if !self.stopping() {
            let rest = self.nothing_left();
            self.confirm_gone(net, sink, rest);
        }
        if self.is_done() {
            if self.fatal.is_none() {
                self.fatal = self.refusals.of_all(self.counts.failed).cloned();
            }
            if let (None, Source::Input(_)) = (&self.fatal, &self.source)
                && let Some(words) = none_is_there(&self.counts)
            {
                self.fatal =
                    Some(Failure { cause: Cause::Declined(words), during: During::Trigger });
            }
            self.count_rest();
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
        self.check_memory(!sink.is_full());
        true
    }

    fn stopping(&self) -> bool {
        self.stopped.is_some() || self.fatal.is_some()
    }

    fn is_done(&self) -> bool {
        if self.flights.len() > 0 {
            return false;
        }
        self.stopping() || (self.nothing_left() && self.gone.len() == 0)
    }

    /// Whether every version that was listed has been tried to its end.
    fn nothing_left(&self) -> bool {
        self.source.ended() && self.spool.is_empty() && self.waiting() == 0
    }

    fn check_stop<N: Net>(&mut self, net: &mut N) {
        if self.stopped.is_none() && net.stop_requested() {
            self.stopped = Some(net.now());
        }
        if self.stopping() {
            self.source.close(net);
            self.given_up += self.gone.give_up(net) as u64;
        }
    }

    fn handle<N: Net>(&mut self, net: &mut N, sink: &mut dyn Sink, event: Event) {
        match event {
            event if matches!(event.ticket(), Ticket::Listing | Ticket::Input) => {
                self.on_source(net, sink, event);
            }
            event if event.ticket() == Ticket::Look => self.on_look(net, event),
            event if event.ticket() == Ticket::Count => self.on_count(net, event),
            Event::Response(Ticket::Metrics, result) => self.on_metrics(net, result),
            Event::Response(ticket @ Ticket::Version(_), result) => {
                self.on_answer(net, sink, ticket, &result);
            }
            Event::Response(Ticket::Location, Ok(response)) => {
                self.client.learn_region(&response);
            }
            // Without the region the versions that need it are tried again, and then fail.
            _ => {}
        }
    }
}
