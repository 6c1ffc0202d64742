//! `--concurrent`, `--rate-limit` and `--memory`, as given on the command line, are kept to.

use super::User;
use crate::world::{Replication, made};

#[test]
fn as_many_are_in_flight_as_asked_for_and_no_more() {
    for (flags, most) in
        [("", 10), ("-c 1", 1), ("--concurrent=7", 7), ("-c 64 --clear-checksum", 64)]
    {
        let mut user = User::of(made(1000, |_| {}));
        assert!(user.run(&format!("a/bucket {flags}")).success);
        assert_eq!(user.world.peak, most, "{flags}");
    }
}

#[test]
fn starts_are_spaced_to_the_rate_limit() {
    for (flags, seconds) in
        [("--rate-limit 40", 3.0), ("--rate-limit=0.5", 240.0), ("--rate-limit 0", 0.0)]
    {
        let mut user = User::of(made(121, |_| {}));
        assert!(user.run(&format!("a/bucket -c 100 {flags}")).success);
        let starts = &user.world.starts;
        let took = (starts[120] - starts[0]).as_secs_f64();
        // A start that came late is caught up with by 20 ms.
        assert!((seconds - 0.021..seconds + 0.2).contains(&took), "{flags}: {took} s");
        let closest = starts.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64());
        let closest = closest.fold(f64::MAX, f64::min);
        assert!(closest >= seconds / 120.0 - 0.020_001, "{flags}: {closest} s between two starts");
    }
}

#[test]
fn listed_versions_that_do_not_fit_into_the_memory_keep_the_server_waiting() {
    for (flags, waits) in [("", false), ("--memory 64MiB", false), ("--memory 64KiB", true)] {
        let mut user = User::of(made(8000, |world| {
            world.net.chunks = 60_000..60_001;
            world.net.server.replication = Replication::Never;
        }));
        let summary = user.run(&format!("a/bucket --json -c 100 {flags}")).summary();
        assert_eq!(summary["processed"], 8000, "{summary}");
        assert_eq!(summary["listings"], 1, "{flags}: {summary}");
        assert_eq!(user.world.net.holds > 0, waits, "{flags}");
        assert_eq!(user.world.starts.len(), 8000, "{flags}: none twice");
    }
}
