//! When the next look at what is waited for is worth its cost.
//!
//! A look makes the server walk the whole bucket, or asks it for each version. The bucket's counters cost one
//! request. So while they go on, a look that takes long is put off until they say that all is done; and
//! where they say so early, it is not waited for.

use super::output::Output;
use crate::job::{CHECKS, COUNTERS_ANSWER, EVERY, Flow, Note, PAUSES, Shown};
use crate::report::Console;
use crate::wire::{Client, Instant, Net, Ticket, exchange};
use std::time::Duration;

/// Between two looks, from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(30);

/// A look that takes less is not worth putting off.
const DEAR: Duration = Duration::from_secs(2);

/// The counters go on if they did so within this time. Large objects take seconds each.
const QUIET: Duration = Duration::from_secs(10);

/// Between two drawings of what is waited for.
const GLANCE: Duration = Duration::from_secs(1);

/// The pauses between looks.
#[derive(Debug)]
pub(super) struct Looks {
    pause: Duration,
    /// What the last one took.
    cost: Option<Duration>,
    /// What the counters say, where they can be had.
    flow: Option<Flow>,
    asked: Option<Instant>,
    /// They have said that all is done when it was not: they count the traffic of others, too.
    misled: bool,
}

impl Looks {
    /// The first is to come.
    pub(super) fn new(flow: Option<Flow>) -> Self {
        Self { pause: FIRST_PAUSE, cost: None, flow, asked: None, misled: false }
    }

    /// Waits until the next look is due, but no longer than `until`. So many versions were left at the last one.
    pub(super) fn rest<N: Net, C: Console>(
        &mut self,
        until: Instant,
        left: u64,
        client: &mut Client,
        net: &mut N,
        output: &mut Output<'_, C>,
    ) {
        let began = net.now();
        loop {
            let now = net.now();
            let due = (began + self.length(now)).min(until);
            let waiting = self.flow.as_ref().filter(|flow| flow.has_seen());
            output.waiting(now, waiting.map_or(left, Flow::waiting), due - now);
            if now >= due || net.stop_requested() {
                return;
            }
            exchange::pause(net, (due - now).min(GLANCE));
            self.ask(client, net, output);
        }
    }

    /// How long the pause is, as far as is known by now.
    fn length(&self, now: Instant) -> Duration {
        let cost = self.cost.unwrap_or_default();
        let is_dear = self.cost.is_none_or(|cost| cost >= DEAR);
        match &self.flow {
            Some(flow) if flow.is_drained() && !self.misled => (cost * PAUSES).max(FIRST_PAUSE),
            Some(flow) if is_dear && flow.is_draining(QUIET, now) => {
                (cost * CHECKS.0).max(CHECKS.1)
            }
            _ => self.pause,
        }
    }

    /// Asks for the counters, when it is time to. A wait that is soon over never does.
    fn ask<N: Net, C: Console>(
        &mut self,
        client: &mut Client,
        net: &mut N,
        output: &mut Output<'_, C>,
    ) {
        let Some(flow) = &mut self.flow else { return };
        let soon = self.pause <= FIRST_PAUSE * 2 && !flow.has_seen();
        if soon || self.asked.is_some_and(|asked| net.now() < asked + EVERY) {
            return;
        }
        self.asked = Some(net.now());
        let answer = exchange::once(net, client, COUNTERS_ANSWER, |net, client| {
            client.metrics(net, Ticket::Setting);
        });
        match flow.answered(client, answer, net.now()) {
            Ok(Shown::Restart) => output.note(&Note::Restart),
            Ok(Shown::Counters) | Err(None) => {}
            // Looking without them is what is done then, as ever.
            Err(Some(_)) => self.flow = None,
        }
    }

    /// The last look has taken this long, and has shown so many if it was whole.
    pub(super) fn looked(&mut self, took: Duration, left: Option<u64>, now: Instant) {
        self.pause = (self.pause * 2).min(LAST_PAUSE).max(took * PAUSES);
        self.cost = Some(took);
        if let (Some(flow), Some(left)) = (&mut self.flow, left) {
            self.misled |= flow.is_drained() && left > 0;
            flow.left(left, now);
        }
    }

    /// Versions were triggered once more.
    pub(super) fn triggered_again(&mut self, flow: Option<Flow>) {
        self.flow = flow;
    }
}
