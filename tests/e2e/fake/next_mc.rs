//! Under the name `mc`, in front of another one: that one is a script here, which shows what it was given.

use crate::MC_WASI;
use mc_wasi_tests::fake::{Backlog, FakeServer, Options};
use mc_wasi_tests::mcwasi::Ran;
use mc_wasi_tests::terminal;
use mc_wasi_tests::watch::{self, Watched};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(60);

/// A script that says which words it got.
const SHOWS: &str = "for word in \"$@\"; do printf '<%s>' \"$word\"; done";

/// Folders of a `PATH`, each with an `mc` or without.
struct Folders(TempDir);

impl Folders {
    /// This program as `front/mc`, and no other one.
    fn new() -> Self {
        let folders = Self(TempDir::new().expect("a folder"));
        folders.link("front");
        folders
    }

    /// This program in front of a script.
    fn before(script: &str) -> Self {
        let folders = Self::new();
        folders.script("next", script);
        folders
    }

    /// A folder for an `mc`, and the `mc`.
    fn file(&self, folder: &str) -> PathBuf {
        let folder = self.0.path().join(folder);
        fs::create_dir_all(&folder).expect("a folder");
        folder.join("mc")
    }

    fn link(&self, folder: &str) {
        symlink(MC_WASI, self.file(folder)).expect("a link");
    }

    fn script(&self, folder: &str, script: &str) {
        let file = self.file(folder);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("a script");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("its permissions");
    }

    /// `front/mc`, not yet started, with a `PATH` of these folders.
    fn command(&self, folders: &[&str]) -> Command {
        let mut command = Command::new(self.file("front"));
        let path = folders.iter().map(|folder| self.0.path().join(folder));
        command.env_clear().env("HOME", self.0.path());
        command.env("PATH", std::env::join_paths(path).expect("a PATH")).stdin(Stdio::null());
        command
    }

    fn run(&self, folders: &[&str], words: &[&str]) -> Ran {
        run(self.command(folders).args(words))
    }
}

/// It ended before it did anything, with one error that says this.
#[track_caller]
fn assert_says(ran: &Ran, why: &str) {
    let error = ran.stderr.starts_with("mc: <ERROR> ") && ran.stderr.contains(why);
    assert!(error && ran.stderr.lines().count() == 1, "{}", ran.stderr);
    assert_eq!((ran.stdout.as_str(), ran.status), ("", 1));
}

#[track_caller]
fn run(command: &mut Command) -> Ran {
    watch::run(command, LIMIT)
}

const PATH: [&str; 2] = ["front", "next"];

#[test]
fn every_other_command_line_is_the_next_mcs_word_for_word() {
    let folders = Folders::before(SHOWS);
    for (words, shown) in [
        (&["ls", "a/b c", "", "*"][..], "<ls><a/b c><><*>"),
        (&[], ""),
        (&["--version"], "<--version>"),
        (&["--help"], "<--help>"),
        (&["replicate", "resync", "start", "a/b"], "<replicate><resync><start><a/b>"),
        (&["replicate", "resync-backlgo", "a/b"], "<replicate><resync-backlgo><a/b>"),
        (&["--bogus", "replicate", "x"], "<--bogus><replicate><x>"),
    ] {
        let ran = folders.run(&PATH, words);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str(), ran.status), (shown, "", 0));
    }
    let bytes = OsStr::from_bytes(b"\xff\xfe");
    let output = folders.command(&PATH).arg("ls").arg(bytes).output().expect("it starts");
    assert_eq!(output.stdout, b"<ls><\xff\xfe>");
}

#[test]
fn the_next_mc_takes_the_place_of_this_process() {
    let folders = Folders::before("read line; echo $line; echo $$; echo said >&2; exit 42");
    let input = folders.file("front").with_file_name("input");
    fs::write(&input, "read\n").expect("a file");
    let mut command = folders.command(&PATH);
    let stdin = fs::File::open(&input).expect("the file");
    let watched = Watched::start(command.args(["cat"]).stdin(stdin).stdout(Stdio::piped()));
    let pid = watched.pid();
    let ran = watched.finish(LIMIT).ran;
    assert_eq!(ran.stdout, format!("read\n{pid}\n"));
    assert_eq!((ran.stderr.as_str(), ran.status), ("said\n", 42));
    let killed = Folders::before("kill -TERM $$").run(&PATH, &["ls"]);
    assert_eq!(killed.status, 128 + 15);
}

