//! In front of the real mc, under its name.

use crate::MC_WASI;
use mc_wasi_tests::mcwasi::Ran;
use mc_wasi_tests::minio::{Pair, mc_path};
use mc_wasi_tests::terminal;
use mc_wasi_tests::watch::{self, Watched};
use nix::sys::signal::Signal;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(60);

/// A pair, and two ways to call mc: through this program, and itself.
struct Both {
    pair: Pair,
    home: TempDir,
    front: PathBuf,
}

impl Both {
    fn start() -> Self {
        let home = TempDir::new().expect("a folder");
        let front = home.path().join("mc");
        std::os::unix::fs::symlink(MC_WASI, &front).expect("a link");
        Self { pair: Pair::start(), home, front }
    }

    fn command(&self, program: &PathBuf, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        let real = mc_path();
        let path = [self.home.path(), real.parent().expect("a folder")];
        command.args(words).env_clear().env("HOME", self.home.path()).stdin(Stdio::null());
        command.env("PATH", std::env::join_paths(path).expect("a PATH"));
        command.env("MC_CONFIG_DIR", self.pair.mc().config_dir());
        for (name, value) in self.pair.mc().env() {
            command.env(name, value);
        }
        command
    }

    /// Through this program.
    #[track_caller]
    fn run(&self, words: &[&str]) -> Ran {
        run(&mut self.command(&self.front, words))
    }

    /// Both ways, which must be the same to a user.
    #[track_caller]
    fn run_both(&self, words: &[&str]) -> Ran {
        let (through, direct) = (self.run(words), run(&mut self.command(&mc_path(), words)));
        assert_eq!(
            (&through.stdout, &through.stderr, through.status),
            (&direct.stdout, &direct.stderr, direct.status),
            "{words:?}"
        );
        through
    }
}

#[track_caller]
fn run(command: &mut Command) -> Ran {
    watch::run(command, LIMIT)
}

#[test]
fn every_command_of_mc_is_as_it_was_and_the_backlog_is_this_programs() {
    let mut both = Both::start();
    both.pair.stick();
    both.pair.put_many("k", 20, b"hello");
    both.pair.wait_backlog(20);

    assert!(both.run_both(&["ls", "source/src"]).stdout.contains("k000000"));
    assert_eq!(both.run_both(&["ls", "--json", "source/src"]).json().len(), 20);
    assert_eq!(both.run_both(&["cat", "source/src/k000003"]).stdout, "hello");
    assert!(both.run_both(&["replicate", "ls", "source/src"]).stdout.contains("dst"));
    assert!(both.run_both(&["replicate", "add", "--help"]).stdout.contains("remote-bucket"));
    assert!(both.run_both(&["--version"]).stdout.starts_with("mc version "));
    for (words, status) in [
        (&["ls", "source/none"][..], 1),
        (&["cat", "source/src/none"], 1),
        (&["replicate", "resync"], 0),
        (&["replicate", "bogus"], 1),
        (&["mirorr"], 1),
        (&["--bogus"], 1),
    ] {
        assert_eq!(both.run_both(words).status, status, "{words:?}");
    }
    let words = ["replicate", "backlog", "--full", "--json", "source/src"];
    assert_eq!(both.run(&words).json().len(), 20);

    let list = both.run(&["replicate"]).stdout;
    let commands = list.split("COMMANDS:\n").nth(1).and_then(|rest| rest.split("\n  \n").next());
    let commands: Vec<&str> = commands.expect("commands").lines().collect();
    assert!(commands.iter().any(|line| line.starts_with("  resync  ")), "{list}");
    assert!(commands.last().is_some_and(|line| line.starts_with("  resync-backlog  ")), "{list}");

    both.pair.release();
    let ran = both.run(&["replicate", "resync-backlog", "source/src"]);
    let summary = "✓ Replication trigger completed\n  Total: 20\n  Processed: 20\n  Failed: 0\n";
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str(), ran.status), (summary, "", 0));
    both.pair.wait_empty(LIMIT);
}

#[test]
fn completion_terminal_and_signals_are_the_real_mcs() {
    let both = Both::start();
    let _ = both.pair.put_many("k", 3, b"hello");
    for line in ["mc replicate re", "mc ", "mc replicate resync-b"] {
        let complete = |program: &PathBuf| {
            let words: Vec<&str> = line.split(' ').collect();
            let mut command = both.command(program, &["mc", words[words.len() - 1], words[0]]);
            let command = command.env("COMP_LINE", line).env("COMP_POINT", line.len().to_string());
            // Its order is another one each time.
            let mut words: Vec<String> = run(command).stdout.lines().map(str::to_owned).collect();
            words.sort();
            words
        };
        assert_eq!(complete(&both.front), complete(&mc_path()), "{line}");
    }
    assert!(
        run(both
            .command(&both.front, &["mc", "res", "replicate"])
            .env("COMP_LINE", "mc replicate res"))
        .stdout
        .contains("resync")
    );

    let screen = |program: &PathBuf| {
        let command = both.command(program, &["ls", "source/src"]);
        let screen = terminal::start(command, 90).wait();
        (screen.written, screen.status)
    };
    let (through, direct) = (screen(&both.front), screen(&mc_path()));
    assert!(through.0.contains("k000000") && through.0.contains('\u{1b}'), "{through:?}");
    assert_eq!(through, direct);

    for (signal, program) in [(Signal::SIGINT, &both.front), (Signal::SIGTERM, &both.front)] {
        let end = |program: &PathBuf| {
            let mut command = both.command(program, &["watch", "source/src"]);
            let watched = Watched::start(command.stdout(Stdio::piped()));
            // It says nothing before the first event; a signal before it listens would be answered by Go itself.
            sleep(Duration::from_secs(2));
            watched.signal(signal);
            watched.finish(LIMIT).ran.status
        };
        assert_eq!(end(program), end(&mc_path()), "{signal}");
    }
}
