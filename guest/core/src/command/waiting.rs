//! `--wait`: did it replicate?
//!
//! A HEAD only queues a version. So the backlog is listed again, without touching an object, until
//! every version that was triggered has left it. Versions that stay are triggered again, a few
//! times.

use super::output::Output;
use super::pass::{Of, Pass, pass};
use super::tracker::{ARNS, Tracker, Triggered};
use crate::command::args::Args;
use crate::job::{Only, Settings};
use crate::listing::{Item, Statuses, VersionSet, survey};
use crate::report::{Console, Waited};
use crate::wire::{Net, exchange, timestamp};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

/// Between two looks, from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(30);

/// A pause is at least this many times as long as the look before it: a server walks the whole bucket for each,
/// and has better things to do than that.
const REST: u32 = 3;

/// The pauses between looks.
pub(super) struct Pauses(Duration);

impl Pauses {
    /// The first is to come.
    pub(super) fn new() -> Self {
        Self(FIRST_PAUSE)
    }

    /// The pause before the next look, of which no more than this is left.
    pub(super) fn next(&self, left: Duration) -> Duration {
        self.0.min(left)
    }

    /// The look after it took this long.
    pub(super) fn looked(&mut self, took: Duration) {
        self.0 = (self.0 * 2).min(LAST_PAUSE).max(took * REST);
    }
}

/// How often what stays is triggered again.
const MAX_ROUNDS: u32 = 3;

/// Looks without progress before what stays is triggered again.
const PATIENCE: u32 = 2;

/// A look at the backlog.
#[derive(Default)]
struct Look {
    left: VersionSet,
    pending: u64,
    failed_again: u64,
    targets: BTreeMap<String, [u64; 2]>,
}

impl Look {
    /// What is known before the first look: nothing has left the backlog.
    fn none(triggered: &Triggered) -> Self {
        let mut look = Self { pending: triggered.seen.len() as u64, ..Self::default() };
        for (arn, count) in &triggered.by_arn {
            look.targets.insert(arn.clone(), [*count, 0]);
        }
        look
    }

    /// Adds a version that is still there. `failed` says that it was tried in vain since.
    fn add(&mut self, item: &Item, statuses: &Statuses, failed: bool) {
        self.left.insert(item);
        *(if failed { &mut self.failed_again } else { &mut self.pending }) += 1;
        for target in &statuses.targets {
            if self.targets.len() >= ARNS && !self.targets.contains_key(&target.arn) {
                continue;
            }
            let counts = self.targets.entry(target.arn.clone()).or_default();
            if let Some(count) = counts.get_mut(usize::from(failed)) {
                *count += 1;
            }
        }
    }
}

/// A wait for what was triggered.
pub(super) struct Waiting<'a> {
    args: &'a Args,
    settings: Settings,
    triggered: &'a Triggered,
    /// What the last look that reached its end has shown. Before the first, nothing is known to be
    /// replicated.
    known: Look,
    /// The server's time before the last triggers, in nanoseconds since 1970: statuses older than that
    /// say nothing about them.
    since: i128,
    /// What stays listed although the server knows that it is replicated.
    replicated: VersionSet,
    /// Versions left at the last look that reached its end.
    left: Option<usize>,
    /// Looks since then without progress.
    stalled: u32,
    rounds: u32,
}

impl<'a> Waiting<'a> {
    pub(super) fn new(args: &'a Args, settings: Settings, triggered: &'a Triggered) -> Self {
        let known = Look::none(triggered);
        let replicated = VersionSet::default();
        Self {
            args,
            settings,
            triggered,
            known,
            since: 0,
            replicated,
            left: None,
            stalled: 0,
            rounds: 0,
        }
    }

    /// Looks until everything has left the backlog, this much time is over, or the user stops it.
    pub(super) fn run<N: Net, C: Console>(
        mut self,
        time: Duration,
        pass: &mut Pass,
        net: &mut N,
        output: &mut Output<'_, C>,
    ) -> Waited {
        let until = net.now() + time;
        self.since = pass.began;
        let mut pauses = Pauses::new();
        loop {
            let pause = pauses.next(until - net.now());
            output.waiting(self.left.unwrap_or(self.triggered.seen.len()), pause);
            exchange::pause(net, pause);
            let began = net.now();
            let exact = self.look(pass, net);
            pauses.looked(net.now() - began);
            let ended = exact && self.left == Some(0);
            if ended || net.now() >= until || net.stop_requested() {
                return self.waited(exact);
            }
            if exact && self.stalled >= PATIENCE && self.rounds < MAX_ROUNDS {
                self.trigger_again(pass, net, output);
            }
        }
    }

    /// Lists the backlog. Returns whether that reached its end.
    fn look<N: Net>(&mut self, pass: &mut Pass, net: &mut N) -> bool {
        let Self { args, triggered, since, replicated, .. } = self;
        let mut look = Look::default();
        let prefix = &args.target.prefix;
        let exact = survey(net, &mut pass.client, prefix, |item, statuses, status_time| {
            let concerned = args.arn.as_deref().is_none_or(|arn| statuses.concerns(arn));
            if concerned && triggered.seen.contains(item) && !replicated.contains(item) {
                let tried = timestamp::parse_rfc3339(status_time).is_some_and(|at| at >= *since);
                look.add(item, statuses, tried && statuses.label() == "FAILED");
            }
        });
        pass.listings += 1;
        let exact = exact && !look.left.is_full();
        if exact {
            let progress = self.left.is_none_or(|left| look.left.len() < left);
            self.stalled = if progress { 0 } else { self.stalled + 1 };
            self.left = Some(look.left.len());
            self.known = look;
        }
        exact
    }

    /// Triggers what stayed. No version is shown: each was shown before.
    fn trigger_again<N: Net, C: Console>(
        &mut self,
        before: &mut Pass,
        net: &mut N,
        output: &mut Output<'_, C>,
    ) {
        self.rounds += 1;
        self.stalled = 0;
        let only = Only::These(Rc::new(std::mem::take(&mut self.known.left)));
        output.quietly(|output| {
            let mut tracker = Tracker::new(output, false, false).noting_replicated();
            let again = pass(
                self.args,
                self.settings,
                Of::All(only),
                before.client.clone(),
                net,
                &mut tracker,
            );
            if let Some(replicated) = tracker.replicated.take() {
                self.replicated.extend(replicated);
            }
            self.since = again.began;
            before.client = again.client;
            before.listings += again.listings;
        });
    }

    fn waited(&self, exact: bool) -> Waited {
        let look = &self.known;
        let left = look.pending + look.failed_again;
        let mut targets = BTreeMap::new();
        let asked = |arn: &String| self.args.arn.as_ref().is_none_or(|asked| asked == arn);
        for (arn, count) in self.triggered.by_arn.iter().filter(|(arn, _)| asked(arn)) {
            let [pending, failed] = look.targets.get(arn).copied().unwrap_or_default();
            targets.insert(arn.clone(), [count.saturating_sub(pending + failed), pending, failed]);
        }
        Waited {
            replicated: (self.triggered.seen.len() as u64).saturating_sub(left),
            pending: look.pending,
            failed_again: look.failed_again,
            stale: self.replicated.len() as u64,
            unseen: 0,
            rounds: self.rounds,
            exact,
            targets,
        }
    }
}
