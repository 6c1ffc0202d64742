//! Remembers versions for what comes after the triggers, where that was asked for.

use super::triggered::Triggered;
use super::watching::Left;
use crate::job::{Outcome, Sink};
use crate::listing::{Item, Statuses, VersionSet};

/// Targets that are counted one by one. A bucket has a handful; what a server says beyond this many is
/// in the totals only.
pub(super) const ARNS: usize = 1_000;

/// A sink that remembers what it passes on.
pub(super) struct Tracker<'a, S: Sink> {
    sink: &'a mut S,
    /// Every version listed, for `--verify-listing`.
    pub(super) listed: Option<VersionSet>,
    /// Those triggered, for `--wait`.
    pub(super) triggered: Option<Triggered>,
    /// Those triggered or not replicated yet, for `--wait` after `--from`.
    pub(super) left: Option<Left>,
    /// Those that had been replicated already, for another look.
    pub(super) replicated: Option<VersionSet>,
}

impl<'a, S: Sink> Tracker<'a, S> {
    pub(super) fn new(sink: &'a mut S, verify: bool) -> Self {
        let listed = verify.then(VersionSet::default);
        Self { sink, listed, triggered: None, replicated: None, left: None }
    }

    /// The same, noting what is triggered.
    pub(super) fn noting(self, triggered: Option<Triggered>) -> Self {
        Self { triggered, ..self }
    }

    /// The same, keeping what is to be looked at.
    pub(super) fn keeping(self, left: Option<Left>) -> Self {
        Self { left, ..self }
    }

    /// The same, noting what had been replicated already.
    pub(super) fn noting_replicated(self) -> Self {
        Self { replicated: Some(VersionSet::default()), ..self }
    }

    /// The sink it passes on to.
    pub(super) fn sink(&mut self) -> &mut S {
        self.sink
    }
}

impl<S: Sink> Sink for Tracker<'_, S> {
    fn version(&mut self, item: &Item, statuses: &Statuses, outcome: &Outcome, attempts: u32) {
        if let Some(listed) = &mut self.listed {
            listed.insert(item);
        }
        match (&mut self.triggered, outcome) {
            (Some(triggered), Outcome::Triggered(_)) => triggered.add(item, statuses),
            (Some(triggered), _) => triggered.add_other(item),
            _ => {}
        }
        if let Some(left) = &mut self.left {
            left.add(item, outcome);
        }
        if let (Some(replicated), Outcome::Replicated) = (&mut self.replicated, outcome) {
            replicated.insert(item);
        }
        self.sink.version(item, statuses, outcome, attempts);
    }

    fn bad_line(&mut self, number: u64, why: &str) {
        self.sink.bad_line(number, why);
    }

    fn unfinished(&mut self, number: u64) {
        self.sink.unfinished(number);
    }

    fn is_full(&self) -> bool {
        self.listed.as_ref().is_some_and(VersionSet::is_full)
    }
}
