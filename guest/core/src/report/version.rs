//! What the user reads of a version: a line, as text and as JSON, and why it failed.

use crate::job::{Mode, Outcome};
use crate::listing::{Item, Statuses, needs_no_escape};
use crate::report::message::Message;
use crate::report::printable::printable;

/// One version of a dry run, in columns that a pager keeps apart.
pub(crate) fn listed_line(out: &mut Vec<u8>, item: &Item, statuses: &Statuses) {
    let operation = statuses.operation(item.delete_marker);
    let text = item.modified.to_string();
    let modified = match text.split_once('T') {
        Some((date, time)) if time.ends_with('Z') => {
            format!("{date} {} UTC", time.get(..8).unwrap_or(time))
        }
        _ => text,
    };
    let line = format!(
        "{:<8}  {:<5}  {:<23}  {:<36}  {}",
        printable(statuses.label()),
        operation.as_str(),
        printable(&modified),
        printable(&item.version.to_string()),
        printable(&item.key),
    );
    out.extend_from_slice(line.as_bytes());
    out.push(b'\n');
}

/// One version as a JSON line. The members that `mc replicate backlog --json` has too are called
/// as there.
///
/// A dry run writes millions of these, so they are put together here; serde_json looks at each byte.
pub(crate) fn version_json(
    out: &mut Vec<u8>,
    item: &Item,
    statuses: &Statuses,
    outcome: &Outcome,
    attempts: u32,
    error: Option<&Message>,
) {
    put(out, &[r#"{"status":""#, if error.is_some() { "error" } else { "success" }, "\""]);
    member(out, r#","object":"#, &item.key);
    member(out, r#","versionId":"#, &item.version.to_string());
    member(out, r#","rStatus":"#, &statuses.status);
    if !statuses.delete_status.is_empty() {
        member(out, r#","dStatus":"#, &statuses.delete_status);
    }
    if let Some(targets) = &statuses.targets_json {
        put(out, &[r#","targets":"#, targets.get()]);
    }
    member(out, r#","lastModified":"#, &item.modified.to_string());
    let delete_marker = if item.delete_marker { "true" } else { "false" };
    let operation = statuses.operation(item.delete_marker).as_str();
    put(out, &[r#","deletemarker":"#, delete_marker, r#","operation":""#, operation]);
    put(out, &[r#"","outcome":""#, outcome.as_str(), r#"","attempts":"#, &attempts.to_string()]);
    if let Some(error) = error {
        out.extend_from_slice(br#","error":"#);
        let _ = serde_json::to_writer(&mut *out, &error.json_error());
    }
    out.extend_from_slice(b"}\n");
}

fn put(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

/// A member whose value is a string.
fn member(out: &mut Vec<u8>, name: &str, value: &str) {
    if needs_no_escape(value) {
        put(out, &[name, "\"", value, "\""]);
    } else {
        put(out, &[name]);
        let _ = serde_json::to_writer(out, value);
    }
}

/// The message for a version that failed.
pub(crate) fn failure(bucket: &str, item: &Item, mode: Mode, outcome: &Outcome) -> Option<Message> {
    let Outcome::Failed(failure) = outcome else { return None };
    let what = match mode {
        Mode::ClearChecksum => "clear the checksum",
        _ => "trigger replication",
    };
    let message = format!("Unable to {what} of `{bucket}/{}` ({}).", item.key, item.version);
    Some(Message::error(message, failure.to_string()).because(&failure.cause))
}
