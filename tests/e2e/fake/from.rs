//! `--from` on the real process: files, pipes and what is neither, signals, and a million lines.

use crate::mc_wasi_at;
use mc_wasi_tests::fake::{Backlog, FakeServer, Options};
use mc_wasi_tests::mcwasi::{McWasi, Ran};
use mc_wasi_tests::quiet;
use mc_wasi_tests::wait::wait_until;
use mc_wasi_tests::watch::Watched;
use nix::sys::signal::Signal;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

const WORDS: [&str; 3] = ["replicate", "resync-backlog", "a/mybucket"];

/// A run takes seconds; the machine may be busy.
const LIMIT: Duration = Duration::from_secs(240);

fn serve(versions: u64) -> FakeServer {
    let options =
        Options { replicates: false, ..Options::with_backlog(Backlog::synthetic(versions, 1)) };
    FakeServer::start(options)
}

/// A user, in whose home a dry run has left what is in the backlog.
fn with_list(server: &FakeServer) -> McWasi {
    let mc_wasi = mc_wasi_at(&server.alias_url());
    let list = File::create(mc_wasi.home().join("run.jsonl")).unwrap();
    let mut command = mc_wasi.command(WORDS);
    let ran = command.args(["--dry-run", "--json"]).stdout(list).status().unwrap();
    assert!(ran.success());
    mc_wasi
}

/// The command with this file of the home folder.
fn from(mc_wasi: &McWasi, name: &str) -> Command {
    let mut command = mc_wasi.command(WORDS);
    command.arg("--from").arg(mc_wasi.home().join(name)).stdout(Stdio::piped());
    command
}

fn finish(command: &mut Command) -> Ran {
    Watched::start(command).finish(LIMIT).ran
}

#[test]
fn a_file_and_standard_input_are_driven_without_a_listing() {
    let server = serve(500);
    let mc_wasi = with_list(&server);
    let listings = server.listings();
    finish(&mut from(&mc_wasi, "run.jsonl")).assert_completed(500);
    let file = File::open(mc_wasi.home().join("run.jsonl")).unwrap();
    let mut command = mc_wasi.command(WORDS);
    finish(command.args(["--from", "-"]).stdin(file).stdout(Stdio::piped())).assert_completed(500);
    assert_eq!(server.triggers(), (500, 500), "every version twice");
    assert_eq!(server.listings(), listings);
    assert_eq!(server.bad_signatures(), 0);
}

#[test]
fn a_manifest_needs_no_versions() {
    let server = serve(3);
    let mc_wasi = with_list(&server);
    let list = fs::read_to_string(mc_wasi.home().join("run.jsonl")).unwrap();
    let mut manifest = String::new();
    for line in list.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        if let Some(key) = line["object"].as_str() {
            let _ = writeln!(manifest, "mybucket,{}", mc_wasi_tests::minio::encode_key(key));
        }
    }
    fs::write(mc_wasi.home().join("manifest.csv"), manifest).unwrap();
    finish(&mut from(&mc_wasi, "manifest.csv")).assert_completed(3);
    assert_eq!(server.triggers(), (3, 0));
}

#[test]
fn what_is_no_list_of_versions_ends_the_run_with_a_clear_error() {
    let server = serve(1);
    let mc_wasi = mc_wasi_at(&server.alias_url());
    let home = mc_wasi.home().to_owned();
    fs::create_dir(home.join("folder")).unwrap();
    fs::write(home.join("binary"), [0x1f, 0x8b, 8, 0, 0xff, 0xfe]).unwrap();
    fs::write(home.join("other"), "otherbucket,k\n".repeat(30)).unwrap();
    for (name, why) in [
        ("folder", "It is a folder."),
        ("missing", "No such file or directory (os error 2)."),
        ("binary", "It is not text in UTF-8"),
        ("other", "It is of bucket `otherbucket`, not of `mybucket`."),
    ] {
        let ran = finish(&mut from(&mc_wasi, name));
        let what = format!("Unable to read the versions of `{}`. ", home.join(name).display());
        let last = ran.stderr.lines().last().unwrap_or_default();
        assert!(last.contains(&what) && last.contains(why), "{name}: {}", ran.stderr);
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""), "{name}");
    }
    assert_eq!(server.triggers(), (0, 0));
}

