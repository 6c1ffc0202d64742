//! The typed interface: the job for programs. It drives the same [`Job`] as the command.

mod options;

use self::options::{alias, names, spec};
use crate::bindings::exports::mc_wasi::replicate::resync::{
    self as wit, Event, EventKind, Failure, Guest, GuestJob, Operation, Options, ServerError,
    Stalled, State,
};
use crate::http::WasiNet;
use resync_core::job::{self, During, End, Job, Mode, Note, Outcome, Sink};
use resync_core::listing::{self, Break, Item, Statuses, Unfinished};
use resync_core::report::{explain, explain_listing};
use resync_core::wire::{Cause, Client, Instant, Net, TransportError};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;

/// How long `next` waits before it says that it waits, so that a caller can stop the job.
const PATIENCE: Duration = Duration::from_secs(1);

impl Guest for crate::Component {
    type Job = Run;
}

/// The resource `job`.
pub(crate) struct Run(RefCell<Inner>);

struct Inner {
    net: WasiNet,
    job: Job,
    queue: Queue,
    began: Instant,
    /// The settings of the bucket are still to be looked at. `start` waits for nothing: hosts that suspend the
    /// component while it waits do so in `next` (jco 1.35 cannot in a static function).
    unchecked: bool,
    /// Set by the end of the job, with its failure until that has been handed over.
    ended: Option<(State, Option<Failure>)>,
}

/// Events not yet handed over.
struct Queue {
    events: VecDeque<Event>,
    bucket: String,
    authority: String,
}

impl GuestJob for Run {
    fn start(options: Options) -> Result<wit::Job, Failure> {
        let alias = alias(&options).map_err(Failure::InvalidOptions)?;
        let mut spec = spec(&options).map_err(Failure::InvalidOptions)?;
        let unchecked = spec.mode == Mode::ClearChecksum;
        let net = WasiNet::new(|_| false);
        spec.filter.at = net.unix();
        let mut client = Client::new(&alias, &options.bucket, options.region.as_deref());
        // The host need not tell how a body was framed.
        client.ask_for_gzip();
        let mut queue = Queue {
            events: VecDeque::new(),
            bucket: client.bucket().to_owned(),
            authority: client.authority().to_owned(),
        };
        let began = net.now();
        let mut job = Job::new(spec, client);
        if let Some(versions) = options.versions {
            job = job.of_names(names(versions), &mut queue);
        }
        let inner = Inner { net, job, queue, began, unchecked, ended: None };
        Ok(wit::Job::new(Self(RefCell::new(inner))))
    }

    fn next(&self, max: u32) -> Result<Vec<Event>, Failure> {
        self.0.borrow_mut().next(usize::try_from(max.max(1)).unwrap_or(usize::MAX))
    }

    fn stop(&self) {
        self.0.borrow_mut().net.request_stop();
    }

    fn summary(&self) -> wit::Summary {
        self.0.borrow().summary()
    }

    fn notes(&self) -> Vec<wit::Note> {
        self.0.borrow_mut().notes()
    }
}

impl Inner {
    fn next(&mut self, max: usize) -> Result<Vec<Event>, Failure> {
        if std::mem::take(&mut self.unchecked) {
            self.job.check_settings(&mut self.net);
        }
        let until = self.net.now() + PATIENCE;
        while self.queue.events.is_empty() && self.ended.is_none() {
            if self.net.now() >= until {
                return Ok(vec![waiting()]);
            }
            if !self.job.advance(&mut self.net, &mut self.queue, Some(until)) {
                self.ended = Some(self.end());
            }
        }
        let count = max.min(self.queue.events.len());
        if count == 0
            && let Some(failure) = self.ended.as_mut().and_then(|(_, failure)| failure.take())
        {
            return Err(failure);
        }
        Ok(self.queue.events.drain(..count).collect())
    }

    fn end(&self) -> (State, Option<Failure>) {
        match self.job.end() {
            End::Complete => (State::Complete, None),
            End::Stopped => (State::Stopped, None),
            End::Listing(unfinished) => {
                (State::Incomplete, Some(self.queue.listing_failure(unfinished.as_ref())))
            }
            End::Fatal(failure) => (State::Refused, Some(self.queue.failure(&failure))),
        }
    }

