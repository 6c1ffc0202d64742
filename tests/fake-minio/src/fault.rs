//! What can go wrong, and when.
//!
//! A [`Fault`] is an effect and the requests that it befalls: of one route,
//! for some keys, after the first few, for the next few, or a share of all.
//! Any number may be active; their delays add up, their listing steps come
//! together, and of the effects that decide the answer the first wins.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::answer::S3Error;
use super::version::mix;

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// `POST …/replication/diff`.
    Diff,
    /// `GET …/list-remote-targets`.
    Targets,
    /// `GET /B?location`.
    Location,
    /// `GET /B?object-lock`.
    ObjectLock,
    /// `GET /B?encryption`.
    Encryption,
    /// `GET /B?replication-metrics=2`.
    Metrics,
    /// `HEAD /B`.
    HeadBucket,
    /// `HEAD /B/K`.
    Head,
    /// `GET /B/K?tagging`.
    Tagging,
    /// `GET /B/K`.
    Get,
    /// `PUT /B/K` with a copy source.
    Copy,
}

impl Route {
    pub(crate) fn is_admin(self) -> bool {
        matches!(self, Self::Diff | Self::Targets)
    }
}

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Effect {
    /// It is answered with this error and has no effect.
    Answer(S3Error),
    /// It is answered 307 with this `Location`.
    Redirect(String),
    /// It is answered with something else, such as a proxy's page.
    Page {
        /// HTTP status.
        status: u16,
        /// `Content-Type`.
        content_type: String,
        /// Body.
        body: Vec<u8>,
    },
    /// A `HEAD` is answered by another site: 200, `REPLICA`, nothing triggered.
    Replica,
    /// The connection ends (FIN) before the request has an effect.
    Close,
    /// The connection is reset (RST) before the request has an effect.
    Reset,
    /// The request takes effect, but the connection ends after so many bytes of
    /// the answer, head included; 0 loses all of it.
    CloseAfter(usize),
    /// The request has no effect and no answer, ever.
    Hang,
    /// The answer comes later.
    Delay(Duration),
    /// The listing breaks off after so many entries.
    Cut {
        /// Whole entries sent before.
        after: u64,
        /// Manner.
        how: Cut,
    },
    /// The listing stops after so many entries and goes on later.
    Pause {
        /// Entries sent before.
        after: u64,
        /// For how long.
        length: Duration,
        /// Whether a space is sent every half second, as the server does.
        keepalive: bool,
    },
    /// An entry without an object name is sent after so many entries.
    Keyless {
        /// Entries sent before.
        after: u64,
    },
    /// The listing comes in chunks of this size.
    Chunks(Chunks),
}

/// How a listing breaks off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// FIN inside a chunk, after a whole line.
    InsideChunk,
    /// FIN inside a chunk and a line: what a slow reader gets.
    InsideLine,
    /// FIN after a whole chunk, without the last, empty one.
    BetweenChunks,
    /// RST.
    Reset,
    /// Half a line, and then a proper end.
    HalfLine,
    /// A proper end, and nothing to tell that entries are missing.
    Silent,
    /// An entry with an error in words, and then a proper end.
    ErrorText,
    /// An entry with the error `{}`, and then a proper end.
    ErrorObject,
}

/// Sizes of the chunks of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunks {
    /// As large as is fast.
    Large,
    /// All of this size, in bytes.
    Of(usize),
    /// Of 1 to `max` bytes, by a seed.
    Random {
        /// Seed.
        seed: u64,
        /// The largest.
        max: usize,
    },
}

/// An effect and the requests that it befalls: all requests, until restricted.
#[derive(Clone, Debug)]
pub struct Fault {
    effect: Effect,
    route: Option<Route>,
    key: Option<String>,
    key_prefix: String,
    skip: u64,
    times: u64,
    share: f64,
    seed: u64,
    matched: u64,
}

impl Fault {
    /// Befalls every request of one kind.
    pub fn on(route: Route, effect: Effect) -> Self {
        Self { route: Some(route), ..Self::on_any(effect) }
    }

    /// Befalls every request.
    pub fn on_any(effect: Effect) -> Self {
        Self {
            effect,
            route: None,
            key: None,
            key_prefix: String::new(),
            skip: 0,
            times: u64::MAX,
            share: 1.0,
            seed: 0,
            matched: 0,
        }
    }

