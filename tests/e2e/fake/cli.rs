//! The command line: help, versions, usage errors, and every flag in every position.

use crate::{mc_wasi, mc_wasi_at};
use mc_wasi_tests::fake::{Backlog, FakeServer, Options};
use mc_wasi_tests::mcwasi::{McWasi, Ran};
use mc_wasi_tests::minio::workspace_root;
use std::os::unix::process::CommandExt;

/// A server with this many versions, and `mc-wasi` that knows it as `a`.
fn with_backlog(count: u64) -> (FakeServer, McWasi) {
    let server = FakeServer::start(Options::with_backlog(Backlog::synthetic(count, 1)));
    let mc_wasi = mc_wasi_at(&server.alias_url());
    (server, mc_wasi)
}

#[test]
fn the_output_is_that_of_the_manual() {
    let server = FakeServer::start(Options::with_backlog(Backlog::demo()));
    let ran = mc_wasi().alias("myaistor", &server.alias_url()).run(&["myaistor/mybucket"]);
    assert_eq!(
        ran.stdout,
        "✓ Replication trigger completed
  Total: 150
  Processed: 148
  Failed: 2

⚠ Some objects failed to trigger replication.
  You can re-run this command to retry failed objects:
  $ mc-wasi replicate resync-backlog myaistor/mybucket
"
    );
    assert_eq!(ran.status, 1);
    assert_eq!(server.triggers(), (148, 0));
    assert_eq!(server.bad_signatures(), 0);
}

#[test]
fn the_help_is_laid_out_as_in_mc() {
    let mc_wasi = mc_wasi();
    let ran = mc_wasi.run(&["--help"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.contains("show help\n  \nREQUIRED"), "two blanks stand behind the flags");
    let home = mc_wasi.home().display().to_string();
    insta::assert_snapshot!("help", ran.stdout.replace(&home, "/home/me"));
    for words in [&["-h"][..], &["-h", "no/such", "thing"], &["a/b", "--help"]] {
        assert_eq!(mc_wasi.run(words).stdout, ran.stdout, "{words:?}");
    }
    assert_eq!(mc_wasi.run_words(&["-h", "replicate", "resync-backlog"]).stdout, ran.stdout);
}

#[test]
fn a_wrong_flag_is_named_wherever_it_stands() {
    let mc_wasi = mc_wasi();
    for words in
        [&["--bogus"][..], &["replicate", "--bogus"], &["replicate", "resync-backlog", "--bogus"]]
    {
        let ran = mc_wasi.run_words(words);
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""), "{words:?}");
        let begins =
            "mc-wasi: <ERROR> Invalid command usage, flag provided but not defined: -bogus\n";
        assert!(ran.stderr.starts_with(begins), "{words:?}: {}", ran.stderr);
    }
}

#[test]
fn a_word_that_is_no_command_is_named_with_what_it_may_have_been() {
    let ran = mc_wasi().run_words(&["replicate", "resync", "a/b"]);
    assert_eq!(
        ran.stderr,
        "mc-wasi: <ERROR> `resync` is not a recognized command. Get help using `--help` flag.

Did you mean one of these?
        `resync-backlog`
"
    );
    assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
    let ran = mc_wasi().run_words(&["mirror", "a", "b"]);
    assert_eq!(
        ran.stderr,
        "mc-wasi: <ERROR> `mirror` is not a recognized command. Get help using `--help` flag.\n"
    );
    assert_eq!(ran.status, 1);
}

#[test]
fn the_commands_and_the_version_are_told_on_stdout() {
    let root = workspace_root();
    let commit = component_build::commit(&root).unwrap_or("unknown".to_owned());
    let wasmtime = component_build::locked_version(&root, "wasmtime").expect("a version");
    for words in [&["--version"][..], &["-v"]] {
        let ran = mc_wasi().run_words(words);
        let first = format!("mc-wasi version {} (commit-id={commit})\n", env!("CARGO_PKG_VERSION"));
        assert!(ran.stdout.starts_with(&first), "{}", ran.stdout);
        assert!(ran.stdout.contains(&format!("\nRuntime: wasmtime {wasmtime} ")), "{}", ran.stdout);
        assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    }
    for (words, listed) in [
        (&[][..], "  replicate "),
        (&["--help"], "  replicate "),
        (&["replicate"], "  resync-backlog"),
    ] {
        let ran = mc_wasi().run_words(words);
        assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{words:?}");
        assert!(ran.stdout.contains(&format!("COMMANDS:\n{listed}")), "{words:?}: {}", ran.stdout);
    }
    let ran = mc_wasi().run(&["-v", "a/b"]);
    let begins = "mc-wasi: <ERROR> Invalid command usage, flag provided but not defined: -v\n";
    assert!(ran.stderr.starts_with(begins), "{}", ran.stderr);
}

