//! Standard output and standard error: everything that this process writes goes through here, the
//! component's output as well as the host's own words.

use bytes::Bytes;
use mc_wasi_policy::Screen;
use std::io::{self, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

/// Taken from the component at once. The adapter that wasmtime offers takes 8 KiB and hands it to
/// another task; a million lines of JSON are 300 MB.
const PIECE: usize = 256 * 1024;

/// Standard output or standard error.
#[derive(Debug, Clone)]
pub(crate) struct Outlet {
    stderr: bool,
    lost: Arc<OnceLock<Lost>>,
    /// Where what is written is a component's, and goes to a terminal.
    screen: Option<Arc<Mutex<Screen>>>,
}

/// Why nothing more can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The reader went away.
    Reader,
    /// The device does not take it, in the words of the system.
    Device(String),
}

impl Outlet {
    /// Standard output.
    pub(crate) fn stdout() -> Self {
        Self { stderr: false, lost: Arc::default(), screen: None }
    }

    /// Standard error.
    pub(crate) fn stderr() -> Self {
        Self { stderr: true, lost: Arc::default(), screen: None }
    }

    /// The same for what a component writes, of which a terminal gets only what cannot steer it.
    #[must_use]
    pub(crate) fn for_component(mut self) -> Self {
        self.screen = self.is_terminal().then(Arc::default);
        self
    }

    /// Why nothing more can be written, once that is so.
    pub(crate) fn lost(&self) -> Option<&Lost> {
        self.lost.get()
    }

    /// Writes all of it at once, so that lines of the host and of the component do not mix.
    ///
    /// # Errors
    /// Nobody reads any more, or the device is full.
    pub(crate) fn put(&self, bytes: &[u8]) -> io::Result<()> {
        let filtered = self
            .screen
            .as_ref()
            .map(|screen| screen.lock().unwrap_or_else(PoisonError::into_inner).filter(bytes));
        let bytes = filtered.as_deref().unwrap_or(bytes);
        let result = if self.stderr {
            write_all(io::stderr().lock(), bytes)
        } else {
            write_all(io::stdout().lock(), bytes)
        };
        if let Err(error) = &result {
            let _ = self.lost.set(match error.kind() {
                io::ErrorKind::BrokenPipe => Lost::Reader,
                _ => Lost::Device(error.to_string()),
            });
        }
        result
    }

    /// Writes the last that comes out on standard error: nobody can write there after it.
    pub(crate) fn end_stderr(bytes: &[u8]) {
        let mut stderr = io::stderr().lock();
        let _ = stderr.write_all(bytes);
        // Whoever wants to write waits for the lock until the process ends.
        std::mem::forget(stderr);
    }
}

impl Outlet {
    /// What the component is told.
    fn closed(&self) -> StreamError {
        match self.lost() {
            Some(Lost::Device(why)) => {
                StreamError::LastOperationFailed(wasmtime::Error::msg(why.clone()))
            }
            _ => StreamError::Closed,
        }
    }
}

/// Writes everything, without a buffer of its own. A stream may be one that does not block, because Node,
/// ssh or a CI runner has made it so for all who share it; then its reader is waited for.
#[cfg(unix)]
fn write_all(stream: impl std::os::fd::AsFd, mut bytes: &[u8]) -> io::Result<()> {
    use nix::errno::Errno;
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    while !bytes.is_empty() {
        match nix::unistd::write(&stream, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(Errno::EAGAIN) => {
                let mut waiting = [PollFd::new(stream.as_fd(), PollFlags::POLLOUT)];
                match poll(&mut waiting, PollTimeout::NONE) {
                    Ok(_) | Err(Errno::EINTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Writes everything. Elsewhere a stream blocks, and a console takes text, which the standard library makes of the
/// bytes.
#[cfg(not(unix))]
fn write_all(mut stream: impl Write, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes)?;
    stream.flush()
}

impl IsTerminal for Outlet {
    fn is_terminal(&self) -> bool {
        if self.stderr {
            io::IsTerminal::is_terminal(&io::stderr())
        } else {
            io::IsTerminal::is_terminal(&io::stdout())
        }
    }
}

impl StdoutStream for Outlet {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Outlet {
    async fn ready(&mut self) {}
}

#[wasmtime_wasi::async_trait]
impl OutputStream for Outlet {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        // Blocking here is the back-pressure: a component whose output nobody reads has nothing
        // else to do, and a signal is handled by a thread of its own.
        self.put(&bytes).map_err(|_| self.closed())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        if self.lost().is_some() { Err(self.closed()) } else { Ok(PIECE) }
    }
}

impl AsyncWrite for Outlet {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.put(bytes).map(|()| bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