#[test]
fn what_lists_is_denied_where_versions_are_given() {
    let server = serve(1);
    let grant =
        mc_wasi_at(&server.alias_url()).run(&["a/mybucket", "--from", "-", "--print-grant"]);
    assert!(!grant.stdout.contains("replication/diff"), "{}", grant.stdout);
    assert!(grant.stdout.contains("HEAD "), "{}", grant.stdout);
}

#[test]
fn a_signal_is_heard_while_the_file_waits_for_room() {
    let server = serve(20_000);
    let mc_wasi = with_list(&server);
    let mut command = from(&mc_wasi, "run.jsonl");
    let run = Watched::start(command.args(["--rate-limit", "50", "--memory", "64KiB", "--json"]));
    wait_until("triggering", || server.triggers().0 >= 50);
    run.signal(Signal::SIGINT);
    let ran = run.finish(LIMIT).ran;
    let summary = ran.summary();
    assert_eq!((ran.status, ran.stderr.as_str()), (130, ""));
    assert_eq!(
        (&summary["complete"], &summary["processed"]),
        (&false.into(), &server.triggers().0.into())
    );
    let total = summary["total"].as_u64().unwrap();
    assert!(total < 20_000, "it was not read further than there was room: {total}");
}

#[test]
fn a_signal_is_heard_while_a_pipe_is_silent() {
    let server = serve(10);
    let mc_wasi = with_list(&server);
    let list = fs::read(mc_wasi.home().join("run.jsonl")).unwrap();
    for (signal, status) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let triggered = || server.triggers().0 + server.triggers().1;
        let before = triggered();
        let (reader, mut writer) = std::io::pipe().unwrap();
        let mut command = mc_wasi.command(WORDS);
        let command = command.args(["--from", "-"]).stdin(reader).stdout(Stdio::piped());
        let run = Watched::start(command);
        writer.write_all(&list).unwrap();
        wait_until("triggered", || triggered() == before + 10);
        run.signal(signal);
        let ran = run.finish(LIMIT).ran;
        assert_eq!((ran.status, ran.stderr.as_str()), (status, ""));
        assert!(ran.stdout.starts_with("⚠ Replication trigger interrupted"), "{}", ran.stdout);
        assert!(ran.stdout.contains("  Processed: 10\n"), "{}", ran.stdout);
        drop(writer);
    }
}

/// Lines of a file that is far larger than the memory.
const LINES: usize = 1_000_000;

/// Of them, those that are driven: as many as a test has time for.
const DRIVEN: u64 = 100_000;

/// Measured: 34 MiB.
const PEAK_MIB: u64 = 80;

#[test]
fn a_million_lines_take_no_more_memory_than_a_few() {
    let _loud = quiet::broken();
    let options =
        Options { verify: false, log: false, ..Options::with_backlog(Backlog::synthetic(1000, 1)) };
    let server = FakeServer::start(options);
    let mc_wasi = with_list(&server);
    let list = fs::read_to_string(mc_wasi.home().join("run.jsonl")).unwrap();
    let versions: Vec<&str> = list.lines().filter(|line| line.contains("\"object\"")).collect();
    let mut file = std::io::BufWriter::new(File::create(mc_wasi.home().join("long")).unwrap());
    for line in versions.iter().cycle().take(LINES) {
        writeln!(file, "{line}").unwrap();
    }
    file.flush().unwrap();

    let mut command = from(&mc_wasi, "long");
    let dry = Watched::start(command.arg("--dry-run").stdout(Stdio::null())).finish(LIMIT);
    assert_eq!((dry.ran.status, dry.ran.stderr.as_str()), (0, ""));
    assert!(dry.peak_mib < PEAK_MIB, "{} MiB", dry.peak_mib);

    let mut command = from(&mc_wasi, "long");
    let mut run = Watched::start(
        command.args(["-c", "100", "--memory", "1MiB", "--json"]).stdout(Stdio::null()),
    );
    wait_until("driven", || server.triggers().1 >= DRIVEN);
    let peak = run.peak_mib();
    run.signal(Signal::SIGINT);
    assert_eq!(run.finish(LIMIT).ran.status, 130);
    assert!(peak < PEAK_MIB, "{peak} MiB");
}
