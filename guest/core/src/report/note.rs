//! What is said of the server's queue while a run goes on.

use crate::job::Note;
use crate::report::progress::grouped;
use crate::report::remedy::COUNTERS;
use crate::wire::Cause;

/// The sentence on stderr.
pub(crate) fn note_text(note: &Note) -> String {
    match note {
        Note::NoCounters(cause) | Note::Unbounded(cause) => {
            let denied =
                matches!(cause, Cause::Server(error) if error.code == "AccessDenied");
            let remedy = if denied { format!(" {COUNTERS}") } else { String::new() };
            let cause = cause.to_string();
            let instead = match note {
                Note::NoCounters(_) => {
                    "So that the server's queue does not overflow, the backlog is listed again and again; --max-queue 0 triggers without looking."
                }
                _ => "The server's queue may overflow; --rate-limit is what bounds it then.",
            };
            format!(
                "What is replicated cannot be counted ({}).{remedy} {instead}",
                cause.trim_end_matches('.')
            )
        }
        Note::Restart => "A server has started anew or cannot be reached, and what it had queued until then may be forgotten: run again at the end, or use --wait.".to_owned(),
        Note::Stalled { waiting, left } => format!(
            "Nothing was replicated for a minute: {} versions wait, and {} of what was triggered are still in the backlog. The target may be down, or a rule may be gone (`mc replicate ls`). Going on in small steps.",
            grouped(*waiting),
            grouped(*left)
        ),
    }
}
