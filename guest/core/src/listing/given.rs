//! One line of what the user gives instead of a listing.
//!
//! Three forms, told apart by their first character: a line of our own `--json`, an entry of
//! `mc replicate backlog --full --json`, and `bucket,key,version` as the manifests of S3 Batch have it.

use crate::listing::entry::{Item, Line, Modified};
use crate::listing::statuses::{StatusTable, UNKNOWN};
use crate::wire::{VersionId, encode};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// A version to be driven.
    Version(Item),
    /// A version with which an earlier run was done.
    Done,
    /// Something else that this program and mc print as JSON. It may say that what was written is not all.
    Message {
        /// That it is not.
        unfinished: bool,
    },
}

/// The outcomes, in JSON, of a version with which nothing is left to be done. Whatever else a run said of a
/// version, such as `failed` or `listed`, it is driven.
const DONE: [&str; 4] = ["\"triggered\"", "\"vanished\"", "\"elsewhere\"", "\"replicated\""];

/// How the error of a message is marked that ended the run.
const FATAL: &str = "\"type\":\"fatal\"";

/// Reads a line that is not blank.
///
/// # Errors
/// Why it cannot be used, as a sentence.
pub fn parse_given(line: &str, bucket: &str, table: &mut StatusTable) -> Result<Given, String> {
    let line = line.trim_ascii_start();
    if line.starts_with('{') {
        return parse_json(line, bucket, table);
    }
    let line = line.strip_suffix('\r').unwrap_or(line);
    let (of, key, version) = match fields(line)?.as_slice() {
        [of, key] => (of.clone(), key.clone(), Cow::default()),
        [of, key, version] => (of.clone(), key.clone(), version.clone()),
        _ => return Err("It is neither JSON nor `bucket,key,version`.".to_owned()),
    };
    if of != bucket {
        return Err(another(&of, bucket));
    }
    if key.is_empty() {
        return Err("It has no key.".to_owned());
    }
    let key = encode::decoded(&key).ok_or(
        "Its key is not percent-encoded: `%` is written %25, and what is encoded must be UTF-8.",
    )?;
    Ok(Given::Version(named(key, VersionId::given(&version), table)))
}

/// A version of which only the name is known.
pub(super) fn named(key: String, version: VersionId, table: &mut StatusTable) -> Item {
    let statuses = table.intern(UNKNOWN, "", "").unwrap_or_default();
    Item { key, version, modified: Modified::Text("".into()), delete_marker: false, statuses }
}

fn parse_json(line: &str, bucket: &str, table: &mut StatusTable) -> Result<Given, String> {
    let form = |_| "It is not one whole JSON object of a version (jq writes one a line with -c).";
    let parsed: Line<'_> = serde_json::from_str(line).map_err(form)?;
    let error = parsed.error.map_or("null", RawValue::get);
    // What `--validate` tried is no version of a run, although it names one.
    if parsed.valid.is_some() || (parsed.object.is_empty() && parsed.said.is_some()) {
        let unfinished = error.contains(FATAL)
            || parsed.complete.is_some_and(|complete| complete.get() == "false");
        return Ok(Given::Message { unfinished });
    }
    if parsed.object.is_empty() {
        return Err(match error {
            "null" => "It has no `object`.".to_owned(),
            error => format!("The listing of mc failed here, and the rest is missing: {error}."),
        });
    }
    if let Some(of) = parsed.bucket {
        let of: String = serde_json::from_str(of.get()).map_err(form)?;
        if of != bucket {
            return Err(another(&of, bucket));
        }
    }
    if parsed.outcome.is_some_and(|outcome| DONE.contains(&outcome.get())) {
        return Ok(Given::Done);
    }
    let version = VersionId::given(&parsed.version_id);
    let (item, _) = parsed.item(version, table).map_err(form)?;
    Ok(Given::Version(item))
}

fn another(of: &str, bucket: &str) -> String {
    format!("It is of bucket `{of}`, not of `{bucket}`.")
}

/// The fields of a line of CSV (RFC 4180). A line break in a field would be the end of the line; in a key
/// it is written %0A.
fn fields(line: &str) -> Result<Vec<Cow<'_, str>>, String> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => {
                let (field, after) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
                (Cow::Borrowed(field), after)
            }
        };
        fields.push(field);
        rest = match after.strip_prefix(',') {
            Some(rest) => rest,
            None if after.is_empty() => return Ok(fields),
            None => return Err("There is text between a closing quote and the comma.".to_owned()),
        };
    }
}

/// A field up to its closing quote, and what follows that.
fn quoted_field(text: &str) -> Result<(Cow<'_, str>, &str), String> {
    let mut field = Cow::Borrowed("");
    let mut rest = text;
    loop {
        let Some((part, after)) = rest.split_once('"') else {
            return Err("It has a quote that is not closed.".to_owned());
        };
        if field.is_empty() {
            field = Cow::Borrowed(part);
        } else {
            field.to_mut().push_str(part);
        }
        let Some(after) = after.strip_prefix('"') else { return Ok((field, after)) };
        field.to_mut().push('"');
        rest = after;
    }
}
