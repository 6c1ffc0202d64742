//! A run under observation: how it ended, and how much memory it took.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::mcwasi::Ran;

/// Between two looks at the process.
const GLANCE: Duration = Duration::from_millis(10);

/// A started process whose output is read in the background.
#[derive(Debug)]
pub struct Watched {
    child: Child,
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
    began: Instant,
    peak_kib: u64,
}

fn collect(stream: Option<impl Read + Send + 'static>) -> Option<JoinHandle<Vec<u8>>> {
    let mut stream = stream?;
    Some(thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        bytes
    }))
}

impl Watched {
    /// Starts a command with its stderr read, and its stdout too unless the command has one.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the command starts");
        let (stdout, stderr) = (collect(child.stdout.take()), collect(child.stderr.take()));
        Self { child, stdout, stderr, began: Instant::now(), peak_kib: 0 }
    }

    /// The number of the process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How long ago it was started.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// When the process is gone.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a process id"));
        kill(pid, signal).expect("a process to signal");
    }

    /// Files, sockets and pipes that it has open, 0 when it has ended.
    #[must_use]
    pub fn open_files(&self) -> usize {
        open_files(self.child.id())
    }

    /// Memory taken at most so far, in MiB, as the kernel counts it.
    pub fn peak_mib(&mut self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let peak = status.unwrap_or_default().lines().find_map(|line| {
            line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.trim().parse().ok()
        });
        self.peak_kib = self.peak_kib.max(peak.unwrap_or(0));
        self.peak_kib / 1024
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.peak_mib();
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When that takes longer than `limit`; the process is killed then.
    pub fn finish(mut self, limit: Duration) -> Finished {
        let began = Instant::now();
        while self.runs() {
            if began.elapsed() > limit {
                let _ = self.child.kill();
                let _ = self.child.wait();
                panic!("it still runs after {limit:?}");
            }
            thread::sleep(GLANCE);
        }
        let status = self.child.wait().expect("a process that ended");
        let read = |reader: Option<JoinHandle<Vec<u8>>>| {
            reader.and_then(|reader| reader.join().ok()).unwrap_or_default()
        };
        let (stdout, stderr) = (read(self.stdout.take()), read(self.stderr.take()));
        let output = std::process::Output { status, stdout, stderr };
        Finished { ran: Ran::from(output), took: self.began.elapsed(), peak_mib: self.peak_mib() }
    }
}

/// Files, sockets and pipes that a process has open.
#[must_use]
pub fn open_files(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

/// A run that has ended.
#[derive(Debug)]
pub struct Finished {
    /// What it printed.
    pub ran: Ran,
    /// How long it took.
    pub took: Duration,
    /// Memory taken at most, in MiB.
    pub peak_mib: u64,
}
