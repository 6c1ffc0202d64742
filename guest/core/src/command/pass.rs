//! One pass over the backlog.

use super::output::Output;
use super::tracker::Tracker;
use crate::command::args::Args;
use crate::job::{Counts, End, Filter, Flow, Job, MEMORY, Mode, Only, Settings, Spec, Spool};
use crate::report::{Console, TICK, Trouble};
use crate::wire::{Client, Net};

/// One pass over the backlog.
pub(super) struct Pass {
    pub(super) counts: Counts,
    pub(super) end: End,
    pub(super) listings: u32,
    pub(super) client: Client,
    /// When it began, by the server's clock, in nanoseconds since 1970; where no answer told that, by
    /// this machine's.
    pub(super) began: i128,
    /// When it ended, by the server's clock, if an answer told that.
    pub(super) ended: Option<i128>,
    /// What is known of the server's queue, where its counters tell.
    pub(super) flow: Option<Flow>,
}

/// What a pass is about.
pub(super) enum Of {
    /// What is listed, or given with `--from`, and allowed by this.
    All(Only),
    /// These versions, which are only looked at.
    These(Box<Spool>),
}

/// Handles these versions.
pub(super) fn pass<N: Net, C: Console>(
    args: &Args,
    settings: Settings,
    of: Of,
    client: Client,
    net: &mut N,
    tracker: &mut Tracker<'_, Output<'_, C>>,
) -> Pass {
    let (mode, only, these) = match of {
        Of::All(only) => (args.mode(), only, None),
        Of::These(versions) => (Mode::Look, Only::All, Some(versions)),
    };
    let filter = match &only {
        // They have passed it, and nothing that became of them since takes that back: with
        // `--status PENDING`, one that was tried and failed is triggered again all the same.
        Only::These(_) => Filter::default(),
        Only::All | Only::NotThese(_) => args.filter.clone(),
    };
    let spec = Spec {
        only,
        filter,
        prefix: args.target.prefix.clone(),
        arn: args.arn.clone(),
        mode,
        concurrent: args.concurrent,
        rate_limit: args.rate_limit,
        settings,
        times: args.json,
        memory: args.memory.unwrap_or(MEMORY),
        max_queue: args.max_queue,
    };
    let (began, own) = (net.now(), i128::from(net.unix()) * 1_000_000_000);
    let job = Job::new(spec, client);
    let mut job = match these {
        Some(versions) => job.of_these(*versions),
        None if args.from.is_some() => job.of_input(),
        None => job,
    };
    let tick = tracker.sink().wants_ticks().then_some(TICK);
    while job.advance(net, tracker, tick.map(|tick| net.now() + tick)) {
        let output = tracker.sink();
        let trouble = Trouble {
            out_for: job.out_for(net.now()),
            attempt: job.listing_attempt(),
            reduced_to: job.reduced_to(),
            replicated: job.replicated(),
        };
        job.notes().iter().for_each(|note| output.note(note));
        output.tick(net.now(), job.counts(), job.listed(), trouble);
        if output.is_broken() {
            job.abandon(net);
            break;
        }
    }
    let (counts, end, listings) = (job.counts().clone(), job.end(), job.listings());
    let (began, ended) = (job.server_time(began).unwrap_or(own), job.server_time(net.now()));
    let (client, flow) = job.into_parts();
    Pass { counts, end, listings, client, began, ended, flow }
}
