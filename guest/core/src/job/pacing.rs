//! `--rate-limit`: starts spaced evenly, without bursts.

use crate::wire::Instant;
use std::time::Duration;

/// How late a start may come without shifting those after it. A loop that wakes up late
/// catches up by this much and no more, so that a pause is not followed by a burst. A host's timer
/// is late by 1 to 2 ms, and a busy one by 10; at 5,000 a second this is 100 starts.
const SLACK: Duration = Duration::from_millis(20);

/// Spaces starts at `1 / rate` seconds.
#[derive(Debug)]
pub(super) struct Pacer {
    interval: Duration,
    next: Instant,
}

impl Pacer {
    /// At most `rate` starts a second; `None` does not limit.
    pub(super) fn new(rate: Option<f64>) -> Self {
        // A rate too small for a `Duration` is one start, not no limit.
        let interval = rate.map_or(Duration::ZERO, |rate| {
            Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::MAX)
        });
        Self { interval, next: Instant::default() }
    }

    /// When the next start may happen.
    pub(super) fn next_start(&self) -> Instant {
        self.next
    }

    /// Takes the start that was due, at `now`.
    pub(super) fn start(&mut self, now: Instant) {
        self.next = self.next.max(now - SLACK) + self.interval;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A moment after the beginning.
    fn at(time: Duration) -> Instant {
        Instant::default() + time
    }

    /// Takes a start at `now` if one is due.
    fn try_start(pacer: &mut Pacer, now: Duration) -> bool {
        let due = pacer.next_start() <= at(now);
        if due {
            pacer.start(at(now));
        }
        due
    }

    /// Runs a loop that wakes up late by the given delays and returns the times of the starts.
    fn starts(rate: f64, seconds: u64, mut late: impl FnMut() -> Duration) -> Vec<Duration> {
        let mut pacer = Pacer::new(Some(rate));
        let (mut now, mut starts) = (Duration::ZERO, Vec::new());
        while now < Duration::from_secs(seconds) {
            while try_start(&mut pacer, now) {
                starts.push(now);
            }
            now = pacer.next_start().origin_age().max(now) + late();
        }
        starts
    }

    #[test]
    fn without_a_limit_every_start_is_due() {
        let mut pacer = Pacer::new(None);
        assert!((0..1000).all(|_| try_start(&mut pacer, Duration::ZERO)));
    }

    #[test]
    fn every_five_second_window_holds_the_rate_within_two_percent() {
        for rate in [1.0, 7.5, 20.0, 150.0, 999.0, 5000.0] {
            let starts = starts(rate, 30, || Duration::from_millis(2));
            for from in 0..25 {
                let window = Duration::from_secs(from)..Duration::from_secs(from + 5);
                let count = starts.iter().filter(|at| window.contains(*at)).count() as f64;
                let expected = rate * 5.0;
                assert!(
                    (count - expected).abs() <= (expected * 0.02).max(1.0),
                    "{rate}: {count} in {window:?}"
                );
            }
        }
    }

    #[test]
    fn a_pause_is_not_followed_by_a_burst() {
        let mut pacer = Pacer::new(Some(10.0));
        assert!(try_start(&mut pacer, Duration::ZERO));
        let after = Duration::from_secs(60);
        let burst = (0..10).filter(|_| try_start(&mut pacer, after)).count();
        assert_eq!(burst, 1, "starts at once");
    }

    #[test]
    fn fractions_are_rates_too() {
        assert_eq!(starts(0.5, 10, || Duration::ZERO).len(), 5);
        let mut pacer = Pacer::new(Some(1e-30));
        assert!(try_start(&mut pacer, Duration::ZERO));
        assert!(!try_start(&mut pacer, Duration::from_secs(1 << 40)));
    }

    proptest! {
        #[test]
        fn starts_never_exceed_the_rate(rate in 1.0f64..5000.0, late in proptest::collection::vec(0u64..30_000, 1..50)) {
            let mut delays = late.iter().cycle();
            let starts = starts(rate, 3, || Duration::from_micros(*delays.next().unwrap()));
            for (index, at) in starts.iter().enumerate() {
                let allowed = at.as_secs_f64() * rate + 1.0 + 1e-6;
                prop_assert!((index + 1) as f64 <= allowed + 1.0, "{index} starts by {at:?} at {rate}/s");
            }
        }
    }
}
