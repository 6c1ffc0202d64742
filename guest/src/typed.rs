//! The typed interface: the job for programs. It drives the same [`Job`] as the command.

use crate::bindings::exports::mc_wasi::replicate::resync::{
    self as wit, Event, EventKind, Failure, Guest, GuestJob, Operation, Options, ServerError, State,
};
use crate::http::WasiNet;
use resync_core::job::{
    self, During, End, Filter, Job, Mode, Outcome, Shard, Sink, Spec, Status, check_settings,
};
use resync_core::listing::{self, Break, Item, Statuses, Unfinished};
use resync_core::report::{explain, explain_listing};
use resync_core::wire::{
    Alias, Cause, Client, Endpoint, Instant, Net, TransportError, credentials,
};
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
        let mut net = WasiNet::new(|_| false);
        spec.filter.at = net.unix();
        let mut client = Client::new(&alias, &options.bucket, options.region.as_deref());
        // The host need not tell how a body was framed.
        client.ask_for_gzip();
        let queue = Queue {
            events: VecDeque::new(),
            bucket: client.bucket().to_owned(),
            authority: client.authority().to_owned(),
        };
        if spec.mode == Mode::ClearChecksum {
            // Nobody listens before there is a job.
            spec.settings = check_settings(&mut net, &mut client, &mut |_| {})
                .map_err(|failure| queue.failure(&failure))?;
        }
        let began = net.now();
        let inner = Inner { net, job: Job::new(spec, client), queue, began, ended: None };
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
}

impl Inner {
    fn next(&mut self, max: usize) -> Result<Vec<Event>, Failure> {
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
    fn failure(&self, failure: &job::Failure) -> Failure {
        let text = explain(failure, &self.bucket, &self.authority);
        match &failure.cause {
            Cause::Transport(TransportError::Tls(_)) => Failure::Untrusted(text),
            Cause::Transport(TransportError::Denied) => Failure::Denied(text),
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

/// The server and the account.
fn alias(options: &Options) -> Result<Alias, String> {
    // Said before the URL is looked at, because what is wrong with that quotes it.
    if options.endpoint.contains('@') {
        return Err("Keys belong in `credentials`, not in `endpoint`.".to_owned());
    }
    let endpoint = Endpoint::parse(&options.endpoint).map_err(|error| error.to_string())?;
    let credentials = match &options.credentials {
        None => None,
        Some(keys) if keys.access_key.is_empty() || keys.secret_key.is_empty() => {
            return Err("`credentials` need an access key and a secret key.".to_owned());
        }
        Some(keys) => {
            credentials(&keys.access_key, &keys.secret_key, keys.session_token.as_deref())
                .map_err(|error| error.to_string())?
        }
    };
    Ok(Alias { endpoint, credentials })
}

/// The job.
fn spec(options: &Options) -> Result<Spec, String> {
    if options.bucket.is_empty() || options.bucket.contains('/') {
        return Err("`bucket` must be the name of a bucket, without a prefix.".to_owned());
    }
    let spec = Spec {
        prefix: options.prefix.clone(),
        arn: options.arn.clone(),
        filter: options.filter.as_ref().map(filter).transpose()?.unwrap_or_default(),
        mode: match options.mode {
            wit::Mode::Trigger => Mode::Trigger,
            wit::Mode::ClearChecksum => Mode::ClearChecksum,
            wit::Mode::DryRun => Mode::DryRun,
        },
        concurrent: usize::try_from(options.concurrent).unwrap_or(usize::MAX),
        rate_limit: options.rate_limit,
        // Events carry the times of their versions.
        times: true,
        // The interface has no word for it yet.
        max_queue: 0,
        ..Spec::default()
    };
    spec.check().map_err(|error| error.to_string())?;
    Ok(spec)
}

/// Which versions it is about.
fn filter(asked: &wit::Filter) -> Result<Filter, String> {
    let seconds = |time: u32| Duration::from_secs(time.into());
    let shard = asked.shard.map(|shard| {
        Shard::new(shard.index, shard.count).ok_or(
            "`shard` must have an `index` less than its `count`, and a `count` from 1 to 1000.",
        )
    });
    Ok(Filter {
        older_than: asked.older_than.map(seconds),
        newer_than: asked.newer_than.map(seconds),
        status: asked.status.map(|status| match status {
            wit::Status::Pending => Status::Pending,
            wit::Status::Failed => Status::Failed,
        }),
        operation: asked.operation.map(|operation| match operation {
            Operation::Put => listing::Operation::Put,
            Operation::Delete => listing::Operation::Delete,
            Operation::Purge => listing::Operation::Purge,
        }),
        shard: shard.transpose()?,
        ..Filter::default()
    })
}
