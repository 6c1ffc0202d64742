//! What a run has triggered, to be told from the rest of the backlog when that is looked at.

use super::tracker::ARNS;
use crate::command::args::Args;
use crate::job::{Filter, MEMORY};
use crate::listing::{Item, Statuses, VersionSet};
use std::collections::BTreeMap;

/// Of the memory for listed versions, as many bytes for each that is remembered here. One takes 9 of a table that is
/// at least 7/16 full, and half of that again while the table grows: 31 at most.
const EACH: usize = 32;

/// How much later it may have been than the server's answers tell, whose dates are whole seconds, in nanoseconds.
const LEEWAY: i128 = 2_000_000_000;

/// How many versions are remembered at most with this much memory for listed ones: two million unless the
/// user says otherwise.
pub(super) fn most(memory: Option<usize>) -> usize {
    memory.unwrap_or(MEMORY) / EACH
}

/// The versions triggered: each of them, until they are too many; of more, what tells them from others.
#[derive(Debug)]
pub(super) struct Triggered {
    /// How many there are.
    pub(super) count: u64,
    /// How many wait for each target.
    pub(super) by_arn: BTreeMap<String, u64>,
    /// All of them, unless they are too many.
    each: Option<VersionSet>,
    /// What was listed and not triggered, as far as there is room.
    others: VersionSet,
    /// The last of their names.
    last: String,
    /// All of them were there by then, in nanoseconds since 1970 by the server's clock.
    by: Option<i128>,
    /// What they have passed.
    filter: Filter,
    most: usize,
}

impl Triggered {
    /// None yet.
    pub(super) fn new(args: &Args) -> Self {
        Self {
            count: 0,
            by_arn: BTreeMap::new(),
            each: Some(VersionSet::default()),
            others: VersionSet::default(),
            last: String::new(),
            by: None,
            // What has become of them since is another status.
            filter: Filter { status: None, ..args.filter.clone() },
            most: most(args.memory),
        }
    }

    /// This version was triggered.
    pub(super) fn add(&mut self, item: &Item, statuses: &Statuses) {
        self.count += 1;
        if item.key > self.last {
            self.last.clone_from(&item.key);
        }
        if let Some(each) = &mut self.each {
            each.insert(item);
            if each.len() > self.most || each.is_full() {
                self.each = None;
            }
        }
        for target in &statuses.targets {
            let by_arn = &mut self.by_arn;
            if by_arn.len() < ARNS || by_arn.contains_key(&target.arn) {
                *by_arn.entry(target.arn.clone()).or_default() += 1;
            }
        }
    }

    /// This one was not.
    pub(super) fn add_other(&mut self, item: &Item) {
        if self.others.len() < self.most {
            self.others.insert(item);
        }
    }

    /// Nothing is triggered after this. Without a time nothing is taken to be newer.
    pub(super) fn end(&mut self, time: Option<i128>) {
        self.by = time.map(|time| time + LEEWAY);
    }

    /// Whether a version that is still in the backlog is one of them. When they are too many to be remembered,
    /// it is also taken for one if nothing tells it from them: more may be said to wait than does, and never less.
    pub(super) fn has(&self, item: &Item, statuses: &Statuses) -> bool {
        let Some(each) = &self.each else {
            let new = self.by.zip(item.modified.nanos()).is_some_and(|(by, at)| at > by);
            return item.key <= self.last
                && !new
                && !self.others.contains(item)
                && self.filter.allows(item, statuses, None);
        };
        each.contains(item)
    }
}
