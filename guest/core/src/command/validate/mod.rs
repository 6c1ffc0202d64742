//! `--validate`: `--clear-checksum` is tried on one version of each kind, and what changed is shown.

mod print;
mod trial;

use super::Invocation;
use super::output::Output;
use crate::command::args::Args;
use crate::job::{During, Failure, Settings};
use crate::report::{Console, Message, explain, listing_message};
use crate::wire::{Client, Net};
use print::{json, text, verdict};
use std::time::Duration;
use trial::{Comparison, Finding, validate};

pub(super) fn run<N: Net, C: Console>(
    call: Invocation<'_>,
    args: &Args,
    settings: Settings,
    net: &mut N,
    client: &mut Client,
    output: &mut Output<'_, C>,
) -> bool {
    let bucket = client.bucket().to_owned();
    let (mut tried, mut asked) = (Vec::new(), Duration::ZERO);
    let finding = validate(
        net,
        client,
        &mut |time| asked = asked.max(time),
        args,
        settings,
        &mut |comparison| {
            tried.push(comparison);
            tried.last().is_some_and(Comparison::passed)
        },
    );
    output.retry_after(asked);
    for comparison in &tried {
        output.out(&if output.is_json() { json(comparison) } else { text(&bucket, comparison) });
    }
    let (bucket, authority) = (bucket.as_str(), client.authority());
    let what = format!("Unable to validate checksum clearing in bucket `{bucket}`.");
    let message = match finding {
        Finding::Tried => {
            let passed = tried.iter().all(Comparison::passed);
            if !output.is_json() {
                output.out(&verdict(call, passed, output.paint()));
            }
            output.flush();
            return passed && !output.is_broken();
        }
        Finding::NotCopied(item, failure) => {
            let text = explain(&failure, bucket, authority);
            let what = format!(
                "Validation failed: unable to copy `{bucket}/{}` ({}) onto itself.",
                item.key, item.version
            );
            Message::fatal(what, text).because(&failure.cause)
        }
        Finding::NoneSuitable(0, _) => {
            let asked = if args.filter.is_set() { " that the filters let through" } else { "" };
            Message::fatal(what, format!("There is no object version in the backlog{asked}."))
        }
        Finding::NoneSuitable(count, last) => {
            let last = last.map_or(String::new(), |cause| {
                let failure = Failure { cause, during: During::Trigger };
                format!(" The last one: {}", explain(&failure, bucket, authority))
            });
            Message::fatal(what, format!("None of {count} versions looked at can be copied.{last}"))
        }
        Finding::Listing(unfinished) => listing_message(&unfinished, bucket, authority),
        Finding::Failed(failure) => {
            let text = explain(&failure, bucket, authority);
            Message::fatal(what, text).because(&failure.cause)
        }
        Finding::Stopped => Message::fatal(what, "It was interrupted."),
    };
    output.fatal(&message)
}
