//! What `--validate` prints.

pub(super) mod trial;

use super::Invocation;
use super::output::Output;
use crate::command::args::Args;
use crate::command::validate::trial::{Comparison, Finding, validate};
use crate::report::listing_message;
use crate::report::{Console, During, Message, explain, printable};
use crate::wire::{Client, Net};
use serde::Serialize;
use std::fmt::Write;

pub(super) fn run<N: Net, C: Console>(
    call: Invocation<'_>,
    args: &Args,
    net: &mut N,
    client: &mut Client,
    output: &mut Output<'_, C>,
) -> bool {
    let told = &mut |asked| output.retry_after(asked);
    let finding = validate(net, client, told, &args.target.prefix, args.arn.as_deref());
    let (bucket, authority) = (client.bucket(), client.authority());
    let what = format!("Unable to validate checksum clearing in bucket `{bucket}`.");
    let message = match finding {
        Finding::Copied(comparison) => {
            if output.is_json() {
                output.out(&json(&comparison));
            } else {
                output.out(&text(call, bucket, &comparison, output));
            }
            output.flush();
            return comparison.passed();
        }
        Finding::Refused(item, cause) => {
            let text = explain(&cause, During::Copy, bucket, authority);
            let what = format!(
                "Validation failed: unable to copy `{bucket}/{}` ({}) onto itself.",
                item.key, item.version
            );
            Message::fatal(what, text).because(&cause)
        }
        Finding::NoneSuitable(0, _) => {
            Message::fatal(what, "There is no object version in the backlog.")
        }
        Finding::NoneSuitable(count, last) => {
            let last = last.map_or(String::new(), |cause| format!(" The last one: {cause}"));
            Message::fatal(what, format!("None of {count} versions looked at can be copied.{last}"))
        }
        Finding::Listing(failure) => listing_message(&failure, bucket, authority),
        Finding::Failed(cause) => {
            let text = explain(&cause, During::Trigger, bucket, authority);
            Message::fatal(what, text).because(&cause)
        }
        Finding::Stopped => Message::fatal(what, "It was interrupted."),
    };
    output.fatal(&message)
}

fn text<C: Console>(
    call: Invocation<'_>,
    bucket: &str,
    comparison: &Comparison,
    output: &Output<'_, C>,
) -> String {
    let mut out = String::new();
    let item = &comparison.item;
    let _ = writeln!(out, "Copied `{bucket}/{}` ({}) onto itself.", item.key, item.version);
    let _ = writeln!(out, "  {:<14} {}", "Checksum", named(&comparison.checksum_before));
    let _ = writeln!(out, "  {:<14} {}", "  now", named(&comparison.checksum_after));
    for row in &comparison.rows {
        let value = if row.before.is_empty() { "-" } else { &row.before };
        let verdict = match (row.before == row.after, row.expected) {
            (true, _) => "kept".to_owned(),
            (false, true) => format!("now {} (as every copy does)", row.after),
            (false, false) => format!("CHANGED to {}", named(&row.after)),
        };
        let _ = writeln!(out, "  {:<14} {value}  {verdict}", row.name);
    }
    let mut out = printable(&out.replace('\n', "\u{2028}"), false).replace('\u{2028}', "\n");
    if comparison.passed() {
        let command = call.command_line(&["--validate", "-validate", "--validate=true"]);
        let _ = writeln!(out, "\n{}", output.paint().validated(true));
        let _ = writeln!(
            out,
            "  Run again without --validate to process all backlogged objects:\n  $ {command}"
        );
    } else {
        let _ = writeln!(out, "\n{}", output.paint().validated(false));
    }
    out
}

fn named(value: &str) -> &str {
    if value.is_empty() { "none" } else { value }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Json<'a> {
    status: &'static str,
    valid: bool,
    object: &'a str,
    version_id: String,
    checksum_before: &'a str,
    checksum_after: &'a str,
    properties: Vec<JsonRow<'a>>,
}

#[derive(Serialize)]
struct JsonRow<'a> {
    name: &'a str,
    before: &'a str,
    after: &'a str,
    ok: bool,
}

fn json(comparison: &Comparison) -> String {
    let line = Json {
        status: if comparison.passed() { "success" } else { "error" },
        valid: comparison.passed(),
        object: &comparison.item.key,
        version_id: comparison.item.version.to_string(),
        checksum_before: &comparison.checksum_before,
        checksum_after: &comparison.checksum_after,
        properties: comparison
            .rows
            .iter()
            .map(|row| JsonRow {
                name: row.name,
                before: &row.before,
                after: &row.after,
                ok: row.ok(),
            })
            .collect(),
    };
    let mut text = serde_json::to_string(&line).unwrap_or_default();
    text.push('\n');
    text
}
