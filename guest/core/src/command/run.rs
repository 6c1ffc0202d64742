//! The run itself: a look at the targets, one pass over the backlog, and what was asked for after
//! it.

use super::breakdown::Breakdown;
use super::output::Output;
use super::pass::{Of, Pass, pass};
use super::tracker::Tracker;
use super::triggered::Triggered;
use super::waiting::Waiting;
use super::watching::{Left, watch};
use super::{Invocation, offline, validate};
use crate::command::args::Args;
use crate::job::{During, End, Failure, Mode, Only, Settings, check_settings};
use crate::report::{Console, Message, Summary, explain, fatal_message, listing_message};
use crate::wire::{Client, Net};
use std::rc::Rc;

/// Runs what the arguments ask for. Returns whether all of it succeeded.
pub(super) fn start<N: Net, C: Console>(
    call: Invocation<'_>,
    args: &Args,
    mut client: Client,
    net: &mut N,
    output: &mut Output<'_, C>,
) -> bool {
    let mode = args.mode();
    let settings = match mode {
        Mode::ClearChecksum => {
            check_settings(net, &mut client, &mut |asked| output.retry_after(asked))
        }
        _ => Ok(Settings::default()),
    };
    if let Err(failure) = &settings {
        let (bucket, authority) = (client.bucket(), client.authority());
        let what = format!("Unable to clear checksums in bucket `{bucket}`.");
        let text = explain(failure, bucket, authority);
        return output.fatal(&Message::fatal(what, text).because(&failure.cause));
    }
    let settings = settings.unwrap_or_default();
    if args.validate {
        return validate::run(call, args, settings, net, &mut client, output);
    }
    output.sum_up(Breakdown::of(args, net.unix()));
    let began = net.now();
    let (bucket, authority) = (client.bucket().to_owned(), client.authority().to_owned());
    if mode != Mode::DryRun {
        let offline = offline::offline(net, &mut client, args.arn.as_deref());
        offline.unwrap_or_default().0.iter().for_each(|target| output.offline(target));
    }
    let left = args.from.as_ref().and(args.wait).map(|_| Left::new(args.memory));
    let waits_for_listing = args.wait.is_some() && left.is_none();
    let triggered = waits_for_listing.then(|| Triggered::new(args));
    let tracker = Tracker::new(output, args.verify_listing);
    let mut tracker = tracker.noting(triggered).keeping(left);
    let mut pass = pass(args, settings, Of::All(Only::All), client, net, &mut tracker);
    if args.verify_listing && pass.end == End::Complete && !tracker.sink().is_broken() {
        let listed = Rc::new(tracker.listed.take().unwrap_or_default());
        let again = self::pass(
            args,
            settings,
            Of::All(Only::NotThese(listed)),
            pass.client,
            net,
            &mut tracker,
        );
        pass.counts.appeared = again.counts.total;
        pass.counts.add(&again.counts);
        pass = Pass { counts: pass.counts, listings: pass.listings + again.listings, ..again };
    }
    let (triggered, left) = (tracker.triggered.take(), tracker.left.take());
    if let End::Listing(unfinished) = &pass.end
        && !output.is_broken()
        && unfinished.after.is_none()
        && pass.counts.total == 0
    {
        return output.fatal(&listing_message(unfinished, &bucket, &authority));
    }
    let unread = |failure: &Failure| {
        let from = args.from.as_deref().unwrap_or_default();
        let what = format!("Unable to read the versions of `{from}`.");
        Message::fatal(what, failure.to_string())
    };
    if let End::Fatal(failure @ Failure { during: During::Input, .. }) = &pass.end
        && pass.counts.total == 0
    {
        return output.fatal(&unread(failure));
    }
    let time = args.wait.filter(|_| pass.end != End::Stopped && !output.is_broken());
    let waited = match (time, triggered, left) {
        (Some(time), Some(mut triggered), _) => {
            triggered.end(pass.ended);
            Some(Waiting::new(args, settings, &triggered).run(time, &mut pass, net, output))
        }
        (Some(time), _, Some(left)) => {
            Some(watch(args, settings, left, time, &mut pass, net, output))
        }
        _ => None,
    };
    let command = call.command_line(None);
    let summary = Summary {
        counts: &pass.counts,
        end: &pass.end,
        mode,
        duration: net.now() - began,
        listings: pass.listings,
        filtered: args.filter.is_set().then_some(pass.counts.filtered),
        waited: waited.as_ref(),
        from: args.from.as_deref(),
        command: &command,
    };
    let error = match &pass.end {
        End::Complete | End::Stopped => None,
        End::Listing(unfinished) => Some(listing_message(unfinished, &bucket, &authority)),
        End::Fatal(failure) if failure.during == During::Input => Some(unread(failure)),
        End::Fatal(failure) => Some(fatal_message(failure, &bucket, &authority)),
    };
    output.summary(&summary, error.as_ref());
    summary.success() && !output.is_broken()
}
