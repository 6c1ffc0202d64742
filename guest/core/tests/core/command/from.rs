//! `--from`: the versions that a file names, without a listing.

use super::{Ran, User, ran};
use crate::world::{Fate, Refusal, Replication, Version, World, objects, serving, uuid};
use resync_core::wire::{Method, TransportError};
use std::fmt::Write;
use std::time::Duration;

/// A world in which this is standard input.
pub(super) fn given(versions: Vec<Version>, input: &str) -> World {
    let mut world = serving(versions);
    world.net.latency = 10..11;
    world.net.input.0 = input.as_bytes().to_vec();
    world
}

/// A run with this as standard input.
fn fed(versions: Vec<Version>, input: &str, line: &str) -> (User, Ran) {
    let mut user = User::of(given(versions, input));
    let ran = user.run(line);
    assert_eq!(user.world.net.server.asked(Method::Post).count(), 0, "nothing is listed");
    (user, ran)
}

/// What was triggered, and how often.
fn triggered(user: &User) -> Vec<(&str, usize)> {
    let queued = user.world.net.server.queued.iter();
    queued.map(|((key, _), times)| (key.as_str(), times.len())).collect()
}

pub(super) const ID: &str = "11111111-1111-4111-8111-111111111111";

#[test]
fn what_a_listing_never_shows_is_triggered_without_one() {
    let versions = vec![
        Version::new("a/b", "null"),
        Version::new("a/b/c", "null").unlisted(),
        Version::new("gone", ID).fate(Fate::Purge).unlisted(),
        Version::new("later", "null"),
    ];
    let input = format!("\n\nbucket,a/b/c\n\nbucket,gone,{ID}\n");
    let (user, ran) = fed(versions, &input, "a/bucket --from -");
    let text = "✓ Replication trigger completed\n  Total: 2\n  Processed: 2\n  Failed: 0\n";
    assert_eq!(ran.whole(), (text, "", true));
    assert_eq!(triggered(&user), [("a/b/c", 1), ("gone", 1)]);
}

#[test]
fn a_run_is_repeated_from_its_own_output_and_only_what_is_left_is_driven() {
    let mut versions = objects(40);
    versions[7] = versions[7].clone().refused(Refusal::INVALID);
    versions[9] = versions[9].clone().fate(Fate::Gone);
    let first = ran(serving(versions.clone()), "a/bucket --json");
    versions[7].fate = Fate::Queued;
    let (user, again) = fed(versions.clone(), &first.out, "a/bucket --from - --json");
    let summary = again.summary();
    assert_eq!((&summary["total"], &summary["processed"]), (&1.into(), &1.into()));
    assert_eq!((&summary["passedOver"], &summary["badLines"]), (&39.into(), &0.into()));
    assert_eq!((&summary["listings"], &summary["status"]), (&0.into(), &"success".into()));
    assert_eq!(triggered(&user), [("data/000007", 1)]);
    let (_, again) = fed(versions, &first.out, "a/bucket --from -");
    assert!(
        again
            .out
            .contains("\n  Passed over: 39 (`-` says that an earlier run was done with them)\n")
    );
}

#[test]
fn a_bad_line_is_named_and_the_rest_goes_on() {
    let input = "bucket,data/000000\nnonsense\nother,k\nbucket,data/000001";
    let (user, ran) = fed(objects(3), input, "a/bucket --from -");
    let err =
        "mc-wasi: <ERROR> Unable to use line 2 of `-`. It is neither JSON nor `bucket,key,version`.
mc-wasi: <ERROR> Unable to use line 3 of `-`. It is of bucket `other`, not of `bucket`.
";
    let out = "✓ Replication trigger completed
  Total: 2
  Processed: 2
  Failed: 0
  2 lines of `-` could not be used

⚠ Some lines could not be used.
  You can correct them, and re-run this command:
  $ mc-wasi replicate resync-backlog a/bucket --from -
";
    assert_eq!(ran.whole(), (out, err, false));
    assert_eq!(triggered(&user).len(), 2, "the last line needs no end");

    let (_, ran) = fed(objects(3), input, "a/bucket --from - --json");
    assert_eq!((ran.json().len(), ran.success), (5, false));
    assert!(ran.json().iter().any(|line| {
        line["error"]["message"] == "Unable to use line 2 of `-`"
            && line["error"]["type"] == "error"
    }));
    assert_eq!(ran.summary()["badLines"], 2);
}

