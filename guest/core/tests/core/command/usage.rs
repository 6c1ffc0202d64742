//! Words that are not a run: help, mistakes, and flags that only a host can serve.

use super::{User, ran};
use crate::world::{objects, serving};
use resync_core::command::{Class, FLAGS, SERVES, Takes};

/// A user whose words are wrong, and whose server is asked nothing.
fn user() -> User {
    User::of(serving(Vec::new()))
}

/// What follows a complaint about arguments.
const INVALID: &str =
    "Invalid arguments provided, please refer `mc <command> -h` for relevant documentation.";

#[test]
fn help_is_shown_on_stdout_wherever_it_is_asked_for() {
    let help = user().run("--help");
    assert!(help.success && help.err.is_empty());
    for flag in FLAGS {
        let shown = help.out.contains(&format!("\n  --{}", flag.long));
        assert_eq!(shown, flag.class != Class::Hidden, "{}", flag.long);
    }
    for line in ["-h", "-h no/such thing", "a/bucket --help", "a/bucket --help=true -c 0"] {
        assert_eq!(user().run(line).whole(), help.whole(), "{line}");
    }
    for (variables, folder) in [
        (&[][..], "~/.mc"),
        (&[("HOME", "/home/me")], "/home/me/.mc"),
        (&[("HOME", "/home/me"), ("MC_CONFIG_DIR", "/etc/mc")], "/etc/mc"),
    ] {
        let user = variables.iter().fold(user(), |user, (name, value)| user.with(name, value));
        let shown =
            format!("path to configuration folder (default: \"{folder}\") [$MC_CONFIG_DIR]\n");
        assert!({ user }.run("--help").out.contains(&shown), "{folder}");
    }
}

#[test]
fn without_exactly_one_target_the_help_is_shown_and_it_fails() {
    let help = user().run("--help").out;
    for line in ["", "a/bucket c/d", "--json", "-- a/bucket --json", "a/bucket -- -c"] {
        assert_eq!(user().run(line).whole(), (help.as_str(), "", false), "{line}");
    }
}

#[test]
fn a_wrong_flag_is_named_in_the_words_of_go_above_the_list_of_flags() {
    let help = user().run("--help").out;
    let (_, list) = help.split_once("FLAGS:\n").expect("flags");
    let (list, _) = list.split_once("  \nREQUIRED").expect("two blanks end the flags, as in mc");
    let list: String = list.lines().map(|line| format!(" {line}\n")).collect();
    for (line, what) in [
        ("--bogus", "flag provided but not defined: -bogus"),
        ("a/bucket -qc", "flag provided but not defined: -qc"),
        ("a/bucket --arn", "flag needs an argument: -arn"),
        ("a/bucket ---json", "bad flag syntax: ---json"),
        ("a/bucket --=1", "bad flag syntax: --=1"),
        ("a/bucket --json=maybe", "invalid boolean value \"maybe\" for -json: parse error"),
        (
            "a/bucket -c x",
            "invalid value \"x\" for flag -concurrent: strconv.ParseInt: parsing \"x\": invalid syntax",
        ),
        (
            "a/bucket --rate-limit fast",
            "invalid value \"fast\" for flag -rate-limit: strconv.ParseFloat: parsing \"fast\": invalid syntax",
        ),
        (
            "a/bucket --wait 10",
            "invalid value \"10\" for flag -wait: time: invalid duration \"10\"",
        ),
        (
            "a/bucket --older-than 7",
            "invalid value \"7\" for flag -older-than: time: invalid duration \"7\"",
        ),
        (
            "a/bucket --newer-than 2026-11-24",
            "invalid value \"2026-11-24\" for flag -newer-than: time: invalid duration \"2026-11-24\"",
        ),
        (
            "a/bucket --dry-run --summary=two",
            "invalid value \"two\" for flag -summary: strconv.ParseInt: parsing \"two\": invalid syntax",
        ),
    ] {
        let err =
            format!("mc-wasi: <ERROR> Invalid command usage, {what}\n\nSUPPORTED FLAGS:\n{list}");
        assert_eq!(user().run(line).whole(), ("", err.as_str(), false), "{line}");
    }
}

