//! The server's queue for replication, and what its counters say of it.

use super::answer::ok;
use resync_core::wire::Response;
use serde_json::json;
use std::collections::VecDeque;
use std::time::Duration;

/// A queue that one worker empties.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// Versions replicated in a second. Without it, everything is at once.
    pub(crate) rate: Option<f64>,
    /// The traffic of others in a second, which the counters count, too.
    pub(crate) others: f64,
    /// When the server is started again, which forgets the queue and the counters.
    pub(crate) restart: Option<Duration>,
    /// Of these, every version is taken and never done.
    pub(crate) ignores: bool,
    /// What the counters answer instead.
    pub(crate) refuses: Option<Response>,
    /// The most that ever waited.
    pub(crate) peak: usize,
    /// How often the counters were asked for.
    pub(crate) asked: u32,
    waiting: VecDeque<Duration>,
    done: u64,
    restarted: bool,
}

impl Queue {
    /// A version comes in. Returns when it will be replicated.
    pub(crate) fn push(&mut self, now: Duration) -> Option<Duration> {
        let rate = self.rate?;
        self.pass(now);
        let before = self.waiting.back().copied().unwrap_or(now).max(now);
        let at = before + Duration::from_secs_f64(1.0 / rate);
        self.waiting.push_back(at);
        self.peak = self.peak.max(self.waiting.len());
        Some(at)
    }

    fn pass(&mut self, now: Duration) {
        while self.waiting.front().is_some_and(|at| *at <= now && !self.ignores) {
            self.waiting.pop_front();
            self.done += 1;
        }
        if !self.restarted && self.restart.is_some_and(|at| now >= at) {
            self.restarted = true;
            self.waiting.clear();
            self.done = 0;
        }
    }

    /// What the server answers to `?replication-metrics=2`.
    pub(crate) fn metrics(&mut self, now: Duration) -> Response {
        self.asked += 1;
        if let Some(refusal) = &self.refuses {
            return refusal.clone();
        }
        self.pass(now);
        let others = (self.others * now.as_secs_f64()) as u64;
        let failed = json!({ "totals": { "count": 0, "bytes": 0 } });
        let stats =
            json!({ "arn:a": { "replicationCount": self.done + others, "failed": failed } });
        let body = match self.done + others {
            0 => json!({ "uptime": 0, "currStats": { "replicationCount": 0 } }),
            _ => json!({ "uptime": 7, "currStats": { "Stats": stats } }),
        };
        ok(&body.to_string())
    }
}
