//! What happened when, for looking into a soak that failed: a line for each fault and each run.

use std::fs::File;
use std::io::Write as _;
use std::sync::Mutex;
use std::time::Instant;

/// A file with times, or none.
#[derive(Debug)]
pub(super) struct Journal {
    file: Option<Mutex<File>>,
    began: Instant,
}

impl Journal {
    pub(super) fn new(file: Option<File>) -> Self {
        Self { file: file.map(Mutex::new), began: Instant::now() }
    }

    /// Notes something that is happening now. A full disk must not end the soak.
    pub(super) fn note(&self, what: &str) {
        if let Some(Ok(mut file)) = self.file.as_ref().map(Mutex::lock) {
            let _ = writeln!(file, "{:9.3} {what}", self.began.elapsed().as_secs_f64());
        }
    }
}
