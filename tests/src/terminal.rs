//! A terminal for a program to run in, and what is on its screen.

use std::fs::File;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};

use nix::pty::{Winsize, openpty};
pub use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;

/// Height of the terminal: all that a test prints stays on the screen.
const ROWS: u16 = 50;

/// A program in a terminal.
#[derive(Debug)]
pub struct InTerminal {
    child: Child,
    reader: JoinHandle<Vec<u8>>,
    columns: u16,
}

/// What a program left behind in its terminal.
#[derive(Debug)]
pub struct Screen {
    /// All bytes it wrote, in their order.
    pub written: String,
    /// The lines that a user sees at the end, as wide as the terminal, without blank ones behind.
    pub lines: Vec<String>,
    /// Exit status; -1 if a signal ended it.
    pub status: i32,
}

/// Starts a program with stdout and stderr in a terminal of so many columns.
///
/// # Panics
/// When there is no terminal to be had, or no such program.
pub fn start(mut command: Command, columns: u16) -> InTerminal {
    let size = Winsize { ws_row: ROWS, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let pty = openpty(&size, None).expect("a pseudo terminal");
    let stdout = pty.slave.try_clone().expect("a second descriptor");
    command.stdout(Stdio::from(stdout)).stderr(Stdio::from(pty.slave));
    let child = command.spawn().expect("the program starts");
    // The command holds descriptors of the terminal, whose end would never come.
    drop(command);
    let mut master = File::from(pty.master);
    let reader = thread::spawn(move || {
        let (mut all, mut piece) = (Vec::new(), [0; 4096]);
        // Linux ends a terminal nobody writes to any more with EIO.
        while let Ok(count @ 1..) = master.read(&mut piece) {
            all.extend_from_slice(&piece[..count]);
        }
        all
    });
    InTerminal { child, reader, columns }
}

impl InTerminal {
    /// Sends it a signal.
    ///
    /// # Panics
    /// When it has ended already.
    pub fn signal(&self, signal: Signal) {
        send(&self.child, signal);
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it wrote what is no UTF-8.
    pub fn wait(mut self) -> Screen {
        let status = self.child.wait().expect("it can be waited for");
        let written = self.reader.join().expect("the reader ends");
        let written = String::from_utf8(written).expect("UTF-8");
        let lines = lines(&written, self.columns);
        Screen { written, lines, status: status.code().unwrap_or(-1) }
    }
}

/// The lines that a user sees of this in a terminal of so many columns, without blank ones behind.
///
/// # Panics
/// When there are no columns.
pub fn lines(written: &str, columns: u16) -> Vec<String> {
    let mut terminal = avt::Terminal::new(usize::from(columns), usize::from(ROWS)).expect("a size");
    terminal.feed(written);
    let mut lines: Vec<String> =
        terminal.screen().visible_lines().map(|line| line.text().trim_end().to_owned()).collect();
    let used = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
    lines.truncate(used);
    lines
}

/// Sends a signal to a program that the caller started and has not waited for.
///
/// # Panics
/// When it has ended already.
pub fn send(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id()).expect("a process id");
    kill(Pid::from_raw(pid), signal).expect("it runs");
}
