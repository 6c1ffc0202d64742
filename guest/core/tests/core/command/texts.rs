//! The text of every end of a run, whole.

use super::{Ran, User, ran};
use crate::world::{
    Break, Fate, Mishap, Refusal, Replication, Version, World, made, objects, ok, serving,
};
use std::time::Duration;

/// A server on which one object is damaged, so that every listing ends there.
fn damaged() -> World {
    made(100, |world| {
        world.net.server.replication = Replication::Never;
        world.breaks = [(40, Break::ErrorEntry); 2].into();
    })
}

/// A server that does not let this account see one object of fifty.
fn denied() -> World {
    let mut versions = objects(50);
    versions[5].fate = Fate::Refused(Refusal::LOCKED_OUT);
    serving(versions)
}

/// What is told of a damaged object.
const DAMAGED: &str = "mc-wasi: <ERROR> Unable to list the replication backlog of bucket `bucket`. minio.example:9000: the server's listing failed: file is corrupted. Everything after `data/000039` is missing. The next object on the server is damaged: `mc admin heal` it, or remove it, and re-run.\n";

#[test]
fn the_output_is_that_of_the_manual() {
    let mut versions = objects(150);
    for index in [7, 70] {
        versions[index].fate = Fate::Refused(Refusal::INVALID);
    }
    let mut user =
        User::of(serving(versions)).with("MC_HOST_myaistor", "http://minio.example:9000");
    assert_eq!(
        user.run("myaistor/bucket").whole(),
        (
            "✓ Replication trigger completed
  Total: 150
  Processed: 148
  Failed: 2

⚠ Some objects failed to trigger replication.
  You can re-run this command to retry failed objects:
  $ mc-wasi replicate resync-backlog myaistor/bucket
",
            "mc-wasi: <ERROR> Unable to trigger replication of `bucket/data/000007` (00000000-0000-0000-0000-000000000007). Invalid version id specified
mc-wasi: <ERROR> Unable to trigger replication of `bucket/data/000070` (00000000-0000-0000-0000-000000000046). Invalid version id specified
",
            false,
        )
    );
}

#[test]
fn a_run_that_reached_everything_says_completed_and_what_became_of_it() {
    let mut gone = objects(4);
    (gone[1].fate, gone[2].fate) = (Fate::Gone, Fate::Elsewhere);
    gone[3].fate = Fate::Gone;
    for (world, line, out) in [
        (
            serving(objects(3)),
            "a/bucket",
            "✓ Replication trigger completed\n  Total: 3\n  Processed: 3\n  Failed: 0\n",
        ),
        (
            serving(objects(3)),
            "a/bucket --quiet --no-color --disable-pager",
            "✓ Replication trigger completed\n  Total: 3\n  Processed: 3\n  Failed: 0\n",
        ),
        (
            serving(Vec::new()),
            "a/bucket",
            "✓ Replication trigger completed\n  Total: 0\n  Processed: 0\n  Failed: 0\n",
        ),
        (
            serving(gone),
            "a/bucket",
            "✓ Replication trigger completed
  Total: 4
  Processed: 1
  Failed: 0
  Vanished: 2 (deleted since they were listed)
  Elsewhere: 1 (deleted here, another site still has them)
",
        ),
        (
            serving(objects(2)),
            "a/bucket --clear-checksum",
            "✓ Replication trigger completed\n  Total: 2\n  Processed: 2\n  Failed: 0\n",
        ),
        (
            made(60, |world| {
                let out = Duration::from_secs(1)..Duration::from_secs(7);
                world.out = (out, Mishap::Closed);
            }),
            "a/bucket --rate-limit 20",
            "✓ Replication trigger completed
  Total: 60
  Processed: 60
  Failed: 0

⚠ The server was out for a while and may have lost what it had queued.
  You can re-run this command to trigger what is left:
  $ mc-wasi replicate resync-backlog a/bucket --rate-limit 20
",
        ),
    ] {
        assert_eq!(ran(world, line).whole(), (out, "", true), "{line}");
    }
}

