//! A MinIO server that is not one: it has a replication backlog, answers what
//! the command asks of it, and fails on demand.
//!
//! A real server cannot be made to cut a listing after the 7,001st entry, to
//! answer every fourth `HEAD` with 503, or to have ten million versions that
//! wait for replication. This one can, and in every other respect it keeps to
//! what real ones were seen to put on the wire, down to the form of each error;
//! signatures are checked with an implementation of its own.
//!
//! ```
//! use fake_minio::{Backlog, Effect, FakeServer, Fault, Options, Route, S3Error, Version};
//!
//! let backlog = Backlog::of([Version::put("a"), Version::delete_marker("b")]);
//! let server = FakeServer::start(Options::with_backlog(backlog));
//! let slow_down = S3Error::new(503, "SlowDownRead").retry_after(1);
//! server.inject(Fault::on(Route::Head, Effect::Answer(slow_down)).key("a").times(1));
//! // … run the program under test against `server.alias_url()` …
//! assert!(server.triggered().is_empty());
//! ```
//!
//! Everything runs in one thread with its own runtime and ends with the value
//! that owns it. The number of requests in flight is what this thread knows of:
//! a request counts from when it is read to when its answer is made, so without
//! a delay ([`Effect::Delay`]) there is seldom more than one.

mod admin;
mod answer;
mod body;
mod bucket;
mod clock;
mod connection;
mod copy;
mod cors;
mod demo;
mod entry;
mod fault;
mod head;
mod layout;
mod listing;
mod log;
mod options;
mod presigned;
mod query;
mod service;
mod sigv4;
#[cfg(test)]
mod smoke;
mod state;
mod store;
mod synthetic;
mod tls;
mod version;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;

pub use self::answer::S3Error;
pub use self::copy::Copied;
pub use self::fault::{Chunks, Cut, Effect, Fault, Route};
pub use self::layout::Layout;
pub use self::log::Logged;
pub use self::options::{ObjectLock, Options, Target};
pub use self::store::{Backlog, Triggered};
pub use self::version::{
    Checksum, DEFAULT_ARN, Encryption, Kind, Lock, Presence, Status, TargetState, Version, mix,
};

use self::state::{Counters, State};
use self::store::Found;
use self::tls::Tls;

/// A running server, which stops when it is dropped.
pub struct FakeServer {
    state: Arc<State>,
    address: SocketAddr,
    ca_pem: Option<String>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for FakeServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FakeServer").field("url", &self.url()).finish_non_exhaustive()
    }
}

impl FakeServer {
    /// Starts a server and waits until it listens.
    ///
    /// # Panics
    /// When [`try_start`](Self::try_start) fails.
    pub fn start(options: Options) -> Self {
        Self::try_start(options).expect("a server that listens")
    }

    /// As [`start`](Self::start).
    ///
    /// # Errors
    /// When the address is taken, or a thread or a certificate cannot be had.
    pub fn try_start(options: Options) -> io::Result<Self> {
        let tls = options.tls.then(Tls::generate).transpose().map_err(io::Error::other)?;
        let (acceptor, ca_pem) = tls.map(|tls| (tls.acceptor, tls.ca_pem)).unzip();
        let state = Arc::new(State::new(options));
        let (stop, stopped) = oneshot::channel::<()>();
        // One thread: client and server share two cores, and the server must
        // not take both.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _inside = runtime.enter();
            connection::listen(&state.options)?
        };
        let address = listener.local_addr()?;
        let shared = Arc::clone(&state);
        let thread = thread::Builder::new().name("fake-minio".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = connection::accept(shared, listener, acceptor) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { state, address, ca_pem, stop: Some(stop), thread: Some(thread) })
    }

    /// Address listened on.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`, or `https`.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme(), self.address)
    }

    /// As [`url`](Self::url) with the keys in it: the value of an `MC_HOST_…`.
    pub fn alias_url(&self) -> String {
        let options = &self.state.options;
        let token = options.session_token.as_ref().map(|token| format!(":{token}"));
        format!(
            "{}://{}:{}{}@{}",
            self.scheme(),
            options.access_key,
            options.secret_key,
            token.unwrap_or_default(),
            self.address
        )
    }

    /// The authority to trust, in PEM, if TLS is served.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// All requests so far.
    pub fn log(&self) -> Vec<Logged> {
        self.state.log.all()
    }

    /// How many requests came.
    pub fn requests(&self) -> u64 {
        Counters::get(&self.state.counters.requests)
    }

    /// How many connections were accepted.
    pub fn connections(&self) -> u64 {
        Counters::get(&self.state.counters.accepted)
    }

    /// How many of them took up the TLS session of one before.
    pub fn resumed(&self) -> u64 {
        Counters::get(&self.state.counters.resumed)
    }

    /// How many of them are open.
    pub fn open_connections(&self) -> u64 {
        Counters::get(&self.state.counters.open)
    }

    /// The most S3 requests that were being answered at one time.
    pub fn peak_in_flight(&self) -> u64 {
        Counters::get(&self.state.counters.peak)
    }

    /// How many requests were refused for what they were signed with.
    pub fn bad_signatures(&self) -> u64 {
        Counters::get(&self.state.counters.bad_signatures)
    }

    /// How many listings were begun.
    pub fn listings(&self) -> u64 {
        Counters::get(&self.state.counters.listings)
    }

    /// How many entries all of them had, those included that were made and never read.
    pub fn listed(&self) -> u64 {
        Counters::get(&self.state.counters.listed)
    }

    /// How often a `HEAD` triggered each version.
    pub fn triggered(&self) -> Triggered {
        self.state.store.triggered()
    }

    /// How many versions were triggered, and how many triggers came on top;
    /// cheap even for large backlogs.
    pub fn triggers(&self) -> (u64, u64) {
        self.state.store.triggers()
    }

    /// Copies made of versions that are not computed; a copy of a computed one
    /// counts as a trigger.
    pub fn copied(&self) -> Vec<Copied> {
        self.state.copies.all()
    }

    /// How many versions a listing of the whole bucket would have now.
    pub fn backlog_len(&self) -> u64 {
        self.state.store.backlog_len()
    }

    /// A version as it is now; not one that is computed.
    pub fn version(&self, key: &str, version_id: Option<&str>) -> Option<Version> {
        match self.state.store.find(key, Some(version_id.unwrap_or("null"))) {
            Found::Held(version) => Some(*version),
            Found::Synthetic(_) | Found::Nothing => None,
        }
    }

    /// Adds a version, or replaces the one with the same key and id.
    pub fn push(&self, version: Version) {
        self.state.store.push(version);
    }

    /// Takes a version away, as if it had been deleted for good; `None` is the
    /// null version.
    pub fn remove(&self, key: &str, version_id: Option<&str>) -> Option<Version> {
        self.state.store.remove(key, version_id)
    }

    /// Adds a fault; those before stay.
    pub fn inject(&self, fault: Fault) {
        self.state.faults.add(fault);
    }

    /// Ends all faults. Requests that they befell stay befallen.
    pub fn clear_faults(&self) {
        self.state.faults.clear();
    }

    fn scheme(&self) -> &'static str {
        if self.ca_pem.is_some() { "https" } else { "http" }
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        // Fails if the thread has panicked, and so has stopped already.
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
