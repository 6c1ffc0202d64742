//! The table that `--summary` shows, as text and as JSON.

use super::kinds::Kind;
use super::row::{Cell, Row, UNDATED};
use crate::report::{Paint, grouped, printable};
use crate::wire::timestamp::format_rfc3339;
use serde::Serialize;
use std::fmt::Write;

/// The columns before that of the prefix.
const HEADS: [&str; 10] =
    ["VERSIONS", "<1H", "<1D", "<1W", "OLDER", "OLDEST", "NEWEST", "STATUS", "OP", "TARGET"];

/// How many of them are words, which stand at the left, after the numbers.
const WORDS: usize = 3;

/// Columns that a prefix needs beside the others for the table to be one on this terminal.
const PREFIX: usize = 16;

/// What a dry run has shown.
pub(in crate::command) struct Table {
    pub(super) depth: usize,
    pub(super) rate: Option<f64>,
    pub(super) began: i128,
    /// Whether no row lacks what the others have.
    pub(super) exact: bool,
    pub(super) kinds: Vec<Kind>,
    /// The largest first.
    pub(super) rows: Vec<(String, Row)>,
    pub(super) others: Row,
    pub(super) all: Row,
}

impl Table {
    /// A line for each prefix and kind, or, where the terminal is too narrow for that, a paragraph.
    /// Nothing where there is nothing.
    pub(in crate::command) fn text(
        &self,
        bucket: &str,
        complete: bool,
        width: Option<usize>,
        paint: Paint,
    ) -> String {
        let mut out = String::new();
        if self.all.versions == 0 {
            return out;
        }
        if !complete {
            let mark = paint.warning("⚠");
            let _ = writeln!(out, "{mark} Partial: the backlog was not listed to its end.\n");
        }
        let mut arns: Vec<&str> = Vec::new();
        for arn in self.kinds.iter().flat_map(|kind| &kind.targets) {
            if let Err(place) = arns.binary_search(&arn.as_str()) {
                arns.insert(place, arn);
            }
        }
        let mut lines = Vec::new();
        let mut widths = HEADS.map(str::len);
        for (prefix, row) in self.named(bucket) {
            for cell in row.ranked() {
                let fields = self.fields(cell, &arns);
                for (width, field) in widths.iter_mut().zip(&fields) {
                    *width = field.chars().count().max(*width);
                }
                lines.push((prefix.clone(), fields));
            }
        }
        let takes: usize = widths.iter().map(|width| width + 2).sum();
        if let Some(width) = width.filter(|width| *width < takes + PREFIX) {
            let mut above = "";
            for (prefix, fields) in &lines {
                if above != prefix {
                    let _ = writeln!(out, "{prefix}");
                }
                above = prefix;
                paragraph(&mut out, fields, width);
            }
        } else {
            lines.insert(0, ("PREFIX".to_owned(), HEADS.map(str::to_owned).to_vec()));
            for (prefix, fields) in &lines {
                line(&mut out, fields, &widths, prefix);
            }
        }
        let remarks = self.remarks(&arns);
        if !remarks.is_empty() {
            let _ = write!(out, "\n{remarks}");
        }
        out
    }

    /// What the table does not say.
    fn remarks(&self, arns: &[&str]) -> String {
        let mut out = String::new();
        for (index, arn) in arns.iter().enumerate() {
            let _ = writeln!(out, "Target {}: {}", index + 1, printable(arn));
        }
        let undated: u64 = self.all.cells.iter().filter_map(|cell| cell.ages.last()).sum();
        if undated > 0 {
            let _ = writeln!(out, "Without a time that can be read, and so of no age: {undated}.");
        }
        if !self.exact {
            out.push_str("Names did not come in order: a prefix may have more, which is among the others. The total is exact.\n");
        }
        if let Some(takes) = self.takes() {
            let takes = span(takes / 1_000_000_000);
            let _ = writeln!(out, "At this --rate-limit, to trigger them takes {takes} or more.");
        }
        out
    }

    /// The rows by the names that they are shown with. No prefix is called like the last two: it begins
    /// with the bucket and a `/`.
    fn named(&self, bucket: &str) -> Vec<(String, &Row)> {
        let mut named = Vec::with_capacity(self.rows.len() + 2);
        for (prefix, row) in &self.rows {
            named.push((printable(&format!("{bucket}/{prefix}")).into_owned(), row));
        }
        named.push(("others".to_owned(), &self.others));
        named.push(("total".to_owned(), &self.all));
        named
    }

    /// What stands below [`HEADS`].
    fn fields(&self, cell: &Cell, arns: &[&str]) -> Vec<String> {
        let since = |time: i128| u64::try_from((self.began - time) / 1_000_000_000).unwrap_or(0);
        let age =
            |time: Option<i128>| time.map_or_else(|| "-".to_owned(), |time| span(since(time)));
        let mut fields = Vec::with_capacity(HEADS.len());
        fields.push(grouped(cell.versions));
        fields.extend(cell.ages.iter().take(UNDATED).map(|count| grouped(*count)));
        fields.push(age(cell.times.map(|(oldest, _)| oldest)));
        fields.push(age(cell.times.map(|(_, newest)| newest)));
        if let Some(kind) = self.kinds.get(cell.kind) {
            fields.push(printable(&kind.status).into_owned());
            fields.push(kind.operation.as_str().to_owned());
            fields.push(numbers(kind, arns));
        }
        fields
    }