#[test]
fn a_run_that_did_not_reach_everything_never_says_completed() {
    let stopped =
        |millis| made(50, |world| world.net.stop_at = Some(Duration::from_millis(millis)));
    for (world, line, out, err) in [
        (
            damaged(),
            "a/bucket",
            "✗ Replication trigger incomplete: the backlog was not listed to its end, the numbers are lower bounds
  Total: 40
  Processed: 40
  Failed: 0

⚠ The run did not reach every object.
  You can re-run this command to continue:
  $ mc-wasi replicate resync-backlog a/bucket
",
            DAMAGED,
        ),
        (
            denied(),
            "a/bucket -c 1",
            "✗ Replication trigger stopped by an error: the numbers are lower bounds
  Total: 50
  Processed: 5
  Failed: 1
  Not reached: 44

⚠ The run did not reach every object.
  You can re-run this command to continue:
  $ mc-wasi replicate resync-backlog a/bucket -c 1
",
            "mc-wasi: <ERROR> Unable to trigger replication of `bucket/data/000005` (00000000-0000-0000-0000-000000000005). The Access Key Id you provided does not exist in our records.
mc-wasi: <ERROR> Unable to trigger replication in bucket `bucket`. The Access Key Id you provided does not exist in our records. Check the access key of the alias.
",
        ),
        (
            stopped(1025),
            "a/bucket --rate-limit 10",
            "⚠ Replication trigger interrupted: the numbers are lower bounds
  Total: 50
  Processed: 11
  Failed: 0
  Not reached: 39

⚠ The run did not reach every object.
  You can re-run this command to continue:
  $ mc-wasi replicate resync-backlog a/bucket --rate-limit 10
",
            "",
        ),
    ] {
        assert_eq!(ran(world, line).whole(), (out, err, false), "{line}");
    }
}