#[test]
fn of_many_bad_lines_the_first_are_named_and_all_are_counted() {
    let mut input = String::from("bucket,data/000000\n");
    input.push_str(&"nonsense\n".repeat(100));
    let (_, ran) = fed(objects(1), &input, "a/bucket --from -");
    assert_eq!(ran.err.matches("Unable to use line").count(), 20);
    assert!(
        ran.err.ends_with("80 more lines cannot be used; --json lists every one.\n"),
        "{}",
        ran.err
    );
    assert!(ran.out.contains("  100 lines of `-` could not be used\n") && !ran.success);
}

#[test]
fn a_file_of_another_kind_ends_the_run_before_it_begins() {
    let pretty = "{\n  \"object\": \"k\"\n}\n".repeat(10);
    let utf16 = "\u{0}b\u{0}u";
    for (input, why) in [
        (pretty.as_str(), "(jq writes one a line with -c)"),
        (&"other,k\n".repeat(30), "It is of bucket `other`, not of `bucket`."),
        (utf16, "It is not text in UTF-8"),
    ] {
        let (user, ran) = fed(objects(1), input, "a/bucket --from - --quiet");
        let last = ran.err.lines().last().unwrap_or_default();
        assert!(
            last.starts_with("mc-wasi: <ERROR> Unable to read the versions of `-`. "),
            "{last}"
        );
        assert!(ran.err.contains(why), "{}", ran.err);
        assert!(
            utf16 == input || last.contains("None of its first 20 lines can be used"),
            "{last}"
        );
        assert_eq!((ran.out.as_str(), ran.success, triggered(&user).len()), ("", false, 0));
    }
    let mut world = given(objects(1), "");
    world.net.input.0 = b"\x1f\x8b\x08\xff\xff\n".to_vec();
    assert!(ran(world, "a/bucket --from -").err.contains("It is not text in UTF-8"));
}

#[test]
fn neither_a_mark_at_its_beginning_nor_a_bad_piece_in_the_middle_loses_a_line() {
    let mut world = given(objects(4), "\u{feff}bucket,data/000000\n");
    let input = &mut world.net.input.0;
    input.extend_from_slice(b"bucket,\xff\n");
    input.extend_from_slice(&[b'x'; 3 << 20]);
    input.extend_from_slice(b"\nbucket,data/000001\nother,k\n");
    world.net.chunks = 60_000..70_000;
    let mut user = User::of(world);
    let ran = user.run("a/bucket --from -");
    for said in [
        "line 2 of `-`. It is not UTF-8.",
        "line 3 of `-`. It is longer than a megabyte.",
        "line 5 of `-`. It is of bucket `other`",
    ] {
        assert!(ran.err.contains(said), "{}", ran.err);
    }
    assert_eq!(triggered(&user), [("data/000000", 1), ("data/000001", 1)]);
}

#[test]
fn an_input_that_breaks_ends_the_run_as_incomplete() {
    let mut world = given(objects(2), "bucket,data/000000\nbucket,data");
    world.net.input.1 = Err(TransportError::Local("Input/output error (os error 5)".to_owned()));
    let ran = ran(world, "a/bucket --from -");
    assert!(
        ran.err.ends_with("Unable to read the versions of `-`. Input/output error (os error 5).\n")
    );
    assert!(ran.out.starts_with("✗ Replication trigger stopped by an error") && !ran.success);
}

#[test]
fn a_file_without_versions_is_done_at_once() {
    for input in ["", "\n\n", r#"{"status":"success","complete":true}"#] {
        let (_, ran) = fed(objects(1), input, "a/bucket --from -");
        assert!(
            ran.out.starts_with("✓ Replication trigger completed\n  Total: 0\n"),
            "{}",
            ran.out
        );
        assert!(ran.success);
    }
}

