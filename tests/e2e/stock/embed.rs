//! The examples that embed the component do what they say, each in at most sixty lines.

use mc_wasi_tests::fake::{Backlog, FakeServer, Options, S3Error};
use mc_wasi_tests::mcwasi::Ran;
use mc_wasi_tests::minio::workspace_root;
use mc_wasi_tests::stock::{isolate, python, transpile};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const VERSIONS: u64 = 500;

/// A folder with the component and one of the examples in it.
fn stage(example: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a folder");
    let source = workspace_root().join("examples").join(example);
    let lines = fs::read_to_string(&source).expect("the example").lines().count();
    assert!(lines <= 60, "{example} has {lines} lines");
    fs::copy(source, folder.path().join(example)).expect("a copy");
    let component = folder.path().join("component.wasm");
    fs::write(&component, mc_wasi::COMPONENT).expect("the component");
    (folder, component)
}

/// What an example prints of a run in which everything goes well, of one in which a few versions
/// fail, and of one with wrong keys.
fn shows_progress_and_summary(folder: &Path, command: impl Fn() -> Command) {
    let run = |failing, secret: &str| {
        let refusal = S3Error::new(400, "InvalidArgument");
        let backlog = Backlog::mixed(VERSIONS, 1, 5, failing, refusal);
        let server = FakeServer::start(Options::with_backlog(backlog));
        let mut command = command();
        isolate(&mut command, folder);
        command.args([server.url().as_str(), "mybucket"]);
        command.env("ACCESS_KEY", "minioadmin").env("SECRET_KEY", secret);
        let ran = Ran::from(command.output().expect("the example starts"));
        (ran, server.triggers())
    };
    let (ran, triggers) = run(0, "minioadmin");
    assert_eq!((ran.status, triggers), (0, (VERSIONS, 0)), "{}", ran.stderr);
    let summary = ran.stdout.to_lowercase();
    assert!(summary.ends_with("complete: 500 of 500 triggered, 0 failed\n"), "{summary}");
    let progress: Vec<&str> = ran.stderr.lines().collect();
    assert!(progress.len() > 5, "progress is live: {progress:?}");
    assert_eq!(progress.last(), Some(&"500 triggered"));

    let (ran, triggers) = run(3, "minioadmin");
    assert_eq!((ran.status, triggers), (1, (VERSIONS - 3, 0)), "{}", ran.stderr);
    assert_eq!(ran.stdout.lines().count(), 4, "three failures and the summary: {}", ran.stdout);
    assert!(ran.stdout.ends_with(": 497 of 500 triggered, 3 failed\n"), "{}", ran.stdout);

    let (ran, triggers) = run(0, "wrong");
    assert_eq!((ran.status, triggers), (1, (0, 0)));
    assert!(ran.stderr.to_lowercase().contains("unauthorized"), "{}", ran.stderr);
}

#[test]
fn a_rust_program_drives_the_job() {
    let (folder, component) = stage("embed.rs");
    let tested = std::env::current_exe().expect("the path of this test");
    let built = tested.ancestors().nth(2).expect("the profile's folder").join("examples/embed");
    assert!(built.is_file(), "{} is missing: cargo build --release --examples", built.display());
    shows_progress_and_summary(folder.path(), || {
        let mut command = Command::new(&built);
        command.arg(&component);
        command
    });
}

#[test]
fn a_python_program_drives_the_job() {
    let (folder, component) = stage("embed.py");
    shows_progress_and_summary(folder.path(), || {
        let mut command = Command::new(python());
        command.arg(folder.path().join("embed.py")).arg(&component);
        command
    });
}

#[test]
fn a_node_program_drives_the_job() {
    let (folder, component) = stage("embed.mjs");
    transpile(&component, folder.path());
    shows_progress_and_summary(folder.path(), || {
        let mut command = Command::new("node");
        command.arg(folder.path().join("embed.mjs"));
        command
    });
}
