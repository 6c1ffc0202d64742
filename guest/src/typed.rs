//! The typed interface: the job for programs. It drives the same [`Job`] as the command.

use crate::bindings::exports::mc_wasi::replicate::resync::{
    self as wit, Event, EventKind, Failure, Guest, GuestJob, Operation, Options, ServerError, State,
};
use crate::http::WasiNet;
use resync_core::job::{End, Job, Mode, Outcome, Sink, Spec, no_default_retention};
use resync_core::listing::{self, Break, Item, Shape};
use resync_core::report::{During, explain, explain_listing};
use resync_core::wire::{Alias, Cause, Client, Endpoint, Net, TransportError, credentials};
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
    began: Duration,
    /// Set by the end of the job, with its failure until that has been handed over.
    ended: Option<(State, Option<Failure>)>,
}

/// Events not yet handed over.
struct Queue {
    events: VecDeque<Event>,
    during: During,
    bucket: String,
    authority: String,
}

impl GuestJob for Run {
    fn start(options: Options) -> Result<wit::Job, Failure> {
        let alias = alias(&options).map_err(Failure::InvalidOptions)?;
        let spec = spec(&options).map_err(Failure::InvalidOptions)?;
        let mut net = WasiNet::new(|_| false);
        net.connect(&alias.endpoint);
        let mut client = Client::new(&alias, &options.bucket, options.region.as_deref());
        let queue = Queue {
            events: VecDeque::new(),
            during: if spec.mode == Mode::ClearChecksum { During::Copy } else { During::Trigger },
            bucket: client.bucket().to_owned(),
            authority: client.authority().to_owned(),
        };
        if spec.mode == Mode::ClearChecksum {
            // Nobody listens before there is a job.
            no_default_retention(&mut net, &mut client, &mut |_| {})
                .map_err(|cause| queue.failure(&cause, During::LockConfiguration))?;
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
            End::Listing(failure) => {
                (State::Incomplete, Some(self.queue.listing_failure(&failure)))
            }
            End::Refused(cause) => {
                let copy = self.job.refused_copy();
                let during = if copy { During::Copy } else { During::Trigger };
                (State::Refused, Some(self.queue.failure(&cause, during)))
            }
        }
    }

    fn summary(&self) -> wit::Summary {
        let counts = self.job.counts();
        let duration = self.net.now() - self.began;
        wit::Summary {
            state: self.ended.as_ref().map_or(State::Running, |(state, _)| *state),
            total: counts.total,
            triggered: counts.triggered,
            delete_markers: counts.delete_markers,
            purges: counts.purges,
            copied: counts.copied,
            failed: counts.failed,
            vanished: counts.vanished,
            elsewhere: counts.elsewhere,
            not_reached: counts.not_reached,
            retries: counts.retries,
            listings: self.job.listings(),
            duration: u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX),
        }
    }
}

impl Queue {
    fn failure(&self, cause: &Cause, during: During) -> Failure {
        let text = explain(cause, during, &self.bucket, &self.authority);
        match cause {
            Cause::Transport(TransportError::Tls(_)) => Failure::Untrusted(text),
            Cause::Transport(TransportError::Denied) => Failure::Denied(text),
            Cause::Transport(_) => Failure::Unreachable(text),
            Cause::Refused(_) => Failure::Refused(text),
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

    fn listing_failure(&self, failure: &listing::Failure) -> Failure {
        match &failure.cause {
            Break::Refused(cause) if !failure.begun => self.failure(cause, During::Listing),
            _ => Failure::Incomplete(explain_listing(failure, &self.bucket, &self.authority)),
        }
    }
}

impl Sink for Queue {
    fn version(&mut self, item: &Item, shape: &Shape, outcome: &Outcome, attempts: u32) {
        let error = match outcome {
            Outcome::Failed(cause) => Some(self.failure(cause, self.during)),
            _ => None,
        };
        self.events.push_back(Event {
            kind: match outcome {
                Outcome::Triggered(_) => EventKind::Triggered,
                Outcome::Vanished => EventKind::Vanished,
                Outcome::Elsewhere => EventKind::Elsewhere,
                Outcome::Failed(_) => EventKind::Failed,
                Outcome::Listed => EventKind::Listed,
            },
            key: item.key.clone(),
            version_id: item.version.to_string(),
            operation: match shape.operation(item.delete_marker) {
                listing::Operation::Put => Operation::Put,
                listing::Operation::Delete => Operation::Delete,
                listing::Operation::Purge => Operation::Purge,
            },
            replication_status: shape.label().to_owned(),
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
    let endpoint = Endpoint::parse(&options.endpoint)?;
    let credentials = match &options.credentials {
        None => None,
        Some(keys) if keys.access_key.is_empty() || keys.secret_key.is_empty() => {
            return Err("`credentials` need an access key and a secret key.".to_owned());
        }
        Some(keys) => {
            credentials(&keys.access_key, &keys.secret_key, keys.session_token.as_deref())
        }
    };
    Ok(Alias { endpoint, credentials })
}

/// The job.
fn spec(options: &Options) -> Result<Spec, String> {
    let says = |text: &str| Err(text.to_owned());
    let concurrent = usize::try_from(options.concurrent).unwrap_or(0);
    if options.bucket.is_empty() || options.bucket.contains('/') {
        return says("`bucket` is the name of a bucket, without a prefix.");
    }
    if !(1..=1000).contains(&concurrent) {
        return says("`concurrent` is between 1 and 1000.");
    }
    if options.rate_limit.is_some_and(|rate| !(rate.is_finite() && rate > 0.0)) {
        return says("`rate-limit` is a number of versions per second above 0.");
    }
    if options.arn.as_deref() == Some("") {
        return says("`arn` is the ARN of a replication target.");
    }
    Ok(Spec {
        prefix: options.prefix.clone(),
        arn: options.arn.clone(),
        mode: match options.mode {
            wit::Mode::Trigger => Mode::Trigger,
            wit::Mode::ClearChecksum => Mode::ClearChecksum,
            wit::Mode::DryRun => Mode::DryRun,
        },
        concurrent,
        rate_limit: options.rate_limit,
        // Events carry the times of their versions.
        times: true,
        ..Spec::default()
    })
}
