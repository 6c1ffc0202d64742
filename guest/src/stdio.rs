//! Standard output and standard error.

use crate::bindings::wasi::cli::{stderr, stdout, terminal_stderr, terminal_stdout};
use crate::bindings::wasi::io::streams::{OutputStream, StreamError};
use resync_core::report::{Console, Loss};

/// The two streams of the program.
pub(crate) struct Stdio {
    out: OutputStream,
    err: OutputStream,
    out_is_terminal: bool,
    err_is_terminal: bool,
}

impl Stdio {
    pub(crate) fn new() -> Self {
        Self {
            out: stdout::get_stdout(),
            err: stderr::get_stderr(),
            out_is_terminal: terminal_stdout::get_terminal_stdout().is_some(),
            err_is_terminal: terminal_stderr::get_terminal_stderr().is_some(),
        }
    }
}

/// Writes everything, in pieces as large as the host takes them. `blocking-write-and-flush` would
/// be simpler, and takes 4,096 bytes a call.
fn write(stream: &OutputStream, mut bytes: &[u8]) -> Result<(), StreamError> {
    while !bytes.is_empty() {
        let room = usize::try_from(stream.check_write()?).unwrap_or(usize::MAX);
        if room == 0 {
            stream.subscribe().block();
            continue;
        }
        let (now, later) = bytes.split_at(room.min(bytes.len()));
        stream.write(now)?;
        bytes = later;
    }
    stream.blocking_flush()
}

/// Why it could not be written. Hosts differ in how they say that the reader went away.
fn loss(error: StreamError) -> Loss {
    let StreamError::LastOperationFailed(error) = error else { return Loss::Reader };
    let text = error.to_debug_string();
    if ["roken pipe", "BrokenPipe", "EPIPE"].iter().any(|words| text.contains(words)) {
        return Loss::Reader;
    }
    Loss::Device(text.lines().next().unwrap_or_default().to_owned())
}

impl Console for Stdio {
    fn out(&mut self, text: &[u8]) -> Result<(), Loss> {
        write(&self.out, text).map_err(loss)
    }

    fn err(&mut self, text: &str) {
        // Nobody is left to be told that stderr is gone.
        let _ = write(&self.err, text.as_bytes());
    }

    fn out_is_terminal(&self) -> bool {
        self.out_is_terminal
    }

    fn err_is_terminal(&self) -> bool {
        self.err_is_terminal
    }
}