#[test]
fn a_value_that_cannot_be_used_is_refused_by_the_name_of_its_flag() {
    let concurrent = "--concurrent must be between 1 and 1000.";
    let rate = "--rate-limit must be 0 (unlimited) or a number of objects per second.";
    for (words, what) in [
        ("-c 0", concurrent),
        ("-c 1001", concurrent),
        ("--rate-limit -1", rate),
        ("--rate-limit inf", rate),
        ("--rate-limit NaN", rate),
        ("--memory 63KiB", "--memory must be at least 64KiB."),
        ("--validate", "--validate can only be used with --clear-checksum."),
        (
            "--validate --clear-checksum --dry-run",
            "--validate and --dry-run exclude each other: --validate copies one object.",
        ),
        (
            "--wait 1m --dry-run",
            "--wait needs a run that triggers: leave --dry-run and --validate out.",
        ),
        (
            "--wait 1m --clear-checksum --validate",
            "--wait needs a run that triggers: leave --dry-run and --validate out.",
        ),
        ("--summary", "--summary sums up what --dry-run lists: add --dry-run."),
        ("--dry-run --summary 513", "--summary must be between 0 and 512."),
        ("--arn ''", "--arn needs the ARN of a replication target."),
        (
            "--older-than 7d --newer-than 1w",
            "--older-than must be less than --newer-than, or no version is both.",
        ),
        ("--status done", "--status must be PENDING or FAILED, not `done`."),
        ("--only put", "--only must be puts, deletes or purges, not `put`."),
    ] {
        let err = format!("mc-wasi: <ERROR> {what} {INVALID}\n");
        let line = format!("a/bucket {words}");
        assert_eq!(user().run(&line).whole(), ("", err.as_str(), false), "{line}");
    }
    for (words, what) in [
        ("--resolve foo", "invalid DNS resolve entry foo"),
        ("--resolve host=nowhere", "invalid DNS resolve entry host=nowhere"),
        ("-H bad", "invalid custom header entry without a colon"),
        ("-H 'a b: c'", "invalid custom header entry a b"),
        ("--limit-upload fast", "strconv.ParseFloat: parsing \"\": invalid syntax"),
    ] {
        let err = format!("mc-wasi: <ERROR> {what}\n");
        let line = format!("a/bucket {words}");
        assert_eq!(user().run(&line).whole(), ("", err.as_str(), false), "{line}");
    }
}

#[test]
fn a_shard_that_does_not_exist_is_refused_with_the_form_of_one_that_does() {
    for text in ["5/4", "4/4", "1", "a/b", "0/0", "0/1001", "/4", "1/", "-1/4", "+1/4", "1/2/4", ""]
    {
        let err = format!(
            "mc-wasi: <ERROR> --shard must be I/N with I less than N and N at most 1000, such as 0/4, not `{text}`. {INVALID}\n"
        );
        let line = format!("a/bucket --shard='{text}'");
        assert_eq!(user().run(&line).whole(), ("", err.as_str(), false), "{line}");
    }
    for text in ["0/1", "3/4", "999/1000", "03/4"] {
        assert!(user().run(&format!("a/bucket --shard {text}")).success, "{text}");
    }
}

#[test]
fn a_target_that_names_nothing_is_refused_in_the_words_of_mc() {
    for target in ["a", "a/", "//a/src", "a//src", "http://host/bucket", "", "/a/b"] {
        let err = format!("mc-wasi: <ERROR> bucket not specified in `{target}`. {INVALID}\n");
        assert_eq!(user().run(&format!("'{target}'")).whole(), ("", err.as_str(), false));
    }
    let ran = user().run("nosuch/bucket");
    let err = "mc-wasi: <ERROR> Unable to initialize admin connection. No valid configuration found for 'nosuch/bucket' host alias.\n";
    assert_eq!(ran.whole(), ("", err, false));
}

#[test]
fn variables_set_flags_and_flags_beat_them() {
    let user = || User::of(serving(objects(1))).with("MC_JSON", "true").with("MC_QUIET", "");
    assert_eq!(user().run("a/bucket --dry-run").summary()["dryRun"], true);
    let text = "✓ Replication trigger completed\n  Total: 1\n  Processed: 1\n  Failed: 0\n";
    for off in ["--json=false", "-json=0", "--json=F"] {
        assert_eq!(user().run(&format!("a/bucket {off}")).whole(), (text, "", true), "{off}");
    }
    let err = "mc-wasi: <ERROR> could not parse yes as bool value for flag debug: strconv.ParseBool: parsing \"yes\": invalid syntax\n";
    let ran = user().with("MC_DEBUG", "yes").run("a/bucket --json=0");
    assert_eq!(ran.whole(), ("", err, false));
}

