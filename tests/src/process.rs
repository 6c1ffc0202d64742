//! A program that has to succeed, a server process that does not outlive the test, and a port that no other test has.

use std::fs::{self, File};
use std::io;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Below the range from which the kernel takes ports of outgoing connections, so that a server that
/// was killed finds its port free when it comes back.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// Runs a program to its end, and returns what it printed.
///
/// # Panics
/// When it is missing or fails, with what it said.
#[track_caller]
pub fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {why}");
    String::from_utf8(output.stdout).expect("text")
}

/// The server's process and a shell that kills it should this process die without running
/// destructors.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) child: Child,
    watch: Child,
}

impl Process {
    pub(crate) fn spawn(command: &mut Command) -> Self {
        // In a group of its own: Ctrl-C is for the test, which may have something to do yet.
        let child = command
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("start {command:?}: {error}"));
        // The pipe to its stdin closes when this process ends, however it ends.
        let watch = Command::new("sh")
            .args(["-c", "read _; kill -9 \"$0\"", &child.id().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("start a shell");
        Self { child, watch }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        // An error means that the process has just ended by itself, which is what the caller finds
        // out next.
        let _ = i32::try_from(self.child.id()).map(|id| kill(Pid::from_raw(id), signal));
    }

    /// The watch goes first: it must not outlive the process id that it would kill.
    pub(crate) fn end(mut self) {
        let _ = self.watch.kill();
        let _ = self.watch.wait();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that no other test takes while this value lives. Tests run in several processes, so the
/// claim is a locked file.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    _claim: File,
}

impl Port {
    pub(crate) fn take() -> Self {
        let claims = std::env::temp_dir().join("mc-wasi-test-ports");
        fs::create_dir_all(&claims).expect("a directory for port claims");
        PORTS
            .clone()
            .find_map(|number| Self::claim(&claims, number).ok())
            .unwrap_or_else(|| panic!("no free port in {PORTS:?}"))
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }

    pub(crate) fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.number)
    }

    fn claim(claims: &Path, number: u16) -> io::Result<Self> {
        let claim = File::create(claims.join(number.to_string()))?;
        claim.try_lock()?;
        TcpListener::bind(("127.0.0.1", number))?;
        Ok(Self { number, _claim: claim })
    }
}
