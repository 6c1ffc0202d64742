//! `--validate`: `--clear-checksum` is tried on one version, and what changed is shown.

mod print;
mod trial;

use super::Invocation;
use super::output::Output;
use crate::command::args::Args;
use crate::report::{Console, Message, explain, listing_message};
use crate::wire::{Client, Net};
use print::{json, text};
use trial::{Finding, validate};

pub(super) fn run<N: Net, C: Console>(
    call: Invocation<'_>,
    args: &Args,
    net: &mut N,
    client: &mut Client,
    output: &mut Output<'_, C>,
) -> bool {
    let on_retry_after = &mut |asked| output.retry_after(asked);
    let finding = validate(net, client, on_retry_after, &args.target.prefix, args.arn.as_deref());
    let (bucket, authority) = (client.bucket(), client.authority());
    let what = format!("Unable to validate checksum clearing in bucket `{bucket}`.");
    let message = match finding {
        Finding::Copied(comparison) => {
            if output.is_json() {
                output.out(&json(&comparison));
            } else {
                output.out(&text(call, bucket, &comparison, output.paint()));
            }
            output.flush();
            return comparison.passed() && !output.is_broken();
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
            Message::fatal(what, "There is no object version in the backlog.")
        }
        Finding::NoneSuitable(count, last) => {
            let last = last.map_or(String::new(), |cause| format!(" The last one: {cause}"));
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
