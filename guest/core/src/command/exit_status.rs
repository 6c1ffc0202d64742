//! What an exit status of `mc-wasi` says: the manual page and `docs/json.md` have this table.
//!
//! 130, 143 and 141 are the host's; the component itself only succeeds or fails.

/// Statuses, and when a run ends with them.
pub const EXIT_STATUSES: [(&str, &str); 4] = [
    (
        "0",
        "the backlog was listed to its end and every version in it was triggered; with --wait, replicated, too",
    ),
    (
        "1",
        "a version failed, the listing was not complete, with --wait a version was not replicated, or the input was wrong",
    ),
    (
        "130, 143",
        "Ctrl-C or SIGTERM came; requests in flight had 5 seconds to be answered, and the summary was printed",
    ),
    ("141", "the reader of the standard output went away"),
];