    fn notes(&mut self) -> Vec<wit::Note> {
        let notes = self.job.notes();
        notes.into_iter().map(|note| self.queue.note(note)).collect()
    }

    fn summary(&self) -> wit::Summary {
        let counts = self.job.counts();
        let duration = self.net.now() - self.began;
        wit::Summary {
            state: self.ended.as_ref().map_or(State::Running, |(state, _)| *state),
            total: counts.total,
            filtered: counts.filtered,
            triggered: counts.triggered,
            delete_markers: counts.delete_markers,
            purges: counts.purges,
            copied: counts.copied,
            dequeued: self.job.replicated(),
            failed: counts.failed,
            vanished: counts.vanished,
            elsewhere: counts.elsewhere,
            replicated: counts.replicated,
            not_reached: counts.not_reached,
            retries: counts.retries,
            listings: self.job.listings(),
            duration: u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX),
        }
    }
}

impl Queue {
    fn note(&self, note: Note) -> wit::Note {
        let failure = |cause| self.failure(&job::Failure { cause, during: During::Counters });
        match note {
            Note::NoCounters(cause) => wit::Note::NoCounters(failure(cause)),
            Note::Unbounded(cause) => wit::Note::Unbounded(failure(cause)),
            Note::Restart => wit::Note::CountersRestarted,
            Note::Stalled { waiting, left } => {
                wit::Note::Stalled(Stalled { waiting, listed: left })
            }
        }
    }

    fn failure(&self, failure: &job::Failure) -> Failure {
        let text = explain(failure, &self.bucket, &self.authority);
        match &failure.cause {
            Cause::Transport(TransportError::Tls(_)) => Failure::Untrusted(text),
            Cause::Transport(TransportError::Denied(_)) => Failure::Denied(text),
            Cause::Transport(_) | Cause::Foreign(_) | Cause::Kept => Failure::Unreachable(text),
            Cause::Declined(_) => Failure::Refused(text),
            Cause::Server(error) => {
                let server = ServerError {
                    status: error.status,
                    code: error.code.clone(),
                    message: text,
                    request_id: error.request_id.clone(),
                };
                match error.status {
                    401 | 403 => Failure::Unauthorized(server),
                    _ => Failure::Server(server),
                }
            }
        }
    }

    fn listing_failure(&self, unfinished: &Unfinished) -> Failure {
        match (&unfinished.cause, &unfinished.after) {
            (Break::NotOpened(cause), None) => {
                self.failure(&job::Failure { cause: cause.clone(), during: During::Listing })
            }
            _ => Failure::Incomplete(explain_listing(unfinished, &self.bucket, &self.authority)),
        }
    }
}

impl Sink for Queue {
    fn version(&mut self, item: &Item, statuses: &Statuses, outcome: &Outcome, attempts: u32) {
        let error = match outcome {
            Outcome::Failed(failure) => Some(self.failure(failure)),
            _ => None,
        };
        self.events.push_back(Event {
            kind: match outcome {
                Outcome::Triggered(_) => EventKind::Triggered,
                Outcome::Vanished => EventKind::Vanished,
                Outcome::Elsewhere => EventKind::Elsewhere,
                Outcome::Replicated => EventKind::Replicated,
                Outcome::Failed(_) => EventKind::Failed,
                Outcome::Listed | Outcome::Left { .. } => EventKind::Listed,
            },
            key: item.key.clone(),
            version_id: item.version.to_string(),
            operation: match statuses.operation(item.delete_marker) {
                listing::Operation::Put => Operation::Put,
                listing::Operation::Delete => Operation::Delete,
                listing::Operation::Purge => Operation::Purge,
            },
            replication_status: statuses.label().to_owned(),
            last_modified: item.modified.to_string(),
            attempts,
            error,
        });
    }
}

fn waiting() -> Event {
    Event {
        kind: EventKind::Waiting,
        key: String::new(),
        version_id: String::new(),
        operation: Operation::Put,
        replication_status: String::new(),
        last_modified: String::new(),
        attempts: 0,
        error: None,
    }
}