#[test]
fn what_an_earlier_run_did_not_reach_is_said_to_be_missing() {
    let input = "{\"status\":\"error\",\"complete\":false}\nbucket,data/000000\n";
    let (_, ran) = fed(objects(1), input, "a/bucket --from -");
    let err = "⚠ Line 1 of `-` says that the run which wrote it did not reach every version: some may be missing.\n";
    assert_eq!((ran.err.as_str(), ran.success), (err, true));
}

#[test]
fn a_line_that_stands_twice_is_driven_twice() {
    let (user, ran) = fed(objects(1), &"bucket,data/000000\n".repeat(3), "a/bucket --from -");
    assert_eq!(triggered(&user), [("data/000000", 3)]);
    assert!(ran.success);
}

#[test]
fn target_and_arn_filter_what_is_given() {
    let line = |key, arn| {
        format!(
            r#"{{"object":"{key}","versionId":"null","rStatus":"FAILED","targets":{{"{arn}":{{"rStatus":"FAILED"}}}}}}"#
        )
    };
    let input =
        [line("a/1", "arn:a"), line("a/2", "arn:b"), line("b/1", "arn:a"), "bucket,a/3".into()];
    let versions = ["a/1", "a/2", "a/3", "b/1"].map(|key| Version::new(key, "null")).to_vec();
    for (words, keys) in [
        ("a/bucket/a/ --from -", &["a/1", "a/2", "a/3"][..]),
        ("a/bucket --arn arn:a --from -", &["a/1", "a/3", "b/1"]),
        ("a/bucket/a --arn arn:b --from -", &["a/2", "a/3"]),
    ] {
        let (user, ran) = fed(versions.clone(), &input.join("\n"), words);
        let found: Vec<&str> = triggered(&user).into_iter().map(|(key, _)| key).collect();
        assert_eq!(found, keys, "{words}: {}", ran.err);
    }
}

#[test]
fn a_dry_run_sends_nothing_at_all() {
    let input = format!("bucket,data/000000,{}\nbucket,data/000001\n", uuid(0));
    let (user, ran) = fed(objects(2), &input, "a/bucket --from - --dry-run");
    assert_eq!(user.world.net.server.log.len(), 0);
    let out = "UNKNOWN   PUT                             00000000-0000-0000-0000-000000000000  data/000000
UNKNOWN   PUT                                                                   data/000001

✓ Dry run completed, nothing was triggered
  Total: 2
  UNKNOWN: 2 (2 PUT)
";
    assert_eq!(ran.whole(), (out, "", true));
}

#[test]
fn flags_that_need_a_listing_are_refused() {
    for (words, why) in [
        ("--from - --verify-listing", "with --from nothing is listed."),
        ("--from - --clear-checksum --validate", "--validate takes versions from the listing."),
        ("--from ''", "--from needs a file with versions"),
    ] {
        let (_, ran) = fed(objects(1), "", &format!("a/bucket {words}"));
        assert!(ran.err.contains(why) && !ran.success, "{}", ran.err);
    }
}

#[test]
fn a_host_that_cannot_open_a_file_says_so() {
    let run = |serves, words: &str| {
        User::of(given(objects(1), "bucket,data/000000")).with("MC_WASI_SERVES", serves).run(words)
    };
    let refused = run("signs", "a/bucket --from run.jsonl");
    assert!(refused.err.contains("--from run.jsonl cannot be honoured by this WebAssembly host. A component reads no files. Give it the file as standard input, with --from -"), "{}", refused.err);
    assert!(
        run("signs,stop", "a/bucket --from -").err.contains("Its standard input stops the run.")
    );
    for (serves, words) in [("signs,stop,from", "run.jsonl"), ("signs,from", "-"), ("signs", "-")] {
        assert!(run(serves, &format!("a/bucket --from {words}")).success, "{serves} {words}");
    }
}