#[test]
fn the_next_mc_has_the_limits_and_signals_that_this_process_had() {
    let shows = "ulimit -Sn; grep -E 'Sig(Ign|Blk)' /proc/self/status";
    let limited = |program: &Path| {
        let mut command = Command::new("/bin/sh");
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.args(["-c", "ulimit -Sn 256; exec \"$0\" ls"]).arg(program);
        command
    };
    let folders = Folders::before(shows);
    let direct = run(&mut limited(&folders.file("next")));
    let path = std::env::join_paths([folders.file("next").with_file_name(""), "/bin".into()]);
    let through = run(limited(&folders.file("front")).env("PATH", path.expect("a PATH")));
    assert!(direct.stdout.starts_with("256\nSig"), "{direct:?}");
    assert_eq!(through.stdout, direct.stdout);
}

#[test]
fn the_command_itself_is_this_programs_and_goes_by_its_name() {
    let server = FakeServer::start(Options::with_backlog(Backlog::demo()));
    let folders = Folders::before(SHOWS);
    let mut command = folders.command(&PATH);
    command.env("MC_HOST_a", server.alias_url());
    let ran = run(command.args(["--no-color", "replicate", "resync-backlog", "a/mybucket"]));
    assert_eq!((ran.status, server.triggers()), (1, (148, 0)));
    let again = "  $ mc replicate resync-backlog --no-color a/mybucket\n";
    assert!(ran.stdout.ends_with(again), "{}", ran.stdout);
    let help = folders.run(&PATH, &["replicate", "resync-backlog", "--help"]);
    assert!(help.stdout.contains("\n  mc replicate resync-backlog TARGET"), "{}", help.stdout);
    // Also where there is no other one.
    let alone = folders.run(&[], &["replicate", "resync-backlog", "--help"]);
    assert_eq!(alone.stdout, help.stdout);
}

#[test]
fn the_list_of_replicate_has_the_commands_of_both() {
    let list = "printf 'NAME:\\n  mc replicate - x\\n\\nCOMMANDS:\\n  add         add a rule\\n  \\nFLAGS:\\n  --json  x\\n'";
    let folders = Folders::before(list);
    for words in [&["replicate"][..], &["replicate", "--help"], &["--json", "replicate", "-h"]] {
        let ran = folders.run(&PATH, words);
        assert!(ran.stdout.starts_with("NAME:\n  mc replicate - x\n"), "{}", ran.stdout);
        let added = "  add         add a rule\n  resync-backlog  ";
        assert!(
            ran.stdout.contains(added) && ran.stdout.ends_with("  --json  x\n"),
            "{}",
            ran.stdout
        );
        assert_eq!((ran.stderr.as_str(), ran.status), ("", 0));
    }
    let ran = Folders::before("echo no; exit 7").run(&PATH, &["replicate"]);
    assert_eq!((ran.stdout.as_str(), ran.status), ("no\n", 7));
}

#[test]
fn completion_is_the_next_mcs_also_after_the_words_of_the_command() {
    let folders = Folders::before("printf '%s|' \"$COMP_LINE\"; printf '<%s>' \"$@\"");
    for words in [["mc", "re", "replicate"], ["replicate", "resync-backlog", "a"]] {
        let ran = run(folders.command(&PATH).env("COMP_LINE", "mc replicate re").args(words));
        assert_eq!(ran.stdout, format!("mc replicate re|<{}>", words.join("><")));
    }
}

#[test]
fn the_next_mc_has_the_terminal() {
    let folders = Folders::before("if [ -t 1 ] && [ -t 2 ]; then stty size <&1; fi");
    let mut command = folders.command(&PATH);
    let path = std::env::join_paths([
        folders.file("front").with_file_name(""),
        folders.file("next").with_file_name(""),
        "/usr/bin".into(),
        "/bin".into(),
    ]);
    command.args(["ls"]).env("PATH", path.expect("a PATH"));
    let screen = terminal::start(command, 77).wait();
    assert_eq!((screen.lines, screen.status), (vec!["50 77".to_owned()], 0));
}

