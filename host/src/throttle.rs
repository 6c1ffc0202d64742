//! `--limit-upload` and `--limit-download`: bytes per second over all connections.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How much may pass at once: small enough to be smooth, large enough for a TLS record.
const BURST_SECONDS: f64 = 0.1;
const MIN_BURST: f64 = 16_384.0;

/// A token bucket shared by all connections of a direction.
#[derive(Debug)]
pub struct Throttle {
    rate: f64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tokens: f64,
    since: Instant,
}

impl Throttle {
    /// Lets `bytes_per_second` pass.
    pub fn new(bytes_per_second: u64) -> Self {
        let rate = bytes_per_second as f64;
        let state = State { tokens: burst(rate), since: Instant::now() };
        Self { rate, state: Mutex::new(state) }
    }

    /// Takes `bytes`, which have passed already, and returns how long to wait before the next.
    pub fn spend(&self, bytes: usize) -> Duration {
        self.spend_at(bytes, Instant::now())
    }

    fn spend_at(&self, bytes: usize, now: Instant) -> Duration {
        let Ok(mut state) = self.state.lock() else { return Duration::ZERO };
        let earned = now.duration_since(state.since).as_secs_f64() * self.rate;
        state.tokens = (state.tokens + earned).min(burst(self.rate)) - bytes as f64;
        state.since = now;
        Duration::try_from_secs_f64(-state.tokens / self.rate).unwrap_or_default()
    }

    /// The most to pass at once.
    pub fn burst(&self) -> usize {
        burst(self.rate) as usize
    }
}

fn burst(rate: f64) -> f64 {
    (rate * BURST_SECONDS).max(MIN_BURST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_pass_at_the_rate() {
        let throttle = Throttle::new(1_000_000);
        let mut now = Instant::now();
        let start = now;
        for _ in 0..100 {
            now += throttle.spend_at(50_000, now);
        }
        let rate = 5_000_000.0 / (now - start).as_secs_f64();
        assert!((900_000.0..1_050_000.0).contains(&rate), "{rate}");
    }
}