#[test]
fn what_is_not_there_has_vanished_unless_nothing_is() {
    let versions = |there| {
        let gone = objects(20).into_iter().map(|version| version.fate(Fate::Gone));
        gone.chain(there).collect::<Vec<_>>()
    };
    let mut input = (0..20).fold(String::new(), |mut input, n| {
        let _ = writeln!(input, "bucket,data/{n:06},{}", uuid(n));
        input
    });
    let (_, ran) = fed(versions(None), &input, "a/bucket --from -");
    assert!(
        ran.err.contains("None of the 20 versions is there: they may be of another bucket"),
        "{}",
        ran.err
    );
    assert!(!ran.success);
    input.push_str("bucket,there\n");
    let (_, ran) = fed(versions(Some(Version::new("there", "null"))), &input, "a/bucket --from -");
    assert!(ran.out.contains("  Vanished: 20 ") && ran.success, "{}", ran.out);
}

#[test]
fn a_file_of_any_length_is_read_no_faster_than_it_is_driven() {
    let versions = objects(30_000);
    let input = versions.iter().fold(String::new(), |mut input, version| {
        let (key, id) = &version.name;
        let _ = writeln!(input, "bucket,{key},{id}");
        input
    });
    let (user, ran) = fed(versions, &input, "a/bucket --from - --memory 64KiB -c 100");
    assert!(ran.success && user.world.net.holds > 3, "{} holds", user.world.net.holds);
    assert_eq!(triggered(&user).len(), 30_000);
    assert!(triggered(&user).iter().all(|(_, times)| *times == 1));
}

#[test]
fn a_stop_ends_it_also_while_it_is_not_read() {
    let versions = objects(30_000);
    let input = versions.iter().fold(String::new(), |mut input, version| {
        let _ = writeln!(input, "bucket,{},{}", version.name.0, version.name.1);
        input
    });
    let mut world = given(versions, &input);
    world.net.stop_at = Some(Duration::from_secs(2));
    let mut user = User::of(world);
    let ran = user.run("a/bucket --from - --memory 64KiB --rate-limit 100 --json");
    let summary = ran.summary();
    assert_eq!((&summary["complete"], ran.success), (&false.into(), false));
    assert!(summary["notReached"].as_u64().is_some_and(|count| count > 0), "{summary}");
}

#[test]
fn a_stop_at_the_end_of_the_input_is_no_completion() {
    // Ctrl-C ends both ends of a pipe.
    let mut world = given(objects(1), "bucket,data/000000\n");
    world.net.stop_at = Some(Duration::from_millis(1));
    let ran = ran(world, "a/bucket --from -");
    assert!(
        ran.out.starts_with("⚠ Replication trigger interrupted") && !ran.success,
        "{}",
        ran.out
    );
}

#[test]
fn checksums_are_cleared_where_the_line_has_the_time_and_refused_where_not() {
    let line = r#"{"object":"data/000000","versionId":"00000000-0000-0000-0000-000000000000","rStatus":"FAILED","lastModified":"2026-11-24T08:28:26.645675391Z"}"#;
    let (user, ran) = fed(objects(1), line, "a/bucket --from - --clear-checksum --json");
    assert_eq!((ran.summary()["copied"].as_u64(), ran.success), (Some(1), true), "{}", ran.out);
    assert_eq!(user.world.net.server.copied.len(), 1);

    let (_, ran) =
        fed(objects(1), &line.replace(":26.6", ":27.6"), "a/bucket --from - --clear-checksum");
    assert!(
        ran.err.contains(
            "does not say that the version was modified at 2026-11-24T08:28:27.645675391Z"
        )
    );
    let input = format!("bucket,data/000000,{}", uuid(0));
    let (user, ran) = fed(objects(1), &input, "a/bucket --from - --clear-checksum");
    assert!(ran.err.contains("Its line has no modification time") && !ran.success, "{}", ran.err);
    assert_eq!(user.world.net.server.copied.len(), 0);
}

#[test]
fn a_copy_of_the_latest_version_names_it() {
    let line = r#"{"object":"data/000000","rStatus":"FAILED","lastModified":"2026-11-24T08:28:26.645675391Z"}"#;
    let (user, ran) = fed(objects(1), line, "a/bucket --from - --clear-checksum --json");
    assert!(ran.success, "{}", ran.out);
    assert_eq!(ran.version("data/000000")["versionId"], uuid(0));
    let copy = user.world.net.server.asked(Method::Put).next().expect("a copy");
    assert!(copy.target.ends_with(&format!("?versionId={}", uuid(0))), "{}", copy.target);
}