#[test]
fn links_and_copies_of_this_program_are_passed_by_whatever_their_order() {
    let folders = Folders::before(SHOWS);
    folders.link("link");
    for copy in ["copy", "other"] {
        fs::copy(MC_WASI, folders.file(copy)).expect("a copy");
    }
    for path in [
        &["front", "link", "front", "next"][..],
        &["front", "copy", "front", "next"],
        &["front", "copy", "link", "other", "copy", "next"],
        &["copy", "front", "other", "next"],
        &["copy", "other", "next"],
        &["next"],
    ] {
        let ran = folders.run(path, &["ls"]);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("<ls>", ""), "{path:?}");
    }
    assert_says(&folders.run(&["front", "copy", "link", "other"], &["ls"]), "no other `mc`");
}

#[test]
fn a_script_that_calls_this_program_again_is_a_circle_that_ends() {
    for script in ["exec mc \"$@\"", "mc \"$@\""] {
        let folders = Folders::before(script);
        assert_says(&folders.run(&PATH, &["ls"]), "next/mc`. It calls this program again");
        // With another one that is named it is none.
        folders.script("elsewhere", SHOWS);
        let ran =
            run(folders.command(&PATH).env("MC_WASI_MC", folders.file("elsewhere")).arg("ls"));
        assert_eq!(ran.stdout, "<ls>");
    }
}

#[test]
fn without_another_mc_it_says_so() {
    let folders = Folders::new();
    let none = "mc: <ERROR> There is no other `mc` to run this. Under this name mc-wasi adds `replicate resync-backlog` to the next `mc` of PATH; ";
    let says = |command: &mut Command, why: &str| {
        let ran = run(command.arg("ls"));
        assert!(ran.stderr.starts_with(none) && ran.stderr.contains(why), "{}", ran.stderr);
        assert_eq!((ran.stdout.as_str(), ran.status), ("", 1));
    };
    says(folders.command(&["front"]).env_remove("PATH"), "PATH is not set or empty. ");
    says(folders.command(&["front"]).env("PATH", ""), "PATH is not set or empty. ");
    says(&mut folders.command(&["front", "gone"]), "PATH is /");
    says(folders.command(&[]).env("PATH", OsStr::from_bytes(b"/\xff:::/")), "PATH is /");
    fs::create_dir_all(folders.file("folder")).expect("a folder");
    says(&mut folders.command(&["front", "folder"]), "folder/mc: It is not a file.");
    fs::write(folders.file("plain"), SHOWS).expect("a file");
    says(&mut folders.command(&["front", "plain"]), "plain/mc: It is not executable.");
    symlink("nothing", folders.file("dangling")).expect("a link");
    says(&mut folders.command(&["front", "dangling"]), "dangling/mc: No such file");
    // What is in the folder of the moment is not meant.
    folders.script("here", SHOWS);
    let here = folders.0.path().join("here");
    says(folders.command(&[]).env("PATH", ".:").current_dir(here), "PATH is .:");
    let json = folders.run(&["front"], &["--json", "ls"]);
    assert_eq!(json.json()[0]["error"]["message"], "There is no other `mc` to run this");
}

#[test]
fn the_one_that_is_named_is_run_or_what_is_wrong_with_it_is_said() {
    let folders = Folders::before("echo of PATH");
    folders.script("elsewhere", SHOWS);
    let named = |file: &Path| run(folders.command(&PATH).env("MC_WASI_MC", file).arg("ls"));
    assert_eq!(named(&folders.file("elsewhere")).stdout, "<ls>");
    assert_eq!(named(Path::new("")).stdout, "of PATH\n");
    assert_says(&named(Path::new("/gone/mc")), "`/gone/mc`, which MC_WASI_MC names. No such file");
    assert_says(&named(&folders.file("front")), "It is this program itself.");
    assert_says(&named(Path::new(MC_WASI)), "It is this program itself.");
    fs::write(folders.file("elsewhere"), "#!/gone/shell\n").expect("a file");
    assert_says(&named(&folders.file("elsewhere")), "elsewhere/mc`. No such file");
}
