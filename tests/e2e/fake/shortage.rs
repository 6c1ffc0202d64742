//! What this machine may lack: files, address space, memory, space on a disk, a home, text that is text.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::mc_wasi_at;
use mc_wasi_tests::fake::{Backlog, Effect, FakeServer, Fault, Options, Route};
use mc_wasi_tests::mcwasi::{McWasi, Ran};
use mc_wasi_tests::watch::Watched;

/// Longer than each of these runs takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(240);

fn start(versions: u64) -> (FakeServer, McWasi) {
    let server = FakeServer::start(Options::with_backlog(Backlog::synthetic(versions, 1)));
    let mc_wasi = mc_wasi_at(&server.alias_url());
    (server, mc_wasi)
}

fn words<'a>(flags: &[&'a str]) -> Vec<&'a str> {
    [&["replicate", "resync-backlog", "a/mybucket"], flags].concat()
}

/// The same command, run by a program that changes what it may use and then becomes it.
fn through(program: &str, arguments: &[&str], command: &Command) -> Command {
    let mut through = Command::new(program);
    through.args(arguments).arg(command.get_program()).args(command.get_args()).env_clear();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            through.env(name, value);
        }
    }
    through.stdin(Stdio::null()).stdout(Stdio::piped());
    through
}

/// The same command with a limit of the shell.
fn limited(limit: &str, command: &Command) -> Ran {
    let script = format!("ulimit {limit} && exec \"$0\" \"$@\"");
    Watched::start(&mut through("/bin/sh", &["-c", &script], command)).finish(LIMIT).ran
}

#[test]
fn few_open_files_make_a_run_slower_and_no_version_fails() {
    let (server, mc_wasi) = start(300);
    server.inject(Fault::on(Route::Head, Effect::Delay(Duration::from_millis(100))));
    let ran = limited("-n 24", &mc_wasi.command(words(&["-c", "100", "--json"])));
    assert_eq!((ran.status, ran.summary()["processed"].as_u64()), (0, Some(300)), "{ran:?}");
    assert!(server.peak_in_flight() < 24, "{}", server.peak_in_flight());
    assert_eq!(ran.summary()["outages"], 0, "it is not the server that is out: {ran:?}");
}

#[test]
fn two_gigabytes_of_addresses_are_enough() {
    let (server, mc_wasi) = start(100);
    let ran = limited("-v 2000000", &mc_wasi.command(words(&[])));
    assert_eq!((ran.status, server.triggers()), (0, (100, 0)), "{ran:?}");
}

