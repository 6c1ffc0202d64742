//! A terminal for a program to run in, and what is on its screen.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::signal::Signal;

use crate::watch::{Heard, Watched};

/// Height of the terminal: all that a test prints stays on the screen.
const ROWS: u16 = 50;

/// Longer than any program of a test runs in a terminal.
const LIMIT: Duration = Duration::from_secs(120);

/// A program in a terminal.
#[derive(Debug)]
pub struct InTerminal {
    watched: Watched,
    master: Heard,
    columns: u16,
}

/// What a program left behind in its terminal.
#[derive(Debug)]
pub struct Screen {
    /// All bytes it wrote, in their order.
    pub written: String,
    /// The lines that a user sees at the end, as wide as the terminal, without blank ones after them.
    pub lines: Vec<String>,
    /// Exit status; 128 + the signal if one ended it.
    pub status: i32,
    /// How long the program ran.
    pub took: Duration,
}

/// Starts a program with stdout and stderr in a terminal of this many columns.
///
/// # Panics
/// When there is no terminal to be had, or no such program.
#[must_use]
pub fn start(mut command: Command, columns: u16) -> InTerminal {
    let (master, slave) = open(columns);
    // As every terminal says what it is, unless the test wants another one.
    if !command.get_envs().any(|(name, _)| name == "TERM") {
        command.env("TERM", "xterm");
    }
    let stdout = slave.try_clone().expect("a second descriptor");
    let watched = Watched::spawn(command.stdout(stdout).stderr(slave));
    // The command holds descriptors of the terminal, whose end would never come.
    drop(command);
    InTerminal { watched, master: Heard::on(Some(master)), columns }
}

/// Both ends of a new terminal. Neither is inherited by what other tests start meanwhile, which is why
/// this is not `openpty`: the terminal ends when the last process that holds it has.
fn open(columns: u16) -> (PtyMaster, File) {
    let flags = OFlag::O_RDWR | OFlag::O_NOCTTY;
    let master = posix_openpt(flags | OFlag::O_CLOEXEC).expect("a pseudo terminal");
    grantpt(&master).and_then(|()| unlockpt(&master)).expect("its other end");
    let name = ptsname_r(&master).expect("the name of its other end");
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(OFlag::O_NOCTTY.bits());
    let slave = options.open(name).expect("a terminal to write to");
    let mut size = Command::new("stty");
    size.args(["rows", &ROWS.to_string(), "cols", &columns.to_string()]);
    size.stdin(slave.try_clone().expect("a second descriptor")).stdout(Stdio::null());
    assert!(size.status().expect("stty").success(), "a terminal takes a size");
    (master, slave)
}

impl InTerminal {
    /// Sends it a signal.
    ///
    /// # Panics
    /// When it has ended already.
    pub fn signal(&self, signal: Signal) {
        self.watched.signal(signal);
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not end, or wrote what is not UTF-8.
    #[must_use]
    #[track_caller]
    pub fn wait(self) -> Screen {
        let finished = self.watched.finish(LIMIT);
        let written = String::from_utf8(self.master.all()).expect("UTF-8");
        let lines = lines(&written, self.columns);
        Screen { written, lines, status: finished.ran.status, took: finished.took }
    }
}

/// The lines that a user sees of this in a terminal of this many columns, without blank ones after
/// them.
///
/// # Panics
/// When there are no columns.
#[must_use]
pub fn lines(written: &str, columns: u16) -> Vec<String> {
    let mut terminal = avt::Terminal::new(usize::from(columns), usize::from(ROWS)).expect("a size");
    terminal.feed(written);
    let mut lines: Vec<String> =
        terminal.screen().visible_lines().map(|line| line.text().trim_end().to_owned()).collect();
    let used = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
    lines.truncate(used);
    lines
}
