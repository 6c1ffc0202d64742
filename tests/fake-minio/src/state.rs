//! What all requests of one server share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::copy::Copies;
use super::fault::Faults;
use super::log::Log;
use super::options::Options;
use super::sigv4::Verifier;
use super::store::{Backlog, Store};

/// The server behind its sockets.
pub(crate) struct State {
    /// As given, but for the backlog, which is in `store`.
    pub(crate) options: Options,
    pub(crate) store: Store,
    pub(crate) verifier: Verifier,
    pub(crate) faults: Faults,
    pub(crate) log: Log,
    pub(crate) copies: Copies,
    pub(crate) counters: Counters,
    pub(crate) started: Instant,
}

impl State {
    pub(crate) fn new(mut options: Options) -> Self {
        let backlog: Backlog = std::mem::take(&mut options.backlog);
        Self {
            store: Store::new(backlog, options.replicates, options.replication_delay),
            verifier: Verifier::new(
                &options.access_key,
                &options.secret_key,
                options.session_token.as_deref(),
            ),
            faults: Faults::default(),
            log: Log::new(options.log),
            copies: Copies::default(),
            counters: Counters::default(),
            started: Instant::now(),
            options,
        }
    }
}

/// What is counted even if nothing is logged.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) requests: AtomicU64,
    pub(crate) accepted: AtomicU64,
    pub(crate) resumed: AtomicU64,
    pub(crate) open: AtomicU64,
    pub(crate) in_flight: AtomicU64,
    pub(crate) peak: AtomicU64,
    pub(crate) bad_signatures: AtomicU64,
    pub(crate) listings: AtomicU64,
    pub(crate) listed: AtomicU64,
}

impl Counters {
    pub(crate) fn get(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }
}

/// One more of something, for as long as it lives.
pub(crate) struct Counted {
    state: Arc<State>,
    counter: fn(&Counters) -> &AtomicU64,
}

impl Counted {
    /// A connection that is open.
    pub(crate) fn connection(state: &Arc<State>) -> Self {
        state.counters.open.fetch_add(1, Ordering::Relaxed);
        Self { state: Arc::clone(state), counter: |counters| &counters.open }
    }

    /// A request that has come and has no answer yet, and how many there are.
    pub(crate) fn request(state: &Arc<State>) -> (Self, u64) {
        let now = state.counters.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        state.counters.peak.fetch_max(now, Ordering::Relaxed);
        (Self { state: Arc::clone(state), counter: |counters| &counters.in_flight }, now)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        (self.counter)(&self.state.counters).fetch_sub(1, Ordering::Relaxed);
    }
}
