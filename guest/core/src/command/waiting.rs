//! `--wait`: did it replicate?
//!
//! A HEAD only queues a version. So the backlog is listed again, without touching an object, until
//! every version that was triggered has left it. Versions that stay are triggered again, a few
//! times.

use super::looks::Looks;
use super::offline::Absence;
use super::output::Output;
use super::pass::{Of, Pass, pass};
use super::tracker::{ARNS, Tracker};
use super::triggered::{Triggered, most};
use crate::command::args::Args;
use crate::job::{Only, Settings};
use crate::listing::{Item, Statuses, Survey, VersionSet, survey};
use crate::report::{Console, Waited};
use crate::wire::{Net, timestamp};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

/// How often what stays is triggered again.
const MAX_ROUNDS: u32 = 3;

/// Looks without progress before what stays is triggered again.
const PATIENCE: u32 = 2;

/// A look at the backlog.
#[derive(Default)]
struct Look {
    /// What is left, to be triggered again, as far as there is room.
    left: VersionSet,
    pending: u64,
    failed_again: u64,
    targets: BTreeMap<String, [u64; 2]>,
}

impl Look {
    /// What is known before the first look: nothing has left the backlog.
    fn none(triggered: &Triggered) -> Self {
        let mut look = Self { pending: triggered.count, ..Self::default() };
        for (arn, count) in &triggered.by_arn {
            look.targets.insert(arn.clone(), [*count, 0]);
        }
        look
    }

    /// How many are left.
    fn count(&self) -> u64 {
        self.pending + self.failed_again
    }

    /// The targets that these wait for.
    fn arns(&self) -> Vec<&str> {
        let waits = |counts: &[u64; 2]| counts.iter().any(|count| *count > 0);
        let arns = self.targets.iter().filter(|(_, counts)| waits(counts));
        arns.map(|(arn, _)| arn.as_str()).collect()
    }

    /// Adds a version that is still there. `failed` says that it was tried in vain since. So many are kept at
    /// most.
    fn add(&mut self, item: &Item, statuses: &Statuses, failed: bool, most: usize) {
        if self.left.len() < most {
            self.left.insert(item);
        }
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

/// A look that goes on.
struct Looking<'l, 'o, C: Console> {
    look: Look,
    args: &'l Args,
    triggered: &'l Triggered,
    replicated: &'l VersionSet,
    since: i128,
    output: &'l mut Output<'o, C>,
}

impl<C: Console> Survey for Looking<'_, '_, C> {
    fn version(&mut self, item: &Item, statuses: &Statuses, status_time: &str) {
        let concerned = self.args.arn.as_deref().is_none_or(|arn| statuses.concerns(arn));
        if concerned && self.triggered.has(item, statuses) && !self.replicated.contains(item) {
            let tried = timestamp::parse_rfc3339(status_time).is_some_and(|at| at >= self.since);
            let failed = tried && statuses.label() == "FAILED";
            self.look.add(item, statuses, failed, most(self.args.memory));
        }
    }

    fn tick(&mut self) {
        self.output.looking(self.look.count());
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
    left: Option<u64>,
    /// Looks since then without progress.
    stalled: u32,
    rounds: u32,
    absence: Absence,
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
            absence: Absence::default(),
        }
    }

    /// Looks until everything has left the backlog, nothing more can, this much time is over, or the user stops it.
    pub(super) fn run<N: Net, C: Console>(
        mut self,
        time: Duration,
        pass: &mut Pass,
        net: &mut N,
        output: &mut Output<'_, C>,
    ) -> Waited {
        let until = net.now() + time;
        self.since = pass.began;
        let mut looks = Looks::new(pass.flow.take());
        loop {
            let left = self.left.unwrap_or(self.triggered.count);
            looks.rest(until, left, &mut pass.client, net, output);
            let began = net.now();
            let exact = self.look(pass, net, output);
            looks.looked(net.now() - began, self.left.filter(|_| exact), net.now());
            let ended = exact && self.left == Some(0);
            if ended || net.now() >= until || net.stop_requested() {
                return self.waited(exact);
            }
            if exact && self.stalled == 0 {
                self.absence = Absence::default();
            } else if exact {
                let (arn, arns) = (self.args.arn.as_deref(), self.known.arns());
                let offline = self.absence.look(net, &mut pass.client, arn, &arns);
                offline.iter().for_each(|target| output.offline(target));
                if self.absence.lasts(net.now()) {
                    return Waited { offline: true, ..self.waited(exact) };
                }
            }
            let patient = self.stalled < PATIENCE || self.absence.is_there();
            if exact && !patient && self.rounds < MAX_ROUNDS {
                self.trigger_again(pass, net, output);
                looks.triggered_again(pass.flow.take());
            }
        }
    }

    /// Lists the backlog. Returns whether that reached its end.
    fn look<N: Net, C: Console>(
        &mut self,
        pass: &mut Pass,
        net: &mut N,
        output: &mut Output<'_, C>,
    ) -> bool {
        let Self { args, triggered, since, replicated, .. } = self;
        let look = Look::default();
        let mut looking = Looking { look, args, triggered, replicated, since: *since, output };
        let exact = survey(net, &mut pass.client, &args.target.prefix, &mut looking);
        let look = looking.look;
        pass.listings += 1;
        if exact {
            let progress = self.left.is_none_or(|left| look.count() < left);
            self.stalled = if progress { 0 } else { self.stalled + 1 };
            self.left = Some(look.count());
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
            let mut tracker = Tracker::new(output, false).noting_replicated();
            let again = pass(
                self.args,
                self.settings,
                Of::All(only),
                before.client.clone(),
                net,
                &mut tracker,
            );
            let replicated = tracker.replicated.take().unwrap_or_default();
            if self.replicated.len() < most(self.args.memory) {
                self.replicated.extend(replicated);
            }
            self.since = again.began;
            before.client = again.client;
            before.flow = again.flow;
            before.listings += again.listings;
        });
    }

    fn waited(&self, exact: bool) -> Waited {
        let look = &self.known;
        let mut targets = BTreeMap::new();
        let asked = |arn: &String| self.args.arn.as_ref().is_none_or(|asked| asked == arn);
        for (arn, count) in self.triggered.by_arn.iter().filter(|(arn, _)| asked(arn)) {
            let [pending, failed] = look.targets.get(arn).copied().unwrap_or_default();
            targets.insert(arn.clone(), [count.saturating_sub(pending + failed), pending, failed]);
        }
        Waited {
            replicated: self.triggered.count.saturating_sub(look.count()),
            pending: look.pending,
            failed_again: look.failed_again,
            stale: self.replicated.len() as u64,
            unseen: 0,
            rounds: self.rounds,
            offline: false,
            exact,
            targets,
        }
    }
}
