//! `cargo xtask compat`: the same story on each MinIO release that can be had.
//!
//! Every test of `tests/e2e/minio` runs daily, on one release. What differs between releases shows in the main job:
//! what a listing says, which HEAD queues a version again, how markers and purges look, when a backlog is drained. So
//! this runs the tests that tell that, and no others, against each release of `tests/compat.txt`.

use crate::tools;
use xtask::sh::{Result, build_all, cargo, headline, root, run};

/// Which tests are the story: a dry run and a trigger, markers and purges, and waiting until all is replicated.
/// What a replica of an encrypted object looks like is the servers' own affair, and differs.
const STORY: [&str; 5] = [
    "minio::trigger::",
    "minio::kinds::a_dry_run_shows_each_as_what_it_is",
    "minio::kinds::each_is_triggered_at_the_first_attempt_and_counted",
    "minio::kinds::the_target_has_the_same_versions_and_markers",
    "minio::waiting::everything_replicated_is_success",
];

/// Builds the releases and runs the story on each.
pub fn all() -> Result {
    tools::servers()?;
    build_all()?;
    let mut failed = Vec::new();
    for line in tools::lines("tests/compat.txt")? {
        let (release, module) =
            line.split_once(' ').ok_or(format!("tests/compat.txt: not RELEASE MODULE: {line}"))?;
        headline(&format!("MinIO of {release}"));
        let folder = root().join("target/tools/minio").join(release);
        tools::go_program(module, &folder)?;
        let mut tests = cargo("test --release --locked --package mc-wasi --test e2e --");
        let result = run(tests.args(STORY).env("TESTED_MINIO", folder.join("minio")));
        failed.extend(result.err().map(|error| format!("{release}: {error}")));
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}
