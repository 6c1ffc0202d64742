//! The comparison that `--validate` shows, as text and as JSON.

use super::trial::Comparison;
use crate::command::invocation::Invocation;
use crate::report::{Paint, printable};
use serde::Serialize;
use std::borrow::Cow;
use std::fmt::Write;

pub(super) fn text(bucket: &str, comparison: &Comparison) -> String {
    let mut out = String::new();
    let item = &comparison.item;
    let (key, version) = (printable(&item.key), item.version.to_string());
    let _ = writeln!(out, "Copied `{bucket}/{key}` ({}) onto itself.", printable(&version));
    let _ = writeln!(out, "  {:<14} {}", "Checksum", named(&comparison.checksum_before));
    let _ = writeln!(out, "  {:<14} {}", "  now", named(&comparison.checksum_after));
    for row in &comparison.rows {
        let value = if row.before.is_empty() { "-" } else { &row.before };
        let verdict = match (row.before == row.after, row.expected) {
            (true, _) => "kept".to_owned(),
            (false, true) => format!("now {} (as every copy does)", printable(&row.after)),
            (false, false) => format!("CHANGED to {}", named(&row.after)),
        };
        let _ = writeln!(out, "  {:<14} {}  {verdict}", row.name, printable(value));
    }
    out
}

/// What follows from all of them.
pub(super) fn verdict(call: Invocation<'_>, passed: bool, paint: Paint) -> String {
    let mut out = format!("\n{}\n", paint.validated(passed));
    if passed {
        let command = call.command_line(Some("validate"));
        let _ = writeln!(
            out,
            "  Run again without --validate to process all backlogged objects:\n  $ {}",
            printable(&command)
        );
    }
    out
}

fn named(value: &str) -> Cow<'_, str> {
    if value.is_empty() { Cow::Borrowed("none") } else { printable(value) }
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

pub(super) fn json(comparison: &Comparison) -> String {
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
