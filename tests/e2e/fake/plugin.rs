//! A link with the name of the command is the command.

use crate::MC_WASI;
use mc_wasi_tests::fake::{Backlog, FakeServer, Options};
use std::process::{Command, Output};
use tempfile::TempDir;

/// Runs `mc-wasi` through a link of this name.
fn run(name: &str, words: &[&str], alias_url: &str) -> Output {
    let folder = TempDir::new().expect("a folder");
    let link = folder.path().join(name);
    std::os::unix::fs::symlink(MC_WASI, &link).expect("a link");
    let mut command = Command::new(link);
    command.args(words).env_clear().env("HOME", folder.path()).env("MC_HOST_myaistor", alias_url);
    command.output().expect("it starts")
}

#[test]
fn the_command_needs_no_words_before_its_flags() {
    for name in ["mc-replicate-resync-backlog", "kubectl-mc_replicate_resync_backlog"] {
        let server = FakeServer::start(Options::with_backlog(Backlog::demo()));
        let output = run(name, &["myaistor/mybucket"], &server.alias_url());
        assert_eq!((output.status.code(), server.triggers()), (Some(1), (148, 0)));
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(stdout.ends_with(&format!("  $ {name} myaistor/mybucket\n")), "{stdout}");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(stderr.starts_with(&format!("{name}: <ERROR> ")), "{stderr}");
    }
}

#[test]
fn help_and_version_are_its_own() {
    let output = run("mc-replicate-resync-backlog", &["--help"], "");
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success());
    assert!(stdout.contains("\nUSAGE:\n  mc-replicate-resync-backlog TARGET\n"), "{stdout}");
    let output = run("mc-replicate-resync-backlog", &["--version"], "");
    assert!(output.stdout.starts_with(b"mc-replicate-resync-backlog version "));
}
