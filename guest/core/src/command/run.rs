//! The run itself: a look at the targets, one pass over the backlog, and what was asked for behind
//! it.

use super::output::Output;
use super::tracker::Tracker;
use super::{Invocation, listing_message, offline, validate, waiting};
use crate::command::args::Args;
use crate::job::counts::Counts;
use crate::job::machine::{End, Job};
use crate::job::outcome::Cause;
use crate::job::retention;
use crate::job::spec::{MEMORY, Mode, Only, Spec};
use crate::report::console::Console;
use crate::report::message::Message;
use crate::report::progress::{TICK, Trouble};
use crate::report::remedy::{During, explain};
use crate::report::summary::Summary;
use crate::wire::client::Client;
use crate::wire::net::Net;
use std::rc::Rc;

/// Runs what the arguments ask for. Returns whether all of it succeeded.
pub(super) fn start<N: Net, C: Console>(
    call: Invocation<'_>,
    args: &Args,
    mut client: Client,
    net: &mut N,
    output: &mut Output<'_, C>,
) -> bool {
    let mode = Mode::of(args);
    if mode == Mode::ClearChecksum
        && let Err(cause) = retention::no_default_retention(net, &mut client, &mut |asked| {
            output.retry_after(asked)
        })
    {
        let (bucket, authority) = (client.bucket(), client.authority());
        let what = format!("Unable to clear checksums in bucket `{bucket}`.");
        let text = explain(&cause, During::LockConfiguration, bucket, authority);
        return output.fatal(&Message::fatal(what, text).because(&cause));
    }
    if args.validate {
        return validate::run(call, args, net, &mut client, output);
    }
    let began = net.now();
    let (bucket, authority) = (client.bucket().to_owned(), client.authority().to_owned());
    if mode != Mode::DryRun {
        let told = &mut |asked| output.retry_after(asked);
        let offline = offline::offline(net, &mut client, told, args.arn.as_deref());
        offline.unwrap_or_default().iter().for_each(|target| output.offline(target));
    }
    let mut tracker = Tracker::new(output, args.verify_listing, args.wait.is_some());
    let mut pass = pass(args, Only::All, client, net, &mut tracker);
    if args.verify_listing && pass.end == End::Complete {
        let listed = Rc::new(tracker.listed.take().unwrap_or_default());
        let again = self::pass(args, Only::NotThese(listed), pass.client, net, &mut tracker);
        pass.counts.appeared = again.counts.total;
        pass.counts.add(&again.counts);
        pass = Pass { counts: pass.counts, listings: pass.listings + again.listings, ..again };
    }
    let triggered = tracker.triggered.take();
    if output.is_broken() {
        return false;
    }
    if let End::Listing(failure) = &pass.end
        && !failure.begun
    {
        return output.fatal(&listing_message(failure, &bucket, &authority));
    }
    let waited = match (args.wait, triggered) {
        (Some(time), Some(triggered)) if mode != Mode::DryRun && pass.end != End::Stopped => {
            Some(waiting::wait(args, time, &triggered, &mut pass, net, output))
        }
        _ => None,
    };
    let command = call.command_line(&[]);
    let summary = Summary {
        counts: &pass.counts,
        end: &pass.end,
        mode,
        duration: net.now() - began,
        listings: pass.listings,
        waited: waited.as_ref(),
        command: &command,
    };
    let error = match &pass.end {
        End::Complete | End::Stopped => None,
        End::Listing(failure) => Some(listing_message(failure, &bucket, &authority)),
        End::Refused(cause) => Some(refusal(cause, pass.refused_copy, &bucket, &authority)),
    };
    output.summary(&summary, error.as_ref());
    summary.success() && !output.is_broken()
}

fn refusal(cause: &Cause, copy: bool, bucket: &str, authority: &str) -> Message {
    let during = if copy { During::Copy } else { During::Trigger };
    let text = explain(cause, during, bucket, authority);
    let what = format!("Unable to trigger replication in bucket `{bucket}`.");
    Message::fatal(what, text).because(cause)
}

/// One pass over the backlog.
pub(super) struct Pass {
    pub(super) counts: Counts,
    pub(super) end: End,
    pub(super) listings: u32,
    pub(super) client: Client,
    refused_copy: bool,
}

/// Handles the versions that `only` allows.
pub(super) fn pass<N: Net, C: Console>(
    args: &Args,
    only: Only,
    client: Client,
    net: &mut N,
    tracker: &mut Tracker<'_, Output<'_, C>>,
) -> Pass {
    let mode = Mode::of(args);
    let spec = Spec {
        only,
        prefix: args.target.prefix.clone(),
        arn: args.arn.clone(),
        mode,
        concurrent: args.concurrent,
        rate_limit: args.rate_limit,
        times: args.json || mode == Mode::ClearChecksum,
        memory: args.memory.unwrap_or(MEMORY),
    };
    let mut job = Job::new(spec, client);
    let tick = tracker.sink().wants_ticks().then_some(TICK);
    while job.advance(net, tracker, tick.map(|tick| net.now() + tick)) {
        let output = tracker.sink();
        let trouble = Trouble {
            out_for: job.out_for(net.now()),
            attempt: job.listing_attempt(),
            reduced_to: job.reduced_to(),
        };
        output.tick(net.now(), job.counts(), job.listed(), trouble);
        if output.is_broken() {
            job.abandon(net);
            break;
        }
    }
    Pass {
        counts: job.counts().clone(),
        end: job.end(),
        listings: job.listings(),
        refused_copy: job.refused_copy(),
        client: job.into_client(),
    }
}