/// A flag as it is given.
fn given(flag: &resync_core::command::Flag) -> String {
    let value = match (flag.takes, flag.long) {
        (Takes::Switch | Takes::Number, _) => return format!("--{}", flag.long),
        (_, "resolve") => "host=127.0.0.1",
        (_, "custom-header") => "X-A:b",
        (_, "conn-read-deadline" | "conn-write-deadline") => "1m",
        _ => "10MiB",
    };
    format!("--{}={value}", flag.long)
}

#[test]
fn a_flag_that_only_a_host_can_serve_is_refused_where_it_does_not() {
    let concerns_host = |class| matches!(class, Class::Host | Class::Hidden);
    let flags: Vec<_> = FLAGS.iter().filter(|flag| concerns_host(flag.class)).collect();
    let all: Vec<&str> = flags.iter().map(|flag| flag.long).collect();
    let all: &'static str = String::leak(all.join(","));
    for flag in flags {
        let line = format!("a/bucket {}", given(flag));
        let refused = format!(
            "mc-wasi: <ERROR> --{} cannot be honoured by this WebAssembly host. Configuration, name resolution, TLS and bandwidth are the host's. Run mc-wasi, which serves this flag.\n",
            flag.long
        );
        for (serves, is_served) in [("", false), ("debug,stop", false), (all, true)] {
            // A header can be set by the component itself.
            let runs = is_served || flag.long == "custom-header";
            let user = User::of(serving(objects(1))).with(SERVES, serves);
            let ran = { user }.with("MC_HOST_a", "http://ak:sk@minio.example:9000").run(&line);
            let err = if runs { "" } else { refused.as_str() };
            assert_eq!((ran.err.as_str(), ran.success), (err, runs), "{line}: {serves}");
        }
    }
}

#[test]
fn flags_are_taken_in_every_form_and_place() {
    let expected = ran(serving(objects(3)), "a/bucket --json --dry-run").summary();
    for line in [
        "-json -dry-run a/bucket",
        "--json=true a/bucket --dry-run=T",
        "a/bucket -json=1 --dry-run=true --json=false",
        "--dry-run --json -- a/bucket",
        "-c 5 --json --dry-run --rate-limit=20 a/bucket -q --dp --no-color",
    ] {
        let mut summary = ran(serving(objects(3)), line).summary();
        summary["duration"] = expected["duration"].clone();
        assert_eq!(summary, expected, "{line}");
    }
}

#[test]
fn the_words_of_the_command_may_stand_in_front_as_the_help_shows_them() {
    for line in ["a/bucket", "--json a/bucket", "a/bucket -c 0", "--help", "", "-- a/bucket"] {
        let said = |line: &str| User::of(serving(objects(1))).run(line);
        let (with, without) = (said(&format!("replicate resync-backlog {line}")), said(line));
        let text = |out: &str| out.split("\"duration\"").next().unwrap_or_default().to_owned();
        assert_eq!(
            (text(&with.out), with.err, with.success),
            (text(&without.out), without.err, without.success),
            "{line}"
        );
    }
    let help = user().run("--help").out;
    for (serves, line) in [
        ("signs", "replicate a/bucket"),
        ("signs", "resync-backlog a/bucket"),
        ("signs", "replicate resync-backlog replicate resync-backlog a/bucket"),
        // This host has taken them out, wherever they stood.
        ("signs,mc-wasi", "replicate resync-backlog a/bucket"),
    ] {
        let ran = user().with(SERVES, serves).run(line);
        assert_eq!(ran.whole(), (help.as_str(), "", false), "{line}");
    }
}

#[test]
fn a_hint_repeats_the_command_with_its_words_once() {
    let mut versions = objects(1);
    versions[0].fate = crate::world::Fate::Refused(crate::world::Refusal::INVALID);
    let hint = |words: &str| {
        let ran =
            User::of(serving(versions.clone())).calling("mc").run(&format!("{words}a/bucket"));
        ran.out.lines().filter(|line| line.contains("resync-backlog")).collect::<String>()
    };
    assert_eq!(hint("replicate resync-backlog "), hint(""));
}
