//! The table of hostile components. It is held to from both sides: a component that no test lets loose
//! is dead code, which is an error here, and one that does not stand in the table fails the test below.

use std::path::PathBuf;

use mc_wasi_tests::guests::{guest, names};

/// A component of `tests/guests`.
#[derive(Debug, Clone, Copy)]
pub(in crate::fake) struct Guest(&'static str);

impl Guest {
    /// Its file.
    pub(in crate::fake) fn file(self) -> PathBuf {
        guest(self.0)
    }
}

macro_rules! table {
    ($($guest:ident = $name:literal,)*) => {
        $(#[deny(dead_code)]
        pub(in crate::fake) const $guest: Guest = Guest($name);)*

        const NAMES: &[&str] = &[$($name),*];
    };
}

table! {
    ANOTHER_BUCKET = "another_bucket",
    ANOTHER_HOST = "another_host",
    ANOTHER_PORT = "another_port",
    ANOTHER_SCHEME = "another_scheme",
    BOMBS_HEADERS = "bombs_headers",
    COPIES_ANOTHER_KEY = "copies_another_key",
    COPIES_INTO_A_LOCK = "copies_into_a_lock",
    DELETES = "deletes",
    FLOODS_REQUESTS = "floods_requests",
    FLOODS_STDOUT = "floods_stdout",
    FOLLOWS_REDIRECTS = "follows_redirects",
    FORGES_A_SIGNATURE = "forges_a_signature",
    HANDS_OVER_TOO_MUCH = "hands_over_too_much",
    HARMS_BY_COPYING = "harms_by_copying",
    HOGS_HANDLES = "hogs_handles",
    HOGS_MEMORY = "hogs_memory",
    NEVER_READS = "never_reads",
    OPENS_FILES = "opens_files",
    OVERRIDES_THE_HOST = "overrides_the_host",
    PUTS_WITHOUT_THE_FLAG = "puts_without_the_flag",
    READS_ENVIRONMENT = "reads_environment",
    RUNS_FOR_EVER = "runs_for_ever",
    SENDS_A_BODY = "sends_a_body",
    SMUGGLES_LINES = "smuggles_lines",
    SMUGGLES_PARAMETERS = "smuggles_parameters",
    SMUGGLES_PATHS = "smuggles_paths",
    STEERS_THE_TERMINAL = "steers_the_terminal",
    USES_OTHER_ADMIN_CALLS = "uses_other_admin_calls",
}

#[test]
fn every_component_stands_in_the_table_and_is_built() {
    assert_eq!(NAMES, names());
    for name in NAMES {
        assert!(Guest(name).file().is_file());
    }
}
