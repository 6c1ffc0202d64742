//! Runs the built `mc-wasi` as a user would, in an environment of its own.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;

use crate::watch::Watched;

/// Longer than any run of a test takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(240);

/// A home folder and an environment that nothing of the machine leaks into.
#[derive(Debug)]
pub struct McWasi {
    program: String,
    home: TempDir,
    variables: Vec<(String, String)>,
}

/// What a run printed and how it ended.
#[derive(Debug)]
pub struct Ran {
    /// Exit status; 128 + the signal for a run that one ended.
    pub status: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl McWasi {
    /// `program` is `env!("CARGO_BIN_EXE_mc-wasi")` of the test.
    pub fn new(program: &str) -> Self {
        let home = TempDir::new().expect("a folder for HOME");
        Self { program: program.to_owned(), home, variables: Vec::new() }
    }

    /// Sets a variable for all runs.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Names a server: `MC_HOST_<alias>`.
    #[must_use]
    pub fn alias(self, alias: &str, url: &str) -> Self {
        self.env(&format!("MC_HOST_{alias}"), url)
    }

    /// The folder that is HOME.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The command, not yet started: `mc-wasi` with exactly these words.
    pub fn command<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words).env_clear().env("HOME", self.home.path()).stdin(Stdio::null());
        // Compiled code is shared between tests; a compilation takes longer than most of them.
        let cache = Path::new(&self.program).with_file_name("test-cache");
        command.env("XDG_CACHE_HOME", cache);
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        command
    }

    /// Runs `mc-wasi` with exactly these words.
    ///
    /// # Panics
    /// When it hangs; it is killed then, so that the test fails instead of hanging with it.
    #[track_caller]
    pub fn run_words(&self, words: &[&str]) -> Ran {
        Watched::start(self.command(words).stdout(Stdio::piped())).finish(LIMIT).ran
    }

    /// Runs `mc-wasi replicate resync-backlog` with these flags and TARGET.
    ///
    /// # Panics
    /// As [`McWasi::run_words`].
    #[track_caller]
    pub fn run(&self, words: &[&str]) -> Ran {
        self.run_words(&[&["replicate", "resync-backlog"], words].concat())
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        use std::os::unix::process::ExitStatusExt;
        let signal = output.status.signal().map(|signal| 128 + signal);
        Self {
            status: output.status.code().or(signal).unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Ran {
    /// Stdout as JSON lines.
    pub fn json(&self) -> Vec<serde_json::Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
            .collect()
    }

    /// It triggered `total` versions, and said nothing but that.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn assert_completed(&self, total: usize) {
        let stdout = format!(
            "✓ Replication trigger completed\n  Total: {total}\n  Processed: {total}\n  Failed: 0\n"
        );
        assert_eq!((self.stdout.as_str(), self.stderr.as_str()), (stdout.as_str(), ""));
        assert_eq!(self.status, 0);
    }

    /// It ended before its first trigger, with exactly this error.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn assert_refused(&self, error: &str) {
        let stderr = format!("mc-wasi: <ERROR> {error}\n");
        assert_eq!((self.stdout.as_str(), self.stderr.as_str()), ("", stderr.as_str()));
        assert_eq!(self.status, 1);
    }

    /// The summary, which is the last JSON line.
    pub fn summary(&self) -> serde_json::Value {
        self.json().pop().unwrap_or_else(|| panic!("no output; stderr: {}", self.stderr))
    }
}
