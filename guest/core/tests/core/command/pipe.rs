//! A reader of stdout that goes away, as `head -1` does, ends the run and is no error.

use super::{Ran, User};
use crate::world::{Screen, objects, serving};

/// A run whose output is read this often.
fn read(times: usize, line: &str) -> (User, Ran) {
    let screen = Screen { reads: Some(times), ..Screen::default() };
    let mut user = User::of(serving(objects(5000))).at(screen);
    let ran = user.run(line);
    (user, ran)
}

#[test]
fn a_reader_that_goes_away_ends_the_run_without_a_word() {
    for line in [
        "a/bucket --json",
        "a/bucket --json --clear-checksum",
        "a/bucket --json --rate-limit 100",
        "a/bucket --json --dry-run",
        "a/bucket --dry-run",
        "a/bucket --json --wait 1h",
        "a/bucket --json --verify-listing",
    ] {
        for times in [0, 1, 2] {
            let (user, ran) = read(times, line);
            assert_eq!((ran.success, ran.err.as_str()), (false, ""), "{line}");
            assert_eq!(ran.unread, 1, "{line}: nothing is written after that");
            assert_eq!(ran.out.is_empty(), times == 0, "{line}");
            let triggered = user.world.net.server.queued.len();
            assert!(triggered < 5000, "{line}: {triggered} triggered for nobody");
        }
    }
}

#[test]
fn a_reader_that_is_gone_at_the_end_fails_the_run_too() {
    for line in ["a/bucket", "a/bucket --quiet", "a/bucket --clear-checksum"] {
        let (user, ran) = read(0, line);
        assert_eq!((ran.success, ran.err.as_str(), ran.unread), (false, "", 1), "{line}");
        assert_eq!(
            user.world.net.server.queued.len(),
            5000,
            "{line}: there was nothing to read before"
        );
    }
}

#[test]
fn neither_help_nor_a_test_nor_an_error_in_json_says_more_to_nobody() {
    for line in
        ["--help", "", "a/bucket --clear-checksum --validate", "a --json", "b/bucket --json"]
    {
        let (_, ran) = read(0, line);
        assert_eq!((ran.success, ran.err.as_str(), ran.unread), (false, "", 1), "{line}");
    }
}
