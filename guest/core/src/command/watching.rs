//! `--wait` after `--from`: did it replicate?
//!
//! The listing cannot tell, since it does not show all of what the user may give. So each version that was
//! triggered is asked by HEAD until it is replicated, which also triggers it again. What is still to be
//! asked is kept in the form of the spool, and of more versions than fit into that nothing is known.

use super::looks::Looks;
use super::offline::Absence;
use super::output::Output;
use super::pass::{Of, Pass, pass};
use super::tracker::Tracker;
use crate::command::args::Args;
use crate::job::{End, MEMORY, Outcome, Settings, Spool};
use crate::listing::Item;
use crate::report::{Console, Waited};
use crate::wire::Net;
use std::time::Duration;

/// Versions that are to be asked, as far as there is room.
#[derive(Debug)]
pub(super) struct Left {
    versions: Spool,
    memory: usize,
    /// Whether they come from a look, or were triggered before the first.
    looked_at: bool,
    /// Of these, those that the server has tried in vain.
    failed: u64,
    /// Those for which there was no room.
    beyond: u64,
}

impl Left {
    /// Of the versions that are triggered, what fits into this many bytes.
    pub(super) fn new(memory: Option<usize>) -> Self {
        let (versions, memory) = (Spool::new(false), memory.unwrap_or(MEMORY));
        Self { versions, memory, looked_at: false, failed: 0, beyond: 0 }
    }

    /// Of those that are looked at, all.
    fn after_look() -> Self {
        Self { looked_at: true, ..Self::new(Some(usize::MAX)) }
    }

    /// Keeps a version, unless it is done with.
    pub(super) fn add(&mut self, item: &Item, outcome: &Outcome) {
        match outcome {
            Outcome::Triggered(_) => {}
            Outcome::Left { failed } => self.failed += u64::from(*failed),
            // It was triggered, and did not let itself be asked.
            Outcome::Failed(_) if self.looked_at => {}
            _ => return,
        }
        if self.versions.used() > self.memory {
            self.beyond += 1;
        } else {
            self.versions.push(&Item { statuses: 0, ..item.clone() });
        }
    }
}

/// Asks until everything is replicated, this much time is over, or the user stops it.
pub(super) fn watch<N: Net, C: Console>(
    args: &Args,
    settings: Settings,
    mut left: Left,
    time: Duration,
    before: &mut Pass,
    net: &mut N,
    output: &mut Output<'_, C>,
) -> Waited {
    let beyond = left.beyond;
    let all = left.versions.len() as u64 + beyond;
    let mut waited = Waited { pending: all, unseen: beyond, ..Waited::default() };
    let until = net.now() + time;
    let mut looks = Looks::new(before.flow.take());
    let mut absence = Absence::default();
    loop {
        looks.rest(until, left.versions.len() as u64, &mut before.client, net, output);
        let began = net.now();
        let (of, client) = (Of::These(Box::new(left.versions)), before.client.clone());
        let (look, rest) = output.quietly(|output| {
            let mut tracker = Tracker::new(output, false).keeping(Some(Left::after_look()));
            let look = pass(args, settings, of, client, net, &mut tracker);
            (look, tracker.left.take())
        });
        left = rest.unwrap_or_else(Left::after_look);
        before.client = look.client;
        waited.exact = look.end == End::Complete;
        // What was not reached is left, too.
        let here = left.versions.len() as u64 + look.counts.not_reached;
        let stalled = waited.pending + waited.failed_again <= here + beyond;
        waited.failed_again = left.failed;
        waited.pending = here - left.failed + beyond;
        waited.replicated = all - here - beyond;
        if !waited.exact || here == 0 || net.now() >= until {
            return waited;
        }
        looks.looked(net.now() - began, Some(here), net.now());
        if !stalled {
            absence = Absence::default();
        } else {
            let arn = args.arn.as_deref();
            let offline = absence.look(net, &mut before.client, arn, &[]);
            offline.iter().for_each(|target| output.offline(target));
            if absence.lasts(net.now()) {
                waited.offline = true;
                return waited;
            }
        }
    }
}