#[test]
fn a_dry_run_shows_an_aligned_line_for_each_version_and_what_there_is_of_each_kind() {
    let world = serving(vec![
        Version::new("a/failed", "11111111-1111-4111-8111-111111111111"),
        Version::new("a/pending", "22222222-2222-4222-8222-222222222222").status("PENDING"),
        Version::new("b/gone", "33333333-3333-4333-8333-333333333333").fate(Fate::Marker),
        Version::new("c/purged", "44444444-4444-4444-8444-444444444444").fate(Fate::Purge),
        Version::new("d/existing", "null").targets(&[]),
        Version::new("e/evil\r\n\u{1b}[2Jname", "55555555-5555-4555-8555-555555555555"),
    ]);
    let mut user = User::of(world);
    let expected = (
        "FAILED    PUT    2026-11-24 08:28:26 UTC  11111111-1111-4111-8111-111111111111  a/failed
PENDING   PUT    2026-11-24 08:28:26 UTC  22222222-2222-4222-8222-222222222222  a/pending
FAILED    DEL    2026-11-24 08:28:26 UTC  33333333-3333-4333-8333-333333333333  b/gone
PENDING   purge  2026-11-24 08:28:26 UTC  44444444-4444-4444-8444-444444444444  c/purged
EXISTING  PUT    2026-11-24 08:28:26 UTC  null                                  d/existing
FAILED    PUT    2026-11-24 08:28:26 UTC  55555555-5555-4555-8555-555555555555  e/evil\\r\\n\\u{1b}[2Jname

✓ Dry run completed, nothing was triggered
  Total: 6
  EXISTING: 1 (1 PUT)
  FAILED: 3 (1 DEL, 2 PUT)
  PENDING: 2 (1 PUT, 1 purge)
",
        "",
        true,
    );
    assert_eq!(user.run("--dry-run a/bucket").whole(), expected);
    assert_eq!(user.run("--dry-run a/bucket --clear-checksum").whole(), expected);
    let log = &user.world.net.server.log;
    assert!(log.iter().all(|asked| asked.target.contains("/replication/diff?")), "{log:?}");
}

#[test]
fn a_dry_run_says_how_it_ended() {
    let ends = |ran: &Ran| ran.out.split_once('✗').map(|(_, end)| end.to_owned());
    let empty = ran(serving(Vec::new()), "a/bucket --dry-run");
    let nothing = "✓ Dry run completed, nothing was triggered\n  Total: 0\n";
    assert_eq!(empty.whole(), (nothing, "", true));

    let damaged = ran(damaged(), "a/bucket --dry-run");
    let end = " Dry run incomplete: the backlog was not listed to its end, the numbers are lower bounds\n  Total: 40\n  FAILED: 40 (40 PUT)\n";
    assert_eq!((ends(&damaged).as_deref(), damaged.out.lines().count()), (Some(end), 44));
    assert_eq!((damaged.err.as_str(), damaged.success), (DAMAGED, false));

    let stopped = ran(
        made(100, |world| {
            world.breaks = [(0, Break::Silence)].into();
            world.net.stop_at = Some(Duration::from_secs(3));
        }),
        "a/bucket --dry-run",
    );
    assert_eq!(
        stopped.whole(),
        ("⚠ Dry run interrupted: the numbers are lower bounds\n  Total: 0\n", "", false)
    );
}

/// A user who stops every run as soon as it begins, which is told how to run again.
fn hasty() -> User {
    User::of(made(1, |world| world.net.stop_at = Some(Duration::ZERO)))
}

#[test]
fn the_command_to_run_again_has_the_users_own_words_ready_for_a_shell() {
    for line in [
        "a/bucket",
        "-q -c 5 a/bucket",
        "a/bucket --arn=arn:minio:replication::0f3c:bucket --rate-limit 2.5",
        "'a/bucket/hr/pay roll'\\''s $HOME'",
        "a/bucket/é/😀 --custom-header 'X-A: \"b\" `c` !d \\e'",
        "a/bucket/'*?[a-z]~' -c 10",
    ] {
        let ran = hasty().run(line);
        let said = ran.out.lines().last().and_then(|line| line.strip_prefix("  $ "));
        let again = shlex::split(said.unwrap_or_else(|| panic!("{}", ran.out)));
        let again = again.unwrap_or_else(|| panic!("no shell reads {said:?}"));
        assert_eq!(again[..3], ["mc-wasi", "replicate", "resync-backlog"]);
        assert_eq!(again[3..], shlex::split(line).expect("words"), "{line}");
    }
}

#[test]
fn the_program_is_called_as_the_user_called_it() {
    for (program, command) in [
        ("mcli", "mcli replicate resync-backlog"),
        ("mc", "mc replicate resync-backlog"),
        ("mc-replicate-resync-backlog", "mc-replicate-resync-backlog"),
        ("kubectl-mc_replicate_resync_backlog", "kubectl-mc_replicate_resync_backlog"),
    ] {
        let ran = hasty().calling(program).run("a/bucket");
        assert!(ran.out.ends_with(&format!("\n  $ {command} a/bucket\n")), "{}", ran.out);
        let ran = hasty().calling(program).run("--help");
        let begins = format!(
            "NAME:\n  {command} - trigger replication for backlogged objects\n\nUSAGE:\n  {command} TARGET\n"
        );
        assert!(ran.out.starts_with(&begins), "{}", ran.out);
        let ran = hasty().calling(program).run("a");
        assert!(ran.err.starts_with(&format!("{program}: <ERROR> bucket not")), "{}", ran.err);
    }
}

#[test]
fn nothing_that_a_server_names_can_steer_a_terminal() {
    let evil = "\u{1b}]0;title\u{7}\r\n";
    let refused = Refusal::new(400, "InvalidArgument").saying("No\u{1b}[2J\nway");
    let world = || {
        let arn = "arn:\u{1b}[2J";
        let versions = vec![
            Version::new(&format!("a{evil}"), evil).refused(refused),
            Version::new("b", "null").status("FAILED\u{1b}[2J"),
            Version::new("c", "null").targets(&["arn:\u{1b}[2J"]),
        ];
        let mut world = serving(versions);
        let target = serde_json::json!([
            { "arn": arn, "endpoint": evil, "targetbucket": evil, "isOnline": false, "totalDowntime": 1 },
        ]);
        world.net.server.remote_targets = ok(&target.to_string()).into();
        world
    };
    for line in
        ["a/bucket", "a/bucket --dry-run", "a/bucket --wait 1s", "a/bucket --clear-checksum"]
    {
        let ran = ran(world(), line);
        let steers = |text: &str| text.contains(|c: char| c.is_control() && c != '\n');
        assert!(!steers(&ran.out) && !steers(&ran.err), "{line}: {ran:?}");
        let lines = |text: &str| text.lines().filter(|line| line.starts_with("way")).count();
        assert_eq!(lines(&ran.out) + lines(&ran.err), 0, "{line}: {ran:?}");
        let shown = format!("{}{}", ran.out, ran.err);
        assert!(shown.contains(r"a\u{1b}]0;title\u{7}\r\n"), "{line}: {shown}");
    }
}
