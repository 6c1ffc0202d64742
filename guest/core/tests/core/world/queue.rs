//! The server's queue for replication, and what its counters say of it.

use super::answer::ok;
use resync_core::wire::Response;
use serde_json::json;
use std::collections::VecDeque;
use std::ops::Range;
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
    /// What another node has counted before, and when its share is missing.
    pub(crate) other_node: Option<(u64, Range<Duration>)>,
    /// A target of the bucket that has counted this, and whose rule is no more.
    pub(crate) gone: Option<u64>,
    /// Of these, every version is taken and never done.
    pub(crate) ignores: bool,
    /// What the counters answer instead.
    pub(crate) refuses: Option<Response>,
    /// The most that ever waited.
    pub(crate) peak: usize,
    /// How often the counters were asked for.
    pub(crate) asked: u32,
    /// When each is done, and whether that is counted.
    waiting: VecDeque<(Duration, bool)>,
    done: u64,
    restarted: bool,
}

impl Queue {
    /// A version comes in. Returns when it will be replicated.
    pub(crate) fn push(&mut self, now: Duration, counted: bool) -> Option<Duration> {
        let rate = self.rate?;
        self.pass(now);
        let before = self.waiting.back().map_or(now, |(at, _)| *at).max(now);
        let at = before + Duration::from_secs_f64(1.0 / rate);
        self.waiting.push_back((at, counted));
        self.peak = self.peak.max(self.waiting.len());
        Some(at)
    }

    fn pass(&mut self, now: Duration) {
        while let Some((_, counted)) =
            self.waiting.pop_front_if(|(at, _)| *at <= now && !self.ignores)
        {
            self.done += u64::from(counted);
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
        let began = self.restart.filter(|_| self.restarted).unwrap_or_default();
        let mut nodes = vec![json!({ "nodeName": "a:9000", "uptime": (now - began).as_secs() })];
        let mut done = self.done + others;
        if let Some((counted, away)) = &self.other_node
            && !away.contains(&now)
        {
            done += counted;
            nodes.push(json!({ "nodeName": "b:9000", "uptime": 1_000 + now.as_secs() }));
        }
        // What is triggered is never counted as failed, but what others write is.
        let failed = json!({ "totals": { "count": 100 * now.as_secs() } });
        let counter = |count| json!({ "replicationCount": count, "failed": failed });
        let mut stats = json!({ "arn:a": counter(done) });
        if let Some(count) = self.gone {
            stats["arn:gone"] = counter(count);
        }
        let current = match done {
            0 => json!({ "replicationCount": 0 }),
            _ => json!({ "Stats": stats }),
        };
        let body = json!({ "uptime": 7, "currStats": current, "queueStats": { "nodes": nodes } });
        ok(&body.to_string())
    }
}
