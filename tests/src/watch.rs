//! A run under observation: what it says while it runs, how it ended, and how much memory it took.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
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
    stdout: Heard,
    stderr: Heard,
    began: Instant,
    peak_kib: u64,
    files: usize,
}

impl Watched {
    /// Starts a command with its stderr read, and its stdout too if the command has it piped.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        Self::spawn(command.stderr(Stdio::piped()))
    }

    /// Starts a command with those streams read that it has piped.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command.spawn().expect("the command starts");
        let (stdout, stderr) = (Heard::on(child.stdout.take()), Heard::on(child.stderr.take()));
        Self { child, stdout, stderr, began: Instant::now(), peak_kib: 0, files: 0 }
    }

    /// The number of the process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has written to stdout so far.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.stdout.so_far()
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// When the process is gone.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a process id"));
        kill(pid, signal).expect("a process to signal");
    }

    /// Files, sockets and pipes that it has open, as many as it had at the last look too; 0 at the first, and when it
    /// has ended.
    ///
    /// One look is not enough: a process shows the descriptors of the one that started it until the kernel has closed
    /// them, which is after `spawn` has returned (seen in two of three starts).
    pub fn open_files(&mut self) -> usize {
        let open = open_files(self.child.id());
        std::mem::replace(&mut self.files, open).min(open)
    }

    /// Memory taken at most so far, in MiB, as the kernel counts it.
    pub fn peak_mib(&mut self) -> u64 {
        self.peak_kib = self.peak_kib.max(peak_kib(self.child.id()));
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
    #[track_caller]
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
        let took = self.began.elapsed();
        let peak_mib = self.peak_mib();
        let status: ExitStatus = self.child.wait().expect("a process that ended");
        let (stdout, stderr) = (self.stdout.all(), self.stderr.all());
        let output = std::process::Output { status, stdout, stderr };
        Finished { ran: Ran::from(output), took, peak_mib }
    }
}

/// Runs a command to its end, with what it prints.
///
/// # Panics
/// When it takes longer than `limit`.
#[track_caller]
pub fn run(command: &mut Command, limit: Duration) -> Ran {
    Watched::start(command.stdout(Stdio::piped())).finish(limit).ran
}

/// Memory that a process has taken at most so far, in KiB, as the kernel counts it; 0 when it has ended.
#[must_use]
pub fn peak_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let peak = status.lines().find_map(|line| {
        line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.trim().parse().ok()
    });
    peak.unwrap_or(0)
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

/// What comes out of a stream, read in the background so that whoever writes never waits.
#[derive(Debug)]
pub(crate) struct Heard {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Heard {
    /// Nothing will be heard if there is no stream.
    pub(crate) fn on(stream: Option<impl Read + Send + 'static>) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&bytes);
        let reader = stream.map(|mut stream| {
            thread::spawn(move || {
                let mut piece = vec![0; 1 << 16];
                // A terminal nobody writes to any more ends with an error, on Linux.
                while let Ok(count @ 1..) = stream.read(&mut piece) {
                    heard
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .extend_from_slice(&piece[..count]);
                }
            })
        });
        Self { bytes, reader }
    }

    fn so_far(&self) -> String {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Everything, up to the end of the stream.
    pub(crate) fn all(self) -> Vec<u8> {
        let _ = self.reader.map(JoinHandle::join);
        std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