#[test]
fn memory_that_may_not_be_executable_is_named() {
    let (server, mc_wasi) = start(1);
    // PR_SET_MDWE, what systemd's MemoryDenyWriteExecute= does on a recent kernel.
    let deny = "import ctypes, os, sys\n\
                assert ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) == 0\n\
                os.execv(sys.argv[1], sys.argv[1:])";
    let command = mc_wasi.command(words(&[]));
    let mut denied = through("python3", &["-c", deny], &command);
    denied.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let ran = Watched::start(&mut denied).finish(LIMIT).ran;
    assert_eq!((ran.status, server.triggers()), (1, (0, 0)), "{ran:?}");
    assert!(ran.stderr.contains("MemoryDenyWriteExecute="), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
}

#[test]
fn a_run_that_uses_up_its_memory_ends_with_its_summary_wherever_that_is() {
    // A set of versions doubles at 458,752, at 917,504 and at 1,835,008, to 19 MiB. In steps of 5 MiB
    // each is met with too little memory, and with just enough.
    let (server, _) = start(1_000_000);
    let run = |flags: &[&str], mebibytes: u64| {
        let mc_wasi =
            mc_wasi_at(&server.alias_url()).env("MC_WASI_MAX_MEMORY", &format!("{mebibytes}MiB"));
        mc_wasi.run(&[&["a/mybucket", "--json"], flags].concat())
    };
    for mebibytes in (11..=40).step_by(5) {
        let ran = run(&["--dry-run", "--verify-listing"], mebibytes);
        let complete = ran.summary()["complete"] == true;
        assert_eq!(ran.status == 0, complete, "{mebibytes}: {}", ran.stderr);
        let told = ran.stdout.contains("Raise MC_WASI_MAX_MEMORY");
        assert_eq!(told, !complete, "{mebibytes}: {}", ran.stderr);
        assert!(mebibytes < 36 || complete, "{mebibytes}: {}", ran.stderr);
    }
    // What a run only wants for a second listing it does without.
    let ran = run(&["--dry-run"], 16);
    assert_eq!(
        (ran.status, ran.summary()["total"].as_u64()),
        (0, Some(1_000_000)),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_full_disk_under_stdout_is_named_and_json_triggers_no_more() {
    for (flags, all) in [(&[][..], true), (&["--json"], false)] {
        let (server, mc_wasi) = start(20_000);
        let full = OpenOptions::new().write(true).open("/dev/full").expect("the device");
        let mut command = mc_wasi.command(words(flags));
        let ran = Watched::start(command.stdout(full)).finish(LIMIT).ran;
        assert_eq!(ran.status, 1, "{flags:?}: {ran:?}");
        assert!(ran.stderr.contains("No space left on device"), "{flags:?}: {}", ran.stderr);
        let (triggered, _) = server.triggers();
        assert_eq!(triggered == 20_000, all, "{flags:?}: {triggered}");
        if !all {
            assert!(ran.stderr.contains("\n  Processed: "), "its summary is there: {}", ran.stderr);
        }
    }
}

#[test]
fn a_reader_that_pauses_on_a_stream_that_does_not_block_gets_everything() {
    let (server, mc_wasi) = start(20_000);
    let (mut reader, writer) = UnixStream::pair().expect("a pair of sockets");
    writer.set_nonblocking(true).expect("a stream that does not block");
    let mut command = mc_wasi.command(words(&["--json"]));
    let watched = Watched::start(command.stdout(OwnedFd::from(writer)));
    drop(command);
    std::thread::sleep(Duration::from_secs(2));
    let mut read = String::new();
    reader.read_to_string(&mut read).expect("all of it");
    assert_eq!(watched.finish(LIMIT).ran.status, 0);
    assert_eq!(read.lines().count(), 20_001);
    assert_eq!(server.triggers(), (20_000, 0));
}

#[test]
fn what_is_not_utf_8_is_refused_by_name() {
    let (server, mc_wasi) = start(1);
    let bytes = |text: &[u8]| OsString::from_vec(text.to_vec());
    let refused = |mut command: Command, what: &str| {
        let ran = Watched::start(command.stdout(Stdio::piped())).finish(LIMIT).ran;
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""), "{ran:?}");
        assert!(ran.stderr.contains(what) && ran.stderr.contains("UTF-8"), "{}", ran.stderr);
    };
    for word in [&b"a/mybucket/caf\xe9"[..], b"\xff/mybucket", b"--arn=\xe9"] {
        let words = [bytes(b"replicate"), bytes(b"resync-backlog"), bytes(b"a/b"), bytes(word)];
        refused(mc_wasi.command(words), "the argument");
    }
    for name in ["MC_HOST_other", "MC_REGION", "MC_CONFIG_DIR"] {
        let mut command = mc_wasi.command(words(&[]));
        command.env(name, bytes(b"caf\xe9"));
        refused(command, name);
    }
    // What it does not read may be anything.
    let mut command = mc_wasi.command(words(&[]));
    let ran = Watched::start(command.env("LS_COLORS", bytes(b"\xff")).stdout(Stdio::piped()));
    assert_eq!(ran.finish(LIMIT).ran.status, 0);
    assert_eq!(server.triggers(), (1, 0));
}

#[test]
fn without_a_home_that_of_the_password_database_is_looked_into() {
    let (_server, mc_wasi) = start(1);
    let mut command = mc_wasi.command(["replicate", "resync-backlog", "nobody/b"]);
    let ran = Watched::start(command.env_remove("HOME").stdout(Stdio::piped())).finish(LIMIT).ran;
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).expect("a database");
    let home = user.expect("this user").dir.join(".mc/config.json").display().to_string();
    assert_eq!(ran.status, 1);
    assert!(ran.stderr.contains(&home), "{home}: {}", ran.stderr);
}
