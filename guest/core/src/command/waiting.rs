//! `--wait`: did it replicate?
//!
//! A HEAD only queues a version. So the backlog is listed again, without touching an object, until
//! every version that was triggered has left it. Versions that stay are triggered again, a few
//! times.

use super::output::Output;
use super::pass::{Pass, pass};
use super::tracker::{Tracker, Triggered};
use crate::command::args::Args;
use crate::job::Only;
use crate::listing::{Reader, Seen, survey};
use crate::report::Console;
use crate::report::Waited;
use crate::wire::{Net, exchange, timestamp};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

/// Between two looks, from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(30);

/// How often what stays is triggered again.
const MAX_ROUNDS: u32 = 3;

/// Looks without progress before what stays is triggered again.
const PATIENCE: u32 = 2;

/// A look at the backlog.
#[derive(Default)]
struct Look {
    left: Seen,
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
}

pub(super) fn wait<N: Net, C: Console>(
    args: &Args,
    time: Duration,
    triggered: &Triggered,
    run: &mut Pass,
    net: &mut N,
    output: &mut Output<'_, C>,
) -> Waited {
    let until = net.now() + time;
    // Statuses older than the last triggers say nothing about them.
    let mut since = net.unix();
    let (mut length, mut rounds, mut stalled) = (FIRST_PAUSE, 0, 0);
    let mut left = usize::MAX;
    // Until a look has reached its end, nothing is known to be replicated.
    let mut known = Look::none(triggered);
    loop {
        let rest = until.saturating_sub(net.now());
        output.waiting(triggered.seen.len().min(left), length.min(rest));
        exchange::pause(net, length.min(rest));
        let mut look = Look::default();
        let reader = Reader::new(&args.target.prefix);
        let end = survey(net, &mut run.client, reader, None, |item, shape, status_time| {
            if !triggered.seen.contains(item) {
                return;
            }
            let tried = timestamp::parse_rfc3339(status_time)
                .is_some_and(|at| at >= i128::from(since) * 1_000_000_000);
            let failed = tried && shape.label() == "FAILED";
            look.left.insert(item);
            *(if failed { &mut look.failed_again } else { &mut look.pending }) += 1;
            for target in &shape.targets {
                let counts = look.targets.entry(target.arn.clone()).or_default();
                if let Some(count) = counts.get_mut(usize::from(failed)) {
                    *count += 1;
                }
            }
        });
        run.listings += 1;
        let exact = end.is_ok();
        let ended = exact && look.left.is_empty();
        if exact {
            stalled = if look.left.len() < left { 0 } else { stalled + 1 };
            left = look.left.len();
            known = look;
        }
        if ended || net.now() >= until || net.stop_requested() {
            return waited(triggered, &known, rounds, exact);
        }
        if exact && stalled >= PATIENCE && rounds < MAX_ROUNDS {
            rounds += 1;
            stalled = 0;
            since = net.unix();
            output.quietly(|output| {
                let mut tracker = Tracker::new(output, false, false);
                let only = Only::These(Rc::new(std::mem::take(&mut known.left)));
                let again = pass(args, only, run.client.clone(), net, &mut tracker);
                run.client = again.client;
                run.listings += again.listings;
            });
        }
        length = (length * 2).min(LAST_PAUSE);
    }
}

fn waited(triggered: &Triggered, look: &Look, rounds: u32, exact: bool) -> Waited {
    let left = look.pending + look.failed_again;
    let mut targets = BTreeMap::new();
    for (arn, count) in &triggered.by_arn {
        let [pending, failed] = look.targets.get(arn).copied().unwrap_or_default();
        targets.insert(arn.clone(), [count.saturating_sub(pending + failed), pending, failed]);
    }
    Waited {
        replicated: (triggered.seen.len() as u64).saturating_sub(left),
        pending: look.pending,
        failed_again: look.failed_again,
        rounds,
        exact,
        targets,
    }
}