    /// Only requests for this key.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Only requests for keys that start so.
    #[must_use]
    pub fn key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.key_prefix = prefix.into();
        self
    }

    /// Not the first `count` requests.
    #[must_use]
    pub fn after(mut self, count: u64) -> Self {
        self.skip = count;
        self
    }

    /// Only `count` requests.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.times = count;
        self
    }

    /// Only this share of the requests, 0 to 1, drawn by a seed.
    #[must_use]
    pub fn share(mut self, share: f64, seed: u64) -> Self {
        (self.share, self.seed) = (share, seed);
        self
    }

    /// Whether it befalls this request, which is counted.
    fn befalls(&mut self, route: Route, key: &str) -> bool {
        let matches = self.route.is_none_or(|own| own == route)
            && self.key.as_ref().is_none_or(|own| own == key)
            && key.starts_with(&self.key_prefix);
        if !matches {
            return false;
        }
        let nth = self.matched;
        self.matched += 1;
        if self.skip > nth || self.times == 0 {
            return false;
        }
        let drawn = mix(self.seed ^ nth) as f64 / u64::MAX as f64;
        let befalls = drawn < self.share || self.share >= 1.0;
        self.times -= u64::from(befalls);
        befalls
    }
}

/// The active faults.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    list: Mutex<Vec<Fault>>,
    /// Spares the lock where there is nothing behind it: on every `HEAD` of a
    /// benchmark.
    any: AtomicBool,
}

/// All that befalls one request.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) delay: Duration,
    /// The effect that decides the answer; never one of those below.
    pub(crate) decides: Option<Effect>,
    pub(crate) listing: Vec<Effect>,
}

impl Faults {
    pub(crate) fn add(&self, fault: Fault) {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
        self.any.store(true, Ordering::Release);
    }

    pub(crate) fn clear(&self) {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.any.store(false, Ordering::Release);
    }

    pub(crate) fn plan(&self, route: Route, key: &str) -> Plan {
        let mut plan = Plan::default();
        if !self.any.load(Ordering::Acquire) {
            return plan;
        }
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        for fault in list.iter_mut() {
            // A fault that comes too late for this request is not used up by it.
            let decides = fault.effect.decides();
            if decides && plan.decides.is_some() || !fault.befalls(route, key) {
                continue;
            }
            match &fault.effect {
                Effect::Delay(delay) => plan.delay += *delay,
                effect if decides => plan.decides = Some(effect.clone()),
                effect => plan.listing.push(effect.clone()),
            }
        }
        plan
    }
}

impl Effect {
    fn decides(&self) -> bool {
        !matches!(
            self,
            Self::Delay(_)
                | Self::Cut { .. }
                | Self::Pause { .. }
                | Self::Keyless { .. }
                | Self::Chunks(_)
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Effect, Fault, Faults, Route};

    fn closes(faults: &Faults, route: Route, key: &str) -> bool {
        matches!(faults.plan(route, key).decides, Some(Effect::Close))
    }

    #[test]
    fn a_fault_befalls_the_counted_requests_of_its_route_and_keys() {
        let faults = Faults::default();
        assert!(!closes(&faults, Route::Head, "a"));
        faults.add(Fault::on(Route::Head, Effect::Close).key_prefix("a/").after(1).times(2));
        assert!(!closes(&faults, Route::Copy, "a/b"));
        assert!(!closes(&faults, Route::Head, "b"));
        let fates = [(); 5].map(|()| closes(&faults, Route::Head, "a/b"));
        assert_eq!(fates, [false, true, true, false, false]);
        faults.clear();
        assert!(!closes(&faults, Route::Head, "a/b"));
    }

    #[test]
    fn delays_add_up_and_the_first_decision_wins() {
        let faults = Faults::default();
        faults.add(Fault::on_any(Effect::Delay(Duration::from_secs(1))));
        faults.add(Fault::on_any(Effect::Close).times(1));
        faults.add(Fault::on_any(Effect::Hang).times(1));
        faults.add(Fault::on_any(Effect::Delay(Duration::from_secs(2))));
        let plan = faults.plan(Route::Head, "");
        assert_eq!(plan.delay, Duration::from_secs(3));
        assert!(matches!(plan.decides, Some(Effect::Close)));
        let plan = faults.plan(Route::Head, "");
        assert!(matches!(plan.decides, Some(Effect::Hang)), "not used up by the first request");
        assert!(faults.plan(Route::Head, "").decides.is_none());
    }

    #[test]
    fn a_share_is_about_that_share() {
        let faults = Faults::default();
        faults.add(Fault::on_any(Effect::Close).share(0.25, 1));
        let closed = (0..1000).filter(|_| closes(&faults, Route::Head, "k")).count();
        assert!((200..300).contains(&closed), "{closed}");
    }
}
