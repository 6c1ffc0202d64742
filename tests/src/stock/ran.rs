//! What runs in different hosts have in common.

use crate::mcwasi::Ran;
use serde_json::Value;

/// The output of a run without what differs between two runs: the name of the program, the time
/// taken, ids of requests, and the order in which answers came.
pub fn comparable(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(comparable_line).collect();
    lines.sort_unstable();
    lines
}

fn comparable_line(line: &str) -> String {
    if let Ok(Value::Object(mut object)) = serde_json::from_str(line) {
        object.remove("duration");
        let line =
            object.get_mut("error").and_then(|error| error["cause"]["error"].as_object_mut());
        line.and_then(|server| server.remove("RequestID"));
        return Value::Object(object).to_string();
    }
    // It depends on the home folder, which a host may hide.
    let line = line.split(" configuration folder (default: ").next().unwrap_or_default();
    let names = ["mc-wasi replicate resync-backlog", "mc-replicate-resync-backlog", "mc-wasi"];
    let line = names.iter().fold(line.to_owned(), |line, name| line.replace(name, "mc"));
    line.replace("mc replicate resync-backlog", "mc")
}

/// What a program got of the typed interface.
#[derive(Debug)]
pub struct Typed {
    /// Every event but those that only say that the job waits.
    pub events: Vec<Value>,
    /// Every note, `{kind: payload}`.
    pub notes: Vec<Value>,
    /// The failure that ended the job, `{cause: payload}`.
    pub failure: Option<Value>,
    /// The summary, unless the job did not start.
    pub summary: Option<Value>,
}

impl From<&Ran> for Typed {
    fn from(ran: &Ran) -> Self {
        let mut typed =
            Self { events: Vec::new(), notes: Vec::new(), failure: None, summary: None };
        for line in ran.json() {
            if let Some(event) = line.get("event") {
                if event["kind"] != "waiting" {
                    typed.events.push(event.clone());
                }
            } else if let Some(note) = line.get("note") {
                typed.notes.push(note.clone());
            } else if let Some(failure) = line.get("failure") {
                typed.failure = Some(failure.clone());
            } else {
                typed.summary = line.get("summary").cloned();
            }
        }
        let done = typed.failure.is_some() || typed.summary.is_some();
        assert!(done, "no end: {} {}", ran.status, ran.stderr);
        typed
    }
}

impl Typed {
    /// A member of the summary.
    pub fn summary(&self, member: &str) -> &Value {
        let summary = self.summary.as_ref().unwrap_or_else(|| panic!("{:?}", self.failure));
        &summary[member]
    }

    /// The name and the text of the failure.
    pub fn failure(&self) -> (&str, &str) {
        let failure = self.failure.as_ref().and_then(Value::as_object).expect("a failure");
        let (cause, payload) = failure.iter().next().expect("a cause");
        (cause, payload["message"].as_str().or(payload.as_str()).unwrap_or_default())
    }
}