#[test]
fn waiting_asks_each_version_until_it_is_replicated() {
    let mut versions = objects(3);
    versions.push(Version::new("marker", "null").fate(Fate::Marker));
    versions.push(Version::new("purge", "null").fate(Fate::Purge).unlisted());
    let input = "bucket,data/000000\nbucket,data/000001\nbucket,data/000002\nbucket,marker,null\nbucket,purge,null\n";
    let mut world = given(versions.clone(), input);
    world.net.server.replication = Replication::OnceQueued(3);
    world.net.server.purges = true;
    let mut user = User::of(world);
    let ran = user.run("a/bucket --from - --wait 5m");
    let text = "✓ Replication trigger completed
  Total: 5
  Processed: 5
  Failed: 0
  Replicated: 5
";
    assert_eq!(ran.whole(), (text, "", true));
    assert_eq!(user.world.net.server.asked(Method::Post).count(), 0, "nothing is listed");

    versions[1].replication = Some(Replication::Never);
    let mut world = given(versions, input);
    world.net.server.replication = Replication::OnceQueued(2);
    world.net.server.purges = true;
    let ran = self::ran(world, "a/bucket --from - --wait 10s --json");
    let wait = &ran.summary()["wait"];
    assert_eq!((&wait["replicated"], &wait["failedAgain"]), (&4.into(), &1.into()), "{wait}");
    assert_eq!((&wait["pending"], &wait["exact"]), (&0.into(), &true.into()), "{wait}");
    assert!(!ran.success);
    assert_eq!(ran.json().len(), 6, "a version is shown once");
}

#[test]
fn versions_beyond_the_memory_are_not_waited_for_and_that_is_said() {
    let versions = objects(5_000);
    let input = versions.iter().fold(String::new(), |mut input, version| {
        let _ = writeln!(input, "bucket,{},{}", version.name.0, version.name.1);
        input
    });
    let (_, ran) = fed(versions, &input, "a/bucket --from - --wait 5m --memory 64KiB --json");
    let wait = &ran.summary()["wait"];
    let count = |name: &str| wait[name].as_u64().unwrap_or_default();
    assert!(count("unseen") > 1000 && count("pending") == count("unseen"), "{wait}");
    assert_eq!(count("replicated") + count("pending"), 5_000, "{wait}");
    assert!(!ran.success);
}

/// 3,000 lines, of what a server replicates 100 of in a second.
fn fed_slowly(make: impl FnOnce(&mut World)) -> (User, Ran) {
    let lines: String = (0..3_000).fold(String::new(), |mut lines, n| {
        let _ = writeln!(lines, "bucket,data/{n:06},{}", uuid(n));
        lines
    });
    let mut world = given(objects(3_000), &lines);
    world.net.server.replication = Replication::Never;
    world.net.server.queue.rate = Some(100.0);
    make(&mut world);
    let mut user = User::of(world);
    let ran = user.run("a/bucket --from - --max-queue 500");
    assert_eq!(user.world.net.server.asked(Method::Post).count(), 0, "nothing is listed");
    (user, ran)
}

#[test]
fn what_waits_is_bounded_by_the_counters_as_with_a_listing() {
    let (user, ran) = fed_slowly(|_| {});
    assert!(ran.success && ran.err.is_empty(), "{}", ran.err);
    assert!(user.world.net.server.queue.peak <= 500, "{}", user.world.net.server.queue.peak);
}

#[test]
fn counters_that_tell_nothing_do_not_stop_what_no_listing_can_tell_of() {
    let (_, ran) = fed_slowly(|world| {
        world.net.server.queue.refuses = Some(Refusal::DENIED.in_xml());
    });
    let unbounded = "The server's queue may overflow; --rate-limit is what bounds it then.";
    assert!(ran.success && ran.err.contains(unbounded), "{}", ran.err);
    let (user, ran) = fed_slowly(|world| world.net.server.queue.ignores = true);
    assert!(ran.success && ran.err.contains("Nothing was replicated for a minute"), "{}", ran.err);
    assert_eq!(triggered(&user).len(), 3_000);
}
