//! The comparison that `--validate` shows, as text and as JSON.

use super::trial::Comparison;
use crate::command::invocation::Invocation;
use crate::report::{Paint, printable};
use serde::Serialize;
use std::fmt::Write;

pub(super) fn text(
    call: Invocation<'_>,
    bucket: &str,
    comparison: &Comparison,
    paint: Paint,
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
        let command = call.command_line(Some("validate"));
        let _ = writeln!(out, "\n{}", paint.validated(true));
        let _ = writeln!(
            out,
            "  Run again without --validate to process all backlogged objects:\n  $ {command}"
        );
    } else {
        let _ = writeln!(out, "\n{}", paint.validated(false));
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
