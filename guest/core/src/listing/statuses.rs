//! The replication statuses of versions, each combination kept once.

use crate::listing::entry::Operation;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::{BTreeMap, HashMap};

/// The statuses of a version. A backlog of millions has a handful of them, so they are kept once.
#[derive(Debug, Clone)]
pub struct Statuses {
    /// `rStatus`: `PENDING`, `FAILED`, or empty for an existing object that never was replicated.
    pub status: String,
    /// `dStatus`: status of a pending purge, empty when there is none.
    pub delete_status: String,
    /// The `targets` member as the server sent it, `None` when there is none. Where a strict reader
    /// would not take it, only what is known of it, written anew.
    pub targets_json: Option<Box<RawValue>>,
    /// ARN, replication status and purge status of each target.
    pub targets: Vec<TargetStatus>,
}

/// The status of a version at one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetStatus {
    /// The target ARN.
    pub arn: String,
    /// `rStatus` of this target.
    pub status: String,
    /// `drStatus` of this target.
    pub delete_status: String,
}

/// How a never replicated version is called: mc has a word for the rule, `existing-objects`.
pub const EXISTING: &str = "EXISTING";

/// The status of a version that was given without one.
pub const UNKNOWN: &str = "UNKNOWN";

/// The status that counts: of a purge, its own.
fn label<'a>(status: &'a str, delete_status: &'a str) -> &'a str {
    match (delete_status, status) {
        ("", "") => EXISTING,
        ("", status) | (status, _) => status,
    }
}

impl Statuses {
    /// `PENDING`, `FAILED` or `EXISTING`; for a purge, the status of the purge.
    pub fn label(&self) -> &str {
        label(&self.status, &self.delete_status)
    }

    /// Whether this label is among its own: that of the version, and those of its targets; where a target
    /// is asked for, only what the version has there.
    pub fn include(&self, wanted: &str, arn: Option<&str>) -> bool {
        let mut targets =
            self.targets.iter().filter(|target| arn.is_none_or(|arn| target.arn == arn));
        // Without targets, the status of the version is all that is known of any.
        let all = arn.is_none() || self.targets.is_empty();
        (all && self.label() == wanted)
            || targets.any(|target| label(&target.status, &target.delete_status) == wanted)
    }

    /// What is to be replicated.
    pub fn operation(&self, delete_marker: bool) -> Operation {
        let purge = !self.delete_status.is_empty()
            || self.targets.iter().any(|target| !target.delete_status.is_empty());
        match (purge, delete_marker) {
            (true, _) => Operation::Purge,
            (false, true) => Operation::Delete,
            (false, false) => Operation::Put,
        }
    }

    /// Whether the version waits for this target. The server's own `arn` parameter does not filter
    /// rows, and of an existing object it cannot be seen which target it lacks (observed).
    /// Of a version that was given without a status neither.
    pub fn concerns(&self, arn: &str) -> bool {
        self.targets.iter().any(|target| target.arn == arn)
            || (matches!(self.status.as_str(), "" | UNKNOWN) && self.targets.is_empty())
    }
}

/// The statuses seen so far, each with a number.
#[derive(Debug, Default)]
pub struct StatusTable {
    list: Vec<Statuses>,
    numbers: HashMap<Box<[u8]>, u32>,
    last: Last,
    bytes: usize,
}

/// The statuses that were asked for last.
#[derive(Debug, Default)]
struct Last {
    /// Their parts, each with a zero after it; empty until there are any.
    text: Vec<u8>,
    number: u32,
}

impl Last {
    fn is(&self, parts: [&[u8]; 3]) -> bool {
        let rest = parts.into_iter().try_fold(self.text.as_slice(), |text, part| {
            text.strip_prefix(part)?.strip_prefix(&[0])
        });
        rest.is_some_and(<[u8]>::is_empty)
    }
}

/// What one combination takes besides its text: two entries of tables, and one for each target.
const OVERHEAD: usize = 512;

impl StatusTable {
    /// The statuses with this number.
    pub fn get(&self, number: u32) -> Option<&Statuses> {
        self.list.get(usize::try_from(number).ok()?)
    }

    /// About how much memory it takes. A backlog has a handful of combinations, and nothing keeps a server
    /// from sending as many as versions.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Forgets everything. No number that it has given out may be asked for after this.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Forgets everything but the statuses with this number. Returns the number that they have after this.
    pub(crate) fn clear_but(&mut self, number: u32) -> u32 {
        let Self { list, numbers, .. } = std::mem::take(self);
        let kept = usize::try_from(number).ok().and_then(|at| list.into_iter().nth(at));
        let text = numbers.into_iter().find(|(_, known)| *known == number);
        if let (Some(kept), Some((text, _))) = (kept, text) {
            self.list.push(kept);
            self.bytes = OVERHEAD + 4 * text.len();
            self.numbers.insert(text, 0);
        }
        0
    }

    /// The number of these statuses, as a line of the listing has them.
    pub(crate) fn intern(
        &mut self,
        status: &str,
        delete_status: &str,
        targets: &str,
    ) -> Result<u32, serde_json::Error> {
        let targets = if matches!(targets, "null" | "{}") { "" } else { targets };
        let parts = [status, delete_status, targets].map(str::as_bytes);
        // Mostly they are those of the version before it.
        if self.last.is(parts) {
            return Ok(self.last.number);
        }
        self.last.text.clear();
        for part in parts {
            self.last.text.extend_from_slice(part);
            self.last.text.push(0);
        }
        if let Some(number) = self.numbers.get(self.last.text.as_slice()) {
            self.last.number = *number;
            return Ok(*number);
        }
        let text = std::mem::take(&mut self.last.text);
        let parsed: BTreeMap<String, TargetLine> =
            if targets.is_empty() { Default::default() } else { serde_json::from_str(targets)? };
        let targets_json = match targets {
            "" => None,
            // A number beyond all floats or half a surrogate passes for JSON until it is read.
            _ if serde_json::from_str::<Value>(targets).is_err() => Some(to_raw_value(&parsed)?),
            _ => Some(serde_json::from_str(targets)?),
        };
        let statuses = Statuses {
            status: status.to_owned(),
            delete_status: delete_status.to_owned(),
            targets_json,
            targets: parsed
                .into_iter()
                .map(|(arn, target)| TargetStatus {
                    arn,
                    status: target.status,
                    delete_status: target.delete_status,
                })
                .collect(),
        };
        let number = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.list.push(statuses);
        self.bytes += OVERHEAD + 4 * text.len();
        self.numbers.insert(text.as_slice().into(), number);
        self.last = Last { text, number };
        Ok(number)
    }
}

#[derive(Deserialize, Serialize)]
struct TargetLine {
    #[serde(default, rename = "rStatus", skip_serializing_if = "String::is_empty")]
    status: String,
    #[serde(default, rename = "drStatus", skip_serializing_if = "String::is_empty")]
    delete_status: String,
}