    /// Nanoseconds that a run takes at least with `--rate-limit`, which spaces the starts evenly.
    fn takes(&self) -> Option<u64> {
        let spaces = self.all.versions.saturating_sub(1);
        // A cast saturates, after 584 years.
        self.rate.map(|rate| (spaces as f64 / rate * 1e9) as u64)
    }

    /// The JSON object without a newline.
    pub(in crate::command) fn json(&self, complete: bool) -> String {
        let line = Json {
            status: if complete { "success" } else { "error" },
            r#type: "summary",
            complete,
            exact: self.exact,
            depth: self.depth,
            began: format_rfc3339(self.began),
            total: self.all.versions,
            kinds: self.kinds_json(&self.all),
            estimate: self.takes(),
            prefixes: self.rows.iter().map(|(name, row)| self.row_json(Some(name), row)).collect(),
            others: (self.others.versions > 0).then(|| self.row_json(None, &self.others)),
        };
        serde_json::to_string(&line).unwrap_or_default()
    }

    fn row_json<'a>(&'a self, prefix: Option<&'a str>, row: &'a Row) -> RowJson<'a> {
        RowJson { prefix, total: row.versions, kinds: self.kinds_json(row) }
    }

    fn kinds_json(&self, row: &Row) -> Vec<KindJson<'_>> {
        let json = |cell: &Cell| {
            let [under_hour, under_day, under_week, older, undated] = cell.ages;
            let kind = self.kinds.get(cell.kind)?;
            Some(KindJson {
                status: &kind.status,
                operation: kind.operation.as_str(),
                targets: &kind.targets,
                total: cell.versions,
                under_hour,
                under_day,
                under_week,
                older,
                undated,
                oldest: cell.times.map(|(oldest, _)| format_rfc3339(oldest)),
                newest: cell.times.map(|(_, newest)| format_rfc3339(newest)),
            })
        };
        row.ranked().filter_map(json).collect()
    }
}

/// The targets of a kind, by their places in the list below the table.
fn numbers(kind: &Kind, arns: &[&str]) -> String {
    let mut out = String::new();
    for place in kind.targets.iter().filter_map(|arn| arns.binary_search(&arn.as_str()).ok()) {
        let comma = if out.is_empty() { "" } else { "," };
        let _ = write!(out, "{comma}{}", place + 1);
    }
    if out.is_empty() { "-".to_owned() } else { out }
}

/// A line of the table.
fn line(out: &mut String, fields: &[String], widths: &[usize], prefix: &str) {
    for (column, (field, width)) in fields.iter().zip(widths).enumerate() {
        let _ = if column + WORDS < fields.len() {
            write!(out, "{field:>width$}  ")
        } else {
            write!(out, "{field:width$}  ")
        };
    }
    let _ = writeln!(out, "{prefix}");
}

/// The same, wrapped, with its head beside each field.
fn paragraph(out: &mut String, fields: &[String], width: usize) {
    let mut column = 0;
    for (head, field) in HEADS.iter().zip(fields) {
        let takes = 3 + head.len() + field.chars().count();
        if column > 0 && column + takes > width {
            out.push_str("\n  ");
            column = 2;
        }
        let _ = write!(out, "  {head} {field}");
        column += takes;
    }
    out.push('\n');
}

/// A time in its two largest units, as `--wait` takes it.
fn span(seconds: u64) -> String {
    let units = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    let first = units.iter().position(|(_, size)| seconds >= *size).unwrap_or(units.len() - 1);
    let mut rest = seconds;
    let mut text = String::new();
    for (unit, size) in units.iter().skip(first).take(2) {
        if text.is_empty() || rest >= *size {
            let _ = write!(text, "{}{unit}", rest / size);
        }
        rest %= size;
    }
    text
}

#[derive(Serialize)]
struct Json<'a> {
    status: &'static str,
    r#type: &'static str,
    complete: bool,
    exact: bool,
    depth: usize,
    began: String,
    total: u64,
    kinds: Vec<KindJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate: Option<u64>,
    prefixes: Vec<RowJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    others: Option<RowJson<'a>>,
}

#[derive(Serialize)]
struct RowJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<&'a str>,
    total: u64,
    kinds: Vec<KindJson<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KindJson<'a> {
    status: &'a str,
    operation: &'static str,
    targets: &'a [String],
    total: u64,
    under_hour: u64,
    under_day: u64,
    under_week: u64,
    older: u64,
    undated: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_its_two_largest_units() {
        for (seconds, text) in [
            (0, "0s"),
            (59, "59s"),
            (61, "1m1s"),
            (3_600, "1h"),
            (3_659, "1h"),
            (86_399, "23h59m"),
            (90_000, "1d1h"),
            (86_400 * 400, "400d"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }
}
