//! How many versions may be in flight: at most `--concurrent`, and fewer while the server is
//! overloaded.
//!
//! A server that answers 429 or 503 with 100 requests in flight is not helped by 99. The number is
//! halved on overload, once for all requests that were in flight together, and grows by one per
//! second without overload. It begins small and grows with every answer, so that a server with few
//! request slots rejects a handful instead of hundreds.

use crate::job::spec::CONCURRENT;
use crate::wire::Instant;
use std::time::Duration;

/// Without overload for this long, the number grows by one.
const CALM: Duration = Duration::from_secs(1);

/// The number of versions that may be in flight.
#[derive(Debug)]
pub(super) struct Window {
    most: usize,
    size: usize,
    /// Until the first overload every answer makes room for one more.
    opening: bool,
    changed: Instant,
    cut: Option<Instant>,
}

impl Window {
    /// At most `most` in flight.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            size: most.min(CONCURRENT),
            opening: true,
            changed: Instant::default(),
            cut: None,
        }
    }

    /// How many may be in flight now.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Whether the server has made it smaller than the user allows.
    pub(super) fn is_reduced(&self) -> bool {
        !self.opening && self.size < self.most
    }

    /// An answer that shows no overload.
    pub(super) fn calm(&mut self, now: Instant) {
        if self.size < self.most && (self.opening || now >= self.changed + CALM) {
            self.size += 1;
            self.changed = now;
        }
    }

    /// The server was overloaded by a request that was begun at `started`.
    pub(super) fn overload(&mut self, started: Instant, now: Instant) {
        // Those begun before the last cut were part of the same crowd.
        if self.cut.is_some_and(|cut| started <= cut) {
            return;
        }
        self.opening = false;
        self.size = (self.size / 2).max(1);
        self.changed = now;
        self.cut = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Instant {
        Instant::since_origin(Duration::from_millis(millis))
    }

    #[test]
    fn it_opens_with_every_answer_up_to_the_limit() {
        let mut window = Window::new(100);
        assert_eq!(window.size(), 10);
        (0..200).for_each(|n| window.calm(at(n)));
        assert_eq!(window.size(), 100);
        assert_eq!(Window::new(4).size(), 4);
    }

    #[test]
    fn one_crowd_halves_it_once() {
        let mut window = Window::new(64);
        (0..100).for_each(|n| window.calm(at(n)));
        (0..60).for_each(|_| window.overload(at(50), at(200)));
        assert_eq!(window.size(), 32);
        window.overload(at(201), at(202));
        assert_eq!(window.size(), 16);
    }

    #[test]
    fn it_grows_by_one_per_calm_second() {
        let mut window = Window::new(64);
        window.overload(at(1), at(2));
        assert_eq!((window.size(), window.is_reduced()), (5, true));
        (0..3500).for_each(|n| window.calm(at(3 + n)));
        assert_eq!(window.size(), 8);
    }

    #[test]
    fn it_never_closes() {
        let mut window = Window::new(1);
        (1..50).for_each(|n| window.overload(at(n * 2), at(n * 2 + 1)));
        assert_eq!(window.size(), 1);
    }
}