/// Runs with these words before `replicate`, between the words, before TARGET and behind it.
fn in_every_position(mc_wasi: &McWasi, words: &[&str]) -> Vec<Ran> {
    let (target, dry) = ("a/mybucket", "--dry-run");
    [
        [words, &["replicate", "resync-backlog", dry, target]].concat(),
        [&["replicate"], words, &["resync-backlog", dry, target]].concat(),
        [&["replicate", "resync-backlog", dry], words, &[target]].concat(),
        [&["replicate", "resync-backlog", dry, target], words].concat(),
    ]
    .iter()
    .map(|line| mc_wasi.run_words(line))
    .collect()
}

#[test]
fn every_global_flag_is_taken_in_every_position() {
    let (server, mc_wasi) = with_backlog(1);
    let folder = mc_wasi.home().display().to_string();
    for words in [
        &["--config-dir", &folder][..],
        &["-C", &folder],
        &["--quiet"],
        &["-q"],
        &["--disable-pager"],
        &["--dp"],
        &["-dp"],
        &["--no-color"],
        &["--debug"],
        &["--resolve", "minio.local:9000=127.0.0.1"],
        &["--insecure"],
        &["--limit-upload", "10MiB"],
        &["--limit-download=10M"],
        &["--custom-header", "X-A: b"],
        &["-H", "X-A:b"],
        &["--conn-read-deadline", "1m"],
        &["--conn-write-deadline", "1m"],
    ] {
        for ran in in_every_position(&mc_wasi, words) {
            assert_eq!(ran.status, 0, "{words:?}: {}{}", ran.stdout, ran.stderr);
            assert!(ran.stdout.contains("\n✓ Dry run completed"), "{words:?}: {}", ran.stdout);
        }
    }
    for words in [&["--json"][..], &["-json"], &["--json=true"], &["-json=T"], &["--json=1"]] {
        for ran in in_every_position(&mc_wasi, words) {
            assert_eq!(ran.summary()["total"], 1, "{words:?}");
        }
    }
    for ran in in_every_position(&mc_wasi, &["--json=false"]) {
        assert!(ran.stdout.contains("\n✓ Dry run completed"), "{}", ran.stdout);
    }
    assert_eq!((server.bad_signatures(), server.triggers()), (0, (0, 0)));
}

#[test]
fn variables_set_flags_and_flags_beat_them() {
    let (server, mc_wasi) = with_backlog(1);
    let mc_wasi = mc_wasi.env("MC_JSON", "true").env("MC_QUIET", "").env("MC_INSECURE", "T");
    assert_eq!(mc_wasi.run(&["--dry-run", "a/mybucket"]).summary()["dryRun"], true);
    let ran = mc_wasi.run(&["--dry-run", "a/mybucket", "--json=false"]);
    assert!(ran.stdout.contains("\n✓ Dry run completed"), "{}", ran.stdout);
    let ran = mc_wasi.env("MC_DEBUG", "yes").run(&["--dry-run", "a/mybucket", "--json=0"]);
    assert_eq!(
        ran.stderr,
        "mc-wasi: <ERROR> could not parse yes as bool value for flag debug: strconv.ParseBool: parsing \"yes\": invalid syntax\n"
    );
    assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
    assert_eq!(server.requests(), 2 * 2, "v4 and v3 of two listings");
}

#[test]
fn messages_bear_the_name_that_the_program_was_called_by() {
    for (argv0, name) in [
        ("/usr/local/bin/mcli", "mcli"),
        ("mc", "mc"),
        ("./plugins/resync.wasm", "mc"),
        ("mc-wasi", "mc-wasi"),
    ] {
        let mut command = mc_wasi().command(["replicate", "resync-backlog", "a"]);
        let ran = Ran::from(command.arg0(argv0).output().unwrap());
        let begins = format!("{name}: <ERROR> bucket not specified in `a`.");
        assert!(ran.stderr.starts_with(&begins), "{argv0}: {}", ran.stderr);
    }
}

#[test]
fn the_command_to_run_again_has_the_users_own_flags_ready_for_a_shell() {
    let server = FakeServer::start(Options::with_backlog(Backlog::demo()));
    let mc_wasi = mc_wasi_at(&server.alias_url());
    let words = ["-q", "replicate", "resync-backlog", "-c", "5", "a/mybucket/hr/pay roll's $HOME"];
    server.push(
        mc_wasi_tests::fake::Version::put("hr/pay roll's $HOME/x")
            .refusing(mc_wasi_tests::fake::S3Error::new(400, "InvalidArgument")),
    );
    let ran = mc_wasi.run_words(&words);
    let hint = ran.stdout.lines().last().unwrap_or_default();
    let again = r#"mc-wasi replicate resync-backlog -q -c 5 "a/mybucket/hr/pay roll's "'$HOME'"#;
    assert_eq!(hint.trim(), format!("$ {again}"));
    // A shell reads it back as what was given.
    let mut shell = std::process::Command::new("sh");
    let told =
        shell.args(["-c", &format!("for word in {again}; do echo \"$word\"; done")]).output();
    let told = String::from_utf8(told.unwrap().stdout).unwrap();
    let told: Vec<&str> = told.lines().collect();
    assert_eq!(told, ["mc-wasi", "replicate", "resync-backlog", "-q", "-c", "5", words[5]]);
}
